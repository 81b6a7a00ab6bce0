import { setTimeout as delay } from 'node:timers/promises'
import { frameRing } from './frames.ts'
import { LoadConnection, type Run, Samples } from './load-connection.ts'
import { prepare } from './preparation.ts'
import type { LoadAnswer, LoadOrder, LoadResult } from './shapes.ts'

/**
 * The load generator's process. It is a child of the runner, so that nothing but load runs on its event
 * loop, and it lives for the whole benchmark: every server meets the same, equally warm generator.
 */

/** A listen backlog is short: the original's is 50. */
const openAtOnce = 25
const samples = new Samples()

const portOf = ({ ports }: LoadOrder & { kind: 'run' }, index: number): number =>
  ports[index % ports.length] ?? 0

async function run(order: LoadOrder & { kind: 'run' }): Promise<LoadResult> {
  const cpuBefore = process.cpuUsage()
  const { connections: connectionCount, outstanding } = order.shape
  const shared: Run = {
    ring: frameRing(order.workload, outstanding),
    outstanding,
    samples,
    replies: 0,
    stopping: false,
  }
  const connections: LoadConnection[] = []
  try {
    for (let from = 0; from < connectionCount; from += openAtOnce) {
      const wave = Array.from(
        { length: Math.min(openAtOnce, connectionCount - from) },
        (_, index) => new LoadConnection(portOf(order, from + index), from + index, shared),
      )
      connections.push(...wave)
      await Promise.all(wave.map((connection) => connection.open(order.bare)))
    }
    for (const connection of connections) connection.start()
    await delay(order.rampMs)
    const result = await measure(shared, order.durationMs)
    shared.stopping = true
    await Promise.all(connections.map((connection) => connection.drain()))
    await Promise.all(connections.map((connection) => connection.close(order.bare)))
    const cpu = process.cpuUsage(cpuBefore)
    return { ...result, replies: shared.replies, generatorCpuMs: (cpu.user + cpu.system) / 1000 }
  } finally {
    for (const connection of connections) connection.destroy()
  }
}

async function measure(
  shared: Run,
  durationMs: number,
): Promise<Omit<LoadResult, 'replies' | 'generatorCpuMs'>> {
  samples.clear()
  const repliesBefore = shared.replies
  const cpuBefore = process.cpuUsage()
  const start = performance.now()
  await delay(durationMs)
  const elapsedMs = performance.now() - start
  const cpu = process.cpuUsage(cpuBefore)
  return {
    opsPerSecond: ((shared.replies - repliesBefore) * 1000) / elapsedMs,
    p50Us: samples.percentileUs(0.5),
    p99Us: samples.percentileUs(0.99),
    generatorCpu: (cpu.user + cpu.system) / 1000 / elapsedMs,
  }
}

async function answer(order: LoadOrder): Promise<LoadAnswer> {
  try {
    if (order.kind === 'run') return { kind: 'done', result: await run(order) }
    await prepare(order.port)
    return { kind: 'done', result: undefined }
  } catch (error) {
    return { kind: 'failed', reason: String(error) }
  }
}

process.on('message', (order: LoadOrder) => {
  void answer(order).then((result) => process.send?.(result))
})
// The runner may die without a word; a generator must not outlive it.
process.on('disconnect', () => process.exit(0))
