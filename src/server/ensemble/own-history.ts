import { assert } from '../../base/assert.ts'
import type { Logger } from '../../base/logger.ts'
import type { TurnClock } from '../../base/turn-clock.ts'
import { CONFIG_PATH } from '../../data/path.ts'
import { formatZxid } from '../../data/zxid.ts'
import type { DiskReader, Truncation } from '../../persistence/disk.ts'
import { readOrProblem } from '../../persistence/read-or-problem.ts'
import { planTruncation } from '../../persistence/truncation.ts'
import type { CommittedLog } from '../../quorum/leading/committed-log.ts'
import type { Membership } from '../../quorum/membership/membership.ts'
import type { Entry, SnapshotSink } from '../../quorum/ports/replica.ts'
import { DataTree } from '../../tree/data-tree.ts'
import { TreeReceiver } from '../../tree/tree-receiver.ts'
import type { SessionTracker } from '../sessions/session-tracker.ts'
import type { ServerMetrics } from '../stats/server-metrics.ts'
import type { DiskLane } from '../storage/disk-lane.ts'
import { type LoadRules, loadMember } from '../storage/load.ts'
import type { Snapshotter } from '../storage/snapshotter.ts'
import type { OutstandingChanges } from '../writes/outstanding-changes.ts'

export interface HistoryParts {
  readonly membership: Membership
  readonly rules: LoadRules
  readonly disk: DiskReader
  readonly lane: DiskLane
  readonly tree: DataTree
  readonly sessions: SessionTracker
  readonly committedLog: CommittedLog
  readonly changes: OutstandingChanges
  readonly snapshotter: Snapshotter
  readonly clock: TurnClock
  readonly metrics: ServerMetrics
  readonly logger: Logger
}

/**
 * The log of a member of an ensemble and the state that belongs to it, as one history: it grows, a
 * leader cuts it off or replaces it, and a role may end in the middle of that.
 */
export class OwnHistory {
  readonly #parts: HistoryParts
  /** Of the newest entry in the log. While this member leads, its proposals are above it. */
  lastLoggedZxid: number
  /** False: the state came by a SNAP that is not on our disk yet. */
  #isStateOnDisk = true
  /** Counts roles: what one has begun is not to go on in the next. */
  #roleNumber = 0
  /** A TRUNC, or the end of a snapshot that is not wanted any more, is under way. */
  #isUnsettled = false
  #hasLostState = false

  constructor(parts: HistoryParts, lastLoggedZxid: number) {
    this.#parts = parts
    this.lastLoggedZxid = lastLoggedZxid
    this.#showConfig()
  }

  get hasLostState(): boolean {
    return this.#hasLostState
  }

  get isSettled(): boolean {
    return !this.#isUnsettled
  }

  append(entry: Entry): void {
    const { lane } = this.#parts
    assert(entry.zxid > this.lastLoggedZxid, 'the log only grows')
    assert(!this.#isUnsettled, 'nothing is logged while the log is cut')
    assert(this.#isStateOnDisk, 'nothing is logged above a state that is on no disk')
    const at = lane.begin(entry.zxid)
    lane.writer.writeBytes(entry.bytes)
    lane.end(at)
    this.lastLoggedZxid = entry.zxid
  }

  /** A role that serves begins. */
  assertWhole(): void {
    assert(!this.#isUnsettled, 'nobody serves while its log is cut')
    assert(this.#isStateOnDisk, 'nobody serves a state that is on no disk')
    assert(!this.#hasLostState, 'nobody serves who has lost its state')
  }

  /** False: what is in memory is not to be kept, and what is on the disk will take its place. */
  endRole(): boolean {
    this.#roleNumber += 1
    // The TRUNC ends with the state that is then on the disk.
    if (this.#isUnsettled) return false
    if (!this.#isStateOnDisk) this.#giveUpSnapshot()
    return !this.#isUnsettled
  }

  // ---- TRUNC

  truncate(zxid: number, done: (problem: string | undefined) => void): void {
    const { disk, lane, snapshotter } = this.#parts
    if (zxid === this.lastLoggedZxid) return lane.whenDurable(() => done(undefined))
    const role = this.#roleNumber
    // A snapshot that is being written may hold what is about to be cut off; and the plan is of what
    // is on the disk, so nothing may be on its way there.
    snapshotter.hold(() =>
      lane.whenDurable(() => {
        if (role !== this.#roleNumber) return snapshotter.release()
        const plan = planCut(disk, zxid)
        if (typeof plan === 'string') {
          snapshotter.release()
          return done(plan)
        }
        // From here on the log is another one, whatever becomes of the role.
        this.#isUnsettled = true
        lane.push({ kind: 'truncateAfter', zxid, plan })
        lane.whenDurable(() => {
          this.#isUnsettled = false
          const problem = this.#reload()
          snapshotter.release()
          assert(
            problem !== undefined || this.lastLoggedZxid === zxid,
            'a log that was cut ends where the plan says',
          )
          done(problem)
        })
      }),
    )
  }

  /** To what is on the disk. A string says why that cannot be served: it is then lost. */
  #reload(): string | undefined {
    const { disk, rules, logger, tree } = this.#parts
    const loaded = readOrProblem(() => loadMember(disk, rules, logger))
    this.#isStateOnDisk = true
    if (loaded.kind === 'loaded') {
      this.#replaceState(loaded.tree, loaded.sessions, loaded.lastZxid)
      for (const entry of loaded.recent ?? []) this.#parts.committedLog.add(entry)
      this.#hasLostState = false
      return undefined
    }
    const reason = loaded.kind === 'refused' ? `${loaded.file}: ${loaded.reason}` : loaded.problem
    this.#replaceState(new DataTree(tree.ownerRules, tree.digestEnabled), new Map(), 0)
    this.#hasLostState = true
    this.#parts.metrics.unrecoverableErrorCount.add(1)
    logger.error('the state on disk cannot be read; no vote before a leader has sent another', {
      reason,
    })
    return reason
  }

  // ---- SNAP

  receiveSnapshot(zxid: number): SnapshotSink {
    const { tree } = this.#parts
    const received = new DataTree(tree.ownerRules, tree.digestEnabled)
    const receiver = new TreeReceiver(received)
    return {
      push: (bytes) => {
        const result = receiver.push(bytes)
        if (typeof result !== 'number') return result
        received.lastProcessedZxid = zxid
        received.quota.recountAll()
        this.#replaceState(received, receiver.loaded.sessions, zxid)
        this.#isStateOnDisk = false
        return result
      },
    }
  }

  installSnapshot(done: (problem: string | undefined) => void): void {
    const { lane, snapshotter, tree } = this.#parts
    const role = this.#roleNumber
    snapshotter.cancel(() => {
      if (role !== this.#roleNumber) return
      const zxid = tree.lastProcessedZxid
      snapshotter.requestReceived((problem) => {
        if (role !== this.#roleNumber) return
        if (problem !== undefined) return done(problem)
        lane.push({ kind: 'forgetHistory', zxid })
        lane.whenDurable(() => {
          if (role !== this.#roleNumber) return
          this.#isStateOnDisk = true
          this.#hasLostState = false
          // What was delivered beside the log behind the SNAP is in the snapshot, and so on our disk.
          this.lastLoggedZxid = Math.max(this.lastLoggedZxid, zxid)
          done(undefined)
        })
      })
    })
  }

  // ---- the end of a role

  /**
   * The state that came by SNAP is not on our disk, or not known to be: what is there is our history.
   * If the snapshot has made it, it is that, and what was before must go as if the role had not ended.
   */
  #giveUpSnapshot(): void {
    const { snapshotter, lane, disk } = this.#parts
    this.#isUnsettled = true
    const end = (): void => {
      this.#isUnsettled = false
      this.#reload()
      snapshotter.release()
    }
    snapshotter.hold(() =>
      lane.whenDurable(() => {
        const [received] = disk.listReceived()
        if (received === undefined) return end()
        lane.push({ kind: 'forgetHistory', zxid: received.zxid })
        lane.whenDurable(end)
      }),
    )
  }

  // ---- state

  #replaceState(tree: DataTree, sessions: ReadonlyMap<bigint, number>, zxid: number): void {
    const { committedLog, sessions: tracker, clock, changes } = this.#parts
    changes.clear()
    this.#parts.tree.adopt(tree)
    tracker.replaceAll(sessions, clock.mono)
    committedLog.clear(zxid)
    this.lastLoggedZxid = zxid
    this.#showConfig()
  }

  /** Every member shows what it was configured with; no txn says so (spec 05 §2). */
  #showConfig(): void {
    const { tree, membership, clock } = this.#parts
    const znode = tree.node(CONFIG_PATH)
    if (znode === undefined) return
    const { text, version } = membership.current
    tree.setData(znode, Buffer.from(text))
    // A write of no version, as the original shows it.
    znode.version = -1
    znode.mzxid = version
    znode.mtime = clock.wall
  }
}

/** As planTruncation, to exactly there. A string says why that cannot be, whatever the reason. */
function planCut(disk: DiskReader, zxid: number): Truncation | string {
  const plan = readOrProblem(() => planTruncation(disk, zxid))
  if (typeof plan === 'string') return plan
  if ('problem' in plan) return plan.problem
  return plan.end === zxid ? plan : `what is there would end with ${formatZxid(plan.end)}`
}
