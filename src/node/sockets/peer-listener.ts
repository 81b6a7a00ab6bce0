import { createServer, type Server, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '../../base/logger.ts'
import type { LinkPort, PeerAddress } from '../../quorum/ports/links.ts'
import { ExitCode, StartError } from '../process/exit-code.ts'

export interface ListenOptions {
  /** electionPortBindRetry: how often a port that is taken is tried; 0: without end. */
  readonly bindTriesMax: number
  /** quorumListenOnAllIPs: on every address of the machine, and not only on the configured ones. */
  readonly onAllAddresses: boolean
  readonly keepAlive: boolean
}

/** Between two tries to bind, as the original. */
const BIND_RETRY_MS = 1000
/**
 * Connections that peers may have open at once to one of the two ports of an ensemble.
 * @bound connections: refused
 */
const ACCEPTED_LINKS_MAX = 1024

/** One of the two ports that peers connect to, on all of its configured addresses. */
export class PeerListener {
  readonly #port: LinkPort
  readonly #options: ListenOptions
  readonly #logger: Logger
  readonly #onSocket: (socket: Socket) => void
  readonly #servers: Server[] = []
  #isStopped = false

  constructor(
    port: LinkPort,
    options: ListenOptions,
    logger: Logger,
    onSocket: (socket: Socket) => void,
  ) {
    this.#port = port
    this.#options = options
    this.#logger = logger
    this.#onSocket = onSocket
  }

  /** Resolves with the ports as bound, one per address; rejects with a StartError. */
  async listen(addresses: readonly PeerAddress[]): Promise<readonly number[]> {
    const bound: number[] = []
    const done = new Set<string>()
    for (const { host, port } of addresses) {
      const where = { host: this.#options.onAllAddresses ? undefined : host, port }
      const key = `${where.host} ${port}`
      // Two addresses of this server may differ in the host alone.
      if (done.has(key)) continue
      done.add(key)
      bound.push(await this.#bindWithRetries(where))
    }
    return bound
  }

  /** Stops listening. What was accepted is not ours. */
  stop(): void {
    this.#isStopped = true
    for (const server of this.#servers) server.close()
  }

  async #bindWithRetries(where: Where): Promise<number> {
    const { bindTriesMax } = this.#options
    for (let tries = 1; ; tries += 1) {
      const result = await this.#bind(where)
      if (typeof result === 'number') return result
      const fields = { port: this.#port, address: textOf(where), reason: result }
      const isLast = bindTriesMax > 0 && tries >= bindTriesMax
      if (isLast || this.#isStopped)
        throw new StartError(
          `cannot bind the ${this.#port} port ${textOf(where)}: ${result}`,
          ExitCode.cannotBindQuorumPort,
        )
      this.#logger.warn('cannot bind a port of the ensemble, trying again', fields)
      await delay(BIND_RETRY_MS)
    }
  }

  /** The port as bound, or why it could not be. */
  #bind({ host, port }: Where): Promise<number | string> {
    const { keepAlive } = this.#options
    const server = createServer({ noDelay: true, keepAlive }, this.#onSocket)
    server.maxConnections = ACCEPTED_LINKS_MAX
    return new Promise((resolve) => {
      const onError = (error: Error): void => resolve(error.message)
      server.once('error', onError)
      server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
        server.off('error', onError)
        server.on('error', (error) =>
          this.#logger.error('a port of the ensemble failed to accept', {
            port: this.#port,
            error: error.message,
          }),
        )
        this.#servers.push(server)
        if (this.#isStopped) server.close()
        const address = server.address()
        resolve(typeof address === 'object' && address !== null ? address.port : port)
      })
    })
  }
}

interface Where {
  /** Undefined: every address of the machine. */
  readonly host: string | undefined
  readonly port: number
}

const textOf = ({ host, port }: Where): string =>
  host === undefined ? String(port) : `${host.includes(':') ? `[${host}]` : host}:${port}`
