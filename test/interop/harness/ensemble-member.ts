import { type ChildProcess, spawn } from 'node:child_process'
import { appendFileSync, closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '../../support/until.ts'
import { environment, killGroup, track } from './process.ts'
import { commandLine, fourLetterWord, type ServerKind } from './server.ts'

export interface MemberOptions {
  readonly sid: number
  readonly kind: ServerKind
  /** Of the clients. */
  readonly port: number
  /** Its log lies there. */
  readonly folder: string
  readonly dataDir: string
  readonly configPath: string
  readonly jvmFlags: string
}

export type Mode = 'leader' | 'follower' | 'observer' | 'standalone'

const CATCH_UP_MS = 60_000
/** What happened when is most of what the log of one member of several can tell. */
const logFlags = [
  '-Dorg.slf4j.simpleLogger.showDateTime=true',
  '-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS',
].join(' ')

/** One server of an ensemble; its directory and ports outlive its processes. */
export class Member {
  readonly sid: number
  readonly port: number
  /** What `start` starts. Another kind may take over the data while the member is stopped. */
  kind: ServerKind
  readonly #options: MemberOptions
  readonly #logPath: string
  #child: ChildProcess | undefined
  #exited: Promise<void> = Promise.resolve()
  /** Set when the process ended without being told to. */
  #death: string | undefined

  constructor(options: MemberOptions) {
    this.sid = options.sid
    this.port = options.port
    this.kind = options.kind
    this.#options = options
    this.#logPath = join(options.folder, 'server.log')
  }

  /** For messages: `2 (apache-3.9)`. */
  get name(): string {
    return `${this.sid} (${this.kind})`
  }

  get dataDir(): string {
    return this.#options.dataDir
  }

  get isRunning(): boolean {
    return this.#child !== undefined
  }

  get pid(): number {
    return this.#child?.pid ?? -1
  }

  /** Starts the process; what role it takes is for the caller to see. */
  async start(): Promise<void> {
    if (this.#child !== undefined) throw new Error(`member ${this.name} runs already`)
    const { configPath, jvmFlags, folder } = this.#options
    const start = await commandLine(this.kind, configPath, `${logFlags} ${jvmFlags}`)
    appendFileSync(this.#logPath, `---- ${this.kind} starts\n`)
    const logFile = openSync(this.#logPath, 'a')
    const child = spawn(start.command, start.args, {
      cwd: folder,
      detached: true,
      env: environment(start.env),
      stdio: ['ignore', logFile, logFile],
    })
    closeSync(logFile)
    track(child)
    this.#child = child
    this.#death = undefined
    this.#exited = new Promise((resolve) => {
      const end = (why: string): void => {
        if (this.#child === child) this.#death = why
        this.#child = undefined
        resolve()
      }
      child.once('error', (error) => end(String(error)))
      child.once('exit', (code, signal) => end(`ended with ${signal ?? code}`))
    })
  }

  /** Sends a signal (default SIGTERM) and resolves when the process is gone. Harmless twice. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child !== undefined) killGroup(child, signal)
    await this.#exited
  }

  /** Stops the process as SIGSTOP does, and lets it go on: to its peers it is very slow. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    if (this.#child !== undefined) killGroup(this.#child, signal)
  }

  /** Throws, with the log, when the process has ended and nobody had asked for that. */
  expectNoDeath(): void {
    if (this.#death !== undefined)
      throw new Error(`member ${this.name} ${this.#death}:\n${this.logTail(4000)}`)
  }

  /** All that every process of this member has printed, oldest first. */
  log(): string {
    return existsSync(this.#logPath) ? readFileSync(this.#logPath, 'utf8') : ''
  }

  /** The end of it, without what our own questions have left there. */
  logTail(chars: number): string {
    const lines = this.log().split('\n')
    const told = lines.filter((line) => !line.includes(' srvr command from '))
    return told.join('\n').slice(-chars)
  }

  /** The answer to a four-letter word; empty when nobody answers. */
  async ask(word: string): Promise<string> {
    return await fourLetterWord(this.port, word).catch(() => '')
  }

  /** Undefined while it serves nobody. */
  async mode(): Promise<Mode | undefined> {
    const mode = /^Mode: (\w+)$/m.exec(await this.ask('srvr'))?.[1]
    return mode === 'leader' || mode === 'follower' || mode === 'observer' || mode === 'standalone'
      ? mode
      : undefined
  }

  /** As `srvr` prints it; undefined while it serves nobody. */
  async zxid(): Promise<string | undefined> {
    return /^Zxid: (0x[0-9a-f]+)$/m.exec(await this.ask('srvr'))?.[1]
  }

  /** Of `mntr`; undefined where it is not printed. */
  async metric(name: string): Promise<number | undefined> {
    const value = new RegExp(`^${name}\\s+(\\S+)$`, 'm').exec(await this.ask('mntr'))?.[1]
    return value === undefined ? undefined : Number(value)
  }

  /** Resolves when the member serves in some role. */
  async untilServing(): Promise<Mode> {
    return await until(`member ${this.name} serves`, CATCH_UP_MS, async () => {
      this.expectNoDeath()
      return await this.mode()
    })
  }
}
