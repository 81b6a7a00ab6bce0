import { setTimeout as delay } from 'node:timers/promises'
import type { Apache } from './apache.ts'
import { LoadProcess } from './load-process.ts'
import { EnsembleProcess, machineCpuMs, type Served, ServerProcess } from './server-process.ts'
import { type LoadResult, type Shape, shapeName, type Workload } from './shapes.ts'
import {
  launchEcho,
  launchEnsemble,
  launchServer,
  type ServerName,
  type TargetName,
} from './targets.ts'

/** What one benchmark is to do; times in milliseconds. */
export interface Plan {
  readonly targets: readonly TargetName[]
  readonly workloads: readonly Workload[]
  readonly shapes: readonly Shape[]
  readonly rounds: number
  /** Servers that work together; 1 is a standalone server. Connections go to all of them in turn. */
  readonly members: number
  /** The counted part of one cell. */
  readonly durationMs: number
  /** Load at 10×10 per workload after each start, so that both compilers have seen their hot code. */
  readonly warmUpMs: number
  /** Starts on an empty data directory; 0 leaves start time and idle memory out. */
  readonly starts: number
  /** Idle time before memory is read. */
  readonly idleMs: number
  /** Data directories go below this; it must be on a real disk. */
  readonly directory: string
  readonly apache: Apache | undefined
  /** A checkout of zk-server that is measured as `before`. */
  readonly before: string | undefined
  readonly cpuProfileDirectory: string | undefined
  readonly progress: (line: string) => void
}

export interface CellRound extends LoadResult {
  /** Processor time of the server for one request, in microseconds: its part in opening sessions too. */
  readonly serverCpuUs: number
  /** Cores that were busy with something else than server and generator. */
  readonly othersCores: number
}

/** One cell of the tables: a result per round. */
export interface Cell {
  readonly target: TargetName
  readonly workload: Workload
  readonly shape: Shape
  readonly rounds: CellRound[]
}

/** Times in milliseconds, memory in bytes; one entry per start or per round. */
export interface Footprint {
  readonly target: ServerName
  readonly startMs: number[]
  readonly servingMs: number[]
  readonly residentAtStart: number[]
  readonly residentIdle: number[]
  readonly residentAfterLoad: number[]
}

export interface Measurements {
  readonly cells: readonly Cell[]
  readonly footprints: readonly Footprint[]
}

/** Runs the whole plan: starts first, then rounds, each target in turn in every round. */
export async function measure(plan: Plan): Promise<Measurements> {
  const cells: Cell[] = []
  const footprints: Footprint[] = []
  const served = plan.targets.filter((target): target is ServerName => target !== 'echo')
  for (const target of served)
    footprints.push({
      target,
      startMs: [],
      servingMs: [],
      residentAtStart: [],
      residentIdle: [],
      residentAfterLoad: [],
    })
  for (let start = 0; start < plan.starts; start += 1)
    for (const footprint of footprints) await measureStart(plan, footprint)
  const load = new LoadProcess()
  try {
    for (let round = 0; round < plan.rounds; round += 1) {
      plan.progress(`round ${round + 1} of ${plan.rounds}`)
      if (plan.targets.includes('echo')) await runEcho(plan, load, cells)
      for (const footprint of footprints) await runServer(plan, load, cells, footprint)
    }
  } finally {
    load.stop()
  }
  return { cells, footprints }
}

async function measureStart(plan: Plan, footprint: Footprint): Promise<void> {
  const { target } = footprint
  const server = await ServerProcess.start(
    await launchServer(target, { ...plan, cpuProfileDirectory: undefined }),
  )
  footprint.startMs.push(server.startMs)
  footprint.servingMs.push(server.servingMs)
  footprint.residentAtStart.push(server.residentBytes())
  // Waiting is dear: idle memory is read once, after the last start.
  if (footprint.startMs.length === plan.starts) {
    await delay(plan.idleMs)
    footprint.residentIdle.push(server.residentBytes())
  }
  plan.progress(`  ${target}: imok after ${server.startMs.toFixed(0)} ms`)
  await server.stop()
}

async function runServer(
  plan: Plan,
  load: LoadProcess,
  cells: Cell[],
  footprint: Footprint,
): Promise<void> {
  const { workloads } = plan
  const { target } = footprint
  const server =
    plan.members > 1
      ? await EnsembleProcess.start(await launchEnsemble(target, plan, plan.members))
      : await ServerProcess.start(await launchServer(target, plan))
  try {
    await load.order({ kind: 'prepare', port: server.ports[0] ?? 0 })
    for (const workload of plan.warmUpMs > 0 ? workloads : [])
      await load.order({
        kind: 'run',
        ports: server.ports,
        bare: false,
        workload,
        shape: { connections: 10, outstanding: 10 },
        rampMs: 0,
        durationMs: plan.warmUpMs,
      })
    for (const workload of workloads) await runCells(plan, load, cells, target, server, workload)
    footprint.residentAfterLoad.push(server.residentBytes())
  } finally {
    await server.stop()
  }
}

async function runEcho(plan: Plan, load: LoadProcess, cells: Cell[]): Promise<void> {
  for (const workload of plan.workloads) {
    const server = await ServerProcess.start(await launchEcho(plan.directory, workload))
    try {
      await runCells(plan, load, cells, 'echo', server, workload)
    } finally {
      await server.stop()
    }
  }
}

async function runCells(
  plan: Plan,
  load: LoadProcess,
  cells: Cell[],
  target: TargetName,
  server: Served,
  workload: Workload,
): Promise<void> {
  for (const shape of plan.shapes) {
    const rampMs = Math.min(300, plan.durationMs)
    const cpuBefore = server.cpuMs()
    const machineBefore = machineCpuMs()
    const wallBefore = performance.now()
    const result = await load.order({
      kind: 'run',
      ports: server.ports,
      bare: server.isBare,
      workload,
      shape,
      rampMs,
      durationMs: plan.durationMs,
    })
    if (result === undefined) throw new Error('the load generator gave no result')
    const serverCpuMs = server.cpuMs() - cpuBefore
    const othersMs = machineCpuMs() - machineBefore - serverCpuMs - result.generatorCpuMs
    const round: CellRound = {
      ...result,
      serverCpuUs: (serverCpuMs * 1000) / result.replies,
      othersCores: Math.max(0, othersMs / (performance.now() - wallBefore)),
    }
    cellOf(cells, target, workload, shape).rounds.push(round)
    plan.progress(
      `  ${target} ${workload} ${shapeName(shape)}: ${result.opsPerSecond.toFixed(0)} ops/s, ` +
        `p50 ${result.p50Us.toFixed(0)} us, p99 ${result.p99Us.toFixed(0)} us, ` +
        `server ${round.serverCpuUs.toFixed(1)} us of CPU each, ` +
        `generator ${result.generatorCpu.toFixed(2)} cores, others ${round.othersCores.toFixed(2)}`,
    )
  }
}

function cellOf(cells: Cell[], target: TargetName, workload: Workload, shape: Shape): Cell {
  const found = cells.find(
    (cell) =>
      cell.target === target &&
      cell.workload === workload &&
      shapeName(cell.shape) === shapeName(shape),
  )
  if (found !== undefined) return found
  const cell: Cell = { target, workload, shape, rounds: [] }
  cells.push(cell)
  return cell
}
