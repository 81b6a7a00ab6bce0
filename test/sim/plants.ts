import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Aim, Step } from './aims.ts'
import { at, knownBugs } from './known-bugs.ts'
import { originalBugs } from './original/plants.ts'
import { ownBugs } from './own-bugs.ts'
import { ownEnsembleBugs } from './own-ensemble-bugs.ts'
import type { DiskFaults } from './sim-disk.ts'
import type { FaultKind, Swarm } from './swarm.ts'
import { defaultBounds } from './swarm-bounds.ts'

/** Another text in place of one that stands in the file exactly once. */
export interface Patch {
  readonly file: string
  readonly from: string
  readonly to: string
}

/** A bug that somebody could make, planted on purpose to see whether a checker finds it. */
export interface Plant {
  readonly name: string
  readonly story: string
  readonly diskFaults?: DiskFaults
  readonly patches?: readonly Patch[]
  readonly members: number
  /** What brings it to light; undefined: whatever the seeds draw. */
  readonly faults?: readonly FaultKind[]
  readonly aims?: readonly (Step | Aim)[]
  readonly shape?: Partial<Swarm>
  /** It must be caught within so many seeds. */
  readonly seedsMax: number
}

const houseBugs: readonly Plant[] = [
  {
    name: 'ack-before-sync',
    story: 'the disk says that it is done before what it was given would survive a loss of power',
    diskFaults: { acksEarly: true },
    members: 1,
    seedsMax: 20,
  },
  {
    name: 'watch-after-reply',
    story: 'the reply to a write leaves before the events of the same txn',
    patches: [
      {
        file: 'src/server/writes/apply-loop.ts',
        from: 'const result = applyTxn(tree, ordered, ordered.txn, this.#changes, known)',
        to: `const late: (() => void)[] = []
    const result = applyTxn(tree, ordered, ordered.txn, {
      created: (...a) => late.push(() => this.#changes.created(...a)),
      deleted: (...a) => late.push(() => this.#changes.deleted(...a)),
      dataChanged: (...a) => late.push(() => this.#changes.dataChanged(...a)),
    }, known)`,
      },
      {
        file: 'src/server/writes/apply-loop.ts',
        from: 'if (ordered.txn.type !== OpCode.closeSession) return',
        to: 'for (const event of late) event()\n    if (ordered.txn.type !== OpCode.closeSession) return',
      },
    ],
    members: 1,
    seedsMax: 20,
  },
  {
    name: 'version-ignored',
    story: 'a delete of a certain version deletes whatever is there',
    patches: [
      {
        file: 'src/server/writes/prep.ts',
        from: '    if (version !== ANY_VERSION && version !== node.version) return Err.badVersion\n',
        to: '',
      },
    ],
    members: 1,
    seedsMax: 20,
  },
  {
    name: 'ephemeral-forgotten',
    story: 'the end of a session leaves one of its ephemerals',
    patches: [
      {
        file: 'src/tree/apply.ts',
        from: 'const listed = txn.paths2Delete ?? []',
        to: 'const listed = (txn.paths2Delete ?? []).slice(1)',
      },
      {
        file: 'src/tree/apply.ts',
        from: 'for (const path of [...tree.ephemeralsOf(context.clientId)])',
        to: 'for (const path of [...tree.ephemeralsOf(context.clientId)].slice(1))',
      },
    ],
    members: 1,
    seedsMax: 20,
  },
  {
    name: 'expiry-early',
    story: 'a session that is heard of lives on for a quarter of its timeout only',
    patches: [
      {
        file: 'src/server/sessions/session-tracker.ts',
        from: 'this.#deadlines.touch(session, nowMono + session.timeoutMs)',
        to: 'this.#deadlines.touch(session, nowMono + session.timeoutMs / 4)',
      },
    ],
    members: 1,
    seedsMax: 20,
  },
  {
    name: 'watch-lost-on-reconnect',
    story: 'setWatches does not look at what was missed',
    patches: [
      {
        file: 'src/server/clients/watches.ts',
        from: 'else if (znode.mzxid > relativeZxid)',
        to: 'else if (znode.mzxid > relativeZxid + 1e9)',
      },
    ],
    members: 1,
    seedsMax: 20,
  },
  {
    name: 'ack-before-sync-3',
    story: 'the same lie of the disks, in an ensemble',
    diskFaults: { acksEarly: true },
    members: 3,
    faults: ['power', 'kill', 'stuckDisk'],
    seedsMax: 100,
  },
  {
    name: 'commit-without-quorum',
    story: 'a proposal commits as soon as one member has it on disk',
    patches: [
      {
        file: 'src/quorum/leading/proposals.ts',
        from: 'return head.quorum.containsQuorum(this.#hasAckedHead)',
        to: 'return [...this.#acked.keys()].some(this.#hasAckedHead)',
      },
    ],
    members: 3,
    seedsMax: 100,
  },
  {
    name: 'trunc-skipped',
    story: 'a member that is told to cut its log back says that it has, and does not',
    patches: [
      {
        file: 'src/server/ensemble/own-history.ts',
        from: '    // A snapshot that is being written may hold what is about to be cut off; and the plan is of what\n',
        to: `    if (zxid > 0) {
      this.lastLoggedZxid = zxid
      return lane.whenDurable(() => done(undefined))
    }
`,
      },
    ],
    members: 3,
    aims: [at('proposal', 'isolateAndKill', 0.2)],
    faults: ['partition'],
    shape: { clients: 3, thinkMs: 300, observers: 0, faultyMs: 30_000, bounds: defaultBounds },
    seedsMax: 200,
  },
  {
    name: 'epoch-not-persisted',
    story: 'the epoch files are never written',
    diskFaults: { dropsEpochs: true },
    members: 3,
    faults: ['kill', 'power', 'partition'],
    seedsMax: 100,
  },
  {
    name: 'votes-without-epoch',
    story: 'only the last zxid decides who may lead, in the election and before the leader',
    patches: [
      {
        file: 'src/quorum/role/vote.ts',
        from: '  if (vote.peerEpoch !== than.peerEpoch) return vote.peerEpoch > than.peerEpoch\n',
        to: '',
      },
      {
        file: 'src/quorum/leading/epoch-agreement.ts',
        from: '    if (currentEpoch !== this.#ownEpoch) return currentEpoch > this.#ownEpoch\n',
        to: '',
      },
    ],
    members: 3,
    faults: ['power', 'kill'],
    seedsMax: 100,
  },
  {
    name: 'session-owner-ignored',
    story: 'a write that comes from where the session was before is done, not refused',
    patches: [
      {
        file: 'src/server/sessions/session-gatekeeper.ts',
        from: 'return session.owner === request.owner ? Err.ok : Err.sessionMoved',
        to: 'return Err.ok',
      },
    ],
    members: 3,
    faults: ['slowLink', 'cutClients', 'halfOpen'],
    seedsMax: 200,
  },
  {
    name: 'diff-off-by-one',
    story: 'a DIFF leaves out the first txn that the learner lacks',
    patches: [
      {
        file: 'src/quorum/leading/sync-plan.ts',
        from: '  cursor: peerZxid,\n})',
        to: '  cursor: peerZxid + 1,\n})',
      },
    ],
    members: 3,
    seedsMax: 100,
  },
  {
    name: 'sync-local',
    story: 'a member answers a sync without asking its leader',
    patches: [
      {
        file: 'src/server/clients/requests.ts',
        from: 'this.#writes.sync(this.#pending.wait(cnxn, xid, op, copyOfFrame(cnxn), mono))',
        to: `if (cnxn.pending.length === 0) {
          const origin = this.#pending.wait(cnxn, xid, op, copyOfFrame(cnxn), mono)
          this.#pending.leaveHead(origin)
          this.#answers.synced(origin)
        } else this.#writes.sync(this.#pending.wait(cnxn, xid, op, copyOfFrame(cnxn), mono))`,
      },
    ],
    members: 3,
    seedsMax: 100,
  },
  {
    name: 'logs-alone-trusted',
    story: 'a member that has lost all but its logs starts with them, and with no promise',
    patches: [
      {
        file: 'src/server/storage/load.ts',
        from: '  if (isWholeHistory(logs)) return undefined\n',
        to: '  if (logs.length > 0) return undefined\n',
      },
    ],
    members: 3,
    faults: ['wipe', 'kill'],
    shape: { logDevices: [1, 2, 3], faultEveryMs: 300 },
    seedsMax: 20,
  },
]

export const plants: readonly Plant[] = [
  ...houseBugs,
  ...ownBugs,
  ...ownEnsembleBugs,
  ...originalBugs,
  ...knownBugs,
]

/** Where a plant has no place any more; nothing if it still has. */
export function misfits(
  { name, patches = [] }: Pick<Plant, 'name' | 'patches'>,
  root: string,
): readonly string[] {
  return patches
    .filter(({ file, from }) => readFileSync(join(root, file), 'utf8').split(from).length !== 2)
    .map(
      ({ file, from }) => `${name} no longer fits ${file}: "${from}" must stand there exactly once`,
    )
}

/** A copy of the sources, and of this simulator, with these texts in it; returns where it is. */
export function copyWith(plant: Pick<Plant, 'name' | 'patches'>, root: string): string {
  const { name, patches = [] } = plant
  const [misfit] = misfits(plant, root)
  if (misfit !== undefined) throw new Error(misfit)
  const copy = join(root, '.cache', 'plants', name)
  rmSync(copy, { recursive: true, force: true })
  for (const folder of ['src', 'test/sim', 'test/support'])
    cpSync(join(root, folder), join(copy, folder), { recursive: true })
  symlinkSync(join(root, 'test/golden'), join(copy, 'test/golden'))
  for (const { file, from, to } of patches) {
    const path = join(copy, file)
    const source = readFileSync(path, 'utf8')
    writeFileSync(
      path,
      source.replace(from, () => to),
    )
  }
  return copy
}

/** Runs this simulator over a copy of the sources with the bug in it. 0: it was caught. */
export function runPlanted(plant: Plant, root: string): number {
  const { name, members } = plant
  const copy = copyWith(plant, root)
  const args = ['tsx', '--conditions=source', join(copy, 'test/sim/main.ts')]
  const options = ['--hunt', name, '--members', String(members)]
  const { status } = spawnSync('npx', [...args, ...options], { cwd: root, stdio: 'inherit' })
  return status ?? 1
}
