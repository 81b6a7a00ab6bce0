import { Err } from '../../src/data/error-code.ts'
import { OpCode } from '../../src/data/op-code.ts'
import { Ensemble } from '../interop/harness/ensemble.ts'
import type { ServerKind } from '../interop/harness/server.ts'
import { create, setData } from '../support/requests.ts'
import { ConnectionLost, SessionClient } from '../support/session-client.ts'

/** Where the writer is connected when the leader dies. */
export const placements = ['on a follower', 'on the leader'] as const
export type Placement = (typeof placements)[number]

/** What happens to the leader: a crash, or a stop as for a restart. */
export type End = 'SIGKILL' | 'SIGTERM'

export interface Failover {
  readonly placement: Placement
  /** The longest time between two acknowledged writes of the writer, in milliseconds. */
  readonly gapMs: number
}

const NODE = '/failover'
const SESSION_MS = 10_000
/**
 * Writing before the leader dies and after somebody else leads, so that nothing else is measured: a
 * leader that has just been elected is no leader of every day. Ours elects more carefully after it.
 */
const CALM_MS = 2500
const AFTER_MS = 300
const BACK_MS = 30_000

/**
 * Ends the leader of three servers again and again while a client writes without a pause, which goes
 * on at the next server when its connection ends. tickTime is 2000 and all limits are defaults.
 */
export async function measureFailover(
  kind: ServerKind,
  placements: readonly Placement[],
  end: End,
  progress: (line: string) => void,
): Promise<Failover[]> {
  const ensemble = await Ensemble.create({ kinds: [kind, kind, kind], isTimed: true })
  const failovers: Failover[] = []
  try {
    await ensemble.start()
    const client = await SessionClient.start({ ports: ensemble.ports, timeoutMs: SESSION_MS })
    await client.insist(OpCode.create, create(NODE))
    const writer = new Writer(client)
    for (const placement of placements) {
      const gapMs = await failOver(ensemble, writer, placement, end)
      failovers.push({ placement, gapMs })
      progress(`${kind}, writer ${placement}, ${end}: ${gapMs.toFixed(0)} ms`)
    }
    await writer.stop()
    await client.close()
  } finally {
    await ensemble.close()
  }
  return failovers
}

async function failOver(
  ensemble: Ensemble,
  writer: Writer,
  placement: Placement,
  end: End,
): Promise<number> {
  const leader = await ensemble.untilRoles()
  const follower = ensemble.members.find((member) => member !== leader) ?? leader
  await writer.client.moveTo(placement === 'on the leader' ? leader.port : follower.port)
  await pause(CALM_MS)
  const fromMs = performance.now()
  await leader.stop(end)
  const deadMs = performance.now()
  await writer.untilAckedAfter(deadMs)
  await pause(AFTER_MS)
  const gapMs = writer.longestGapMs(fromMs, performance.now())
  await leader.start()
  await ensemble.untilRoles()
  return gapMs
}

/** One write at a time, as fast as they are answered. */
class Writer {
  readonly client: SessionClient
  readonly #ackedAtMs: number[] = []
  readonly #done: Promise<void>
  #isOver = false

  constructor(client: SessionClient) {
    this.client = client
    this.#done = this.#run()
  }

  async untilAckedAfter(ms: number): Promise<void> {
    const deadline = performance.now() + BACK_MS
    while ((this.#ackedAtMs.at(-1) ?? 0) <= ms) {
      if (performance.now() > deadline) throw new Error(`no write within ${BACK_MS} ms`)
      await pause(5)
    }
  }

  /** Of gaps that ended within that time. */
  longestGapMs(fromMs: number, toMs: number): number {
    const times = this.#ackedAtMs
    return times.reduce((longest, ms, i) => {
      const isWithin = ms >= fromMs && ms <= toMs
      return isWithin ? Math.max(longest, ms - (times[i - 1] ?? ms)) : longest
    }, 0)
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await this.#done
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      await this.client.connected()
      try {
        const { err } = await this.client.call(OpCode.setData, setData(NODE, 'x'))
        if (err === Err.ok) this.#ackedAtMs.push(performance.now())
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error
      }
    }
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
