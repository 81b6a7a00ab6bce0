import { JuteReader } from 'jute-ts'
import { assert } from '../../base/assert.ts'
import type { Limits } from '../../base/limits.ts'
import type { TurnClock } from '../../base/turn-clock.ts'
import { Err } from '../../data/error-code.ts'
import { OpCode, shortNameOf } from '../../data/op-code.ts'
import { type SessionId, sessionPassword } from '../../data/session-id.ts'
import type { Txn } from '../../data/txn.ts'
import type { ApplyResult } from '../../tree/apply.ts'
import type { DataTree } from '../../tree/data-tree.ts'
import type { HeapRoom } from '../bounds/heap-room.ts'
import { AnswerCounts } from '../stats/answer-counts.ts'
import type { ServerMetrics } from '../stats/server-metrics.ts'
import type { ServerStats } from '../stats/server-stats.ts'
import { NOT_TIMED, ONE_IN, type Stopwatch } from '../stats/stage-timer.ts'
import { type Cnxn, type PendingRequest, REQUEST_HEADER_BYTES } from './cnxn.ts'
import type { Connections } from './connections.ts'
import type { Outbox } from './outbox.ts'
import type { Reads } from './reads.ts'
import { beginReply, endReply, writeWriteBody } from './replies.ts'

const XID_PING = -2
const PROTOCOL_VERSION = 0
const NO_SESSION = 0n
const NO_PASSWORD: Buffer = Buffer.alloc(16)
const LENGTH_BYTES = 4

interface AnswersParts {
  readonly connections: Connections
  readonly outbox: Outbox
  readonly tree: DataTree
  readonly reads: Reads
  readonly heap: HeapRoom
  readonly limits: Limits
  readonly clock: TurnClock
  readonly stats: ServerStats
  readonly metrics: ServerMetrics
  readonly stopwatch: Stopwatch
}

/** Replies to requests that have their turn, written into the outbox and counted. */
export class Answers {
  readonly #connections: Connections
  readonly #outbox: Outbox
  readonly #tree: DataTree
  readonly #reads: Reads
  readonly #heap: HeapRoom
  readonly #replyBytesPause: number
  readonly #clock: TurnClock
  readonly #stats: ServerStats
  readonly #counts: AnswerCounts
  /** Reads up to the next that is timed; counted here, so that the others make no call for it. */
  #untilTimed = 1
  readonly #syncReader = new JuteReader()

  constructor(parts: AnswersParts) {
    this.#connections = parts.connections
    this.#outbox = parts.outbox
    this.#tree = parts.tree
    this.#reads = parts.reads
    this.#heap = parts.heap
    this.#replyBytesPause = parts.limits.replyBytesPause
    this.#clock = parts.clock
    this.#stats = parts.stats
    this.#counts = new AnswerCounts(parts.metrics, parts.stopwatch)
  }

  /** `r` stands at the body of the request. */
  read(cnxn: Cnxn, xid: number, op: number, r: JuteReader, arrivedMono: number): void {
    const zxid = this.#tree.lastProcessedZxid
    // Events that setWatches owes are frames of their own and stand before its reply.
    const isSetWatches = op === OpCode.setWatches || op === OpCode.setWatches2
    // A client takes no notice of an error here, and must not believe that it has its watches.
    if (isSetWatches && this.#heap.refusesWatch())
      return this.#connections.refuse(cnxn, 'no room in the heap for the watches of this client')
    this.#untilTimed -= 1
    const isTimed = this.#untilTimed === 0
    const began = isTimed ? this.#counts.beginRead() : NOT_TIMED
    const w = this.#outbox.begin(cnxn)
    let err: Err = isSetWatches ? this.#reads.setWatches(op, cnxn, r) : Err.ok
    const at = beginReply(w, op === OpCode.ping ? XID_PING : xid, zxid, Err.ok)
    if (!isSetWatches) err = this.#reads.answer(op, cnxn, r, w)
    endReply(w, at, err)
    if (op !== OpCode.ping) this.#counts.readLatencyMs.add(this.#clock.mono - arrivedMono)
    this.#counts.ops.add(op)
    this.#onReplied(cnxn, xid, op, w.length - at, arrivedMono)
    if (!isTimed) return
    this.#untilTimed = ONE_IN
    this.#counts.endRead(began)
  }

  /** As in the original, one without permission is not told at which zxid it was judged. */
  refused(cnxn: Cnxn, xid: number, op: number, err: number, arrivedMono: number): void {
    const w = this.#outbox.begin(cnxn)
    const zxid = err === Err.systemError ? this.#tree.lastProcessedZxid : 0
    const at = beginReply(w, xid, zxid, err)
    endReply(w, at, err)
    this.#onReplied(cnxn, xid, op, w.length - at, arrivedMono)
  }

  /** The txn of the request has been applied. */
  written(origin: PendingRequest, txn: Txn, result: ApplyResult): void {
    const { cnxn, xid, op } = origin
    const w = this.#outbox.begin(cnxn)
    const at = beginReply(w, xid, this.#tree.lastProcessedZxid, Err.ok)
    // A failed multi tells its errors in its body, and none in the header (spec 01 §5).
    const err = txn.type === OpCode.multi ? Err.ok : result.err
    if (err === Err.ok) writeWriteBody(w, op, txn, result, this.#tree)
    endReply(w, at, err)
    this.#counts.updateLatencyMs.add(this.#clock.mono - origin.arrivedMono)
    if (err === Err.ok) this.#counts.ops.add(op)
    this.#onReplied(cnxn, xid, op, w.length - at, origin.arrivedMono)
    if (op === OpCode.closeSession) this.#connections.close(cnxn)
  }

  /** Everything proposed before the sync has been applied. */
  synced(origin: PendingRequest): void {
    const { cnxn, xid, op, frame } = origin
    assert(frame !== undefined, 'a sync keeps its frame')
    const r = this.#syncReader.reset(frame, REQUEST_HEADER_BYTES, frame.length)
    const path = r.readNullableString()
    const err = r.ok ? Err.ok : Err.marshallingError
    const w = this.#outbox.begin(cnxn)
    const at = beginReply(w, xid, this.#tree.lastProcessedZxid, err)
    w.writeString(path)
    endReply(w, at, err)
    this.#counts.ops.add(op)
    this.#onReplied(cnxn, xid, op, w.length - at, origin.arrivedMono)
  }

  /** The reply to a connect request that has made a session. */
  newSession(cnxn: Cnxn, timeoutMs: number, id: SessionId): void {
    this.#counts.ops.add(OpCode.createSession)
    this.session(cnxn, timeoutMs, id)
  }

  /** The reply to a connect request: from now on the session is this connection's. */
  session(cnxn: Cnxn, timeoutMs: number, id: SessionId): void {
    this.#connected(cnxn, timeoutMs, id, sessionPassword(id))
  }

  /** The reply to a connect request: the session that it names is not to be had. */
  noSession(cnxn: Cnxn): void {
    this.#connected(cnxn, 0, NO_SESSION, NO_PASSWORD)
  }

  #connected(cnxn: Cnxn, timeoutMs: number, id: SessionId, password: Buffer): void {
    const w = this.#outbox.begin(cnxn)
    const at = w.reserveInt()
    w.writeInt(PROTOCOL_VERSION)
    w.writeInt(timeoutMs)
    w.writeLong(id)
    w.writeBuffer(password)
    if (cnxn.hasReadOnlyByte) w.writeBoolean(false)
    w.patchLength(at)
    const { mono } = this.#clock
    this.#stats.packetsSent += 1
    cnxn.stats.packetsSent += 1
    cnxn.stats.onReply('SESS', 0, this.#tree.lastProcessedZxid, mono, mono)
  }

  /** A request about who the client is was granted: outside the order of requests, at no zxid. */
  authenticated(cnxn: Cnxn, xid: number): void {
    const w = this.#outbox.begin(cnxn)
    endReply(w, beginReply(w, xid, 0, Err.ok), Err.ok)
  }

  /** The one reply that has a body beside an error (seen on a 3.8.0 server). */
  saslToken(cnxn: Cnxn, xid: number, err: number, token: Buffer | null): void {
    const w = this.#outbox.begin(cnxn)
    const at = beginReply(w, xid, 0, err)
    w.writeBuffer(token)
    endReply(w, at, Err.ok)
  }

  /** The last reply of the connection, before any that still waits. */
  closing(cnxn: Cnxn, xid: number, zxid: number, err: number): void {
    const w = this.#outbox.begin(cnxn)
    endReply(w, beginReply(w, xid, zxid, err), err)
    this.#connections.close(cnxn)
  }

  #onReplied(cnxn: Cnxn, xid: number, op: number, bytes: number, arrivedMono: number): void {
    const nowMono = this.#clock.mono
    const zxid = this.#tree.lastProcessedZxid
    if (bytes > this.#replyBytesPause && bytes > cnxn.largeReplyBytes) cnxn.largeReplyBytes = bytes
    this.#stats.packetsSent += 1
    this.#stats.clientResponseBytes.add(bytes - LENGTH_BYTES)
    this.#counts.responseBytes.add(bytes)
    this.#stats.latencyMs.add(nowMono - arrivedMono)
    cnxn.stats.packetsSent += 1
    cnxn.stats.onReply(shortNameOf(op), xid, zxid, arrivedMono, nowMono)
  }
}
