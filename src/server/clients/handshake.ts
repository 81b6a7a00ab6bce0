import { JuteReader } from 'jute-ts'
import type { Logger } from '../../base/logger.ts'
import type { ThrottledLog } from '../../base/throttled-log.ts'
import type { TurnClock } from '../../base/turn-clock.ts'
import type { Config } from '../../config/config.ts'
import { OpCode } from '../../data/op-code.ts'
import { type ConnectRequest, readConnectRequest } from '../../data/records.ts'
import { formatSessionId, type SessionId, sessionPassword } from '../../data/session-id.ts'
import { formatZxid } from '../../data/zxid.ts'
import type { DataTree } from '../../tree/data-tree.ts'
import { LOCAL_OWNER, type SessionTracker } from '../sessions/session-tracker.ts'
import type { ServerMetrics } from '../stats/server-metrics.ts'
import type { ServerStats } from '../stats/server-stats.ts'
import type { Answers } from './answers.ts'
import type { Cnxn } from './cnxn.ts'
import type { Connections } from './connections.ts'
import type { Intake } from './intake.ts'
import type { PendingRequests } from './pending.ts'
import type { SessionAuthority } from './session-authority.ts'
import type { WriteRoute } from './write-route.ts'

const NO_SESSION = 0n
const TIMEOUT_BYTES = 4

interface HandshakeParts {
  readonly config: Config
  readonly connections: Connections
  readonly pending: PendingRequests
  readonly intake: Intake
  readonly answers: Answers
  /** Where the session is created, or asked after. */
  readonly serving: WriteRoute & SessionAuthority
  readonly sessions: SessionTracker
  readonly tree: DataTree
  readonly clock: TurnClock
  readonly stats: ServerStats
  readonly metrics: ServerMetrics
  readonly logger: Logger
  readonly throttledLog: ThrottledLog
}

/** The first frame of a connection, and the session that follows from it (spec 01 §3). */
export class Handshake {
  readonly #parts: HandshakeParts
  readonly #connections: Connections
  readonly #reader = new JuteReader()

  constructor(parts: HandshakeParts) {
    this.#parts = parts
    this.#connections = parts.connections
  }

  /** Call when bytes have arrived for a connection in state 'handshake'. */
  serve(cnxn: Cnxn): void {
    const { splitter } = cnxn
    if (!splitter.next()) {
      if (splitter.error !== undefined) this.#connections.refuse(cnxn, splitter.error)
      return
    }
    const r = this.#reader.reset(splitter.buffer, splitter.start, splitter.end)
    const request = readConnectRequest(r)
    if (!r.ok) return this.#connections.refuse(cnxn, 'connect request does not decode')
    // One byte that is no part of the record; clients before 3.4 do not send it.
    cnxn.hasReadOnlyByte = r.remaining > 0
    this.#parts.stats.packetsReceived += 1
    this.#parts.metrics.connectionRequestCount.add(1)
    if (!this.#parts.serving.isServing) {
      this.#parts.metrics.cnxnClosedWithoutZkServerRunning.add(1)
      return this.#connections.refuse(cnxn, 'this member is not in a quorum')
    }
    this.#onConnect(cnxn, request)
  }

  #onConnect(cnxn: Cnxn, request: ConnectRequest): void {
    const last = this.#parts.tree.lastProcessedZxid
    if (request.lastZxidSeen > last) {
      // It has seen a state this member has not reached: another member must serve it.
      return this.#connections.refuse(
        cnxn,
        `client has seen zxid ${formatZxid(request.lastZxidSeen)}, ours is ${formatZxid(last)}`,
      )
    }
    const { minSessionTimeoutMs, maxSessionTimeoutMs } = this.#parts.config
    const timeoutMs = Math.min(Math.max(request.timeOut, minSessionTimeoutMs), maxSessionTimeoutMs)
    if (request.sessionId === NO_SESSION) this.#create(cnxn, timeoutMs)
    else this.#reattach(cnxn, request.sessionId, request.passwd, timeoutMs)
  }

  #create(cnxn: Cnxn, timeoutMs: number): void {
    if (this.#connections.refusesFlooded(cnxn)) return
    const { sessions, serving, pending, clock } = this.#parts
    const id = sessions.newId()
    const body = Buffer.alloc(TIMEOUT_BYTES)
    body.writeInt32BE(timeoutMs)
    cnxn.state = 'connecting'
    this.#connections.bind(cnxn, id)
    cnxn.sessionId = id
    const owner = LOCAL_OWNER
    const request = { sessionId: id, cxid: 0, op: OpCode.createSession, ids: [], owner }
    // A session's creation takes its place among the outstanding like any write.
    const origin = pending.wait(cnxn, 0, OpCode.createSession, undefined, clock.mono)
    serving.submit(request, this.#reader.reset(body), clock.wall, origin)
  }

  /** The session's txn is applied: from now on requests are read. */
  onCreated(cnxn: Cnxn): void {
    const session = this.#parts.sessions.get(cnxn.sessionId)
    if (session === undefined) return this.#connections.close(cnxn)
    cnxn.session = session
    cnxn.state = 'open'
    this.#parts.answers.newSession(cnxn, session.timeoutMs, session.id)
    this.#parts.logger.info('session created', {
      session: formatSessionId(session.id),
      timeoutMs: session.timeoutMs,
      address: cnxn.address,
      port: cnxn.port,
    })
    this.#parts.intake.resume(cnxn)
  }

  /** The connection the session had is closed first, even if the password then proves wrong. */
  #reattach(cnxn: Cnxn, id: SessionId, passwd: Buffer | null, timeoutMs: number): void {
    this.#parts.metrics.connectionRevalidateCount.add(1)
    const former = this.#connections.cnxnOf(id)
    if (former !== undefined) this.#connections.close(former)
    const isOwner = passwd?.equals(sessionPassword(id)) === true
    if (!isOwner) return this.#refuseSession(cnxn, id, 'wrong password')
    if (this.#parts.serving.isBusy)
      return this.#connections.refuse(cnxn, 'too many sessions come back at once')
    cnxn.state = 'revalidating'
    cnxn.sessionId = id
    cnxn.timeoutWishMs = timeoutMs
    this.#connections.bind(cnxn, id)
    const isAlive = this.#parts.serving.revalidate(id, timeoutMs)
    if (isAlive !== undefined) this.onRevalidated(id, isAlive)
  }

  /** Whether the session lives that a connection asks for, if one still does. */
  onRevalidated(id: SessionId, isAlive: boolean): void {
    const cnxn = this.#connections.cnxnOf(id)
    if (cnxn?.state !== 'revalidating') return
    if (!isAlive) return this.#refuseSession(cnxn, id, 'unknown or expired')
    const { sessions, clock, logger } = this.#parts
    const timeoutMs = cnxn.timeoutWishMs
    cnxn.session = sessions.track(id, timeoutMs, clock.mono)
    cnxn.state = 'open'
    logger.info('session reattached', {
      session: formatSessionId(id),
      timeoutMs,
      address: cnxn.address,
      port: cnxn.port,
    })
    this.#parts.answers.session(cnxn, timeoutMs, id)
    this.#parts.intake.resume(cnxn)
  }

  #refuseSession(cnxn: Cnxn, id: SessionId, reason: string): void {
    const fields = {
      session: formatSessionId(id),
      reason,
      address: cnxn.address,
      port: cnxn.port,
    }
    this.#parts.throttledLog.info('session refused', fields)
    this.#parts.answers.noSession(cnxn)
    this.#connections.close(cnxn)
  }
}
