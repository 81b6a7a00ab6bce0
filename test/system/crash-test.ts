import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Prng } from '../../src/base/prng.ts'
import { Err } from '../../src/data/error-code.ts'
import { OpCode } from '../../src/data/op-code.ts'
import { readGetDataResponse, readStat } from '../../src/data/records.ts'
import { create, getData, setData } from '../support/requests.ts'
import { WireClient } from '../support/wire-client.ts'

/**
 * Kills a server with SIGKILL at random moments under pipelined load, restarts it on the same data
 * directory and verifies: no acknowledged write is lost, none is applied twice, nothing is there that
 * nobody has sent. `npm run crash-test -- --cycles 100 [--seed N]`.
 */

const KEYS = 40
const CLIENTS = 4
const PIPELINE = 25
const SERVE_MS_MAX = 20_000
const KILL_AFTER_MS_MAX = 700

/** What is known of one key: a write that was not answered may have happened or not. */
interface Key {
  readonly path: string
  /** The last value that was acknowledged, with the version that it got. */
  value: number
  version: number
  /** Values sent behind it and not acknowledged, in order. */
  pending: number[]
}

export interface CrashTestResult {
  readonly cycles: number
  readonly acknowledged: number
  readonly unanswered: number
  readonly unansweredFound: number
}

export async function crashTest(
  cycles: number,
  seed: number,
  report: (line: string) => void,
): Promise<CrashTestResult> {
  const folder = mkdtempSync(join(tmpdir(), 'zk-crash-test-'))
  const test = new CrashTest(folder, await freePort(), seed)
  try {
    for (let cycle = 1; cycle <= cycles; cycle += 1) {
      await test.cycle()
      if (cycle % 10 === 0) report(`${cycle} cycles, ${JSON.stringify(test.counts)}`)
    }
    await test.verifyLast()
    rmSync(folder, { recursive: true })
    return { cycles, ...test.counts }
  } catch (error) {
    const log = readFileSync(join(folder, 'server.log'), 'utf8').slice(-4000)
    throw new Error(`seed ${seed}; the data is in ${folder}; the server said:\n${log}`, {
      cause: error,
    })
  } finally {
    test.kill()
  }
}

class CrashTest {
  readonly #folder: string
  readonly #port: number
  readonly #prng: Prng
  readonly #keys: Key[]
  #server: ChildProcess | undefined
  #nextValue = 0
  readonly counts: { acknowledged: number; unanswered: number; unansweredFound: number } = {
    acknowledged: 0,
    unanswered: 0,
    unansweredFound: 0,
  }

  constructor(folder: string, port: number, seed: number) {
    this.#folder = folder
    this.#port = port
    this.#prng = new Prng(seed)
    this.#keys = Array.from({ length: KEYS }, (_, index) => ({
      path: `/k${index}`,
      value: -1,
      version: -1,
      pending: [],
    }))
    const lines = [
      `dataDir=${join(folder, 'data')}`,
      `clientPort=${port}`,
      'tickTime=2000',
      // Many snapshots and logs, so that kills hit them, too.
      'snapCount=400',
      'preAllocSize=256',
      'autopurge.purgeInterval=200ms',
    ]
    writeFileSync(join(folder, 'zoo.cfg'), `${lines.join('\n')}\n`)
  }

  async cycle(): Promise<void> {
    await this.#start()
    await this.#verify()
    const clients = await Promise.all(
      Array.from({ length: CLIENTS }, () => WireClient.open(this.#port, 10_000)),
    )
    let isKilled = false
    const load = clients.map((client, index) => this.#load(client, index, () => isKilled))
    await delay(this.#prng.below(KILL_AFTER_MS_MAX))
    isKilled = true
    this.kill()
    if (this.#server !== undefined) await once(this.#server, 'exit')
    await Promise.all(load)
    for (const client of clients) client.vanish()
  }

  async verifyLast(): Promise<void> {
    await this.#start()
    await this.#verify()
  }

  kill(): void {
    this.#server?.kill('SIGKILL')
  }

  async #start(): Promise<void> {
    const bin = fileURLToPath(new URL('../../bin/zk-server', import.meta.url))
    const args = [bin, 'start-foreground', join(this.#folder, 'zoo.cfg')]
    const server = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#server = server
    const note = (bytes: Buffer): void => appendFileSync(join(this.#folder, 'server.log'), bytes)
    server.stdout.on('data', note)
    server.stderr.on('data', note)
    const deadline = performance.now() + SERVE_MS_MAX
    for (;;) {
      if (server.exitCode !== null) throw new Error(`the server ended with ${server.exitCode}`)
      const client = await WireClient.open(this.#port, 10_000).catch(() => undefined)
      if (client !== undefined) return client.vanish()
      if (performance.now() > deadline) throw new Error('the server does not serve')
      await delay(10)
    }
  }

  /** Each client has keys of its own, so that the order of the writes to a key is known. */
  async #load(client: WireClient, index: number, isOver: () => boolean): Promise<void> {
    const mine = this.#keys.filter((_, at) => at % CLIENTS === index)
    const lane = async (): Promise<void> => {
      while (!isOver()) {
        const key = mine[this.#prng.below(mine.length)]
        if (key === undefined) return
        const value = this.#nextValue
        this.#nextValue += 1
        key.pending.push(value)
        const body = Buffer.from(String(value))
        const isNew = key.version < 0 && key.pending.length === 1
        const reply = isNew
          ? await client.call(OpCode.create2, create(key.path, { data: body }))
          : await client.call(OpCode.setData, setData(key.path, body))
        if (reply.err !== Err.ok) throw new Error(`${key.path}: error ${reply.err}`)
        if (isNew) reply.body.readString()
        this.#onAcknowledged(key, value, readStat(reply.body).version)
      }
    }
    // The connection ends with the kill; whatever had no answer by then stays pending.
    await Promise.allSettled(
      Array.from({ length: PIPELINE }, () => lane().catch(rethrowUnlessGone)),
    )
  }

  #onAcknowledged(key: Key, value: number, version: number): void {
    if (key.pending.shift() !== value) throw new Error(`${key.path}: answers out of order`)
    if (version !== key.version + 1)
      throw new Error(`${key.path}: version ${version} after ${key.version}`)
    key.value = value
    key.version = version
    this.counts.acknowledged += 1
  }

  /** Each version counts one write: one that was applied twice, or is lost, makes it wrong. */
  async #verify(): Promise<void> {
    const client = await WireClient.open(this.#port, 10_000)
    for (const key of this.#keys) {
      const { err, body } = await client.call(OpCode.getData, getData(key.path))
      this.counts.unanswered += key.pending.length
      if (err === Err.noNode) {
        if (key.version >= 0) throw new Error(`${key.path}: lost, it was acknowledged`)
        key.pending = []
        continue
      }
      if (err !== Err.ok) throw new Error(`${key.path}: error ${err}`)
      const { data, stat } = readGetDataResponse(body)
      const value = Number(data?.toString())
      const extra = stat.version - key.version
      const expected = extra === 0 ? key.value : key.pending[extra - 1]
      if (value !== expected)
        throw new Error(
          `${key.path}: found ${value} at version ${stat.version}; acknowledged ${key.value} at ` +
            `${key.version}, then sent ${key.pending.join(' ')}`,
        )
      this.counts.unansweredFound += extra
      key.value = value
      key.version = stat.version
      key.pending = []
    }
    await client.close()
  }
}

function rethrowUnlessGone(error: unknown): void {
  const isGone = error instanceof Error && /closed|ECONNRESET|EPIPE/.test(error.message)
  if (!isGone) throw error
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  server.close()
  await once(server, 'close')
  return port
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: { cycles: { type: 'string', default: '100' }, seed: { type: 'string' } },
  })
  const seed = Number(values.seed ?? Date.now() % 1_000_000)
  const result = await crashTest(Number(values.cycles), seed, (line) => console.log(line))
  console.log(`no acknowledged write lost, none applied twice; seed ${seed}`, result)
}
