import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server as Listener } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Server } from './server.ts'
import type { EnsembleOptions } from './server-options.ts'

const LOOPBACK = '127.0.0.1'
const READY_POLL_MS = 10
/**
 * For how long a new ensemble may go without a member that serves.
 * @bound milliseconds: its start is given up
 */
const READY_MS_MAX = 60_000

/** Members of one ensemble that all run in this process. It can be declared with `await using`. */
export class Ensemble implements AsyncDisposable {
  readonly members: readonly Server[]
  /** Of all members, as a client is to be given it. */
  readonly connectString: string
  readonly #giveBack: () => void

  private constructor(members: readonly Server[], giveBack: () => void) {
    this.members = members
    this.connectString = members.map((member) => member.connectString).join(',')
    this.#giveBack = giveBack
  }

  /** Resolves when every member serves. Rejects with what kept one from it; nothing is held then. */
  static async start(size: number, options: EnsembleOptions): Promise<Ensemble> {
    if (!Number.isInteger(size) || size < 1) throw new Error(`no ensemble has ${size} members`)
    const isOwn = options.dataDir === undefined
    const base = resolve(options.dataDir ?? mkdtempSync(join(tmpdir(), 'zk-ensemble-')))
    const giveBack = (): void => {
      if (isOwn) rmSync(base, { recursive: true, force: true })
    }
    const members: Server[] = []
    try {
      const lines = await serverLines(size)
      for (let sid = 1; sid <= size; sid += 1) {
        const dataDir = join(base, String(sid))
        mkdirSync(dataDir, { recursive: true })
        writeFileSync(join(dataDir, 'myid'), `${sid}\n`)
        const config = { initLimit: 10, syncLimit: 5, ...options.config, ...lines }
        members.push(await Server.start({ ...options, config, dataDir }))
      }
      await allServe(members)
      return new Ensemble(members, giveBack)
    } catch (error) {
      await Promise.all(members.map((member) => member.close()))
      giveBack()
      throw error
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.members.map((member) => member.close()))
    this.#giveBack()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

async function serverLines(size: number): Promise<Record<string, string>> {
  const ports = await freePorts(2 * size)
  const lines: Record<string, string> = {}
  for (let sid = 1; sid <= size; sid += 1)
    lines[`server.${sid}`] = `${LOOPBACK}:${ports[2 * sid - 2]}:${ports[2 * sid - 1]}`
  return lines
}

/** Ports that nobody listens on: each member must know those of the others before they listen. */
async function freePorts(count: number): Promise<readonly number[]> {
  const listeners: Listener[] = []
  const ports: number[] = []
  for (let i = 0; i < count; i += 1) {
    const listener = createServer()
    await new Promise<void>((done, failed) => {
      listener.once('error', failed)
      listener.listen(0, LOOPBACK, done)
    })
    const address = listener.address()
    if (typeof address === 'object' && address !== null) ports.push(address.port)
    listeners.push(listener)
  }
  for (const listener of listeners) await new Promise((done) => listener.close(done))
  return ports
}

async function allServe(members: readonly Server[]): Promise<void> {
  const deadline = performance.now() + READY_MS_MAX
  while (!members.every((member) => member.isServing)) {
    if (performance.now() > deadline)
      throw new Error(`not every member serves after ${READY_MS_MAX / 1000} seconds`)
    await new Promise((done) => setTimeout(done, READY_POLL_MS))
  }
}
