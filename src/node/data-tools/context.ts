import type { Environment } from '../process/environment.ts'
import { ExitCode } from '../process/exit-code.ts'

/** What the data directory tools use of the machine; tests hand in their own. */
export interface ToolContext {
  readonly env: Environment
  /** Resolves when more may be written. False: nobody reads it any more. */
  out(text: string): Promise<boolean>
  err(text: string): void
  /** The next line that somebody types after `question`. Undefined: there is nobody. */
  ask(question: string): Promise<string | undefined>
  /** Milliseconds from any start. */
  mono(): number
}

/** A tool cannot do what it was asked to; `message` says why. */
export class ToolError extends Error {
  override readonly name = 'ToolError'
  readonly exitCode: ExitCode

  constructor(message: string, exitCode: ExitCode = ExitCode.unexpected) {
    super(message)
    this.exitCode = exitCode
  }
}

const CHUNK_CHARS = 64 * 1024

/**
 * Writes all of it, in few large pieces; returns what the generator does. `progress` is told how far
 * it is where nothing is read meanwhile that would tell.
 */
export async function writeOut<R>(
  context: ToolContext,
  lines: Generator<string, R>,
  progress?: Progress,
): Promise<R | undefined> {
  let chunk = ''
  let chars = 0
  for (;;) {
    const step = lines.next()
    if (step.done === true) {
      if (chunk !== '') await context.out(chunk)
      return step.value
    }
    chunk += step.value
    if (chunk.length < CHUNK_CHARS) continue
    if (!(await context.out(chunk))) return undefined
    chars += chunk.length
    progress?.onWritten(chars)
    chunk = ''
  }
}

const INTERVAL_MS = 1000
const MEGABYTE = 1024 * 1024

/** Says once a second how far a file has been read, beginning with the second second. */
export class Progress {
  readonly #context: ToolContext
  #nextMs: number

  constructor(context: ToolContext) {
    this.#context = context
    this.#nextMs = context.mono() + INTERVAL_MS
  }

  #isDue(): boolean {
    const now = this.#context.mono()
    if (now < this.#nextMs) return false
    this.#nextMs = now + INTERVAL_MS
    return true
  }

  onWritten(chars: number): void {
    if (this.#isDue()) this.#context.err(`${Math.floor(chars / MEGABYTE)} M characters written\n`)
  }

  onRead(name: string, doneBytes: number, totalBytes: number): void {
    if (!this.#isDue()) return
    const done = Math.floor(doneBytes / MEGABYTE)
    const total = Math.ceil(totalBytes / MEGABYTE)
    this.#context.err(`${name}: ${done} of ${total} MiB read\n`)
  }

  onNodes(verb: string, nodes: number, of: number): void {
    if (this.#isDue()) this.#context.err(`${Math.floor(nodes)} of ${of} nodes ${verb}\n`)
  }

  onLoaded(name: string, bytes: number): void {
    if (this.#isDue()) this.#context.err(`${name}: ${Math.floor(bytes / MEGABYTE)} MiB loaded\n`)
  }
}
