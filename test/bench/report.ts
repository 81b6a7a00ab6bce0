import { type Failover, placements } from './failover.ts'
import type { Machine } from './machine.ts'
import type { Cell, CellRound, Footprint, Measurements, Plan } from './measure.ts'
import { median } from './median.ts'
import { type Shape, shapeName, type Workload } from './shapes.ts'
import type { TargetName } from './targets.ts'

const titles: Readonly<Record<TargetName, string>> = {
  'zk-server': 'zk-server',
  before: 'zk-server before',
  apache: 'Apache ZooKeeper',
  echo: 'bare echo',
}
/** What zk-server is divided by, where it was measured too. */
const ratioTitles = { apache: 'Apache', before: 'before' } as const
const isCompared = (target: TargetName): target is keyof typeof ratioTitles => target in ratioTitles
const missing = '–'

/** 21,345: three digits that matter are enough for a median of a few rounds. */
function count(value: number): string {
  if (!Number.isFinite(value)) return missing
  const scale = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, value))) - 2)
  return (Math.round(value / scale) * scale).toLocaleString('en-US')
}
const mebibytes = (bytes: number): string =>
  Number.isFinite(bytes) ? (bytes / 2 ** 20).toFixed(0) : missing
const tenths = (value: number): string => (Number.isFinite(value) ? value.toFixed(1) : missing)
const whole = (value: number): string => (Number.isFinite(value) ? value.toFixed(0) : missing)

/** The tables as Markdown, which reads well enough on a terminal too. */
export function toTables(machine: Machine, plan: Plan, measurements: Measurements): string {
  const parts = [describe(machine, plan, measurements)]
  for (const workload of plan.workloads) parts.push(throughputTable(plan, measurements, workload))
  parts.push(costTable(plan, measurements))
  if (plan.shapes.some(isSingle)) parts.push(latencyTable(plan, measurements))
  if (plan.starts > 0 && measurements.footprints.length > 0)
    parts.push(footprintTable(plan, measurements.footprints))
  return `${parts.join('\n\n')}\n`
}

const isSingle = (shape: Shape): boolean => shapeName(shape) === '1x1'

function describe(machine: Machine, plan: Plan, { cells }: Measurements): string {
  const others = cells.flatMap((cell) => cell.rounds.map((round) => round.othersCores))
  const versions = [
    `zk-server ${machine.version} on Node ${machine.node}`,
    ...(machine.apache === undefined
      ? []
      : [`Apache ZooKeeper ${machine.apache} on ${machine.java ?? 'unknown Java'}`]),
  ]
  return [
    `${machine.date}: ${versions.join('; ')}.`,
    `${machine.cores} cores of ${machine.processor}, ${(machine.memoryBytes / 2 ** 30).toFixed(0)} GiB,`,
    `Linux ${machine.kernel}; fdatasync after 4 KiB takes ${machine.fdatasyncUs.toFixed(0)} us;`,
    `while it was measured, other processes kept ${median(others).toFixed(2)} cores busy in the`,
    `median cell and ${Math.max(...others).toFixed(2)} in the worst.`,
    ...(plan.members > 1
      ? [`${plan.members} servers of each on this machine, connections to all of them in turn.`]
      : []),
    `Medians of ${plan.rounds} rounds of ${plan.durationMs} ms a cell,`,
    `after ${plan.warmUpMs} ms of uncounted load per workload.`,
  ].join('\n')
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (fields: readonly string[]): string => `| ${fields.join(' | ')} |`
  return [
    line(head),
    line(head.map((_, index) => (index === 0 ? '---' : '--:'))),
    ...rows.map(line),
  ].join('\n')
}

function find(
  { cells }: Measurements,
  target: TargetName,
  workload: Workload,
  shape: Shape,
): Cell | undefined {
  return cells.find(
    (cell) =>
      cell.target === target &&
      cell.workload === workload &&
      shapeName(cell.shape) === shapeName(shape),
  )
}

/** What else may go on, in cores, before a round counts as disturbed. */
const othersCoresMax = 0.1

/** The rounds of a cell, without the disturbed ones where there is one that was not. */
function calmRounds(cell: Cell | undefined): readonly CellRound[] {
  const rounds = cell?.rounds ?? []
  const calm = rounds.filter((round) => round.othersCores <= othersCoresMax)
  return calm.length > 0 ? calm : rounds
}

const valuesOf = (cell: Cell | undefined, field: keyof CellRound): number[] =>
  calmRounds(cell).map((round) => round[field])

const medianOf = (cell: Cell | undefined, field: keyof CellRound): number =>
  median(valuesOf(cell, field))

/** `3.1 (2.9–3.3)`: of the medians; of our worst round to its best, and of our best to its worst. */
function ratio(ours: Cell | undefined, original: Cell | undefined): string {
  const mine = valuesOf(ours, 'opsPerSecond')
  const its = valuesOf(original, 'opsPerSecond')
  if (mine.length === 0 || its.length === 0) return missing
  const low = Math.min(...mine) / Math.max(...its)
  const high = Math.max(...mine) / Math.min(...its)
  return `${(median(mine) / median(its)).toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`
}

function throughputTable(plan: Plan, measurements: Measurements, workload: Workload): string {
  const rows = plan.shapes.map((shape) => {
    const of = (target: TargetName): Cell | undefined => find(measurements, target, workload, shape)
    return [
      shapeName(shape).replace('x', '×'),
      ...plan.targets.map((target) => count(medianOf(of(target), 'opsPerSecond'))),
      ...plan.targets.filter(isCompared).map((target) => ratio(of('zk-server'), of(target))),
    ]
  })
  const head = [
    `${workload}, per second`,
    ...plan.targets.map((target) => titles[target]),
    ...plan.targets.filter(isCompared).map((target) => `zk-server ÷ ${ratioTitles[target]}`),
  ]
  return table(head, rows)
}

/** Steadier than throughput where other work shares the processors. */
function costTable(plan: Plan, measurements: Measurements): string {
  const rows = plan.workloads.flatMap((workload) =>
    plan.shapes.map((shape) => [
      `${workload} ${shapeName(shape).replace('x', '×')}`,
      ...plan.targets.map((target) =>
        tenths(medianOf(find(measurements, target, workload, shape), 'serverCpuUs')),
      ),
    ]),
  )
  const head = ['server CPU per request, us', ...plan.targets.map((target) => titles[target])]
  return table(head, rows)
}

function latencyTable(plan: Plan, measurements: Measurements): string {
  const single = plan.shapes.filter(isSingle)
  const rows = plan.workloads.flatMap((workload) =>
    single.map((shape) => [
      workload,
      ...plan.targets.flatMap((target) => {
        const cell = find(measurements, target, workload, shape)
        return [whole(medianOf(cell, 'p50Us')), whole(medianOf(cell, 'p99Us'))]
      }),
    ]),
  )
  const head = [
    'latency at 1×1, us',
    ...plan.targets.flatMap((target) => [`${titles[target]} p50`, 'p99']),
  ]
  return table(head, rows)
}

function footprintTable(plan: Plan, footprints: readonly Footprint[]): string {
  const row = (
    name: string,
    field: Exclude<keyof Footprint, 'target'>,
    show: (value: number) => string,
  ): string[] => [name, ...footprints.map((footprint) => show(median(footprint[field])))]
  return table(
    ['process', ...footprints.map((footprint) => titles[footprint.target])],
    [
      row('start to first imok, ms', 'startMs', whole),
      row('start to first session, ms', 'servingMs', whole),
      row('resident at first imok, MiB', 'residentAtStart', mebibytes),
      row(`resident after ${plan.idleMs / 1000} s idle, MiB`, 'residentIdle', mebibytes),
      row('resident after the load, MiB', 'residentAfterLoad', mebibytes),
    ],
  )
}

/** By target: the gap that one writer saw at each death of a leader. */
export function failoverTable(found: ReadonlyMap<string, readonly Failover[]>): string {
  const rows = placements.map((placement) => {
    const cells = [...found.values()].map((failovers) => {
      const gaps = failovers.filter((one) => one.placement === placement).map((one) => one.gapMs)
      return `${whole(median(gaps))} (${whole(Math.min(...gaps))}–${whole(Math.max(...gaps))})`
    })
    return [`writer ${placement}`, ...cells]
  })
  return `\n${table(['longest gap after kill -9 of the leader, ms', ...found.keys()], rows)}\n`
}

/** Everything that was measured, every round of it. */
export function toJson(machine: Machine, plan: Plan, measurements: Measurements): string {
  const { targets, rounds, members, durationMs, warmUpMs, starts } = plan
  const cells = measurements.cells.map((cell) => ({ ...cell, shape: shapeName(cell.shape) }))
  const json = {
    machine,
    plan: { targets, rounds, members, durationMs, warmUpMs, starts },
    cells,
    footprints: measurements.footprints,
  }
  return `${JSON.stringify(json, undefined, 2)}\n`
}
