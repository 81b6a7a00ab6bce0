import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Logger } from '../../base/logger.ts'
import { type ParsedConfig, parseConfig } from '../../config/parse.ts'
import { type ConfigEntry, formatConfigError, isConfigError } from '../../config/source.ts'
import { configFiles } from '../cli/config-file.ts'
import { type RunningServer, runServer } from '../main.ts'
import { ExitCode, StartError } from '../process/exit-code.ts'
import type { ServerOptions } from './server-options.ts'

const LOOPBACK = '127.0.0.1'
const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} }

/** A server that runs in this process. It can be declared with `await using`. */
export class Server implements AsyncDisposable {
  /** As bound. */
  readonly clientPort: number
  /** What a client is to be given: `127.0.0.1:2181`. */
  readonly connectString: string
  readonly #running: RunningServer
  readonly #giveBack: () => void
  #closing: Promise<void> | undefined = undefined

  private constructor(running: RunningServer, host: string, giveBack: () => void) {
    this.clientPort = running.clientPort ?? 0
    this.connectString = `${host.includes(':') ? `[${host}]` : host}:${this.clientPort}`
    this.#running = running
    this.#giveBack = giveBack
  }

  /** Rejects with an error that says what is wrong and what to do; nothing is held then. */
  static async start(options: ServerOptions): Promise<Server> {
    const { logger = silent, clientPortAddress = LOOPBACK } = options
    const { dataDir, giveBack } = folderOf(options)
    const onFatal = (reason: string): void => {
      const error = new Error(`the log cannot be written: ${reason}`)
      started?.close().catch(() => {})
      if (options.onFatal !== undefined) return options.onFatal(error)
      setImmediate(() => {
        throw error
      })
    }
    let started: Server | undefined
    try {
      const { config, notes } = configOf(options, dataDir, clientPortAddress)
      for (const note of notes) logger.warn('configuration note', { note })
      const running = await runServer(config, logger, onFatal)
      started = new Server(running, clientPortAddress, giveBack)
      return started
    } catch (error) {
      giveBack()
      throw error
    }
  }

  /** Whether clients are served: a member of an ensemble is not while it has no part in a quorum. */
  get isServing(): boolean {
    return this.#closing === undefined && this.#running.isServing
  }

  /** Ends every connection, and the server. What was acknowledged is on disk already. */
  close(): Promise<void> {
    this.#closing ??= this.#running.stop().finally(this.#giveBack)
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

function folderOf({ dataDir }: ServerOptions): { dataDir: string; giveBack: () => void } {
  if (dataDir !== undefined) return { dataDir: resolve(dataDir), giveBack() {} }
  const own = mkdtempSync(join(tmpdir(), 'zk-server-'))
  return { dataDir: own, giveBack: () => rmSync(own, { recursive: true, force: true }) }
}

/** The keys of zoo.cfg by the rules of zoo.cfg. Throws. */
function configOf(options: ServerOptions, dataDir: string, address: string): ParsedConfig {
  const keys: Record<string, unknown> = {
    clientPort: options.clientPort ?? 0,
    clientPortAddress: address,
    ...options.config,
    dataDir,
  }
  const entries: ConfigEntry[] = Object.entries(keys).map(([key, value], index) => ({
    key,
    value: String(value),
    line: index + 1,
  }))
  const parsed = parseConfig(entries, 'options', new Map(), configFiles)
  if (!isConfigError(parsed)) return parsed
  throw new StartError(
    formatConfigError({ ...parsed, line: undefined }),
    ExitCode.invalidInvocation,
  )
}
