import { connect, type Socket } from 'node:net'
import {
  closeFrame,
  connectFrame,
  getFrame,
  nodeData,
  preparationFrames,
  probePath,
} from './frames.ts'

const headerBytes = 16

/** A client for what is not measured: it makes the znodes and looks at a reply byte by byte. */
class PlainClient {
  readonly #socket: Socket
  #received: Buffer = Buffer.alloc(0)
  #failure: Error | undefined
  readonly #waiting: { resolve: (payload: Buffer) => void; reject: (reason: Error) => void }[] = []

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.#socket.on('data', (chunk) => this.#onData(chunk))
    this.#socket.on('error', (error) => this.#fail(error))
    this.#socket.on('close', () => this.#fail(new Error('the server closed the connection')))
  }

  /** The payload of the next reply, without its length prefix. */
  call(frame: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) reject(this.#failure)
      this.#waiting.push({ resolve, reject })
      this.#socket.write(frame)
    })
  }

  destroy(): void {
    this.#socket.destroy()
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
    for (const waiter of this.#waiting.splice(0)) waiter.reject(reason)
  }
}

/**
 * Opens a session, reads `path` if there is one, and ends it; rejects where the server is not serving yet. A server that is about to
 * serve may also leave a connection lying, so there is an end to waiting.
 */
export async function openSession(port: number, timeoutMs: number, path?: string): Promise<void> {
  const client = new PlainClient(port)
  const timeout = setTimeout(() => client.destroy(), timeoutMs)
  try {
    await client.call(connectFrame(30_000))
    if (path !== undefined) expectNoError(await client.call(getFrame(1, path)))
    await client.call(closeFrame)
  } finally {
    clearTimeout(timeout)
    client.destroy()
  }
}

/** Makes the znodes of all workloads on an empty server, and checks that one reads back. */
export async function prepare(port: number): Promise<void> {
  const client = new PlainClient(port)
  try {
    await client.call(connectFrame(30_000))
    const replies = await Promise.all(preparationFrames().map((frame) => client.call(frame)))
    for (const reply of replies) expectNoError(reply)
    const reply = await client.call(getFrame(1, probePath))
    expectNoError(reply)
    const dataAt = headerBytes + 4
    if (!reply.subarray(dataAt, dataAt + nodeData.length).equals(nodeData))
      throw new Error(`${probePath} does not read back as it was written`)
    await client.call(closeFrame)
  } finally {
    client.destroy()
  }
}

function expectNoError(reply: Buffer): void {
  const err = reply.readInt32BE(12)
  if (err !== 0) throw new Error(`preparing the znodes got error ${err}`)
}
