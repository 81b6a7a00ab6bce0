import { JuteWriter } from 'jute-ts'
import { assert } from '../../base/assert.ts'
import type { AdvancedSummary } from '../../base/metrics.ts'
import { counterOf, formatZxid, makeZxid } from '../../data/zxid.ts'
import type { CommittedLog } from '../../quorum/leading/committed-log.ts'
import type { LinkId } from '../../quorum/ports/links.ts'
import type {
  AcceptedEntry,
  Entry,
  EpochFile,
  ForwardedRequest,
  HistoryScan,
  LeaderLine,
  Learners,
  Replica,
  SnapshotFeed,
  SnapshotSink,
} from '../../quorum/ports/replica.ts'
import type { QuorumSettings } from '../../quorum/role/quorum-settings.ts'
import { TreeDump } from '../../tree/snapshot-codec.ts'
import type { ApplyBudget } from '../bounds/apply-budget.ts'
import { type Commits, isSessionMoved } from '../clients/commits.ts'
import { readHistory } from '../storage/history.ts'
import { SliceFeed } from '../storage/slice-feed.ts'
import type { ApplyLoop } from '../writes/apply-loop.ts'
import type { OrderedTxn } from '../writes/write-path.ts'
import { DecodedEntry } from './decoded-entry.ts'
import { LearnerRequests, type RequestParts } from './learner-requests.ts'
import { type HistoryParts, OwnHistory } from './own-history.ts'

interface ReplicaParts extends HistoryParts, RequestParts {
  readonly settings: QuorumSettings
  /** Whether a leader has clients of its own. */
  readonly leaderServes: boolean
  readonly clients: Commits
  readonly applyLoop: ApplyLoop
  readonly applyBudget: ApplyBudget
  /** Of a snapshot for a learner, in one go. */
  readonly sliceBytes: number
}

const SESSION_TOUCH_BYTES = 12

/**
 * The member as Zab sees it: what quorum/ports/replica.ts asks for, made of the parts that a standalone
 * server is made of, too.
 */
export class MemberReplica implements Replica {
  readonly #parts: ReplicaParts
  readonly #history: OwnHistory
  readonly #requests: LearnerRequests
  /** The role has ended, and what it has logged is not on the disk yet. */
  #isLogBehind = false

  /** The state came by a SNAP and may be ahead of the txns that follow: digests say nothing yet. */
  #isTreeFuzzy = false

  constructor(parts: ReplicaParts, lastLoggedZxid: number) {
    this.#parts = parts
    this.#history = new OwnHistory(parts, lastLoggedZxid)
    this.#requests = new LearnerRequests(parts)
  }

  get lastLoggedZxid(): number {
    const { serving, writePath } = this.#parts
    const { lastLoggedZxid } = this.#history
    if (serving.role !== 'leading') return lastLoggedZxid
    const last = writePath.proposals.lastProposed
    return counterOf(last) === 0 ? lastLoggedZxid : last
  }

  get lastProcessedZxid(): number {
    return this.#parts.tree.lastProcessedZxid
  }

  get hasLostState(): boolean {
    return this.#history.hasLostState
  }

  get committedLog(): CommittedLog {
    return this.#parts.committedLog
  }

  // ---- the lane of the disk

  accept(entry: Entry): AcceptedEntry | { readonly problem: string } {
    const decoded = DecodedEntry.of(entry)
    return decoded ?? { problem: `txn ${formatZxid(entry.zxid)} does not decode` }
  }

  append(accepted: AcceptedEntry): void {
    this.#history.append(accepted.entry)
    this.#addAge(this.#parts.metrics.proposalLatency, accepted)
  }

  writeEpoch(file: EpochFile, epoch: number): void {
    this.#parts.lane.push({ kind: 'writeEpoch', file, epoch })
  }

  whenDurable(done: () => void): void {
    this.#parts.lane.whenDurable(done)
  }

  truncate(zxid: number, done: (problem: string | undefined) => void): void {
    this.#history.truncate(zxid, done)
  }

  installSnapshot(done: (problem: string | undefined) => void): void {
    this.#history.installSnapshot(done)
  }

  // ---- the state

  get mayDeliver(): boolean {
    return this.#parts.applyBudget.allows
  }

  deliver(accepted: AcceptedEntry): void {
    const { clients, serving } = this.#parts
    this.#addAge(this.#parts.metrics.commitPropagationLatency, accepted)
    const meaning = meaningOf(accepted)
    const { clientId, cxid, txn } = meaning
    let origin = clients.takeOrigin(clientId, cxid, txn.type)
    if (origin !== undefined && isSessionMoved(txn)) {
      serving.forward?.doubt(origin)
      origin = undefined
    }
    const digest = this.#isTreeFuzzy ? undefined : meaning.digest
    this.#apply({ ...meaning, digest, entry: accepted.entry, origin })
  }

  /** By the clock of the leader; one that cannot be is left out, as in the original. */
  #addAge(metric: AdvancedSummary, accepted: AcceptedEntry): void {
    const ms = this.#parts.clock.wall - meaningOf(accepted).time
    if (ms >= 0) metric.add(ms)
  }

  receiveSnapshot(zxid: number): SnapshotSink {
    this.#isTreeFuzzy = true
    return this.#history.receiveSnapshot(zxid)
  }

  feedSnapshot(): SnapshotFeed {
    const { tree, sessions, sliceBytes } = this.#parts
    return new SliceFeed(new TreeDump(tree, sessions.timeouts()), sliceBytes)
  }

  readHistory(fromZxid: number, isUnderWay: boolean): HistoryScan | undefined {
    const { disk, settings, committedLog } = this.#parts
    const sizeFactor = isUnderWay ? 0 : settings.snapshotSizeFactor
    return readHistory(disk, fromZxid, committedLog.minZxid, sizeFactor)
  }

  // ---- roles

  startLeading(epoch: number, learners: Learners): void {
    const { tree, writePath, sessions, serving, clock, changes, leaderServes } = this.#parts
    this.#history.assertWhole()
    assert(changes.length === 0, 'changes of an earlier role are outstanding')
    const zxid = makeZxid(epoch, 0)
    assert(zxid > tree.lastProcessedZxid, 'a new epoch begins above all that was')
    tree.lastProcessedZxid = zxid
    writePath.start(zxid, learners)
    sessions.rearm(clock.mono)
    serving.beginDeciding('leading', leaderServes)
  }

  startLearning(role: 'following' | 'observing', epoch: number, leader: LeaderLine): void {
    const { tree, sessions, serving, clients } = this.#parts
    this.#history.assertWhole()
    // A client that has seen the leader at the start of its epoch must be let in here, too.
    tree.lastProcessedZxid = Math.max(tree.lastProcessedZxid, makeZxid(epoch, 0))
    this.#isTreeFuzzy = false
    sessions.gatherTouched(true)
    serving.beginForwarding(role, leader, clients)
  }

  stop(undelivered: readonly AcceptedEntry[]): void {
    const { clients, serving, sessions, writePath, snapshotter, changes } = this.#parts
    this.#history.lastLoggedZxid = this.lastLoggedZxid
    const proposed = writePath.stop().filter((ordered) => 'txn' in ordered)
    serving.end()
    clients.closeAll()
    sessions.gatherTouched(false)
    this.#isTreeFuzzy = false
    // What was delivered in this role need not be committed: a leader says so before it has a quorum.
    // The next leader may cut it off, and a snapshot that holds it would be none of what is left.
    snapshotter.restart()
    this.#awaitLog()
    if (!this.#history.endRole()) return
    for (const ordered of proposed) this.#apply({ ...ordered, origin: undefined })
    for (const accepted of undelivered)
      this.#apply({ ...meaningOf(accepted), entry: accepted.entry, origin: undefined })
    changes.clear()
    assert(
      this.lastProcessedZxid >= this.lastLoggedZxid,
      'what is in the log is in the state when a role has ended',
    )
  }

  /**
   * A member whose disk hangs can promise nothing, and must not be elected: its vote would be for what
   * it has handed to its log. It would be for it that the others wait.
   */
  #awaitLog(): void {
    const { lane } = this.#parts
    if (!lane.isBusy || this.#isLogBehind) return
    this.#isLogBehind = true
    lane.whenDurable(() => {
      this.#isLogBehind = false
    })
  }

  get isSettled(): boolean {
    return this.#history.isSettled && !this.#isLogBehind
  }

  #apply(ordered: OrderedTxn): void {
    this.#parts.applyLoop.apply(ordered, this.#parts.clock.mono)
  }

  // ---- the leader's side of broadcast

  outstanding(): readonly Entry[] {
    const entries: Entry[] = []
    for (const ordered of this.#parts.writePath.proposals.outstanding())
      if ('entry' in ordered && ordered.entry !== undefined) entries.push(ordered.entry)
    return entries
  }

  onAck(sid: number, zxid: number): void {
    this.#parts.writePath.proposals.onAck(sid, zxid)
  }

  withdrawAcks(sid: number, zxid: number): void {
    this.#parts.writePath.proposals.withdrawAcks(sid, zxid)
  }

  onConfirmed(round: number): void {
    this.#parts.writePath.proposals.onConfirmed(round)
  }

  // ---- the leader's side of sessions

  onForwarded(request: ForwardedRequest): void {
    this.#requests.onForwarded(request)
  }

  onTouched(sessionId: bigint): void {
    this.#requests.onTouched(sessionId)
  }

  revalidate(link: LinkId, sessionId: bigint, timeoutMs: number): boolean | undefined {
    return this.#requests.revalidate(link, sessionId, timeoutMs)
  }

  // ---- the learner's side of sessions

  takeTouched(): Buffer {
    const touched = this.#parts.sessions.takeTouched()
    const w = new JuteWriter(touched.length * SESSION_TOUCH_BYTES)
    for (const { id, timeoutMs } of touched) {
      w.writeLong(id)
      w.writeInt(timeoutMs)
    }
    return w.bytes()
  }

  onSynced(): void {
    this.#parts.serving.forward?.onSynced()
  }

  onRevalidated(sessionId: bigint, isValid: boolean): void {
    this.#parts.serving.forward?.onRevalidated(sessionId, isValid)
  }
}

function meaningOf(accepted: AcceptedEntry): DecodedEntry['meaning'] {
  assert(accepted instanceof DecodedEntry, 'what is applied was accepted here')
  return accepted.meaning
}
