import type { JuteReader, JuteWriter } from 'jute-ts'
import { NoSession, WireClient, type WireReply } from './wire-client.ts'

export interface SessionOptions {
  /** Client ports of the servers, tried in turn. */
  readonly ports: readonly number[]
  /** Which of them comes first; default 0. */
  readonly first?: number
  readonly timeoutMs: number
}

/** The connection ended before the answer: nobody knows whether the request has taken effect. */
export class ConnectionLost extends Error {}

/** A server that says nothing is left after that, as is one that says nothing of a session. */
const ATTEMPT_MS = 1500
const BETWEEN_ATTEMPTS_MS = 15

/**
 * A client as those of the field are: one session over many connections. When a connection ends it
 * goes on at the next server; requests that were under way are lost, and that is told.
 */
export class SessionClient {
  readonly #options: SessionOptions
  #next: number
  #cnxn: WireClient | undefined
  #waiting: (() => void)[] = []
  #state: 'new' | 'running' | 'closed' = 'new'
  #pings: NodeJS.Timeout | undefined
  #passwd: Buffer = Buffer.alloc(16)
  #lastZxid = 0
  sessionId = 0n
  /** Port of the server that it is connected to, or was. */
  port = 0
  /** Sessions that a server did not know any more; after each there was a new one. */
  sessionsLost = 0
  /** Connections that ended. */
  connectionsLost = 0
  onEvent: (event: JuteReader) => void = () => {}

  constructor(options: SessionOptions) {
    this.#options = options
    this.#next = options.first ?? 0
  }

  /** Resolves when the first session is there. */
  static async start(options: SessionOptions): Promise<SessionClient> {
    const client = new SessionClient(options)
    client.#state = 'running'
    void client.#connect()
    await client.connected()
    const periodMs = Math.floor(options.timeoutMs / 6)
    client.#pings = setInterval(() => client.#keepAlive(), periodMs)
    return client
  }

  get isConnected(): boolean {
    return this.#cnxn !== undefined
  }

  /** Resolves when there is a connection. */
  async connected(): Promise<void> {
    if (this.#cnxn === undefined && this.#state !== 'closed')
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  /** Sends at once on the connection of now; rejects with ConnectionLost, also where there is none. */
  async call(op: number, writeBody?: (w: JuteWriter) => void): Promise<WireReply> {
    const cnxn = this.#cnxn
    if (cnxn === undefined) throw new ConnectionLost('not connected')
    try {
      const reply = await cnxn.call(op, writeBody)
      if (cnxn.lastZxid > this.#lastZxid) this.#lastZxid = cnxn.lastZxid
      return reply
    } catch (error) {
      throw new ConnectionLost(String(error))
    }
  }

  /** As `call`, but again on the next connection; only for what may happen twice. */
  async insist(op: number, writeBody?: (w: JuteWriter) => void): Promise<WireReply> {
    for (;;) {
      await this.connected()
      try {
        return await this.call(op, writeBody)
      } catch (error) {
        if (!(error instanceof ConnectionLost) || this.#state === 'closed') throw error
      }
    }
  }

  /** Leaves the server for that one, with the session. */
  async moveTo(port: number): Promise<void> {
    this.#next = this.#options.ports.indexOf(port)
    const left = this.#cnxn
    left?.vanish()
    // Its end comes as an event, later.
    if (left !== undefined) this.#onGone(left)
    await this.connected()
  }

  /** Ends the session, and with it its ephemerals. */
  async close(): Promise<void> {
    this.#state = 'closed'
    clearInterval(this.#pings)
    const cnxn = this.#cnxn
    this.#cnxn = undefined
    await cnxn?.close().catch(() => {})
  }

  /** Goes away without a word: the session lives on until it expires. */
  vanish(): void {
    this.#state = 'closed'
    clearInterval(this.#pings)
    this.#cnxn?.vanish()
    this.#cnxn = undefined
  }

  async #connect(): Promise<void> {
    const { ports, timeoutMs } = this.#options
    while (this.#state === 'running') {
      const port = ports[this.#next % ports.length] ?? 0
      this.#next += 1
      const { sessionId } = this
      const session = { sessionId, passwd: this.#passwd, lastZxid: this.#lastZxid }
      try {
        this.#onConnected(await WireClient.attach(port, timeoutMs, session, ATTEMPT_MS), port)
        return
      } catch (error) {
        if (error instanceof NoSession && sessionId !== 0n) {
          this.sessionsLost += 1
          this.sessionId = 0n
          this.#passwd = Buffer.alloc(16)
        }
      }
      await new Promise((resolve) => setTimeout(resolve, BETWEEN_ATTEMPTS_MS))
    }
  }

  #onConnected(cnxn: WireClient, port: number): void {
    if (this.#state !== 'running') return cnxn.vanish()
    this.#cnxn = cnxn
    this.sessionId = cnxn.sessionId
    this.#passwd = cnxn.passwd
    this.port = port
    cnxn.onEvent = (event) => this.onEvent(event)
    cnxn.onGone = () => this.#onGone(cnxn)
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  #onGone(cnxn: WireClient): void {
    if (this.#cnxn !== cnxn) return
    this.#cnxn = undefined
    this.connectionsLost += 1
    if (this.#state === 'running') void this.#connect()
  }

  /** A third of the timeout for the server, two thirds for us: as the Java client shares it out. */
  #keepAlive(): void {
    const cnxn = this.#cnxn
    if (cnxn === undefined) return
    const silentMs = performance.now() - cnxn.heardAtMs
    if (silentMs > (cnxn.timeoutMs * 2) / 3) cnxn.vanish()
    else cnxn.ping()
  }
}
