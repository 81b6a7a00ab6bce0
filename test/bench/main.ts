import { mkdirSync, mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { findApache } from './apache.ts'
import { writeDocument } from './document.ts'
import { type Failover, measureFailover, placements } from './failover.ts'
import { describeMachine } from './machine.ts'
import { measure, type Plan } from './measure.ts'
import { failoverTable, toJson, toTables } from './report.ts'
import { isWorkload, parseShape, type Shape, shapes, type Workload, workloads } from './shapes.ts'
import { isTargetName, type TargetName, targetNames } from './targets.ts'

interface Options {
  readonly quick?: true
  readonly ensemble?: true
  readonly rounds?: number
  readonly only?: readonly Workload[]
  readonly shape?: readonly Shape[]
  readonly duration?: number
  readonly warmUp?: number
  readonly starts?: number
  readonly kills?: number
  readonly targets?: readonly TargetName[]
  readonly apache?: string
  readonly before?: string
  readonly dir: string
  readonly cpuProf?: string
  readonly json?: true
  readonly writeDoc?: true
}

function integer(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('a whole number is wanted')
  return Number(text)
}

/** A parser for `a,b,c` whose items must all be known. */
const listOf =
  <T>(parse: (item: string) => T | undefined) =>
  (text: string): readonly T[] =>
    text.split(',').map((item) => {
      const value = parse(item)
      if (value === undefined) throw new InvalidArgumentError(`${item} is not one of them`)
      return value
    })

const program = new Command('bench')
  .description('Measures zk-server beside Apache ZooKeeper and a bare echo server, in one run.')
  .option('--quick', 'one round of short cells: a look, not a result')
  .option('--ensemble', 'three servers of each; sets only, unless told otherwise')
  .option('--rounds <n>', 'rounds, of which the medians are shown (3)', integer)
  .option(
    '--only <workloads>',
    workloads.join(','),
    listOf((item) => (isWorkload(item) ? item : undefined)),
  )
  .option('--shape <shapes>', 'connections x outstanding: 1x100,10x10', listOf(parseShape))
  .option('--duration <ms>', 'counted time of one cell (2000)', integer)
  .option('--warm-up <ms>', 'load per workload after each start, uncounted (8000)', integer)
  .option('--starts <n>', 'starts for the start time; 0 leaves it out (5)', integer)
  .option('--kills <n>', 'with --ensemble: leaders killed per place of the writer (5)', integer)
  .option(
    '--targets <targets>',
    targetNames.join(','),
    listOf((item) => (isTargetName(item) ? item : undefined)),
  )
  .option('--apache <version>', 'debian, 3.9 (the newest, from Maven), or a full version')
  .option('--before <checkout>', 'measure that checkout of zk-server too; it must be built')
  .option('--dir <path>', 'where data directories go: a real disk', tmpdir())
  .option('--cpu-prof <dir>', 'write a CPU profile of zk-server for each round there')
  .option('--json', 'print the result as JSON')
  .option('--write-doc', 'rewrite docs/benchmarks.md with the result')

/** statfs(2) types of file systems in memory, where an fsync costs nothing and shows nothing. */
const memoryFileSystems: ReadonlySet<number> = new Set([0x01021994, 0x858458f6])

const standaloneDefaults = { targets: targetNames, workloads, shapes } as const
/** What an ensemble costs is seen in its writes; a read is answered by the server that is asked. */
const ensembleDefaults: Pick<Plan, 'targets' | 'workloads' | 'shapes'> = {
  targets: ['zk-server', 'apache'],
  workloads: ['set'],
  shapes: [
    { connections: 1, outstanding: 1 },
    { connections: 10, outstanding: 10 },
    { connections: 100, outstanding: 1 },
  ],
}

/** The gaps that clients see when a leader dies, as a table; empty when none is to be killed. */
async function killLeaders(options: Options, targets: readonly TargetName[]): Promise<string> {
  const kills = options.kills ?? (options.quick ? 1 : 5)
  if (kills === 0) return ''
  const plan = Array.from({ length: kills }, () => placements).flat()
  const found = new Map<string, readonly Failover[]>()
  for (const target of targets) {
    if (target === 'echo' || target === 'before') continue
    const apache = options.apache?.startsWith('3.9') ? 'apache-3.9' : 'apache-3.8'
    const kind = target === 'apache' ? apache : target
    const progress = (line: string): void => void process.stderr.write(`  ${line}\n`)
    found.set(target, await measureFailover(kind, plan, 'SIGKILL', progress))
  }
  return failoverTable(found)
}

async function main(): Promise<void> {
  const options = program.parse().opts<Options>()
  if (options.writeDoc && options.ensemble)
    throw new Error('the document is about one server; write it without --ensemble')
  mkdirSync(options.dir, { recursive: true })
  if (memoryFileSystems.has(statfsSync(options.dir).type))
    throw new Error(`${options.dir} is in memory; name a directory on a disk with --dir`)
  if (options.cpuProf !== undefined) mkdirSync(options.cpuProf, { recursive: true })
  const defaults = options.ensemble ? ensembleDefaults : standaloneDefaults
  const named = options.targets ?? defaults.targets.filter((target) => target !== 'before')
  const targets: readonly TargetName[] =
    options.before === undefined || named.includes('before') ? named : ['before', ...named]
  if (targets.includes('before') && options.before === undefined)
    throw new Error('the target before wants --before CHECKOUT')
  const apache = targets.includes('apache') ? findApache(options.apache) : undefined
  const directory = mkdtempSync(join(options.dir, 'zk-bench-'))
  const removeDirectory = (): void => rmSync(directory, { recursive: true, force: true })
  process.once('exit', removeDirectory)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  const plan: Plan = {
    targets,
    workloads: options.only ?? defaults.workloads,
    shapes: options.shape ?? defaults.shapes,
    members: options.ensemble ? 3 : 1,
    rounds: options.rounds ?? (options.quick ? 1 : 3),
    durationMs: options.duration ?? (options.quick ? 700 : 2000),
    warmUpMs: options.warmUp ?? (options.quick ? 2000 : 8000),
    starts: options.ensemble ? 0 : (options.starts ?? (options.quick ? 1 : 5)),
    idleMs: options.quick ? 1000 : 5000,
    directory,
    apache,
    before: options.before === undefined ? undefined : resolve(options.before),
    cpuProfileDirectory: options.cpuProf === undefined ? undefined : resolve(options.cpuProf),
    progress: (line) => process.stderr.write(`${line}\n`),
  }
  const machine = describeMachine(directory, apache)
  const measurements = await measure(plan)
  const failovers = options.ensemble ? await killLeaders(options, targets) : ''
  const text = toTables(machine, plan, measurements) + failovers
  process.stdout.write(options.json ? toJson(machine, plan, measurements) : text)
  if (options.writeDoc) writeDocument(text)
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
})
