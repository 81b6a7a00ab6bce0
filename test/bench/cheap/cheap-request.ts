import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  type MemoryClient,
  MemoryServer,
  type MemoryServerOptions,
} from '../../support/memory-server.ts'

/** What a stranger can send for next to nothing, and what it must not do to everybody else. */
export interface CheapRequest {
  readonly name: string
  /** Bytes that the attack itself sends, once what it needs is in place. */
  readonly sentBytes: number
  /** How long nobody else was served, at the longest, in milliseconds. */
  readonly longestTurnMs: number
  /** What came of it, where that is not plain. */
  readonly outcome?: string
}

/** Makes what the attack needs, and measures the attack. */
export type CheapRequestRow = () => CheapRequest | Promise<CheapRequest>

interface Moment {
  readonly wallMs: number
  /** Of all threads of this process: on a busy machine the better bound of the two. */
  readonly cpuMs: number
}

function now(): Moment {
  const { user, system } = process.cpuUsage()
  return { wallMs: performance.now(), cpuMs: (user + system) / 1000 }
}

/** Neither counts too little. */
function since(begin: Moment): number {
  const end = now()
  return Math.min(end.wallMs - begin.wallMs, end.cpuMs - begin.cpuMs)
}

/** One turn that is no server's, and what came of it. */
export function timed<T>(work: () => T): { readonly value: T; readonly ms: number } {
  const began = now()
  const value = work()
  return { value, ms: since(began) }
}

/**
 * A server in memory that knows how long its turns are: from the event that begins one to its last
 * effect. The rig's own work is not in it, and neither are system calls.
 */
export class TimedServer extends MemoryServer {
  #turnMs = 0
  /** What is sent goes nowhere, as if the client took it: for replies that would fill the memory. */
  dropsReplies = false
  longestTurnMs = 0

  constructor(options: MemoryServerOptions = {}) {
    super(options)
    const enter = this.loop.enter.bind(this.loop)
    this.loop.enter = (deliver) => this.#timed(() => enter(deliver), false)
  }

  override afterThisTurn(fn: () => void): void {
    super.afterThisTurn(() => this.#timed(fn, true))
  }

  /** The client's end is not the server's work. */
  override writeClient(cnxn: number, bytes: Buffer): number {
    if (this.dropsReplies) return 0
    const began = now()
    const waiting = super.writeClient(cnxn, bytes)
    this.#turnMs -= since(began)
    return waiting
  }

  #timed(work: () => void, endsTurn: boolean): void {
    const began = now()
    work()
    this.#turnMs += since(began)
    this.longestTurnMs = Math.max(this.longestTurnMs, this.#turnMs)
    if (endsTurn) this.#turnMs = 0
  }

  /** Of the turns that `work` causes. What came before is not counted. */
  longestTurnOf(work: () => void): number {
    this.settle()
    this.#turnMs = 0
    this.longestTurnMs = 0
    work()
    this.settle()
    return this.longestTurnMs
  }
}

/** As a socket delivers them: in chunks, each an event of its own. */
export function sendChunked(
  client: MemoryClient,
  bytes: Buffer,
  chunkBytes: number = 64 * 1024,
): void {
  for (let at = 0; at < bytes.length && !client.isClosed; at += chunkBytes)
    client.sendBytes(bytes.subarray(at, at + chunkBytes))
}

/** What came before what is measured leaves no garbage for it to pay for. */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
}
