import type { Aim, Step, Strike } from './aims.ts'
import type { Plant } from './plants.ts'
import { defaultBounds, type SwarmBounds } from './swarm-bounds.ts'

/** Strikes at that step, so often, on the member or its peer. */
export const at = (step: Step, strike: Strike, share: number, atPeer = false): Aim => ({
  step,
  strike,
  share,
  atPeer,
})

/**
 * The known faults of ZooKeeper that lose or change what was acknowledged, or keep an ensemble from
 * serving: each planted into this server, or the reason why there is no place for it. What the numbers
 * mean stands in docs/testing.md, in a table that known-bugs.test.ts holds against this one.
 */
export interface KnownBug extends Plant {
  /** Numbers of ZOOKEEPER-nnnn. */
  readonly bugs: readonly number[]
}

/** A SNAP takes many turns. */
const slowSnaps: SwarmBounds = {
  ...defaultBounds,
  member: {
    ...defaultBounds.member,
    sliceBytes: 300,
    leader: { ...defaultBounds.member.leader, syncBytesPerTurn: 100, syncBytesWaitingMax: 500 },
  },
}

export const knownBugs: readonly KnownBug[] = [
  {
    name: 'uncommitted-forgotten-by-leader',
    bugs: [2845],
    story: 'a leader that ends keeps in its log what it does not count as its own any more',
    patches: [
      {
        file: 'src/server/ensemble/replica.ts',
        from: '    for (const ordered of proposed) this.#apply({ ...ordered, origin: undefined })\n',
        to: '    if (proposed.length > 0) this.#history.lastLoggedZxid = this.lastProcessedZxid\n',
      },
    ],
    members: 3,
    aims: ['proposal', 'upToDate'],
    seedsMax: 120,
  },
  {
    name: 'uncommitted-forgotten-by-follower',
    bugs: [4712],
    story: 'a follower that ends goes on writing what it does not count as its own any more',
    patches: [
      {
        file: 'src/server/ensemble/replica.ts',
        from: `    for (const accepted of undelivered)
      this.#apply({ ...meaningOf(accepted), entry: accepted.entry, origin: undefined })
`,
        to: `    if (undelivered.length > 0) this.#history.lastLoggedZxid = this.lastProcessedZxid
`,
      },
    ],
    members: 3,
    aims: ['proposal', 'upToDate'],
    seedsMax: 120,
  },
  {
    name: 'snapshot-not-synced',
    bugs: [2872],
    story: 'a snapshot that came from the leader is acked, and not synced',
    diskFaults: { snapshotsUnsynced: true },
    members: 3,
    aims: ['newLeaderAck', 'forgetting', 'snapshotNamed'],
    seedsMax: 120,
  },
  {
    name: 'ack-newleader-before-history',
    bugs: [3911, 4646],
    story: 'NEWLEADER is acked before what came in front of it is on the disk',
    patches: [
      {
        file: 'src/quorum/learning/synchronisation.ts',
        from: `    parts.replica.whenDurable(() => {
      if (progress.step !== 'currentEpoch') return
      progress.waitFor('UPTODATE')`,
        to: `    const now = (done: () => void): void => done()
    now(() => {
      if (progress.step !== 'currentEpoch') return
      progress.waitFor('UPTODATE')`,
      },
    ],
    members: 3,
    aims: [
      at('proposal', 'powerOfAll', 0.02),
      at('newLeader', 'stuckDisk', 0.8, true),
      at('upToDate', 'powerOfAll', 0.5),
    ],
    faults: [],
    shape: { faultyMs: 20_000, observers: 0, bounds: defaultBounds },
    seedsMax: 120,
  },
  {
    name: 'epoch-before-history',
    bugs: [4643],
    story: 'currentEpoch is on the disk before the history that it stands for',
    patches: [
      {
        file: 'src/server/storage/disk-lane.ts',
        from: '    this.#cut()\n    this.#ops.push(op)\n',
        to: `    this.#cut()
    if (op.kind === 'writeEpoch') this.#ops.unshift(op)
    else this.#ops.push(op)
`,
      },
    ],
    members: 3,
    aims: [
      at('historyAndEpoch', 'powerOfAll', 1),
      at('proposal', 'isolate', 0.005, true),
      at('proposal', 'kill', 0.003),
    ],
    faults: ['power', 'partition'],
    shape: { faultyMs: 20_000, observers: 0, bounds: defaultBounds },
    seedsMax: 300,
  },
  {
    name: 'snap-kept-in-memory',
    bugs: [3642],
    story: 'a SNAP whose leader went before NEWLEADER stays the state, and is on no disk',
    patches: [
      {
        file: 'src/server/ensemble/own-history.ts',
        from: '    if (!this.#isStateOnDisk) this.#giveUpSnapshot()\n',
        to: '',
      },
    ],
    members: 3,
    aims: [at('snap', 'kill', 0.5), at('newLeader', 'kill', 0.5)],
    faults: ['wipe', 'kill', 'power'],
    shape: { bounds: slowSnaps },
    seedsMax: 120,
  },
  {
    name: 'newleader-before-history',
    bugs: [3104],
    story: 'NEWLEADER follows the SNAP at once, without what was committed while it was sent',
    patches: [
      {
        file: 'src/quorum/leading/sync-stream.ts',
        from: '      budget -= this.#pumpSnapshot(this.#feed)\n',
        to: `      budget -= this.#pumpSnapshot(this.#feed)
      if (this.#feed === undefined) return 'caughtUp'
`,
      },
      {
        file: 'src/quorum/learning/learner-history.ts',
        from: '    if (!follows(zxid, this.#lastZxid))\n',
        to: '    if (zxid <= this.#lastZxid)\n',
      },
    ],
    members: 3,
    aims: [],
    faults: ['wipe', 'kill', 'power'],
    shape: { faultyMs: 6000, clients: 3, bounds: slowSnaps },
    seedsMax: 300,
  },
  {
    name: 'session-left-out-of-snapshot',
    bugs: [3144],
    story: 'a snapshot claims a zxid whose session it lacks',
    patches: [
      {
        file: 'src/server/storage/snapshotter.ts',
        from: 'sessions.timeouts()',
        to: 'sessions.timeouts().slice(0, -1)',
      },
    ],
    members: 3,
    seedsMax: 120,
  },
  {
    name: 'diff-not-logged',
    bugs: [4785],
    story: 'what comes in a DIFF is applied, and not logged',
    patches: [
      {
        file: 'src/quorum/learning/learner-history.ts',
        from: '    this.#isLogged = !isSnapshot && this.#mayLog\n',
        to: '    this.#isLogged = false\n',
      },
      {
        file: 'src/quorum/learning/learner-history.ts',
        from: '    if (this.#isObserver) return []\n    this.#isAcking = true\n',
        to: `    this.#isLogged = this.#mayLog
    if (this.#isObserver) return []
    this.#isAcking = true
`,
      },
    ],
    members: 3,
    aims: ['diff', 'upToDate'],
    seedsMax: 120,
  },
  {
    name: 'snapshot-above-the-cut',
    bugs: [4837],
    story: 'a TRUNC leaves a snapshot of what it cuts off',
    patches: [
      {
        file: 'src/persistence/truncation.ts',
        from: 'return { snapshots: above, logs',
        to: 'return { snapshots: [], logs',
      },
    ],
    members: 3,
    aims: [at('proposal', 'isolateAndKill', 0.2)],
    faults: ['partition'],
    shape: { clients: 2, thinkMs: 1000, observers: 0 },
    seedsMax: 120,
  },
  {
    name: 'committed-log-with-hole',
    bugs: [4925],
    story: 'what a learner is told while it synchronises is missing in what it tells others later',
    patches: [
      {
        file: 'src/server/ensemble/replica.ts',
        from: '    this.#apply({ ...meaning, digest, entry: accepted.entry, origin })\n',
        to: `    const entry = serving.role === 'none' ? undefined : accepted.entry
    this.#apply({ ...meaning, digest, entry, origin })
`,
      },
      {
        file: 'src/quorum/learning/learner-history.ts',
        from: '    if (!follows(zxid, this.#lastZxid))\n',
        to: '    if (zxid <= this.#lastZxid)\n',
      },
    ],
    members: 5,
    aims: [at('proposal', 'isolate', 0.004, true), at('upToDate', 'isolate', 0.3)],
    faults: ['partition', 'stall'],
    seedsMax: 300,
  },
  {
    name: 'told-and-never-applied',
    bugs: [2355, 4541],
    story: 'what a follower has logged when its leader goes counts, and is never applied',
    patches: [
      {
        file: 'src/server/ensemble/replica.ts',
        from: `    for (const accepted of undelivered)
      this.#apply({ ...meaningOf(accepted), entry: accepted.entry, origin: undefined })
`,
        to: '',
      },
    ],
    members: 3,
    aims: ['proposal', 'upToDate'],
    seedsMax: 120,
  },
]
