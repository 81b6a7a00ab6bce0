import { createServer, type Server, type Socket } from 'node:net'
import type { ThrottledLog } from '../../base/throttled-log.ts'
import type { CnxnId } from '../../server/clients/cnxn.ts'
import type { TurnLoop } from '../../server/turn-loop.ts'
import type { Descriptors } from '../files/descriptors.ts'
import { closeGently } from './close-gently.ts'

/**
 * How long a socket is silent before the system asks whether the far end is there. A client that has
 * moved to another member, or whose machine is gone, may have left a connection here that nothing
 * else would end as long as its session lives.
 */
const KEEP_ALIVE_DELAY_MS = 60_000

interface ClientPortOptions {
  readonly port: number
  readonly host: string | undefined
  /** -1: the system's default. */
  readonly backlog: number
  readonly keepAlive: boolean
}

/** The sockets of clients: bytes in, bytes out, and no opinion about either. */
export class ClientPort {
  readonly #sockets = new Map<CnxnId, Socket>()
  readonly #server: Server
  readonly #log: ThrottledLog
  readonly #descriptors: Descriptors
  #loop: TurnLoop | undefined
  #lastId = 0

  constructor(options: ClientPortOptions, descriptors: Descriptors, log: ThrottledLog) {
    this.#descriptors = descriptors
    this.#log = log
    const { keepAlive } = options
    const keepAliveInitialDelay = KEEP_ALIVE_DELAY_MS
    this.#server = createServer({ noDelay: true, keepAlive, keepAliveInitialDelay }, this.#onSocket)
  }

  /** Resolves with the port once bound; rejects with the system's error. */
  listen(options: ClientPortOptions, loop: TurnLoop): Promise<number> {
    this.#loop = loop
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      const address = {
        port: options.port,
        ...(options.host === undefined ? {} : { host: options.host }),
        ...(options.backlog > 0 ? { backlog: options.backlog } : {}),
      }
      this.#server.listen(address, () => {
        this.#server.off('error', reject)
        this.#server.on('error', (error) =>
          this.#log.error('client port failed to accept', { error: error.message }),
        )
        const bound = this.#server.address()
        resolve(typeof bound === 'object' && bound !== null ? bound.port : options.port)
      })
    })
  }

  readonly #onSocket = (socket: Socket): void => {
    const loop = this.#loop
    if (loop === undefined) {
      socket.destroy()
      return
    }
    if (!this.#descriptors.take('client')) {
      this.#log.error('too many open files, refusing a client', {
        address: socket.remoteAddress,
        max: this.#descriptors.maxOf('client'),
      })
      socket.destroy()
      return
    }
    this.#lastId += 1
    const id = this.#lastId
    this.#sockets.set(id, socket)
    const address = socket.remoteAddress ?? '0.0.0.0'
    const port = socket.remotePort ?? 0
    loop.enter((member) => member.onClientOpened(id, address, port))
    socket.on('data', (chunk: Buffer) => loop.enter((member) => member.onClientBytes(id, chunk)))
    socket.on('drain', () => loop.enter((member) => member.onClientDrained(id)))
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      this.#sockets.delete(id)
      this.#descriptors.release()
      loop.enter((member) => member.onClientClosed(id))
    })
  }

  write(id: CnxnId, bytes: Buffer): number {
    const socket = this.#sockets.get(id)
    if (socket === undefined || socket.destroyed) return 0
    socket.write(bytes)
    return socket.writableLength
  }

  close(id: CnxnId, now: boolean): void {
    const socket = this.#sockets.get(id)
    if (socket === undefined) return
    if (now) {
      socket.destroy()
      return
    }
    closeGently(socket)
  }

  pause(id: CnxnId, paused: boolean): void {
    const socket = this.#sockets.get(id)
    if (paused) socket?.pause()
    else socket?.resume()
  }

  /** Stops listening and ends every connection. */
  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      for (const socket of this.#sockets.values()) socket.destroy()
    })
  }
}
