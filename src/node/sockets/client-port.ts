import { createServer, type Server, type Socket } from 'node:net'
import type { ThrottledLog } from '../../base/throttled-log.ts'
import type { CnxnFacts } from '../../server/clients/cnxn.ts'
import type { ClientSockets } from './client-sockets.ts'

/**
 * How long a socket is silent before the system asks whether the far end is there. A client that has
 * moved to another member, or whose machine is gone, may have left a connection here that nothing
 * else would end as long as its session lives.
 */
const KEEP_ALIVE_DELAY_MS = 60_000

export interface ClientPortOptions {
  /** 0: any that is free. */
  readonly port: number
  readonly host: string | undefined
  /** -1: the system's default. */
  readonly backlog: number
  readonly keepAlive: boolean
}

/** One port that clients connect to in plain text; what it accepts goes to the sockets of all ports. */
export class ClientPort {
  readonly #server: Server
  readonly #options: ClientPortOptions
  readonly #log: ThrottledLog

  constructor(options: ClientPortOptions, sockets: ClientSockets, log: ThrottledLog) {
    this.#options = options
    this.#log = log
    const { keepAlive } = options
    const keepAliveInitialDelay = KEEP_ALIVE_DELAY_MS
    this.#server = createServer({ noDelay: true, keepAlive, keepAliveInitialDelay }, (socket) =>
      sockets.add(socket, plainFacts),
    )
  }

  /** Resolves with the port once bound; rejects with the system's error. */
  listen(): Promise<number> {
    const { port, host, backlog } = this.#options
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      const address = {
        port,
        ...(host === undefined ? {} : { host }),
        ...(backlog > 0 ? { backlog } : {}),
      }
      this.#server.listen(address, () => {
        this.#server.off('error', reject)
        this.#server.on('error', (error) =>
          this.#log.error('client port failed to accept', { error: error.message }),
        )
        const bound = this.#server.address()
        resolve(typeof bound === 'object' && bound !== null ? bound.port : port)
      })
    })
  }

  /** Accepts no more; resolves when the sockets that it has accepted are gone. */
  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
    })
  }
}

/** The addresses are no longer known of one that has gone already. */
function plainFacts(socket: Socket): CnxnFacts {
  return {
    address: socket.remoteAddress ?? '0.0.0.0',
    port: socket.remotePort ?? 0,
    localPort: socket.localPort ?? 0,
    isSecure: false,
    certificate: undefined,
  }
}
