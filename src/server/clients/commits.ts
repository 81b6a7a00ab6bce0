import { Err } from '../../data/error-code.ts'
import { OpCode } from '../../data/op-code.ts'
import type { SessionId } from '../../data/session-id.ts'
import type { Txn } from '../../data/txn.ts'
import type { ApplyResult } from '../../tree/apply.ts'
import type { ServerMetrics } from '../stats/server-metrics.ts'
import type { Answers } from './answers.ts'
import type { Cnxn, PendingRequest } from './cnxn.ts'
import type { Connections } from './connections.ts'
import type { Handshake } from './handshake.ts'
import type { ParkedReads } from './parked-reads.ts'
import type { PendingRequests } from './pending.ts'
import type { WriteRoute } from './write-route.ts'

interface CommitsParts {
  readonly connections: Connections
  readonly pending: PendingRequests
  readonly parked: ParkedReads
  readonly answers: Answers
  readonly handshake: Handshake
  readonly writes: WriteRoute
  readonly metrics: ServerMetrics
}

/** What comes out of the ordered stream of commits finds the clients that wait for it. */
export class Commits {
  readonly #connections: Connections
  readonly #pending: PendingRequests
  readonly #parked: ParkedReads
  readonly #answers: Answers
  readonly #handshake: Handshake
  readonly #writes: WriteRoute
  readonly #metrics: ServerMetrics

  constructor(parts: CommitsParts) {
    this.#connections = parts.connections
    this.#pending = parts.pending
    this.#parked = parts.parked
    this.#answers = parts.answers
    this.#handshake = parts.handshake
    this.#writes = parts.writes
    this.#metrics = parts.metrics
  }

  /** The connection's next write is about to be applied. */
  beforeApply(cnxn: Cnxn): void {
    this.#parked.beforeApply(cnxn)
  }

  /** The txn of a write of this client has been applied; `origin` is the head of what waits. */
  onWriteApplied(origin: PendingRequest, txn: Txn, result: ApplyResult): void {
    const { cnxn } = origin
    if (!this.#pending.leaveHead(origin)) return
    // Its session is on another connection by now: no reply, so that the client asks there again.
    if (isSessionMoved(txn)) return this.#connections.close(cnxn)
    if (origin.op === OpCode.createSession) this.#handshake.onCreated(cnxn)
    else this.#answers.written(origin, txn, result)
    this.#metrics.readsAfterWriteInSessionQueue.add(this.#parked.answer(cnxn))
  }

  /** Everything proposed before the sync has been applied. */
  onSynced(origin: PendingRequest): void {
    const { cnxn } = origin
    this.beforeApply(cnxn)
    const head = cnxn.pending.peek()
    // A learner's leader has said nothing of that one, and will not.
    if (head !== undefined && head !== origin && this.#writes.forwards) this.onUnanswered(head)
    if (!this.#pending.leaveHead(origin)) return
    this.#answers.synced(origin)
    this.#parked.answer(cnxn)
  }

  /** On a learner: if that request still waits, no answer to it will come. */
  onUnanswered(origin: PendingRequest): void {
    const { cnxn } = origin
    if (cnxn.state === 'closing') return this.#pending.dropOrphans(cnxn.sessionId)
    if (cnxn.pending.peek() !== origin) return
    this.#pending.leaveHead(origin)
    this.#connections.close(cnxn)
  }

  /**
   * On a learner: the leader has said whether a session that comes back lives. Nothing of it is under way
   * any more.
   */
  onReturned(session: SessionId, isAlive: boolean): void {
    this.#pending.dropOrphans(session)
    this.#handshake.onRevalidated(session, isAlive)
  }

  /**
   * On a learner: whose write or session's creation a committed txn is. Undefined: nobody's who waits
   * here.
   */
  takeOrigin(session: SessionId, xid: number, txnType: number): PendingRequest | undefined {
    if (this.#pending.settleOrphan(session, xid, txnType)) return undefined
    const cnxn = this.#connections.cnxnOf(session)
    if (cnxn !== undefined) this.beforeApply(cnxn)
    return this.#pending.ownerOf(cnxn, session, xid, txnType)
  }

  /** The session's ephemerals are gone; so goes the connection that was its. */
  onSessionClosed(session: SessionId): void {
    const cnxn = this.#connections.cnxnOf(session)
    if (cnxn !== undefined) this.#connections.close(cnxn)
    // Whatever is still on its way is refused, and a session that has ended does not come back.
    this.#pending.dropOrphans(session)
  }

  /**
   * This member serves no more: whoever has a session, or is about to, must look for another one. What
   * was under way comes back to nobody here, whatever becomes of it.
   */
  closeAll(): void {
    this.#connections.closeServed()
    this.#pending.clear()
  }
}

export function isSessionMoved(txn: Txn): boolean {
  if (txn.type === OpCode.error) return txn.err === Err.sessionMoved
  return txn.type === OpCode.multi && txn.txns.some(isSessionMoved)
}
