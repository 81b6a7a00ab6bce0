import { connect, type Socket } from 'node:net'
import { JuteReader, JuteWriter } from 'jute-ts'
import { OpCode } from '../../../src/data/op-code.ts'
import { readConnectResponse, writeConnectRequest } from '../../../src/data/records.ts'

export interface WireReply {
  readonly zxid: number
  readonly err: number
  readonly body: JuteReader
}

/** A client of a few lines, for what no client of the field sends, and for many requests at once. */
export class WireClient {
  readonly #socket: Socket
  #received: Buffer = Buffer.alloc(0)
  #xid = 0
  #failure: Error | undefined
  readonly #waiting: {
    readonly resolve: (frame: Buffer) => void
    readonly reject: (reason: Error) => void
  }[] = []
  sessionId = 0n
  passwd: Buffer = Buffer.alloc(16)

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk) => this.#onData(chunk))
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('the connection is closed')))
  }

  /** Opens a session; `timeoutMs` is what the client asks for. */
  static async open(port: number, timeoutMs: number): Promise<WireClient> {
    const client = new WireClient(connect(port, '127.0.0.1'))
    const w = new JuteWriter()
    writeConnectRequest(w, {
      protocolVersion: 0,
      lastZxidSeen: 0,
      timeOut: timeoutMs,
      sessionId: 0n,
      passwd: Buffer.alloc(16),
    })
    w.writeBoolean(false)
    const response = readConnectResponse(new JuteReader(await client.#exchange(w.bytes())))
    if (response.timeOut <= 0) throw new Error('the server gave no session')
    client.sessionId = response.sessionId
    return client
  }

  /** Sends at once, so that many calls are a pipeline. Rejects when the connection ends before. */
  async call(op: number, writeBody: (w: JuteWriter) => void = () => {}): Promise<WireReply> {
    const w = new JuteWriter()
    this.#xid += 1
    w.writeInt(this.#xid)
    w.writeInt(op)
    writeBody(w)
    const body = new JuteReader(await this.#exchange(w.bytes()))
    body.readInt()
    return { zxid: body.readNumber(), err: body.readInt(), body }
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
      const frame = Buffer.alloc(4 + payload.length)
      frame.writeInt32BE(payload.length)
      payload.copy(frame, 4)
      this.#socket.write(frame)
    })
  }

  #onData(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk])
    while (this.#received.length >= 4) {
      const end = 4 + this.#received.readInt32BE(0)
      if (this.#received.length < end) return
      this.#waiting.shift()?.resolve(this.#received.subarray(4, end))
      this.#received = this.#received.subarray(end)
    }
  }

  #fail(reason: Error): void {
    this.#failure ??= reason
    for (const waiter of this.#waiting.splice(0)) waiter.reject(this.#failure)
  }
}
