import type { Limits } from '../../base/limits.ts'
import type { ThrottledLog } from '../../base/throttled-log.ts'
import type { TurnClock } from '../../base/turn-clock.ts'
import { formatSessionId } from '../../data/session-id.ts'
import type { ServerMetrics } from '../stats/server-metrics.ts'
import { Cnxn, type CnxnFacts, type CnxnId } from './cnxn.ts'
import type { Connections } from './connections.ts'
import type { FirstBytes } from './first-bytes.ts'
import type { Handshake } from './handshake.ts'
import type { Intake } from './intake.ts'

interface SocketEventsParts {
  readonly connections: Connections
  readonly firstBytes: FirstBytes
  readonly handshake: Handshake
  readonly intake: Intake
  readonly limits: Limits
  readonly clock: TurnClock
  readonly metrics: ServerMetrics
  readonly throttledLog: ThrottledLog
}

/** What the sockets of clients tell, each of them for the state that its connection is in. */
export class SocketEvents {
  readonly #connections: Connections
  readonly #firstBytes: FirstBytes
  readonly #handshake: Handshake
  readonly #intake: Intake
  readonly #limits: Limits
  readonly #clock: TurnClock
  readonly #metrics: ServerMetrics
  readonly #log: ThrottledLog

  constructor(parts: SocketEventsParts) {
    this.#connections = parts.connections
    this.#firstBytes = parts.firstBytes
    this.#handshake = parts.handshake
    this.#intake = parts.intake
    this.#limits = parts.limits
    this.#clock = parts.clock
    this.#metrics = parts.metrics
    this.#log = parts.throttledLog
  }

  onOpened(id: CnxnId, facts: CnxnFacts): void {
    const { frameBytesMax } = this.#limits
    const { mono, wall } = this.#clock
    this.#firstBytes.onOpened(new Cnxn(id, facts, frameBytesMax, mono, wall))
  }

  /** `bytes` are borrowed until the call returns. */
  onBytes(id: CnxnId, bytes: Buffer): void {
    const cnxn = this.#connections.get(id)
    // What follows a four-letter word does not concern us.
    if (cnxn === undefined || cnxn.state === 'answering') return
    if (cnxn.state === 'fresh') this.#firstBytes.onBytes(cnxn, bytes)
    else cnxn.splitter.push(bytes)
    if (cnxn.state === 'handshake') this.#handshake.serve(cnxn)
    if (cnxn.state === 'open') this.#intake.serve(cnxn)
    this.#intake.pauseIfBehind(cnxn)
  }

  /** The socket is gone, whoever has closed it; the last that is told of it. */
  onClosed(id: CnxnId): void {
    this.#connections.onGone(id)
  }

  /**
   * The socket holds this many bytes that the client does not take. One reply may be of any size:
   * what was read for it is there, and a client that could never have it could not even clean up.
   */
  onClogged(id: CnxnId, waitingBytes: number): void {
    const cnxn = this.#connections.get(id)
    if (cnxn === undefined) return
    cnxn.unsentBytes = waitingBytes
    if (waitingBytes - cnxn.largeReplyBytes <= this.#limits.replyBytesMax) return
    this.#log.warn('client does not read what it is sent, cutting it off', {
      session: formatSessionId(cnxn.sessionId),
      address: cnxn.address,
      waitingBytes,
    })
    this.#metrics.connectionDropCount.add(1)
    this.#connections.close(cnxn, true)
  }

  /** The client has taken everything. */
  onDrained(id: CnxnId): void {
    const cnxn = this.#connections.get(id)
    if (cnxn === undefined) return
    cnxn.unsentBytes = 0
    cnxn.largeReplyBytes = 0
  }
}
