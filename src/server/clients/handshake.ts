import { JuteReader } from 'jute-ts'
import type { Config } from '../../config/config.ts'
import { OpCode } from '../../data/op-code.ts'
import { type ConnectRequest, readConnectRequest } from '../../data/records.ts'
import { formatSessionId, type SessionId, sessionPassword } from '../../data/session-id.ts'
import { formatZxid } from '../../data/zxid.ts'
import { LOCAL_OWNER } from '../sessions/session-tracker.ts'
import type { ClientParts, Clients } from './clients.ts'
import type { Cnxn } from './cnxn.ts'

const NO_SESSION = 0n
const NO_PASSWORD: Buffer = Buffer.alloc(16)
const TIMEOUT_BYTES = 4

/** The first frame of a connection, and the session that follows from it (spec 01 §3). */
export class Handshake {
  readonly #parts: ClientParts
  readonly #clients: Clients
  readonly #config: Config
  readonly #reader = new JuteReader()

  constructor(parts: ClientParts, clients: Clients, config: Config) {
    this.#parts = parts
    this.#clients = clients
    this.#config = config
    clients.onSessionCreated = (cnxn) => this.#onCreated(cnxn)
  }

  /** Call when bytes have arrived for a connection in state 'handshake'. */
  serve(cnxn: Cnxn): void {
    const { splitter } = cnxn
    if (!splitter.next()) {
      if (splitter.error !== undefined) this.#clients.refuse(cnxn, splitter.error)
      return
    }
    const r = this.#reader.reset(splitter.buffer, splitter.start, splitter.end)
    const request = readConnectRequest(r)
    if (!r.ok) return this.#clients.refuse(cnxn, 'connect request does not decode')
    // One byte that is no part of the record; clients before 3.4 do not send it.
    cnxn.hasReadOnlyByte = r.remaining > 0
    this.#parts.stats.packetsReceived += 1
    this.#parts.metrics.connectionRequestCount.add(1)
    if (!this.#parts.authority.isServing)
      return this.#clients.refuse(cnxn, 'this member is not in a quorum')
    this.#onConnect(cnxn, request)
  }

  #onConnect(cnxn: Cnxn, request: ConnectRequest): void {
    const last = this.#parts.tree.lastProcessedZxid
    if (request.lastZxidSeen > last) {
      // It has seen a state this member has not reached: another member must serve it.
      return this.#clients.refuse(
        cnxn,
        `client has seen zxid ${formatZxid(request.lastZxidSeen)}, ours is ${formatZxid(last)}`,
      )
    }
    const timeoutMs = Math.min(
      Math.max(request.timeOut, this.#config.minSessionTimeoutMs),
      this.#config.maxSessionTimeoutMs,
    )
    if (request.sessionId === NO_SESSION) this.#create(cnxn, timeoutMs)
    else this.#reattach(cnxn, request.sessionId, request.passwd, timeoutMs)
  }

  #create(cnxn: Cnxn, timeoutMs: number): void {
    if (this.#clients.isFlooded) return this.#clients.refuseFlooded(cnxn)
    const { sessions, writes, clock } = this.#parts
    const id = sessions.newId()
    const body = Buffer.alloc(TIMEOUT_BYTES)
    body.writeInt32BE(timeoutMs)
    cnxn.state = 'connecting'
    this.#clients.bind(cnxn, id)
    cnxn.sessionId = id
    const owner = LOCAL_OWNER
    const request = { sessionId: id, cxid: 0, op: OpCode.createSession, ids: [], owner }
    const origin = this.#clients.waitForSession(cnxn)
    writes.submit(request, this.#reader.reset(body), clock.wall, origin)
  }

  /** The session's txn is applied: from now on requests are read. */
  #onCreated(cnxn: Cnxn): void {
    const session = this.#parts.sessions.get(cnxn.sessionId)
    if (session === undefined) return this.#clients.close(cnxn)
    cnxn.session = session
    cnxn.state = 'open'
    this.#answer(cnxn, session.timeoutMs, session.id, sessionPassword(session.id))
    this.#parts.logger.info('session created', {
      session: formatSessionId(session.id),
      timeoutMs: session.timeoutMs,
      address: cnxn.address,
      port: cnxn.port,
    })
    this.#clients.resume(cnxn)
  }

  /** The connection the session had is closed first, even if the password then proves wrong. */
  #reattach(cnxn: Cnxn, id: SessionId, passwd: Buffer | null, timeoutMs: number): void {
    this.#parts.metrics.connectionRevalidateCount.add(1)
    const former = this.#clients.cnxnOf(id)
    if (former !== undefined) this.#clients.close(former)
    const isOwner = passwd?.equals(sessionPassword(id)) === true
    if (!isOwner) return this.#refuseSession(cnxn, id, 'wrong password')
    if (this.#parts.authority.isBusy)
      return this.#clients.refuse(cnxn, 'too many sessions come back at once')
    cnxn.state = 'revalidating'
    cnxn.sessionId = id
    cnxn.timeoutWishMs = timeoutMs
    this.#clients.bind(cnxn, id)
    const isAlive = this.#parts.authority.revalidate(id, timeoutMs)
    if (isAlive !== undefined) this.onRevalidated(id, isAlive)
  }

  /** Whether the session lives that a connection asks for, if one still does. */
  onRevalidated(id: SessionId, isAlive: boolean): void {
    const cnxn = this.#clients.cnxnOf(id)
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
    this.#answer(cnxn, timeoutMs, id, sessionPassword(id))
    this.#clients.resume(cnxn)
  }

  #refuseSession(cnxn: Cnxn, id: SessionId, reason: string): void {
    const fields = {
      session: formatSessionId(id),
      reason,
      address: cnxn.address,
      port: cnxn.port,
    }
    this.#parts.throttledLog.info('session refused', fields)
    this.#answer(cnxn, 0, NO_SESSION, NO_PASSWORD)
    this.#clients.close(cnxn)
  }

  #answer(cnxn: Cnxn, timeoutMs: number, id: SessionId, password: Buffer): void {
    const w = this.#parts.outbox.begin(cnxn)
    const at = w.reserveInt()
    w.writeInt(0)
    w.writeInt(timeoutMs)
    w.writeLong(id)
    w.writeBuffer(password)
    if (cnxn.hasReadOnlyByte) w.writeBoolean(false)
    w.patchLength(at)
    this.#parts.stats.packetsSent += 1
    cnxn.stats.packetsSent += 1
    cnxn.stats.onReply(
      'SESS',
      0,
      this.#parts.tree.lastProcessedZxid,
      this.#parts.clock.mono,
      this.#parts.clock.mono,
    )
  }
}
