import { JuteReader } from 'jute-ts'
import { assert } from '../../base/assert.ts'
import type { Counter } from '../../base/metrics.ts'
import type { ThrottledLog } from '../../base/throttled-log.ts'
import type { TurnClock } from '../../base/turn-clock.ts'
import { Err } from '../../data/error-code.ts'
import { opClassOf } from '../../data/op-class.ts'
import { OpCode } from '../../data/op-code.ts'
import { formatSessionId } from '../../data/session-id.ts'
import { LOCAL_OWNER, type SessionTracker } from '../sessions/session-tracker.ts'
import type { ServerMetrics } from '../stats/server-metrics.ts'
import type { ServerStats } from '../stats/server-stats.ts'
import type { Answers } from './answers.ts'
import type { AuthRequests } from './auth-requests.ts'
import { type Cnxn, REQUEST_HEADER_BYTES } from './cnxn.ts'
import type { Connections } from './connections.ts'
import type { PendingRequests } from './pending.ts'
import type { WriteGate } from './write-gate.ts'
import type { WriteRoute } from './write-route.ts'

const LENGTH_BYTES = 4

interface RequestsParts {
  readonly connections: Connections
  readonly pending: PendingRequests
  readonly answers: Answers
  readonly auth: AuthRequests
  readonly gate: WriteGate
  readonly writes: WriteRoute
  readonly sessions: SessionTracker
  readonly clock: TurnClock
  readonly stats: ServerStats
  readonly metrics: ServerMetrics
  readonly throttledLog: ThrottledLog
}

/**
 * What becomes of one request. Replies leave in the order of requests: a write waits for its commit, a
 * read only for the writes of its own session before it, and what is behind a waiting read goes on into
 * the pipeline (docs/decisions/002).
 */
export class Requests {
  readonly #connections: Connections
  readonly #pending: PendingRequests
  readonly #answers: Answers
  readonly #auth: AuthRequests
  readonly #gate: WriteGate
  readonly #writes: WriteRoute
  readonly #sessions: SessionTracker
  readonly #clock: TurnClock
  readonly #stats: ServerStats
  readonly #bytesReceived: Counter
  readonly #log: ThrottledLog
  readonly #reader = new JuteReader()

  constructor(parts: RequestsParts) {
    this.#connections = parts.connections
    this.#pending = parts.pending
    this.#answers = parts.answers
    this.#auth = parts.auth
    this.#gate = parts.gate
    this.#writes = parts.writes
    this.#sessions = parts.sessions
    this.#clock = parts.clock
    this.#stats = parts.stats
    this.#bytesReceived = parts.metrics.bytesReceivedCount
    this.#log = parts.throttledLog
  }

  /** Of an open connection, whose splitter stands at the frame. */
  onRequest(cnxn: Cnxn): void {
    const { splitter } = cnxn
    const r = this.#reader.reset(splitter.buffer, splitter.start, splitter.end)
    const xid = r.readInt()
    const op = r.readInt()
    if (!r.ok) return this.#connections.refuse(cnxn, 'request without a header')
    this.#bytesReceived.add(splitter.end - splitter.start + LENGTH_BYTES)
    this.#stats.packetsReceived += 1
    cnxn.stats.packetsReceived += 1
    if (op === OpCode.auth) return this.#auth.onAuth(cnxn, xid, r)
    if (op === OpCode.sasl) return this.#auth.onSasl(cnxn, xid, r)
    const refusal = this.#auth.refuseUnauthenticated(cnxn)
    if (refusal !== Err.ok) return this.#answers.closing(cnxn, xid, 0, refusal)
    const { session } = cnxn
    assert(session !== undefined, 'an open connection has a session')
    // Expired meanwhile: its closeSession is under way and will end the connection (spec 05 §8).
    if (session.closing) return
    const { mono } = this.#clock
    this.#sessions.touch(session, mono)
    switch (opClassOf(op)) {
      case 'read':
        if (cnxn.pending.length === 0) return this.#answers.read(cnxn, xid, op, r, mono)
        return this.#pending.park(cnxn, xid, op, copyOfFrame(cnxn), mono)
      case 'write':
        return this.#onWrite(cnxn, xid, op, r)
      case 'sync':
        if (this.#connections.refusesFlooded(cnxn)) return
        this.#writes.sync(this.#pending.wait(cnxn, xid, op, copyOfFrame(cnxn), mono))
        return
      case 'unknown':
        return this.#onUnknown(cnxn, xid, op)
    }
  }

  #onWrite(cnxn: Cnxn, xid: number, op: number, r: JuteReader): void {
    const { mono, wall } = this.#clock
    const err = this.#gate.refusalOf(op, cnxn.ids, r)
    if (err !== Err.ok) return this.#refuseWrite(cnxn, xid, op, err)
    if (this.#connections.refusesFlooded(cnxn)) return
    const origin = this.#pending.wait(cnxn, xid, op, undefined, mono)
    const { sessionId, ids } = cnxn
    this.#writes.submit({ sessionId, cxid: xid, op, ids, owner: LOCAL_OWNER }, r, wall, origin)
  }

  /** It has its answer at once, as a read has, and in the same order. */
  #refuseWrite(cnxn: Cnxn, xid: number, op: number, err: Err): void {
    const { mono } = this.#clock
    if (cnxn.pending.length === 0) return this.#answers.refused(cnxn, xid, op, err, mono)
    const frame = Buffer.alloc(REQUEST_HEADER_BYTES + 4)
    frame.writeInt32BE(err, REQUEST_HEADER_BYTES)
    this.#pending.park(cnxn, xid, op, frame, mono)
  }

  /** Written at once, before replies that still wait: the connection ends with it (spec 01 §2). */
  #onUnknown(cnxn: Cnxn, xid: number, op: number): void {
    this.#log.warn('unknown operation, closing the connection', {
      op,
      address: cnxn.address,
      session: formatSessionId(cnxn.sessionId),
    })
    this.#answers.closing(cnxn, xid, -1, Err.unimplemented)
  }
}

/** The chunk that it came in is borrowed. */
function copyOfFrame({ splitter }: Cnxn): Buffer {
  return Buffer.from(splitter.buffer.subarray(splitter.start, splitter.end))
}
