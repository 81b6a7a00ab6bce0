import { type ChildProcess, spawn } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface RunOptions {
  /** Written to the standard input, which is then closed. Absent: the input is empty. */
  readonly input?: string
  /** Added to (and, where undefined, taken from) the environment of the test run. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  /** Default 120,000. When it is over the whole process group is killed and `run` rejects. */
  readonly timeoutMs?: number
}

export interface RunResult {
  /** Exit code; 128 + signal number is not emulated: a killed process has -1. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface Child {
  readonly pid: number
  /** Both streams, in the order of arrival, since the start. */
  output(): string
  /** Writes one line to the standard input. */
  send(line: string): void
  /**
   * Resolves with what was printed from `from` (an offset into `output()`, default 0) up to and
   * including the first match. Rejects, with all the output, after `timeoutMs` (default 30,000)
   * or when the process ends without it.
   */
  waitFor(
    pattern: RegExp | string,
    options?: { from?: number; timeoutMs?: number },
  ): Promise<string>
  /** Closes the standard input, which most command line clients take as their end. */
  end(): void
  /** Kills the whole process group and resolves when the process is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Resolves with the exit code, -1 for a signal. */
  readonly exited: Promise<number>
}

const TIMEOUT_MS = 120_000
const WAIT_MS = 30_000

const living = new Set<ChildProcess>()

// A test run that is cut short must not leave servers and JVMs behind.
process.on('exit', () => {
  for (const child of living) killGroup(child, 'SIGKILL')
})

/** Every child leads its own group, so that a JVM behind a shell script dies with the script. */
export function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    // The group is already gone.
  }
}

/** The environment of this run with `changes` applied; an undefined value takes a name away. */
export function environment(
  changes: Readonly<Record<string, string | undefined>> = {},
): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env }
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) delete env[name]
    else env[name] = value
  }
  return env
}

/** Notes a spawned group leader, so that it is killed when the test run ends before it. */
export function track(child: ChildProcess): void {
  const { INTEROP_SCRATCH: root } = process.env
  const note = root === undefined ? undefined : join(root, 'pids', String(child.pid))
  living.add(child)
  if (note !== undefined) writeFileSync(note, '')
  child.once('exit', () => {
    living.delete(child)
    if (note !== undefined) rmSync(note, { force: true })
  })
}

/** Runs a command to its end. A non-zero exit code is a result, a timeout is an error. */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const child = spawn(command, [...args], {
    detached: true,
    env: environment(options.env),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  })
  track(child)
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  // A command may end before it has read its input.
  child.stdin.on('error', () => {})
  child.stdin.end(options.input ?? '')
  const text = (chunks: readonly Buffer[]): string => Buffer.concat(chunks).toString('utf8')
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS
  return await new Promise<RunResult>((resolve, reject) => {
    const timer = setTimeout(() => {
      killGroup(child, 'SIGKILL')
      const printed = `${text(stdout)}\n${text(stderr)}`
      reject(new Error(`${command} ${args.join(' ')}: not done in ${timeoutMs} ms\n${printed}`))
    }, timeoutMs)
    child.once('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    child.once('close', (code) => {
      clearTimeout(timer)
      resolve({ code: code ?? -1, stdout: text(stdout), stderr: text(stderr) })
    })
  })
}

/**
 * Starts a command that the test talks to line by line. A shell joins its two streams, because two
 * pipes would lose the order of what it prints.
 */
export function startChild(
  command: string,
  args: readonly string[],
  options: Omit<RunOptions, 'input' | 'timeoutMs'> = {},
): Child {
  const child = spawn('/bin/sh', ['-c', 'exec "$@" 2>&1', 'sh', command, ...args], {
    detached: true,
    env: environment(options.env),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  })
  track(child)
  let printed = ''
  let ended = false
  const listeners = new Set<() => void>()
  const tell = (): void => {
    for (const listener of [...listeners]) listener()
  }
  const collect = (chunk: string): void => {
    printed += chunk
    tell()
  }
  child.stdout.setEncoding('utf8').on('data', collect)
  child.stderr.setEncoding('utf8').on('data', collect)
  child.stdin.on('error', () => {})
  const exited = new Promise<number>((resolve) => {
    const end = (code: number): void => {
      ended = true
      resolve(code)
      tell()
    }
    child.once('error', (error) => {
      printed += String(error)
      end(-1)
    })
    child.once('close', (code) => end(code ?? -1))
  })
  return {
    pid: child.pid ?? -1,
    output: () => printed,
    send: (line) => {
      child.stdin.write(`${line}\n`)
    },
    waitFor: (pattern, { from = 0, timeoutMs = WAIT_MS } = {}) =>
      waitForText(
        { printed: () => printed, ended: () => ended, listeners },
        pattern,
        from,
        timeoutMs,
      ),
    end: () => {
      child.stdin.end()
    },
    kill: async (signal = 'SIGKILL') => {
      killGroup(child, signal)
      await exited
    },
    exited,
  }
}

interface Printing {
  printed(): string
  ended(): boolean
  readonly listeners: Set<() => void>
}

async function waitForText(
  source: Printing,
  pattern: RegExp | string,
  from: number,
  timeoutMs: number,
): Promise<string> {
  const find = (): string | undefined => {
    const text = source.printed().slice(from)
    if (typeof pattern === 'string') {
      const at = text.indexOf(pattern)
      return at < 0 ? undefined : text.slice(0, at + pattern.length)
    }
    const match = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '')).exec(text)
    return match === null ? undefined : text.slice(0, match.index + match[0].length)
  }
  return await new Promise<string>((resolve, reject) => {
    const finish = (act: () => void): void => {
      clearTimeout(timer)
      source.listeners.delete(look)
      act()
    }
    const fail = (why: string): void =>
      finish(() => reject(new Error(`${why} before ${pattern} was printed:\n${source.printed()}`)))
    const look = (): void => {
      const found = find()
      if (found !== undefined) finish(() => resolve(found))
      else if (source.ended()) fail('the process ended')
    }
    const timer = setTimeout(() => fail(`${timeoutMs} ms went by`), timeoutMs)
    source.listeners.add(look)
    look()
  })
}
