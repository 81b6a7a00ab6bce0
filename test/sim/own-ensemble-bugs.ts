import type { Aim } from './aims.ts'
import { at } from './known-bugs.ts'
import type { NetworkRates } from './network.ts'
import type { Plant } from './plants.ts'
import { defaultBounds, type SwarmBounds } from './swarm-bounds.ts'

/** A snapshot is being written nearly all the time. */
const manySlices: SwarmBounds = {
  ...defaultBounds,
  member: { ...defaultBounds.member, sliceBytes: 50 },
}

/** Leaders that have what nobody else has, tell some of the others, and are lost with those. */
const lostTail: readonly Aim[] = [
  at('proposal', 'reset', 0.01),
  at('newLeader', 'isolate', 0.3),
  at('newLeader', 'isolate', 0.3, true),
  at('newLeader', 'kill', 0.3, true),
]
/** One txn a turn, and no more. */
const oneTxnATurn: SwarmBounds = {
  ...defaultBounds,
  member: { ...defaultBounds.member, applyStepsPerTurn: 1 },
}
const jittery: NetworkRates = {
  latencyMs: 1,
  jitterMs: 20,
  cutShare: 0,
  windowBytes: defaultBounds.windowBytes,
}

/** What this server did wrong once with histories, promises and load. Each takes back what mended it. */
export const ownEnsembleBugs: readonly Plant[] = [
  {
    name: 'sync-overtakes-what-is-left',
    story:
      'what a follower has no room for in a turn is put aside, and a sync behind it is answered',
    patches: [
      {
        file: 'src/quorum/learning/leader-stream.ts',
        from: '      if (!this.#isSated && !this.#events.mayGoOn()) {',
        to: '      if (this.#isClosed) {',
      },
      {
        file: 'src/server/ensemble/replica.ts',
        from: '  #isLogBehind = false\n',
        to: '  #isLogBehind = false\n  #late: AcceptedEntry[] = []\n',
      },
      {
        file: 'src/server/ensemble/replica.ts',
        from: '  deliver(accepted: AcceptedEntry): void {\n',
        to: `  deliver(accepted: AcceptedEntry): void {
    this.#late.push(accepted)
    while (this.mayDeliver) {
      const next = this.#late.shift()
      if (next === undefined) return
      this.#deliverNow(next)
    }
  }

  #deliverNow(accepted: AcceptedEntry): void {
`,
      },
      {
        file: 'src/server/ensemble/replica.ts',
        from: '    for (const ordered of proposed) this.#apply({ ...ordered, origin: undefined })\n',
        to: `    for (const ordered of proposed) this.#apply({ ...ordered, origin: undefined })
    for (const next of this.#late)
      this.#apply({ ...meaningOf(next), entry: next.entry, origin: undefined })
    this.#late = []
`,
      },
    ],
    members: 3,
    faults: [],
    shape: { observers: 0, bounds: oneTxnATurn },
    seedsMax: 20,
  },
  {
    name: 'cut-by-name',
    story: 'a TRUNC goes by the names of snapshots, and what is lost by it is voted for as nothing',
    patches: [
      {
        file: 'src/persistence/truncation.ts',
        from: 'file.zxid > zxid ? file.zxid : snapshotReach(disk, file)',
        to: 'file.zxid > zxid ? file.zxid : Math.min(file.zxid, Number(snapshotReach(disk, file)))',
      },
      {
        file: 'src/server/ensemble/replica.ts',
        from: '    snapshotter.restart()\n',
        to: '',
      },
      {
        file: 'src/server/ensemble/own-history.ts',
        from: '    this.#hasLostState = true\n',
        to: '',
      },
    ],
    members: 5,
    faults: ['slowDisk'],
    aims: lostTail,
    shape: {
      observers: 0,
      rates: jittery,
      faultEveryMs: 200,
      faultyMs: 20_000,
      bounds: manySlices,
      settings: { snapCount: '2' },
    },
    seedsMax: 100,
  },
  {
    name: 'snapshot-needed-outlives-leader',
    story: 'who needs a SNAP of one leader says to the next one, too, that it has nothing',
    patches: [
      {
        file: 'src/quorum/learning/learner.ts',
        from: 'new Progress(nowMono, parts.replica.hasLostState)',
        to: `new Progress(
      nowMono,
      parts.replica.hasLostState || Reflect.get(parts.epochs, 'snapshotNeeded') === true,
    )`,
      },
      {
        file: 'src/quorum/learning/synchronisation.ts',
        from: '    progress.needsSnapshot = true\n',
        to: `    Reflect.set(parts.epochs, 'snapshotNeeded', true)
    return this.#onEnd('the log cannot be cut')
`,
      },
      {
        file: 'src/quorum/learning/discovery.ts',
        from: 'sendAckEpoch(NO_ZXID, ACCEPTED_BEFORE)',
        to: 'sendAckEpoch(0, currentEpoch)',
      },
    ],
    members: 5,
    faults: ['slowDisk', 'partition'],
    aims: lostTail,
    shape: {
      observers: 0,
      rates: jittery,
      faultEveryMs: 500,
      faultyMs: 20_000,
      bounds: {
        ...defaultBounds,
        member: { ...defaultBounds.member, committedLogBytesMax: 1 },
      },
      settings: { snapshotSizeFactor: '-1', snapCount: '10' },
    },
    seedsMax: 300,
  },
  {
    name: 'room-for-a-later-history',
    story: 'a serving leader ends for a member that comes back with the history of an earlier life',
    patches: [
      {
        file: 'src/quorum/leading/learner-gate.ts',
        from: 'const history = standing.historyOf(sid, epoch)\n',
        to: "const history: string = standing.historyOf(sid, epoch) === 'unknown' ? 'unknown' : 'within'\n",
      },
    ],
    members: 5,
    faults: [],
    shape: {
      observers: 0,
      weights: undefined,
      groups: undefined,
      farEpoch: undefined,
      faultyMs: 15_000,
      revenant: { sid: 5, epoch: 50, comesMs: 8000 },
    },
    seedsMax: 20,
  },
  {
    name: 'heartbeats-wait',
    story: 'at globalOutstandingLimit nobody is heard, and sessions expire for it',
    patches: [
      {
        file: 'src/server/clients/admission.ts',
        from: '    if (cnxn.pending.length > 0) return false\n',
        to: '    if (cnxn.id >= 0) return false\n',
      },
      {
        file: 'src/server/clients/intake.ts',
        from: '      this.#admission.wait(cnxn)\n      this.#touch(cnxn)\n',
        to: '      this.#admission.wait(cnxn)\n',
      },
      {
        file: 'src/server/clients/intake.ts',
        from: 'if (cnxn.paused && this.#takesReplies(cnxn)) this.#touch(cnxn)',
        to: 'if (cnxn.id < 0) this.#touch(cnxn)',
      },
    ],
    members: 1,
    faults: ['stuckDisk'],
    shape: {
      clients: 6,
      idleShare: 0.4,
      pipeline: 16,
      thinkMs: 5,
      bounds: {
        ...defaultBounds,
        limits: { ...defaultBounds.limits, unservedBytesPause: 0 },
      },
      settings: { globalOutstandingLimit: '4' },
    },
    seedsMax: 100,
  },
  {
    name: 'followers-cut-for-what-is-owed',
    story: 'a leader cuts its followers off for what is outstanding, and so leads no more',
    patches: [
      {
        file: 'src/quorum/leading/forwarding.ts',
        from: 'this.#followers, this.#learnerBytesMax + this.#outstandingBytes)',
        to: 'this.#followers, this.#learnerBytesMax)',
      },
    ],
    members: 3,
    faults: [],
    shape: {
      observers: 0,
      clients: 6,
      pipeline: 16,
      thinkMs: 5,
      fatBytes: 300,
      idleShare: 0,
      slowReaderShare: 0,
      rates: { latencyMs: 1, jitterMs: 0.5, cutShare: 0, windowBytes: 500 },
      faultyMs: 20_000,
      bounds: {
        ...defaultBounds,
        member: {
          ...defaultBounds.member,
          leader: {
            ...defaultBounds.member.leader,
            learnerBytesMax: 3000,
            syncBytesWaitingMax: 2000,
          },
        },
        limits: { ...defaultBounds.limits, requestBytesOutstandingMax: 200_000 },
        windowBytes: 500,
      },
      settings: { globalOutstandingLimit: '1000' },
    },
    seedsMax: 100,
  },
  {
    name: 'promise-not-taken-over',
    story: 'a leader that ends for the promise of another forgets it, and so does the next one',
    patches: [
      {
        file: 'src/quorum/leading/discovery.ts',
        from: '    acceptEpoch(this.#parts, acceptedEpoch)\n',
        to: '',
      },
      {
        file: 'src/quorum/leading/learner-gate.ts',
        from: 'if (isAnotherOut || !standing.mayMakeRoom(nowMono, pauseMs)) {',
        to: 'if (isAnotherOut) {',
      },
    ],
    members: 5,
    faults: [],
    shape: {
      observers: 0,
      weights: undefined,
      groups: undefined,
      faultyMs: 20_000,
      farEpoch: { sid: 1, acceptedEpoch: 1000 },
    },
    seedsMax: 100,
  },
]
