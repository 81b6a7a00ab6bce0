import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { openSession } from './preparation.ts'

const startTimeoutMs = 30_000
const stopTimeoutMs = 15_000
const pollMs = 2
/** How long one try at a session may take. */
const sessionTimeoutMs = 500

/** How to run one server; `directory` is emptied before each start and removed after. */
export interface Launch {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  readonly directory: string
  readonly port: number
  /** Called when the directory is there and empty. */
  readonly writeConfig: () => void
  /** A bare server has no four-letter words: it is up when it accepts. */
  readonly bare: boolean
  /** A path that must have been read before it counts as serving; else a session is enough. */
  readonly firstRead?: string
}

/** A port that nobody listened on a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}

/** What is measured: one server, or the members of an ensemble taken together. */
export interface Served {
  /** Where clients connect. */
  readonly ports: readonly number[]
  readonly isBare: boolean
  /** Resident memory of the processes and of any that they started, in bytes. */
  residentBytes(): number
  /** Processor time used so far by the processes and their children, in milliseconds. */
  cpuMs(): number
  /** Asks, then insists; the data directories are gone afterwards. */
  stop(): Promise<void>
}

/** One server under test, from its start to its end. */
export class ServerProcess implements Served {
  readonly #child: ChildProcess
  readonly #launch: Launch
  readonly #exited: Promise<void>
  /** Process start to the first `imok` (or accepted connection), in milliseconds. */
  readonly startMs: number
  /** Process start to the first session, and read: the original says `imok` before it serves. */
  readonly servingMs: number

  static async start(launch: Launch): Promise<ServerProcess> {
    rmSync(launch.directory, { recursive: true, force: true })
    mkdirSync(launch.directory, { recursive: true })
    launch.writeConfig()
    const logPath = join(launch.directory, 'server.log')
    const log = openSync(logPath, 'w')
    const begin = performance.now()
    const child = spawn(launch.command, launch.args, {
      cwd: launch.directory,
      stdio: ['ignore', log, log],
      env: { ...process.env, ...launch.env },
    })
    closeSync(log)
    const failed = new Promise<never>((_, reject) => {
      child.once('error', reject)
      child.once('exit', () =>
        reject(new Error(`${launch.command} ended early:\n${readFileSync(logPath, 'utf8')}`)),
      )
    })
    const killWithUs = (): void => void child.kill('SIGKILL')
    process.once('exit', killWithUs)
    child.once('exit', () => process.removeListener('exit', killWithUs))
    let startMs = 0
    try {
      startMs = (await Promise.race([failed, untilUp(launch, isUp)])) - begin
      if (!launch.bare) await Promise.race([failed, untilUp(launch, isServing)])
    } catch (error) {
      child.kill('SIGKILL')
      throw error
    }
    failed.catch(() => undefined)
    return new ServerProcess(child, launch, startMs, performance.now() - begin)
  }

  private constructor(child: ChildProcess, launch: Launch, startMs: number, servingMs: number) {
    this.#child = child
    this.#launch = launch
    this.startMs = startMs
    this.servingMs = servingMs
    this.#exited = new Promise((resolve) => child.once('exit', () => resolve()))
  }

  get ports(): readonly number[] {
    return [this.#launch.port]
  }

  get isBare(): boolean {
    return this.#launch.bare
  }

  residentBytes(): number {
    return sumOverTree(this.#child.pid ?? 0, residentBytesOf)
  }

  cpuMs(): number {
    return sumOverTree(this.#child.pid ?? 0, cpuMsOf)
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM')
    const insist = setTimeout(() => this.#child.kill('SIGKILL'), stopTimeoutMs)
    await this.#exited
    clearTimeout(insist)
    rmSync(this.#launch.directory, { recursive: true, force: true })
  }
}

/** Servers that form one ensemble: they are started at once, and each serves before they are used. */
export class EnsembleProcess implements Served {
  readonly #members: readonly ServerProcess[]
  readonly isBare = false

  private constructor(members: readonly ServerProcess[]) {
    this.#members = members
  }

  static async start(launches: readonly Launch[]): Promise<EnsembleProcess> {
    return new EnsembleProcess(await Promise.all(launches.map(ServerProcess.start)))
  }

  get ports(): readonly number[] {
    return this.#members.flatMap((member) => member.ports)
  }

  residentBytes(): number {
    return this.#members.reduce((sum, member) => sum + member.residentBytes(), 0)
  }

  cpuMs(): number {
    return this.#members.reduce((sum, member) => sum + member.cpuMs(), 0)
  }

  async stop(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.stop()))
  }
}

/** Resolves with the time at which the answer came. */
async function untilUp(launch: Launch, ask: (launch: Launch) => Promise<boolean>): Promise<number> {
  const deadline = performance.now() + startTimeoutMs
  while (performance.now() < deadline) {
    if (await ask(launch)) return performance.now()
    await delay(pollMs)
  }
  throw new Error(`no answer on port ${launch.port} within ${startTimeoutMs} ms`)
}

const isServing = ({ port, firstRead }: Launch): Promise<boolean> =>
  openSession(port, sessionTimeoutMs, firstRead).then(
    () => true,
    () => false,
  )

function isUp(launch: Launch): Promise<boolean> {
  return new Promise((resolve) => {
    let up = false
    let answer = ''
    const socket = connect({ port: launch.port, host: '127.0.0.1' })
    socket.on('connect', () => {
      if (!launch.bare) socket.write('ruok')
      else {
        up = true
        socket.destroy()
      }
    })
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1')
      up = answer === 'imok'
      if (up) socket.destroy()
    })
    // A refused connection closes too, and is only asked again.
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(up))
  })
}

function sumOverTree(pid: number, amountOf: (pid: number) => number): number {
  let sum = amountOf(pid)
  for (const thread of listOrNone(`/proc/${pid}/task`))
    for (const child of readOrEmpty(`/proc/${pid}/task/${thread}/children`).split(' '))
      if (child.trim() !== '') sum += sumOverTree(Number(child), amountOf)
  return sum
}

/**
 * Processor time that all processes of the machine have used since it booted, in milliseconds, and what
 * its host kept from it for other machines (fields 1, 2, 3 and 8 of the first line, proc(5)).
 */
export function machineCpuMs(): number {
  const fields = readOrEmpty('/proc/stat').split(/\s+/).slice(1, 9).map(Number)
  const [user = 0, nice = 0, system = 0, , , , , steal = 0] = fields
  return (user + nice + system + steal) * 10
}

function residentBytesOf(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readOrEmpty(`/proc/${pid}/status`))?.[1]
  return Number(kibibytes ?? 0) * 1024
}

/** Fields 14 and 15 of proc(5) stat, in ticks of 10 ms; counted after the name, which may hold spaces. */
function cpuMsOf(pid: number): number {
  const fields = readOrEmpty(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ')
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * 10
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function listOrNone(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}
