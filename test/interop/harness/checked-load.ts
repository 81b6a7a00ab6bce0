import { Prng } from '../../../src/base/prng.ts'
import { Err } from '../../../src/data/error-code.ts'
import { OpCode } from '../../../src/data/op-code.ts'
import { readGetDataResponse, readStat } from '../../../src/data/records.ts'
import type { Operation, Read } from '../../support/history.ts'
import { checkHistory, type HistoryRules } from '../../support/history-check.ts'
import { create, exists, getData, pathOnly, setData } from '../../support/requests.ts'
import { ConnectionLost, SessionClient } from '../../support/session-client.ts'
import type { WireReply } from '../../support/wire-client.ts'

export interface LoadOptions {
  /** Client ports of all members. */
  readonly ports: readonly number[]
  /** Each with a session of its own; they start at the members in turn. Default 6. */
  readonly clients?: number
  /** Requests that each client keeps under way. Default 3. */
  readonly lanes?: number
  /** Of all sessions. Default 10,000. */
  readonly timeoutMs?: number
  /** Between an answer and the next request of a lane; 0 is full speed. Default 5. */
  readonly thinkMs?: number
  /** Default 1. */
  readonly seed?: number
}

export interface LoadSummary {
  readonly acknowledged: number
  readonly refused: number
  readonly unknown: number
  readonly reads: number
  readonly connectionsLost: number
  readonly sessionsLost: number
  /** The longest time in which nobody was told of any write. */
  readonly longestGapMs: number
}

const REGISTERS = 5
const ROOT = '/load'
const FIRST = 'first'

const register = (index: number): string => `${ROOT}/r${index}`
const presence = (client: number): string => `${ROOT}/client-${client}`

/**
 * Clients that write and read a few registers all the time, over whatever happens to the servers, and
 * remember what they were told; `finish` compares all of it.
 */
export class CheckedLoad {
  readonly history: Operation[] = []
  readonly #clients: SessionClient[] = []
  readonly #lanes: Promise<void>[] = []
  readonly #prng: Prng
  readonly #options: Required<LoadOptions>
  readonly #ackedAtMs: number[] = []
  readonly #sent: number[] = []
  /** The newest version that any client was told of, as a guess for compare-and-set. */
  readonly #versions: number[] = Array.from({ length: REGISTERS }, () => 0)
  #isOver = false

  private constructor(options: LoadOptions) {
    this.#options = { clients: 6, lanes: 3, timeoutMs: 10_000, thinkMs: 5, seed: 1, ...options }
    this.#prng = new Prng(this.#options.seed)
  }

  static async start(options: LoadOptions): Promise<CheckedLoad> {
    const load = new CheckedLoad(options)
    const { clients, ports, timeoutMs, lanes } = load.#options
    for (let index = 0; index < clients; index += 1) {
      const client = await SessionClient.start({ ports, timeoutMs, first: index % ports.length })
      load.#clients.push(client)
      load.#sent.push(0)
    }
    await load.#prepare()
    for (const [index, client] of load.#clients.entries())
      for (let lane = 0; lane < lanes; lane += 1) load.#lanes.push(load.#lane(index, client))
    return load
  }

  get clients(): readonly SessionClient[] {
    return this.#clients
  }

  get summary(): LoadSummary {
    const sum = (of: (client: SessionClient) => number): number =>
      this.#clients.map(of).reduce((a, b) => a + b, 0)
    const count = (outcome: string): number =>
      this.history.filter((op) => op.kind === 'write' && op.outcome === outcome).length
    return {
      acknowledged: count('ok'),
      refused: count('refused'),
      unknown: count('unknown'),
      reads: this.history.filter((op) => op.kind === 'read').length,
      connectionsLost: sum((client) => client.connectionsLost),
      sessionsLost: sum((client) => client.sessionsLost),
      longestGapMs: Math.round(this.longestGapMs(0, performance.now())),
    }
  }

  /** The longest time between two acknowledgements of writes, by any clients, that ended then. */
  longestGapMs(fromMs: number, toMs: number): number {
    return this.#ackedAtMs.reduce((longest, ms, i, times) => {
      const isWithin = ms >= fromMs && ms <= toMs
      return isWithin ? Math.max(longest, ms - (times[i - 1] ?? ms)) : longest
    }, 0)
  }

  /** Resolves when `count` more writes have been acknowledged. */
  async progress(count: number, timeoutMs = 60_000): Promise<void> {
    const wanted = this.#ackedAtMs.length + count
    const deadline = performance.now() + timeoutMs
    while (this.#ackedAtMs.length < wanted) {
      if (performance.now() > deadline)
        throw new Error(`${wanted - this.#ackedAtMs.length} of ${count} writes not acknowledged`)
      await pause(20)
    }
  }

  /**
   * Ends the load, reads the registers once more from every member that runs, and answers what is
   * wrong: with the history, and with ephemerals of sessions that were not lost.
   */
  async finish(runningPorts: readonly number[], syncIsBarrier: boolean): Promise<string[]> {
    this.#isOver = true
    await Promise.all(this.#lanes)
    for (const port of runningPorts) await this.#readAll(port)
    const problems = await this.#checkPresence()
    await Promise.all(this.#clients.map((client) => client.close()))
    const rules: HistoryRules = { initialValue: FIRST, syncIsBarrier }
    return [...problems, ...checkHistory(this.history, rules)]
  }

  /** Ends without a look, when a test has failed. */
  abandon(): void {
    this.#isOver = true
    for (const client of this.#clients) client.vanish()
  }

  async #prepare(): Promise<void> {
    const [first] = this.#clients
    if (first === undefined) throw new Error('a load needs clients')
    const nodes = Array.from({ length: REGISTERS }, (_, index) => register(index))
    for (const path of [ROOT, ...nodes]) {
      const { err } = await first.insist(OpCode.create, create(path, { data: Buffer.from(FIRST) }))
      if (err !== Err.ok && err !== Err.nodeExists) throw new Error(`${path}: error ${err}`)
    }
    for (const [index, client] of this.#clients.entries())
      await client.insist(OpCode.create, create(presence(index), { flags: 1 }))
  }

  async #lane(index: number, client: SessionClient): Promise<void> {
    while (!this.#isOver) {
      await client.connected()
      const at = this.#prng.below(REGISTERS)
      const dice = this.#prng.below(10)
      try {
        if (dice < 6) await this.#write(index, client, at, -1)
        else if (dice < 8) await this.#write(index, client, at, this.#versions[at] ?? 0)
        else await this.#read(index, client, at, dice === 9)
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error
      }
      if (this.#options.thinkMs > 0) await pause(this.#options.thinkMs)
    }
  }

  #nextSeq(index: number): number {
    const seq = (this.#sent[index] ?? 0) + 1
    this.#sent[index] = seq
    return seq
  }

  async #write(index: number, client: SessionClient, at: number, expected: number): Promise<void> {
    if (!client.isConnected) return
    const seq = this.#nextSeq(index)
    const value = `${index}:${seq}`
    const sent = { kind: 'write', client: index, seq, register: register(at), value } as const
    const invokedMs = performance.now()
    const note = (outcome: 'ok' | 'refused' | 'unknown', zxid: number, version: number): void => {
      const returnedMs = performance.now()
      this.history.push({ ...sent, expected, invokedMs, returnedMs, outcome, zxid, version })
    }
    let reply: WireReply
    try {
      reply = await client.call(OpCode.setData, setData(register(at), value, expected))
    } catch (error) {
      note('unknown', 0, -1)
      throw error
    }
    if (reply.err === Err.ok) {
      const { version } = readStat(reply.body)
      note('ok', reply.zxid, version)
      this.#ackedAtMs.push(performance.now())
      this.#versions[at] = Math.max(this.#versions[at] ?? 0, version)
    } else if (reply.err === Err.badVersion) {
      note('refused', reply.zxid, -1)
      await this.#read(index, client, at, false)
    } else if (reply.err !== Err.sessionMoved && reply.err !== Err.sessionExpired) {
      throw new Error(`${register(at)}: error ${reply.err}`)
    }
  }

  async #read(index: number, client: SessionClient, at: number, synced: boolean): Promise<Read> {
    const invokedMs = performance.now()
    // Sent together: the second on the same connection, behind the first.
    const seq = this.#nextSeq(index)
    const sync = synced ? client.call(OpCode.sync, pathOnly(register(at))) : undefined
    const [reply] = await Promise.all([client.call(OpCode.getData, getData(register(at))), sync])
    if (reply.err !== Err.ok) throw new Error(`${register(at)}: error ${reply.err}`)
    const { data, stat } = readGetDataResponse(reply.body)
    const read: Read = {
      kind: 'read',
      client: index,
      seq,
      register: register(at),
      value: data?.toString() ?? '',
      version: stat.version,
      zxid: reply.zxid,
      invokedMs,
      returnedMs: performance.now(),
      synced,
    }
    this.history.push(read)
    this.#versions[at] = Math.max(this.#versions[at] ?? 0, stat.version)
    return read
  }

  async #readAll(port: number): Promise<void> {
    const index = this.#sent.push(0) - 1
    const client = await SessionClient.start({ ports: [port], timeoutMs: 10_000 })
    for (let at = 0; at < REGISTERS; at += 1) await this.#read(index, client, at, true)
    await client.close()
  }

  async #checkPresence(): Promise<string[]> {
    const problems: string[] = []
    for (const [index, client] of this.#clients.entries()) {
      if (client.sessionsLost > 0) continue
      await client.insist(OpCode.sync, pathOnly(presence(index)))
      const { err, body } = await client.insist(OpCode.exists, exists(presence(index)))
      const owner = err === Err.ok ? readStat(body).ephemeralOwner : undefined
      if (owner !== client.sessionId)
        problems.push(`the ephemeral of client ${index} is ${owner ?? `gone (${err})`}`)
    }
    return problems
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
