import { at } from './known-bugs.ts'
import type { Plant } from './plants.ts'
import { defaultBounds, type SwarmBounds } from './swarm-bounds.ts'

/** A learner is read no further as soon as anything is on its way to its log. */
const smallBacklog: SwarmBounds = {
  ...defaultBounds,
  member: {
    ...defaultBounds.member,
    learner: { ...defaultBounds.member.learner, logBytesPause: 1 },
  },
}

/** One list of names is more than may wait for a client. */
const smallReplies: SwarmBounds = {
  ...defaultBounds,
  limits: { ...defaultBounds.limits, replyBytesPause: 1000, replyBytesMax: 5000 },
  windowBytes: 500,
}

/** What this server itself did wrong once. Each takes back what mended it. */
export const ownBugs: readonly Plant[] = [
  {
    name: 'stuck-log-unnoticed',
    story: 'a follower whose disk hangs goes on serving what it had',
    patches: [
      {
        file: 'src/quorum/learning/learner.ts',
        from: '        this.#endIfLogIsStuck()\n',
        to: '',
      },
    ],
    members: 3,
    faults: [],
    aims: [at('proposal', 'stuckDisk', 0.02, true)],
    shape: { bounds: smallBacklog },
    seedsMax: 100,
  },
  {
    name: 'own-pause-blamed',
    story: 'after a pause of its own a member judges others before it has read what they sent',
    patches: [
      {
        file: 'src/server/pause-watch.ts',
        from: 'if (isPause || (gapMs >= GAP_MS_MIN && mayDefer)) this.#unreadTurns = TURNS_TO_READ\n    else if',
        to: 'if',
      },
      {
        file: 'src/server/pause-watch.ts',
        from: 'return isPause ? gapMs : 0',
        to: 'return isPause ? 0 : 0',
      },
    ],
    members: 3,
    faults: ['stall'],
    shape: { bounds: defaultBounds },
    seedsMax: 20,
  },
  {
    name: 'end-of-log-not-secured',
    story: 'a member that starts again acts upon what is in the memory of the kernel only',
    diskFaults: { endUnsecured: true },
    members: 3,
    faults: ['kill', 'failedWrite', 'power'],
    shape: { faultEveryMs: 200, faultyMs: 20_000, observers: 0, bounds: defaultBounds },
    seedsMax: 300,
  },
  {
    name: 'large-reply-never-delivered',
    story: 'a client is cut off for what waits for it, though it is one reply only',
    patches: [
      {
        file: 'src/server/clients/socket-events.ts',
        from: 'if (waitingBytes - cnxn.largeReplyBytes <= this.#limits.replyBytesMax) return',
        to: 'if (waitingBytes <= this.#limits.replyBytesMax) return',
      },
    ],
    members: 1,
    faults: [],
    shape: { bounds: smallReplies, fatBytes: 400, slowReaderShare: 0 },
    seedsMax: 20,
  },
  {
    name: 'quota-not-enforced',
    story: 'writes above a hard quota are done though quotas are enforced',
    patches: [
      {
        file: 'src/server/writes/prep.ts',
        from: "return excess?.kind === 'hard' && this.#config.enforceQuota",
        to: "return excess?.kind === 'none' && this.#config.enforceQuota",
      },
    ],
    members: 1,
    seedsMax: 20,
  },
  {
    name: 'quota-of-a-snapshot-believed',
    story: 'what a fuzzy snapshot says of usage is not counted anew after a start',
    patches: [
      {
        file: 'src/server/storage/load.ts',
        from: '  tree.quota.recountAll()\n',
        to: '',
      },
    ],
    members: 1,
    faults: ['kill', 'power'],
    seedsMax: 100,
  },
  {
    name: 'backup-of-two-moments',
    story: 'a backup shows some nodes as they were when it was begun, and others as they are now',
    patches: [
      {
        file: 'src/tree/tree-dump.ts',
        from: '    this.#preimages?.keep(path, znode)\n',
        to: '',
      },
    ],
    members: 1,
    seedsMax: 100,
  },
  {
    name: 'restore-leaves-changes',
    story:
      'writes that were under way when a database was restored count for those that come after it',
    patches: [{ file: 'src/server/admin-database.ts', from: '    changes.clear()\n', to: '' }],
    members: 1,
    shape: { restores: true },
    seedsMax: 20,
  },
  {
    name: 'restore-leaves-sessions',
    story: 'a session that a restored database does not know lives on',
    patches: [
      {
        file: 'src/server/storage/restore.ts',
        from: '  for (const id of [...sessions.all.keys()]) sessions.remove(id)\n',
        to: '',
      },
    ],
    members: 1,
    shape: { restores: true },
    seedsMax: 20,
  },
  {
    name: 'restore-goes-back',
    story: 'a restored database goes on from the zxid of the backup, not from all that was logged',
    patches: [
      {
        file: 'src/server/storage/restore.ts',
        from: 'return Math.max(lastLoggedZxid, backup.zxid) + 1',
        to: 'return Math.min(lastLoggedZxid, backup.zxid) + 1',
      },
    ],
    members: 1,
    shape: { restores: true },
    seedsMax: 20,
  },
  {
    name: 'restore-served-from-memory',
    story: 'clients are let into a restored database before it is on the disk, and it is lost',
    patches: [
      {
        file: 'src/server/admin-database.ts',
        from: '    writePath.start(zxid, undefined)\n',
        to: "    writePath.start(zxid, undefined)\n    serving.beginDeciding('standalone', true)\n",
      },
      {
        file: 'src/server/admin-database.ts',
        from: "zxid) })\n      serving.beginDeciding('standalone', true)\n",
        to: 'zxid) })\n',
      },
    ],
    members: 1,
    shape: { restores: true },
    seedsMax: 20,
  },
]
