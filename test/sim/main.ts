import { parseArgs } from 'node:util'
import { type Step, steps } from './aims.ts'
import { CoverageSum } from './coverage.ts'
import { Violation } from './history.ts'
import { plants, runPlanted } from './plants.ts'
import { Simulation } from './simulation.ts'
import {
  type AwaitedKind,
  awaitedKinds,
  drawSwarm,
  type FaultKind,
  faultKinds,
  type SwarmWishes,
} from './swarm.ts'
import { runVariant, variants } from './variants.ts'

const usage = `npm run sim -- [--seed N | --seeds N [--from S]] [--members 1|3|5] [--time minutes] [--trace]
  --seed N      one run, with its story
  --seeds N     so many runs, from seed S on (1)
  --time M      as many runs as fit in M minutes
  --members N   instead of what the seed draws
  --faults A,B  these faults and no others
  --with A,B    what members do not stand yet, or all
  --aims A,B    strikes at these steps of the protocol and no others
  --original    in every ensemble one member leads as the original does
  --log-devices in every run all members have their logs on a device of their own
  --variant X   in a copy of the sources with another constant (variants.ts)
  --plant NAME  plants that bug, or all of them one after the other, and looks for it`

const TRACE_LINES = 120
const PROGRESS_RUNS = 250

function flags(): Record<string, string | boolean | undefined> {
  const string = { type: 'string' } as const
  const options = { seed: string, seeds: string, from: string, members: string, time: string }
  const more = {
    variant: string,
    plant: string,
    hunt: string,
    faults: string,
    aims: string,
    with: string,
  }
  const all = {
    ...options,
    ...more,
    trace: { type: 'boolean' },
    original: { type: 'boolean' },
    'log-devices': { type: 'boolean' },
    help: { type: 'boolean' },
  } as const
  return parseArgs({ options: all }).values
}

const numberOf = (value: string | boolean | undefined): number | undefined =>
  typeof value === 'string' ? Number(value) : undefined

function faultsOf(value: string | boolean | undefined): readonly FaultKind[] | undefined {
  if (typeof value !== 'string') return undefined
  const names = value.split(',')
  const unknown = names.filter((name) => !faultKinds.some((kind) => kind === name))
  if (unknown.length > 0) throw new Error(`no such fault: ${unknown}; there are ${faultKinds}`)
  return faultKinds.filter((kind) => names.includes(kind))
}

function awaitedOf(value: string | boolean | undefined): readonly AwaitedKind[] {
  if (typeof value !== 'string') return []
  const names = value.split(',')
  return awaitedKinds.filter((kind) => value === 'all' || names.includes(kind))
}

function aimsOf(value: string | boolean | undefined): readonly Step[] | undefined {
  if (typeof value !== 'string') return undefined
  const names = value.split(',')
  const unknown = names.filter((name) => !steps.some((step) => step === name))
  if (unknown.length > 0) throw new Error(`no such step: ${unknown}; there are ${steps}`)
  return steps.filter((step) => names.includes(step))
}

/** The story of a seed, and how it ends. */
function tell(seed: number, wishes: SwarmWishes, isWhole: boolean): boolean {
  const lines: string[] = []
  const swarm = drawSwarm(seed, wishes)
  try {
    const summary = new Simulation({ swarm, trace: (line) => lines.push(line) }).run()
    if (isWhole) console.log(lines.join('\n'))
    console.log(`seed ${seed} is clean`, summary)
    return true
  } catch (error) {
    console.log((isWhole ? lines : lines.slice(-TRACE_LINES)).join('\n'))
    console.log('')
    console.log(error instanceof Violation ? `VIOLATION ${error.message}` : error)
    return false
  }
}

function main(): number {
  const { seed, seeds, from, members, time, trace, help, plant, hunt, variant, ...limits } = flags()
  const { faults, aims, original, 'log-devices': logDevices, with: extra } = limits
  if (help === true) {
    console.log(usage)
    return 0
  }
  const wishes = {
    members: numberOf(members),
    faults: faultsOf(faults),
    aims: aimsOf(aims),
    awaited: awaitedOf(extra),
    original: original === true,
    logDevices: logDevices === true ? true : undefined,
  }
  if (typeof plant === 'string') return plantAll(plant)
  if (typeof variant === 'string') return varied(variant, numberOf(seeds), numberOf(from))
  if (typeof hunt === 'string') return huntFor(hunt, wishes)
  const one = numberOf(seed)
  if (one !== undefined) return tell(one, wishes, trace === true) ? 0 : 1
  const minutes = numberOf(time)
  const count = numberOf(seeds) ?? (minutes === undefined ? 100 : Infinity)
  const until = minutes === undefined ? Infinity : performance.now() + minutes * 60_000
  return runMany(numberOf(from) ?? 1, count, until, wishes)
}

function plantAll(name: string): number {
  const wanted = plants.filter((plant) => name === 'all' || plant.name === name)
  if (wanted.length === 0) {
    console.log(`no such plant; there are ${plants.map((plant) => plant.name).join(', ')}`)
    return 2
  }
  const missed = wanted.filter((plant) => runPlanted(plant, process.cwd()) !== 0)
  return missed.length === 0 ? 0 : 1
}

function varied(name: string, seeds = 100, from = 1): number {
  const variant = variants.find((one) => one.name === name)
  return variant === undefined ? 2 : runVariant(variant, process.cwd(), seeds, from)
}

/** In the copy that has the bug: which seed finds it, and which checker. */
function huntFor(name: string, wishes: SwarmWishes): number {
  const plant = plants.find((one) => one.name === name)
  if (plant === undefined) return 2
  const { diskFaults = {}, seedsMax, faults, aims, shape } = plant
  for (let seed = 1; seed <= seedsMax; seed += 1) {
    try {
      new Simulation({
        // One device, unless its shape says otherwise: a plant is not about that.
        swarm: drawSwarm(seed, { ...wishes, faults, aims, shape, logDevices: false }),
        diskFaults,
      }).run()
    } catch (error) {
      const by = error instanceof Violation ? error.message : String(error)
      console.log(`${name}: caught by seed ${seed} of at most ${seedsMax}: ${by}`)
      return 0
    }
  }
  console.log(`${name}: NOT CAUGHT by ${seedsMax} seeds`)
  return 1
}

const flagsOf = ({
  members,
  faults,
  aims,
  original,
  logDevices,
  awaited = [],
}: SwarmWishes): string =>
  (original === true ? ' --original' : '') +
  (logDevices === true ? ' --log-devices' : '') +
  (members === undefined ? '' : ` --members ${members}`) +
  (faults === undefined ? '' : ` --faults ${faults}`) +
  (aims === undefined
    ? ''
    : ` --aims ${aims.map((aim) => (typeof aim === 'string' ? aim : aim.step))}`) +
  (awaited.length === 0 ? '' : ` --with ${awaited}`)

function runMany(first: number, count: number, until: number, wishes: SwarmWishes): number {
  const began = performance.now()
  const sums = { simulatedMs: 0, replies: 0, txns: 0, crashes: 0 }
  const coverage = new CoverageSum()
  let runs = 0
  for (let seed = first; runs < count && performance.now() < until; seed += 1) {
    try {
      const summary = new Simulation({ swarm: drawSwarm(seed, wishes) }).run()
      for (const key of ['simulatedMs', 'replies', 'txns', 'crashes'] as const)
        sums[key] += summary[key]
      coverage.add(summary.coverage)
    } catch {
      tell(seed, wishes, false)
      console.log(`\nreplay: npm run sim -- --seed ${seed}${flagsOf(wishes)}`)
      return 1
    }
    runs += 1
    if (runs % PROGRESS_RUNS === 0) console.error(`${runs} seeds are clean so far`)
  }
  const seconds = (performance.now() - began) / 1000
  console.log(coverage.text())
  console.log(`${runs} seeds from ${first} on are clean: ${(runs / seconds).toFixed(1)} a second`)
  console.log(
    `${(sums.simulatedMs / 3_600_000).toFixed(1)} simulated hours, ${sums.replies} replies, ` +
      `${sums.txns} txns, ${sums.crashes} crashes`,
  )
  return 0
}

process.exitCode = main()
