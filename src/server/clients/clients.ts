import { JuteReader } from 'jute-ts'
import { assert } from '../../base/assert.ts'
import type { Limits } from '../../base/limits.ts'
import type { Logger } from '../../base/logger.ts'
import type { ThrottledLog } from '../../base/throttled-log.ts'
import type { TurnClock } from '../../base/turn-clock.ts'
import { Err } from '../../data/error-code.ts'
import { opClassOf } from '../../data/op-class.ts'
import { OpCode, shortNameOf } from '../../data/op-code.ts'
import { formatSessionId, type SessionId } from '../../data/session-id.ts'
import type { Txn } from '../../data/txn.ts'
import type { ApplyResult } from '../../tree/apply.ts'
import type { DataTree } from '../../tree/data-tree.ts'
import type { HeapRoom } from '../bounds/heap-room.ts'
import type { WorkBudget } from '../bounds/work-budget.ts'
import { LOCAL_OWNER, type SessionTracker } from '../sessions/session-tracker.ts'
import type { ServerMetrics } from '../stats/server-metrics.ts'
import type { ServerStats } from '../stats/server-stats.ts'
import { Admission } from './admission.ts'
import type { AuthRequests } from './auth-requests.ts'
import type { Cnxn, CnxnId, PendingRequest } from './cnxn.ts'
import { CnxnCounts } from './cnxn-counts.ts'
import { isTxnOf, Orphans } from './orphans.ts'
import type { Outbox } from './outbox.ts'
import type { Reads } from './reads.ts'
import { beginReply, endReply, writeWriteBody } from './replies.ts'
import type { SessionAuthority } from './session-authority.ts'
import type { Watches } from './watches.ts'
import type { WriteGate } from './write-gate.ts'
import type { WriteRoute } from './write-route.ts'

const XID_PING = -2
const LENGTH_BYTES = 4
/** xid and op. */
const REQUEST_HEADER_BYTES = 8

/** What the shell is to do to sockets at the end of the turn, beside writing to them. */
export interface ClientEffects {
  /** `now`: without waiting for bytes that the client does not take. */
  readonly closes: { readonly cnxn: CnxnId; readonly now: boolean }[]
  /** True: the socket is not to be read. The last word of the turn counts. */
  readonly pauses: Map<CnxnId, boolean>
}

export interface ClientParts {
  readonly authority: SessionAuthority
  readonly limits: Limits
  readonly clock: TurnClock
  readonly tree: DataTree
  readonly outbox: Outbox
  readonly watches: Watches
  readonly reads: Reads
  readonly sessions: SessionTracker
  readonly writes: WriteRoute
  readonly auth: AuthRequests
  readonly budget: WorkBudget
  readonly heap: HeapRoom
  readonly gate: WriteGate
  readonly stats: ServerStats
  readonly metrics: ServerMetrics
  readonly logger: Logger
  /** For what a stranger can bring about as often as it likes. */
  readonly throttledLog: ThrottledLog
}

/**
 * The connections of this member and the requests on them. Replies leave in the order of requests:
 * a write waits for its commit, a read only for the writes of its own session before it, and what is
 * behind a waiting read goes on into the pipeline (docs/decisions/002). Nothing is taken from a client
 * while too much waits, of all clients or of this one; that it has sent something is noticed anyway.
 */
export class Clients {
  readonly #parts: ClientParts
  readonly #admission: Admission
  readonly #orphans: Orphans
  readonly #cnxns = new Map<CnxnId, Cnxn>()
  readonly #bySession = new Map<SessionId, Cnxn>()
  readonly #reader = new JuteReader()
  /** For parked reads, which are answered while `#reader` may be in the middle of a frame. */
  readonly #parkedReader = new JuteReader()
  /** Those with reads that no write keeps waiting any more, but the budget of this turn. */
  readonly #parkedBehind = new Set<Cnxn>()
  readonly counts: CnxnCounts = new CnxnCounts()
  readonly effects: ClientEffects = { closes: [], pauses: new Map() }

  constructor(parts: ClientParts) {
    this.#parts = parts
    this.#admission = new Admission(parts.limits)
    this.#orphans = new Orphans(this.#admission)
  }

  get cnxns(): ReadonlyMap<CnxnId, Cnxn> {
    return this.#cnxns
  }

  get outstandingRequests(): number {
    return this.#admission.outstanding
  }

  /** Too many writes are under way whose connections have gone: a further one is not taken. */
  get isFlooded(): boolean {
    return this.#admission.isFlooded
  }

  get(id: CnxnId): Cnxn | undefined {
    return this.#cnxns.get(id)
  }

  add(cnxn: Cnxn): void {
    this.#cnxns.set(cnxn.id, cnxn)
    this.counts.onOpened(cnxn.id, cnxn.address)
  }

  /** Its socket is gone; that of a connection which was closed here goes later than that. */
  onGone(id: CnxnId): void {
    const cnxn = this.#cnxns.get(id)
    if (cnxn !== undefined) this.forget(cnxn)
    this.counts.onGone(id)
  }

  cnxnOf(session: SessionId): Cnxn | undefined {
    return this.#bySession.get(session)
  }

  bind(cnxn: Cnxn, session: SessionId): void {
    this.#bySession.set(session, cnxn)
  }

  /** Serves what has arrived, up to where this client has to wait. */
  serve(cnxn: Cnxn): void {
    const { splitter } = cnxn
    const { budget } = this.#parts
    budget.meter.steps = 0
    while (cnxn.state === 'open' && this.#mayRead(cnxn) && splitter.next()) {
      this.#onRequest(cnxn)
      budget.spend(cnxn, splitter.end - splitter.start)
    }
    if (cnxn.splitter.error !== undefined) this.refuse(cnxn, cnxn.splitter.error)
  }

  /** What could not be served stays where it is; above a bound the socket is left unread meanwhile. */
  pauseIfBehind(cnxn: Cnxn): void {
    if (cnxn.state === 'closing') return
    cnxn.splitter.release()
    if (cnxn.paused || cnxn.splitter.heldBytes === 0) return
    const { state } = cnxn
    if (state === 'open') {
      if (this.#mayRead(cnxn)) return
      this.#admission.wait(cnxn)
      this.#touch(cnxn)
    } else if (state !== 'connecting' && state !== 'revalidating') return
    if (cnxn.splitter.heldBytes <= this.#parts.limits.unservedBytesPause) return
    cnxn.paused = true
    this.effects.pauses.set(cnxn.id, true)
  }

  readonly #mayRead = (cnxn: Cnxn): boolean => {
    if (!this.#admission.admits(cnxn) || !this.#parts.budget.allows(cnxn)) return false
    return cnxn.parkedReads < this.#parts.limits.parkedReadsMax && this.#takesReplies(cnxn)
  }

  #takesReplies(cnxn: Cnxn): boolean {
    const { outbox, limits } = this.#parts
    return outbox.pendingBytes(cnxn) + cnxn.unsentBytes <= limits.replyBytesPause
  }

  /**
   * Clients whose sockets are not read because the server is behind cannot be heard, and are not to
   * blame for it: their sessions live on. One that does not take its replies stops itself.
   */
  touchUnheard(): void {
    for (const cnxn of this.#admission.waiting)
      if (cnxn.paused && this.#takesReplies(cnxn)) this.#touch(cnxn)
  }

  /** The client has sent something, be it served or not. */
  #touch(cnxn: Cnxn): void {
    const { session } = cnxn
    if (session !== undefined) this.#parts.sessions.touch(session, this.#parts.clock.mono)
  }

  /** Goes on with a client that had to wait: its session is there, or there is room again. */
  resume(cnxn: Cnxn): void {
    if (cnxn.state !== 'open') return
    if (cnxn.paused) {
      cnxn.paused = false
      this.effects.pauses.set(cnxn.id, false)
    }
    this.serve(cnxn)
    this.pauseIfBehind(cnxn)
  }

  /** Whether a client that had to wait could go on now. */
  get hasReady(): boolean {
    return this.#parkedBehind.size > 0 || this.#admission.some(this.#mayRead)
  }

  /** Called once a turn: replies may have made room, and sockets may have taken theirs. */
  resumeWaiting(): void {
    const { budget } = this.#parts
    for (const cnxn of [...this.#parkedBehind]) {
      this.#parkedBehind.delete(cnxn)
      this.#answerParked(cnxn)
    }
    for (const cnxn of this.#admission.take(this.#mayRead)) this.resume(cnxn)
    // For what arrives until the next turn ends; whoever was stopped in this one is ready for that.
    budget.refill()
  }

  #onRequest(cnxn: Cnxn): void {
    const { splitter } = cnxn
    const r = this.#reader.reset(splitter.buffer, splitter.start, splitter.end)
    const xid = r.readInt()
    const op = r.readInt()
    if (!r.ok) return this.refuse(cnxn, 'request without a header')
    this.#parts.metrics.bytesReceivedCount.add(splitter.end - splitter.start + LENGTH_BYTES)
    this.#parts.stats.packetsReceived += 1
    cnxn.stats.packetsReceived += 1
    if (op === OpCode.auth) return this.#onAuth(cnxn, xid, r)
    if (op === OpCode.sasl) return this.#onSasl(cnxn, xid, r)
    const refusal = this.#parts.auth.refuseUnauthenticated(cnxn)
    if (refusal !== Err.ok) return this.answerAndClose(cnxn, xid, 0, refusal)
    const { session } = cnxn
    assert(session !== undefined, 'an open connection has a session')
    // Expired meanwhile: its closeSession is under way and will end the connection (spec 05 §8).
    if (session.closing) return
    this.#parts.sessions.touch(session, this.#parts.clock.mono)
    switch (opClassOf(op)) {
      case 'read':
        if (cnxn.pending.length === 0) return this.#answerRead(cnxn, xid, op, r, this.#clock)
        this.#wait(
          cnxn,
          xid,
          op,
          Buffer.from(splitter.buffer.subarray(splitter.start, splitter.end)),
        )
        cnxn.parkedReads += 1
        return
      case 'write': {
        const err = this.#parts.gate.refusalOf(op, cnxn.ids, r)
        if (err !== Err.ok) return this.#refuseWrite(cnxn, xid, op, err)
        if (this.isFlooded) return this.refuseFlooded(cnxn)
        const origin = this.#wait(cnxn, xid, op, undefined)
        const request = { sessionId: session.id, cxid: xid, op, ids: cnxn.ids, owner: LOCAL_OWNER }
        this.#parts.writes.submit(request, r, this.#parts.clock.wall, origin)
        return
      }
      case 'sync': {
        if (this.isFlooded) return this.refuseFlooded(cnxn)
        const frame = Buffer.from(splitter.buffer.subarray(splitter.start, splitter.end))
        this.#parts.writes.sync(this.#wait(cnxn, xid, op, frame))
        return
      }
      case 'unknown':
        return this.#onUnknown(cnxn, xid, op)
    }
  }

  /** It has its answer at once, as a read has, and in the same order. */
  #refuseWrite(cnxn: Cnxn, xid: number, op: number, err: Err): void {
    if (cnxn.pending.length === 0) return this.#answerRefused(cnxn, xid, op, err, this.#clock)
    const frame = Buffer.alloc(REQUEST_HEADER_BYTES + 4)
    frame.writeInt32BE(err, REQUEST_HEADER_BYTES)
    this.#wait(cnxn, xid, op, frame)
    cnxn.parkedReads += 1
  }

  /** As in the original, one without permission is not told at which zxid it was judged. */
  #answerRefused(cnxn: Cnxn, xid: number, op: number, err: number, arrivedMono: number): void {
    const { outbox, tree } = this.#parts
    const w = outbox.begin(cnxn)
    const at = beginReply(w, xid, err === Err.systemError ? tree.lastProcessedZxid : 0, err)
    endReply(w, at, err)
    this.#onReplied(cnxn, xid, op, w.length - at, arrivedMono)
  }

  get #clock(): number {
    return this.#parts.clock.mono
  }

  #wait(cnxn: Cnxn, xid: number, op: number, frame: Buffer | undefined): PendingRequest {
    const { splitter } = cnxn
    const bytes = splitter.end - splitter.start
    const pending = { cnxn, xid, op, arrivedMono: this.#parts.clock.mono, bytes, frame }
    cnxn.pending.push(pending)
    this.#admission.enter(bytes)
    return pending
  }

  /** A session's creation takes its place among the outstanding like any write. */
  waitForSession(cnxn: Cnxn): PendingRequest {
    return this.#wait(cnxn, 0, OpCode.createSession, undefined)
  }

  #answerRead(cnxn: Cnxn, xid: number, op: number, r: JuteReader, arrivedMono: number): void {
    const { tree, outbox, reads, metrics, heap } = this.#parts
    const zxid = tree.lastProcessedZxid
    // Events that setWatches owes are frames of their own and stand before its reply.
    const isSetWatches = op === OpCode.setWatches || op === OpCode.setWatches2
    // A client takes no notice of an error here, and must not believe that it has its watches.
    if (isSetWatches && heap.refusesWatch())
      return this.refuse(cnxn, 'no room in the heap for the watches of this client')
    const w = outbox.begin(cnxn)
    let err: Err = isSetWatches ? reads.setWatches(op, cnxn, r) : Err.ok
    const at = beginReply(w, op === OpCode.ping ? XID_PING : xid, zxid, Err.ok)
    if (!isSetWatches) err = reads.answer(op, cnxn, r, w)
    endReply(w, at, err)
    if (op !== OpCode.ping) metrics.readLatencyMs.add(this.#clock - arrivedMono)
    this.#onReplied(cnxn, xid, op, w.length - at, arrivedMono)
  }

  #onReplied(cnxn: Cnxn, xid: number, op: number, bytes: number, arrivedMono: number): void {
    const { stats, metrics } = this.#parts
    const zxid = this.#parts.tree.lastProcessedZxid
    if (bytes > this.#parts.limits.replyBytesPause && bytes > cnxn.largeReplyBytes)
      cnxn.largeReplyBytes = bytes
    stats.packetsSent += 1
    stats.clientResponseBytes.add(bytes - LENGTH_BYTES)
    metrics.responseBytes.add(bytes)
    stats.latencyMs.add(this.#clock - arrivedMono)
    cnxn.stats.packetsSent += 1
    cnxn.stats.onReply(shortNameOf(op), xid, zxid, arrivedMono, this.#clock)
  }

  /** The txn of a write of this client has been applied; `origin` is the head of what waits. */
  onWriteApplied(origin: PendingRequest, txn: Txn, result: ApplyResult): void {
    const { cnxn } = origin
    if (!this.#leaveHead(origin)) return
    // Its session is on another connection by now: no reply, so that the client asks there again.
    if (isSessionMoved(txn)) return this.close(cnxn)
    if (origin.op === OpCode.createSession) this.onSessionCreated(cnxn)
    else this.#answerWrite(origin, txn, result)
    this.#answerParked(cnxn)
  }

  /** Set by the handshake, which answers in its own form. */
  onSessionCreated: (cnxn: Cnxn) => void = () => {}

  #answerWrite(origin: PendingRequest, txn: Txn, result: ApplyResult): void {
    const { tree, outbox, metrics } = this.#parts
    const { cnxn, xid, op } = origin
    const w = outbox.begin(cnxn)
    const at = beginReply(w, xid, tree.lastProcessedZxid, Err.ok)
    // A failed multi tells its errors in its body, and none in the header (spec 01 §5).
    const err = txn.type === OpCode.multi ? Err.ok : result.err
    if (err === Err.ok) writeWriteBody(w, op, txn, result, tree)
    endReply(w, at, err)
    metrics.updateLatencyMs.add(this.#clock - origin.arrivedMono)
    this.#onReplied(cnxn, xid, op, w.length - at, origin.arrivedMono)
    if (op === OpCode.closeSession) this.close(cnxn)
  }

  /** Everything proposed before the sync has been applied. */
  onSynced(origin: PendingRequest): void {
    const { pending } = origin.cnxn
    this.beforeApply(origin.cnxn)
    const head = pending.peek()
    // A learner's leader has said nothing of that one, and will not.
    if (head !== undefined && head !== origin && this.#parts.writes.forwards)
      this.onUnanswered(head)
    if (!this.#leaveHead(origin)) return
    const { tree, outbox } = this.#parts
    const { cnxn, xid, op, frame } = origin
    assert(frame !== undefined, 'a sync keeps its frame')
    const r = this.#parkedReader.reset(frame, REQUEST_HEADER_BYTES, frame.length)
    const path = r.readNullableString()
    const err = r.ok ? Err.ok : Err.marshallingError
    const w = outbox.begin(cnxn)
    const at = beginReply(w, xid, tree.lastProcessedZxid, err)
    w.writeString(path)
    endReply(w, at, err)
    this.#onReplied(cnxn, xid, op, w.length - at, origin.arrivedMono)
    this.#answerParked(cnxn)
  }

  /** On a learner: if that request still waits, no answer to it will come. */
  onUnanswered(origin: PendingRequest): void {
    const { cnxn } = origin
    if (cnxn.state === 'closing') return this.#orphans.drop(cnxn.sessionId)
    if (cnxn.pending.peek() !== origin) return
    this.#leaveHead(origin)
    this.close(cnxn)
  }

  /** On a learner: nothing of the session is under way any more, and its client will be let in. */
  onReturning(session: SessionId): void {
    this.#orphans.drop(session)
  }

  /** False: the connection is gone, and nobody waits for the answer any more. */
  #leaveHead(origin: PendingRequest): boolean {
    if (origin.cnxn.state === 'closing') {
      this.#admission.settle(origin.bytes)
      return false
    }
    const head = origin.cnxn.pending.shift()
    assert(head === origin, 'commits come in the order of requests')
    this.#admission.leave(head.bytes)
    if (origin.cnxn.pending.length === 0) this.#admission.onIdle(origin.cnxn)
    return true
  }

  /** The connection's next write is about to be applied: reads before it must not see it. */
  beforeApply(cnxn: Cnxn): void {
    if (this.#parkedBehind.size > 0 && this.#parkedBehind.delete(cnxn))
      this.#answerParked(cnxn, true)
  }

  #answerParked(cnxn: Cnxn, isDue = false): void {
    for (let head = cnxn.pending.peek(); head !== undefined; head = cnxn.pending.peek()) {
      if (cnxn.state !== 'open' || head.frame === undefined || head.op === OpCode.sync) return
      if (!isDue && !this.#parts.budget.allows(cnxn)) {
        this.#parkedBehind.add(cnxn)
        return
      }
      cnxn.pending.shift()
      cnxn.parkedReads -= 1
      this.#admission.leave(head.bytes)
      if (cnxn.pending.length === 0) this.#admission.onIdle(cnxn)
      const { xid, op, arrivedMono, frame } = head
      const r = this.#parkedReader.reset(frame, REQUEST_HEADER_BYTES, frame.length)
      if (opClassOf(op) === 'write') this.#answerRefused(cnxn, xid, op, r.readInt(), arrivedMono)
      else this.#answerRead(cnxn, xid, op, r, arrivedMono)
      this.#parts.budget.spend(cnxn, head.frame.length)
    }
  }

  #onAuth(cnxn: Cnxn, xid: number, r: JuteReader): void {
    const err = this.#parts.auth.onAuth(cnxn, r)
    if (err === Err.marshallingError) return this.refuse(cnxn, 'auth packet does not decode')
    if (err === Err.badArguments) return this.refuse(cnxn, 'the client means another ensemble')
    if (err !== Err.ok) this.#parts.stats.authFailedCount += 1
    if (err !== Err.ok) return this.answerAndClose(cnxn, xid, 0, err)
    const w = this.#parts.outbox.begin(cnxn)
    endReply(w, beginReply(w, xid, 0, Err.ok), Err.ok)
  }

  #onSasl(cnxn: Cnxn, xid: number, r: JuteReader): void {
    const answer = this.#parts.auth.onSasl(cnxn, r)
    if (answer === undefined) return this.refuse(cnxn, 'sasl request without a token')
    const w = this.#parts.outbox.begin(cnxn)
    const at = beginReply(w, xid, 0, answer.err)
    // The one reply that has a body beside an error (seen on a 3.8.0 server).
    w.writeBuffer(answer.token)
    endReply(w, at, Err.ok)
    if (!answer.closes) return
    this.#parts.stats.authFailedCount += 1
    this.close(cnxn)
  }

  refuseFlooded(cnxn: Cnxn): void {
    this.refuse(cnxn, 'too many writes of connections that have gone are under way')
  }

  /** Written at once, before replies that still wait: the connection ends with it (spec 01 §2). */
  #onUnknown(cnxn: Cnxn, xid: number, op: number): void {
    this.#parts.throttledLog.warn('unknown operation, closing the connection', {
      op,
      address: cnxn.address,
      session: cnxn.session === undefined ? undefined : formatSessionId(cnxn.session.id),
    })
    this.answerAndClose(cnxn, xid, -1, Err.unimplemented)
  }

  answerAndClose(cnxn: Cnxn, xid: number, zxid: number, err: number): void {
    const w = this.#parts.outbox.begin(cnxn)
    endReply(w, beginReply(w, xid, zxid, err), err)
    this.close(cnxn)
  }

  /** The client has broken the protocol: no reply, the connection ends; nobody else notices. */
  refuse(cnxn: Cnxn, reason: string): void {
    const fields = {
      reason,
      address: cnxn.address,
      port: cnxn.port,
      session: cnxn.session === undefined ? undefined : formatSessionId(cnxn.session.id),
    }
    this.#parts.throttledLog.warn('closing a client connection', fields, reason)
    this.#parts.metrics.connectionDropCount.add(1)
    this.close(cnxn)
  }

  /**
   * On a learner: whose write or session's creation a committed txn is. Undefined: nobody's who waits
   * here. All that was forwarded for a session is settled in the order in which it was, and what a
   * former connection has left comes before what the present one has asked for.
   */
  takeOrigin(session: SessionId, xid: number, txnType: number): PendingRequest | undefined {
    const hasOrphans = !this.#orphans.isEmpty
    if (hasOrphans && this.#orphans.settle(session, xid, txnType)) return undefined
    const cnxn = this.#bySession.get(session)
    if (cnxn !== undefined) this.beforeApply(cnxn)
    const head = cnxn?.pending.peek()
    if (head?.frame !== undefined || head?.xid !== xid || !isTxnOf(head.op, txnType))
      return undefined
    if (hasOrphans) this.#orphans.drop(session)
    return head
  }

  /**
   * This member serves no more: whoever has a session, or is about to, must look for another one. What
   * was under way comes back to nobody here, whatever becomes of it.
   */
  closeAll(): void {
    for (const cnxn of [...this.#cnxns.values()])
      if (cnxn.state !== 'fresh' && cnxn.state !== 'answering') this.close(cnxn)
    this.#orphans.clear()
    this.#admission.clear()
  }

  /** The session's ephemerals are gone; so goes the connection that was its. */
  onSessionClosed(session: SessionId): void {
    const cnxn = this.#bySession.get(session)
    if (cnxn !== undefined) this.close(cnxn)
    // Whatever is still on its way is refused, and a session that has ended does not come back.
    this.#orphans.drop(session)
  }

  /** Ends the connection once what is written has left, or at once. */
  close(cnxn: Cnxn, now = false): void {
    if (cnxn.state === 'closing') return
    this.forget(cnxn)
    this.effects.closes.push({ cnxn: cnxn.id, now })
  }

  /** Nothing of the connection is left here but its count. Its session lives on until it expires. */
  forget(cnxn: Cnxn): void {
    if (cnxn.state === 'closing') return
    cnxn.state = 'closing'
    this.#cnxns.delete(cnxn.id)
    this.#parts.watches.table.removeWatcher(cnxn)
    this.#admission.forget(cnxn)
    this.#parkedBehind.delete(cnxn)
    this.#leaveBehind(cnxn)
    // By its id: the connection may go before the session it has asked for is there.
    if (this.#bySession.get(cnxn.sessionId) === cnxn) this.#bySession.delete(cnxn.sessionId)
  }

  /**
   * Reads that waited are gone with their connection. Writes and syncs are on their way, and count
   * until they are through: else a client that comes and goes could send any number of them.
   */
  #leaveBehind(cnxn: Cnxn): void {
    const { forwards } = this.#parts.writes
    for (const request of cnxn.pending) {
      const { frame, op, bytes } = request
      if (frame !== undefined && op !== OpCode.sync) {
        this.#admission.leave(bytes)
        continue
      }
      this.#admission.abandon(bytes)
      if (forwards && frame === undefined) this.#orphans.add(cnxn.sessionId, request)
    }
    cnxn.pending.clear()
    cnxn.parkedReads = 0
  }
}

export function isSessionMoved(txn: Txn): boolean {
  if (txn.type === OpCode.error) return txn.err === Err.sessionMoved
  return txn.type === OpCode.multi && txn.txns.some(isSessionMoved)
}
