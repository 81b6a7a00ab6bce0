import { connect, type Socket } from 'node:net'
import { closeFrame, connectFrame, type FrameRing, nodeCount } from './frames.ts'
import { ReplyScanner } from './reply-scanner.ts'

const sessionTimeoutMs = 30_000

/**
 * One read buffer for all connections: libuv fills it and calls back before it reads the next socket, so
 * it is never shared in time, and it stays in the processor's cache.
 */
const readBuffer = Buffer.alloc(256 * 1024)

/** Latency samples of one run in milliseconds; when full, later ones are dropped. */
export class Samples {
  readonly #values: Float64Array = new Float64Array(1 << 20)
  #length = 0

  add(ms: number): void {
    if (this.#length < this.#values.length) this.#values[this.#length++] = ms
  }

  clear(): void {
    this.#length = 0
  }

  /** In microseconds; `share` is 0.5 for the median. NaN without samples. */
  percentileUs(share: number): number {
    const sorted = this.#values.subarray(0, this.#length).sort()
    return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN) * 1000
  }
}

/** What all connections of a run have in common. */
export interface Run {
  readonly ring: FrameRing
  readonly outstanding: number
  readonly samples: Samples
  replies: number
  stopping: boolean
}

/** One client connection that keeps `run.outstanding` requests in flight until the run is stopping. */
export class LoadConnection {
  readonly #socket: Socket
  readonly #run: Run
  readonly #scanner: ReplyScanner = new ReplyScanner()
  #state: 'handshake' | 'load' | 'closing' = 'handshake'
  #handshake: Buffer = Buffer.alloc(0)
  #position: number
  #inFlight = 0
  /** One request at a time is timed: when it was written, and how many replies until its own. */
  #sampleStart = 0
  #sampleWait = 0
  #settle: (() => void) | undefined
  #reject: ((reason: Error) => void) | undefined
  /** Kept, because a connection may break while nobody waits for it. */
  #failure: Error | undefined

  constructor(port: number, index: number, run: Run) {
    this.#run = run
    this.#position = (index * 37) % nodeCount
    const onread = {
      buffer: readBuffer,
      callback: (length: number, buffer: Uint8Array): boolean => {
        this.#onBytes(buffer, length)
        return true
      },
    }
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true, onread })
    this.#socket.on('error', (error) => this.#fail(error))
    this.#socket.on('close', () => {
      if (this.#state === 'closing') this.#settle?.()
      else this.#fail(new Error(`the server closed a connection in state ${this.#state}`))
    })
  }

  /** Resolves when the session is there; at once on a bare server. */
  async open(bare: boolean): Promise<void> {
    await this.#until(() => this.#socket.once('connect', () => this.#settle?.()))
    if (!bare) await this.#until(() => this.#socket.write(connectFrame(sessionTimeoutMs)))
    this.#state = 'load'
  }

  /** Sends the first requests; the rest follow from the replies. */
  start(): void {
    this.#send(this.#run.outstanding)
  }

  /** Resolves when the last reply is in; the run must be stopping. Rejects on any error reply. */
  async drain(): Promise<void> {
    if (this.#inFlight > 0) await this.#until(() => undefined)
    const error = this.#scanner.error
    if (error !== undefined) throw new Error(`a reply carried error ${error}`)
  }

  /** Ends the session as a polite client does, and resolves when the server has closed. */
  async close(bare: boolean): Promise<void> {
    this.#state = 'closing'
    await this.#until(() => (bare ? this.#socket.end() : this.#socket.write(closeFrame)))
  }

  destroy(): void {
    this.#state = 'closing'
    this.#socket.destroy()
  }

  #until(begin: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#settle = resolve
      this.#reject = reject
      if (this.#failure === undefined) begin()
      else reject(this.#failure)
    })
  }

  #fail(reason: Error): void {
    this.#failure ??= reason
    this.#reject?.(reason)
  }

  #onBytes(chunk: Uint8Array, length: number): void {
    if (this.#state === 'handshake') {
      this.#onHandshake(chunk.subarray(0, length))
      return
    }
    const count = this.#scanner.scan(chunk, length)
    if (count === 0 || this.#state === 'closing') return
    const run = this.#run
    run.replies += count
    this.#inFlight -= count
    this.#sampleWait -= count
    if (this.#sampleWait <= 0 && this.#sampleStart !== 0) {
      run.samples.add(performance.now() - this.#sampleStart)
      this.#sampleStart = 0
    }
    if (!run.stopping) this.#send(count)
    else if (this.#inFlight === 0) this.#settle?.()
  }

  #send(count: number): void {
    const { bytes, frameBytes } = this.#run.ring
    const from = this.#position
    this.#position = (from + count) % nodeCount
    if (this.#sampleStart === 0) {
      this.#sampleStart = performance.now()
      this.#sampleWait = this.#inFlight + 1
    }
    this.#inFlight += count
    this.#socket.write(bytes.subarray(from * frameBytes, (from + count) * frameBytes))
  }

  #onHandshake(chunk: Uint8Array): void {
    this.#handshake = Buffer.concat([this.#handshake, chunk])
    if (this.#handshake.length < 4) return
    if (this.#handshake.length < 4 + this.#handshake.readInt32BE(0)) return
    const timeoutMs = this.#handshake.readInt32BE(8)
    if (timeoutMs > 0) this.#settle?.()
    else this.#fail(new Error('the server refused the session'))
  }
}
