import { connect, type Socket } from 'node:net'
import { JuteReader, JuteWriter } from 'jute-ts'
import { OpCode } from '../../src/data/op-code.ts'
import { readConnectResponse, writeConnectRequest } from '../../src/data/records.ts'

export interface WireReply {
  readonly zxid: number
  readonly err: number
  readonly body: JuteReader
}

/** A session that lives on another connection, or did. */
export interface Attachment {
  readonly sessionId: bigint
  readonly passwd: Buffer
  /** The newest zxid that the client has seen: a server behind it refuses the client. */
  readonly lastZxid: number
}

/** No answer, or one of 0 ms: the server knows no such session (any more). */
export class NoSession extends Error {}

const noSession: Attachment = { sessionId: 0n, passwd: Buffer.alloc(16), lastZxid: 0 }
const ANSWER_MS = 30_000
/** Xids that answer no request of ours (spec 01 §3). */
const EVENT_XID = -1
const PING_XID = -2

/** A client of a few lines, for what no client of the field sends, and for many requests at once. */
export class WireClient {
  readonly #socket: Socket
  #received: Buffer = Buffer.alloc(0)
  /** Of the last request: the first one of a connection has xid 1, unless this is set. */
  lastXid = 0
  #failure: Error | undefined
  /** Before that, frames have no xid. */
  #isConnected = false
  readonly #waiting: {
    readonly resolve: (frame: Buffer) => void
    readonly reject: (reason: Error) => void
  }[] = []
  sessionId = 0n
  passwd: Buffer = Buffer.alloc(16)
  /** What the server has granted. */
  timeoutMs = 0
  /** The newest of all replies. */
  lastZxid = 0
  /** When the last bytes came, by performance.now(). */
  heardAtMs: number = performance.now()
  /** Bodies of watch events (type, state, path) in the order of their arrival. */
  onEvent: (event: JuteReader) => void = () => {}
  /** Called once when the connection has ended, by whomever. */
  onGone: () => void = () => {}

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk) => this.#onData(chunk))
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('the connection is closed')))
  }

  /** Opens a session; `timeoutMs` is what the client asks for. */
  static async open(port: number, timeoutMs: number, answerMs?: number): Promise<WireClient> {
    return await WireClient.attach(port, timeoutMs, noSession, answerMs)
  }

  /**
   * Goes on with a session. Rejects with NoSession when the server does not know it, and when it has
   * not answered after `answerMs`.
   */
  static async attach(
    port: number,
    timeoutMs: number,
    session: Attachment,
    answerMs: number = ANSWER_MS,
  ): Promise<WireClient> {
    const client = new WireClient(connect(port, '127.0.0.1'))
    const timer = setTimeout(() => client.vanish(), answerMs)
    const w = new JuteWriter()
    writeConnectRequest(w, {
      protocolVersion: 0,
      lastZxidSeen: session.lastZxid,
      timeOut: timeoutMs,
      sessionId: session.sessionId,
      passwd: session.passwd,
    })
    w.writeBoolean(false)
    const payload = await client.#exchange(w.bytes()).finally(() => clearTimeout(timer))
    const response = readConnectResponse(new JuteReader(payload))
    if (response.timeOut <= 0) {
      client.vanish()
      throw new NoSession('the server gave no session')
    }
    client.#isConnected = true
    client.sessionId = response.sessionId
    client.passwd = Buffer.from(response.passwd ?? session.passwd)
    client.timeoutMs = response.timeOut
    client.lastZxid = session.lastZxid
    return client
  }

  /** Tells the server that the session lives; the answer is not waited for. */
  ping(): void {
    const w = new JuteWriter()
    w.writeInt(PING_XID)
    w.writeInt(OpCode.ping)
    this.#send(w.bytes())
  }

  /** Sends at once, so that many calls are a pipeline. Rejects when the connection ends before. */
  async call(op: number, writeBody: (w: JuteWriter) => void = () => {}): Promise<WireReply> {
    const w = new JuteWriter()
    this.lastXid += 1
    w.writeInt(this.lastXid)
    w.writeInt(op)
    writeBody(w)
    const body = new JuteReader(await this.#exchange(w.bytes()))
    body.readInt()
    const zxid = body.readNumber()
    if (zxid > this.lastZxid) this.lastZxid = zxid
    return { zxid, err: body.readInt(), body }
  }

  /** Ends the session, and with it its ephemerals. */
  async close(): Promise<void> {
    await this.call(OpCode.closeSession)
    this.#socket.destroy()
  }

  /** Goes away without a word: the session lives on. */
  vanish(): void {
    this.#socket.destroy()
  }

  #exchange(payload: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure)
      this.#waiting.push({ resolve, reject })
      this.#send(payload)
    })
  }

  #send(payload: Buffer): void {
    const frame = Buffer.alloc(4 + payload.length)
    frame.writeInt32BE(payload.length)
    payload.copy(frame, 4)
    this.#socket.write(frame)
  }

  #onData(chunk: Buffer): void {
    this.heardAtMs = performance.now()
    this.#received = Buffer.concat([this.#received, chunk])
    while (this.#received.length >= 4) {
      const end = 4 + this.#received.readInt32BE(0)
      if (this.#received.length < end) return
      this.#onFrame(this.#received.subarray(4, end))
      this.#received = this.#received.subarray(end)
    }
  }

  #onFrame(frame: Buffer): void {
    const xid = this.#isConnected ? frame.readInt32BE(0) : 0
    if (xid === EVENT_XID) {
      const body = new JuteReader(frame.subarray(16))
      this.onEvent(body)
    } else if (xid !== PING_XID) this.#waiting.shift()?.resolve(frame)
  }

  #fail(reason: Error): void {
    if (this.#failure === undefined) {
      this.#failure = reason
      this.onGone()
    }
    for (const waiter of this.#waiting.splice(0)) waiter.reject(this.#failure)
  }
}
