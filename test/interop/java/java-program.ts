/** Compiles the Java programs of the interop tests and talks with them over their stdin and stdout. */

import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { delimiter } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { killGroup, run, track } from '../harness/process.ts'
import { scratchDirectory } from '../harness/server.ts'

/**
 * Two cores are shared by up to six JVMs, so each is told to start fast and stay small: the serial
 * collector and the first compiler only.
 */
export const leanJvmFlags: readonly string[] = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']

const stderrCharsMax = 16_384

/** Resolves to the class path `classPath` plus a fresh directory that holds the compiled sources. */
export async function compileJava(sources: readonly string[], classPath: string): Promise<string> {
  const classes = scratchDirectory('classes')
  const args = ['-nowarn', '-proc:none', '-cp', classPath, '-d', classes, ...sources]
  const { code, stdout, stderr } = await run('javac', args)
  if (code !== 0) throw new Error(`javac:\n${stdout}${stderr}`)
  return classes + delimiter + classPath
}

export interface JavaOptions {
  readonly classPath: string
  readonly mainClass: string
  readonly args?: readonly string[]
  readonly jvmFlags?: readonly string[]
}

/** A running JVM: lines in, lines out. Whatever it has to complain about is kept for the report. */
export class JavaProgram {
  /** The exit code, or the name of the signal that ended it. */
  readonly exited: Promise<number | string>
  readonly #name: string
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>
  readonly #lines: AsyncIterator<string>
  #stderr = ''

  constructor(options: JavaOptions) {
    this.#name = options.mainClass
    const flags = [...leanJvmFlags, ...(options.jvmFlags ?? ['-Xmx128m'])]
    const command = [...flags, '-cp', options.classPath, options.mainClass, ...(options.args ?? [])]
    this.#child = spawn('java', command, { detached: true, stdio: ['pipe', 'pipe', 'pipe'] })
    track(this.#child)
    // A program that has ended cannot be written to; its end is reported by `exited` and nextLine.
    this.#child.stdin.on('error', () => undefined)
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-stderrCharsMax)
    })
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
    this.exited = new Promise((resolve, reject) => {
      this.#child.on('error', reject)
      this.#child.on('close', (code, signal) => resolve(signal ?? code ?? -1))
    })
  }

  get stderr(): string {
    return this.#stderr
  }

  /** The next line of stdout, undefined at its end. A program silent for timeoutMs is killed. */
  async nextLine(timeoutMs = 120_000): Promise<string | undefined> {
    const timer = setTimeout(() => this.kill('SIGKILL'), timeoutMs)
    const next = await this.#lines.next()
    clearTimeout(timer)
    return next.done === true ? undefined : next.value
  }

  send(line: string): void {
    this.#child.stdin.write(`${line}\n`)
  }

  /** Sends one command and resolves to what follows "ok" in the answer; any other answer rejects. */
  async ask(command: string, timeoutMs?: number): Promise<string> {
    this.send(command)
    return this.expectOk(command, timeoutMs)
  }

  async expectOk(what: string, timeoutMs?: number): Promise<string> {
    const line = await this.nextLine(timeoutMs)
    if (line !== undefined && /^ok\b/.test(line)) return line.slice('ok '.length)
    throw new Error(`${this.#name}: ${what}: ${line ?? `ended; its stderr: ${this.#stderr}`}`)
  }

  /** Ends stdin, after which a well-behaved program ends by itself. */
  async finish(): Promise<number | string> {
    this.#child.stdin.end()
    return this.exited
  }

  kill(signal: NodeJS.Signals): void {
    killGroup(this.#child, signal)
  }
}
