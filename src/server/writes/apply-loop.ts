import { assert } from '../../base/assert.ts'
import type { Logger } from '../../base/logger.ts'
import type { AdvancedSummary } from '../../base/metrics.ts'
import type { TurnClock } from '../../base/turn-clock.ts'
import { Err } from '../../data/error-code.ts'
import { OpCode } from '../../data/op-code.ts'
import { formatSessionId, type SessionId } from '../../data/session-id.ts'
import { formatZxid } from '../../data/zxid.ts'
import type { Entry } from '../../quorum/ports/replica.ts'
import { applyTxn } from '../../tree/apply.ts'
import type { DataTree } from '../../tree/data-tree.ts'
import type { ApplyBudget } from '../bounds/apply-budget.ts'
import type { Commits } from '../clients/commits.ts'
import type { Watches } from '../clients/watches.ts'
import type { SessionTracker } from '../sessions/session-tracker.ts'
import type { ServerMetrics } from '../stats/server-metrics.ts'
import { NOT_TIMED, StageTimer, type Stopwatch } from '../stats/stage-timer.ts'
import { ChangeCounts } from './change-counts.ts'
import { type DigestLog, isLogged } from './digest-log.ts'
import type { OutstandingChanges } from './outstanding-changes.ts'
import type { Ordered, OrderedTxn, WritePath } from './write-path.ts'

/** The parts of a member that a committed txn passes through, in this order. */
interface ApplyParts {
  readonly tree: DataTree
  readonly watches: Watches
  readonly changes: OutstandingChanges
  readonly sessions: SessionTracker
  readonly clients: Pick<Commits, 'beforeApply' | 'onWriteApplied' | 'onSynced' | 'onSessionClosed'>
  readonly writePath: WritePath
  readonly applyBudget: ApplyBudget
  /** What learners may be synchronised from; a standalone server keeps none. */
  readonly committedLog: { add(entry: Entry): void } | undefined
  readonly digestLog: DigestLog
  readonly metrics: ServerMetrics
  readonly clock: TurnClock
  readonly stopwatch: Stopwatch
  readonly logger: Logger
}

/**
 * Committed txns, in zxid order: apply, then the watch events, then the reply to the owner, then the
 * reads of its session that waited for it. All in one call, so nobody can see them in another order.
 */
export class ApplyLoop {
  readonly #parts: ApplyParts
  readonly #changes: ChangeCounts
  readonly #timer: StageTimer
  /** When what is being applied was found to be committed. */
  #committedMs = NOT_TIMED
  #mismatchLogged = false
  /** On the member that decides: something has committed, and is left for the next turn. */
  hasMore = false

  constructor(parts: ApplyParts) {
    this.#parts = parts
    this.#timer = new StageTimer(parts.stopwatch)
    this.#changes = new ChangeCounts(parts.tree, parts.metrics, parts.watches)
  }

  /**
   * Applies what has committed here, as far as the budget of this turn goes. The rest stays where it
   * is, among the proposals, so that nothing overtakes it: a sync waits in the same queue, learners
   * hear of a commit when we apply it, and its request counts as outstanding until then. `nowMono` in
   * milliseconds.
   */
  run(nowMono: number): void {
    let next = this.#next()
    if (next === undefined) return
    this.#committedMs = this.#timer.beginTimed()
    for (; next !== undefined; next = this.#next())
      if ('txn' in next) this.#commit(next, nowMono)
      else this.#pass(next)
    this.#timer.end(this.#committedMs, this.#parts.metrics.commitProcessTime)
    this.#committedMs = NOT_TIMED
  }

  #next(): Ordered | undefined {
    const { writePath, applyBudget } = this.#parts
    const { proposals } = writePath
    this.hasMore = !applyBudget.allows && proposals.hasCommitted
    return applyBudget.allows ? proposals.nextCommitted() : undefined
  }

  #commit(ordered: OrderedTxn, nowMono: number): void {
    const { writePath, metrics } = this.#parts
    if (ordered.entry !== undefined) {
      addAge(metrics.quorumAckLatency, this.#ageOf(ordered))
      writePath.learners?.commit(ordered.entry)
    }
    this.apply(ordered, nowMono)
  }

  /** All that was proposed before it is applied. */
  #pass(barrier: Exclude<Ordered, OrderedTxn>): void {
    const { writePath, applyBudget, clients, sessions } = this.#parts
    applyBudget.begin()
    if ('sync' in barrier) clients.onSynced(barrier.sync)
    else if ('syncOf' in barrier) writePath.learners?.sendSync(barrier.syncOf)
    else {
      // If its closeSession is under way by now, that comes to the learner behind this.
      const isValid = sessions.get(barrier.revalidated) !== undefined
      writePath.learners?.sendRevalidated(barrier.link, barrier.revalidated, isValid)
    }
    applyBudget.end(1, false)
  }

  /** One txn that is committed, whoever has decided that. */
  apply(ordered: OrderedTxn, nowMono: number): void {
    const { tree, applyBudget, metrics } = this.#parts
    const { txn, zxid } = ordered
    assert(zxid > tree.lastProcessedZxid, 'txns are applied in their order, each once')
    const began = this.#timer.begin()
    if (began !== NOT_TIMED) this.#noteWait(ordered, began)
    addAge(metrics.propagationLatency, this.#ageOf(ordered))
    applyBudget.begin()
    this.#apply(ordered, nowMono)
    const parts = txn.type === OpCode.multi ? txn.txns.length : 1
    applyBudget.end(parts, txn.type === OpCode.closeSession)
    this.#timer.end(began, metrics.writeFinalProcTimeMs)
  }

  #apply(ordered: OrderedTxn, nowMono: number): void {
    const { tree, changes, clients, sessions, applyBudget } = this.#parts
    if (ordered.txn.type === OpCode.createSession)
      sessions.track(ordered.clientId, ordered.txn.timeOut, nowMono)
    if (ordered.origin !== undefined) clients.beforeApply(ordered.origin.cnxn)
    changes.onApplying(ordered.zxid)
    // The digests of our own txns are known; those that go into the digest log are computed anew,
    // so that a tree which differs from what prep has computed is noticed.
    const known = isLogged(ordered.zxid) ? undefined : changes.knownDigest
    const result = applyTxn(tree, ordered, ordered.txn, this.#changes, known)
    applyBudget.onChanged()
    changes.onApplied(ordered.zxid)
    this.#compareDigest(ordered)
    if (ordered.entry !== undefined) this.#parts.committedLog?.add(ordered.entry)
    if (ordered.origin !== undefined) clients.onWriteApplied(ordered.origin, ordered.txn, result)
    if (ordered.txn.type !== OpCode.closeSession) return
    this.#endSession(ordered.clientId)
    clients.onSessionClosed(ordered.clientId)
  }

  /** Learners that have asked after it meanwhile have their answer now. */
  #endSession(id: SessionId): void {
    const { sessions, writePath } = this.#parts
    const askers = sessions.get(id)?.askers
    sessions.remove(id)
    if (askers === undefined) return
    for (const link of askers) writePath.learners?.sendRevalidated(link, id, false)
  }

  /** By the clock of the leader: it may be below 0 where the clocks differ. */
  #ageOf({ time }: OrderedTxn): number {
    return this.#parts.clock.wall - time
  }

  /** A learner is told of one commit at a time, and applies it at once. */
  #noteWait({ origin }: OrderedTxn, beganMs: number): void {
    const { metrics } = this.#parts
    const waitedMs = this.#committedMs === NOT_TIMED ? 0 : beganMs - this.#committedMs
    if (origin !== undefined) metrics.localWriteCommittedTimeMs.add(waitedMs)
    else metrics.serverWriteCommittedTimeMs.add(waitedMs)
  }

  /** A mismatch is logged, not acted upon: the data may still be the best there is (spec 02 §7). */
  #compareDigest(ordered: OrderedTxn): void {
    const { tree, digestLog, metrics, logger } = this.#parts
    digestLog.onApplied(ordered.zxid, tree.digest)
    if (ordered.digest === undefined) return
    if (tree.digest.equals(ordered.digest.high, ordered.digest.low)) return
    metrics.digestMismatchesCount.add(1)
    if (this.#mismatchLogged) return
    this.#mismatchLogged = true
    logger.error('tree digest differs from the one in the txn; told once', {
      zxid: formatZxid(ordered.zxid),
      session: formatSessionId(ordered.clientId),
      type: ordered.txn.type,
      err: Err.dataInconsistency,
    })
  }
}

/** As in the original, one that cannot be is left out. */
function addAge(metric: AdvancedSummary, ms: number): void {
  if (ms >= 0) metric.add(ms)
}
