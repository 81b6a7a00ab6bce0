import { assert } from '../../base/assert.ts'
import type { Limits } from '../../base/limits.ts'
import { OpCode } from '../../data/op-code.ts'
import type { SessionId } from '../../data/session-id.ts'
import type { ServerMetrics } from '../stats/server-metrics.ts'
import { Admission } from './admission.ts'
import type { Cnxn, PendingRequest } from './cnxn.ts'
import { isTxnOf, Orphans } from './orphans.ts'

/**
 * The requests of all clients that wait for their answers, each in the queue of its connection. All of
 * them count with admission until they are answered, or nobody waits for them any more.
 */
export class PendingRequests {
  readonly admission: Admission
  readonly #orphans: Orphans
  readonly #route: { readonly forwards: boolean }
  readonly #metrics: ServerMetrics
  /** Connections with reads that wait for the budget of the next turn, and for nothing else. */
  readonly owed: Set<Cnxn> = new Set()
  /** Connections with requests that wait. */
  #waitingCnxns = 0

  /** `route`: whether writes go to a leader, whose commits name no request. */
  constructor(limits: Limits, route: { readonly forwards: boolean }, metrics: ServerMetrics) {
    this.admission = new Admission(limits)
    this.#orphans = new Orphans(this.admission)
    this.#route = route
    this.#metrics = metrics
  }

  /** Appends a request to the queue of its connection; `frame` as in PendingRequest. */
  wait(
    cnxn: Cnxn,
    xid: number,
    op: number,
    frame: Buffer | undefined,
    arrivedMono: number,
  ): PendingRequest {
    const { splitter } = cnxn
    const bytes = splitter.end - splitter.start
    const pending = { cnxn, xid, op, arrivedMono, bytes, frame }
    if (cnxn.pending.length === 0) this.#waitingCnxns += 1
    cnxn.pending.push(pending)
    this.#metrics.requestsInSessionQueue.add(cnxn.pending.length)
    this.admission.enter(bytes)
    return pending
  }

  /** As `wait`, for what is answered without a commit: it waits only for the requests before it. */
  park(cnxn: Cnxn, xid: number, op: number, frame: Buffer, arrivedMono: number): void {
    this.wait(cnxn, xid, op, frame, arrivedMono)
    cnxn.parkedReads += 1
  }

  /** The parked read at the head of the queue is about to be answered. */
  unpark({ cnxn, bytes }: PendingRequest): void {
    cnxn.pending.shift()
    cnxn.parkedReads -= 1
    this.#leave(cnxn, bytes)
  }

  /** The head of the queue is about to be answered. False: nobody waits for the answer any more. */
  leaveHead(origin: PendingRequest): boolean {
    if (origin.cnxn.state === 'closing') {
      this.#metrics.staleReplies.add(1)
      this.admission.settle(origin.bytes)
      return false
    }
    const head = origin.cnxn.pending.shift()
    assert(head === origin, 'commits come in the order of requests')
    this.#metrics.pendingSessionQueueSize.add(this.#waitingCnxns)
    this.#leave(origin.cnxn, head.bytes)
    return true
  }

  #leave(cnxn: Cnxn, bytes: number): void {
    this.admission.leave(bytes)
    if (cnxn.pending.length > 0) return
    this.#waitingCnxns -= 1
    this.admission.onIdle(cnxn)
  }

  /**
   * The connection is gone, and the reads that waited with it. Writes and syncs are on their way, and
   * count until they are through: else a client that comes and goes could send any number of them.
   */
  leaveBehind(cnxn: Cnxn): void {
    this.admission.forget(cnxn)
    this.owed.delete(cnxn)
    if (cnxn.pending.length > 0) this.#waitingCnxns -= 1
    for (const request of cnxn.pending) {
      const { frame, op, bytes } = request
      if (frame !== undefined && op !== OpCode.sync) {
        this.admission.leave(bytes)
        continue
      }
      this.admission.abandon(bytes)
      if (this.#route.forwards && frame === undefined) this.#orphans.add(cnxn.sessionId, request)
    }
    cnxn.pending.clear()
    cnxn.parkedReads = 0
  }

  /**
   * On a learner: whether the txn is that of a connection which is gone. All that was forwarded for a
   * session is settled in the order in which it was, so what a former connection has left comes before
   * what the present one has asked for.
   */
  settleOrphan(session: SessionId, xid: number, txnType: number): boolean {
    return !this.#orphans.isEmpty && this.#orphans.settle(session, xid, txnType)
  }

  /** On a learner: the request of that connection that a txn of its session answers. */
  ownerOf(
    cnxn: Cnxn | undefined,
    session: SessionId,
    xid: number,
    txnType: number,
  ): PendingRequest | undefined {
    const head = cnxn?.pending.peek()
    if (head?.frame !== undefined || head?.xid !== xid || !isTxnOf(head.op, txnType))
      return undefined
    if (!this.#orphans.isEmpty) this.#orphans.drop(session)
    return head
  }

  /** Nothing that a former connection of the session has left will be committed, or it does not matter. */
  dropOrphans(session: SessionId): void {
    this.#orphans.drop(session)
  }

  /** What was under way comes back to nobody here, whatever becomes of it. */
  clear(): void {
    this.#orphans.clear()
    this.admission.clear()
  }
}
