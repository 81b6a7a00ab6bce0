import { unreachable } from './assert.ts'
import { METRIC_SET_KEYS_MAX, RESERVOIR_SAMPLES_MAX } from './limits.ts'
import { percentile, Reservoir } from './reservoir.ts'

/**
 * Gets each value of a metric: its key without any prefix, and its text as ZooKeeper prints it,
 * which is always a valid JSON number too.
 */
export type MetricSink = (key: string, text: string) => void

/** What a registry keeps. */
export interface Metric {
  dump(sink: MetricSink): void
  reset(): void
}

export class Counter implements Metric {
  readonly #name: string
  #value = 0

  constructor(name: string) {
    this.#name = name
  }

  get value(): number {
    return this.#value
  }

  add(delta: number): void {
    this.#value += delta
  }

  dump(sink: MetricSink): void {
    sink(this.#name, String(this.#value))
  }

  reset(): void {
    this.#value = 0
  }
}

/** Average, minimum, maximum, count and sum of whole numbers: enough to be always on. */
export class Summary implements Metric {
  readonly #name: string
  #min = 0
  #max = 0
  #count = 0
  #sum = 0

  constructor(name: string) {
    this.#name = name
  }

  /** 0 before the first value, as are `max` and the average. */
  get min(): number {
    return this.#min
  }

  get max(): number {
    return this.#max
  }

  get count(): number {
    return this.#count
  }

  get sum(): number {
    return this.#sum
  }

  /** The text of the average: at most four decimals, as Java prints a double. */
  get averageText(): string {
    return averageText(this.#sum, this.#count)
  }

  add(value: number): void {
    if (this.#count === 0) {
      this.#min = value
      this.#max = value
    } else if (value < this.#min) {
      this.#min = value
    } else if (value > this.#max) {
      this.#max = value
    }
    this.#count += 1
    this.#sum += value
  }

  dump(sink: MetricSink): void {
    sink(`avg_${this.#name}`, this.averageText)
    sink(`min_${this.#name}`, String(this.#min))
    sink(`max_${this.#name}`, String(this.#max))
    sink(`cnt_${this.#name}`, String(this.#count))
    sink(`sum_${this.#name}`, String(this.#sum))
  }

  reset(): void {
    this.#min = 0
    this.#max = 0
    this.#count = 0
    this.#sum = 0
  }
}

/** A Summary with percentiles over a uniform sample of everything since the last reset. */
export class AdvancedSummary implements Metric {
  readonly #name: string
  readonly #summary: Summary
  readonly #reservoir: Reservoir = new Reservoir(RESERVOIR_SAMPLES_MAX)

  constructor(name: string) {
    this.#name = name
    this.#summary = new Summary(name)
  }

  add(value: number): void {
    this.#summary.add(value)
    this.#reservoir.add(value)
  }

  dump(sink: MetricSink): void {
    this.#summary.dump(sink)
    const sorted = this.#reservoir.sorted()
    sink(`p50_${this.#name}`, String(percentile(sorted, 0.5)))
    sink(`p95_${this.#name}`, String(percentile(sorted, 0.95)))
    sink(`p99_${this.#name}`, String(percentile(sorted, 0.99)))
    sink(`p999_${this.#name}`, String(percentile(sorted, 0.999)))
  }

  reset(): void {
    this.#summary.reset()
    this.#reservoir.reset()
  }
}

/** One counter or summary for each key, named `<key>_<name>`. */
export class MetricSet<M extends Metric & { add(value: number): void }> implements Metric {
  readonly #name: string
  readonly #create: (name: string) => M
  readonly #byKey: Map<string, M> = new Map()

  constructor(name: string, create: (name: string) => M) {
    this.#name = name
    this.#create = create
  }

  add(key: string, value: number): void {
    this.of(key)?.add(value)
  }

  /** The metric of that key for good; undefined for a new one once there are METRIC_SET_KEYS_MAX. */
  of(key: string): M | undefined {
    const metric = this.#byKey.get(key)
    if (metric !== undefined || this.#byKey.size >= METRIC_SET_KEYS_MAX) return metric
    const created = this.#create(`${key}_${this.#name}`)
    this.#byKey.set(key, created)
    return created
  }

  dump(sink: MetricSink): void {
    for (const metric of this.#byKey.values()) metric.dump(sink)
  }

  /** Sets the values to nothing and keeps the keys, as the original does. */
  reset(): void {
    for (const metric of this.#byKey.values()) metric.reset()
  }
}

/** What is written where a metric of that kind counts. A set has one for each of some keys. */
interface HandleOf {
  readonly counter: Counter
  readonly counterSet: MetricSet<Counter>
  readonly summary: Summary
  readonly summarySet: MetricSet<Summary>
  readonly advanced: AdvancedSummary
  readonly advancedSet: MetricSet<AdvancedSummary>
}

type MetricKind = keyof HandleOf

/** What a value counts; the help says what a plain number is of. */
type MetricUnit = 'count' | 'ms' | 'bytes'

/** A line of a table; the name is the one that the original has for it. No unit: 'count'. */
type MetricLine = readonly [kind: MetricKind, name: string, help: string, unit?: MetricUnit]

/** By the name of the handle. */
type MetricLines = Readonly<Record<string, MetricLine>>

export type Handles<T extends MetricLines> = {
  readonly [Name in keyof T]: HandleOf[T[Name][0]]
}

/** A metric, as those that show it see it. */
interface NamedMetric {
  readonly kind: MetricKind
  readonly name: string
  readonly unit: MetricUnit
  readonly help: string
  readonly group: string
  readonly metric: Metric
}

/** The order in which ZooKeeper lists them. */
const KINDS: readonly MetricKind[] = [
  'counter',
  'counterSet',
  'summary',
  'advanced',
  'summarySet',
  'advancedSet',
]

/** The metrics of a table, in groups. Every text that shows them is a view of this. */
export class MetricRegistry<T extends MetricLines> implements Metric {
  readonly handles: Handles<T>
  /** Kind by kind, as ZooKeeper lists them. */
  readonly all: readonly NamedMetric[]

  constructor(table: Readonly<Record<string, MetricLines>>) {
    const handles: Record<string, Metric> = {}
    const all: NamedMetric[] = []
    for (const [group, lines] of Object.entries(table))
      for (const [handle, [kind, name, help, unit = 'count']] of Object.entries(lines)) {
        const metric = createMetric(kind, name)
        handles[handle] = metric
        all.push({ kind, name, unit, help, group, metric })
      }
    this.all = KINDS.flatMap((kind) => all.filter((each) => each.kind === kind))
    // Each is of the kind that its line names, which is what the type says.
    this.handles = handles as Handles<T>
  }

  dump(sink: MetricSink): void {
    for (const { metric } of this.all) metric.dump(sink)
  }

  reset(): void {
    for (const { metric } of this.all) metric.reset()
  }
}

function createMetric(kind: MetricKind, name: string): Metric {
  switch (kind) {
    case 'counter':
      return new Counter(name)
    case 'counterSet':
      return new MetricSet(name, (each) => new Counter(each))
    case 'summary':
      return new Summary(name)
    case 'summarySet':
      return new MetricSet(name, (each) => new Summary(each))
    case 'advanced':
      return new AdvancedSummary(name)
    case 'advancedSet':
      return new MetricSet(name, (each) => new AdvancedSummary(each))
    default:
      return unreachable(kind)
  }
}

/** '0.0' when there is nothing to average. */
export function averageText(sum: number, count: number): string {
  if (count === 0) return '0.0'
  return doubleText(Number((sum / count).toFixed(4)))
}

/** As Java prints a double: always a decimal, and an exponent below 0.001 and from 10^7 on. */
export function doubleText(value: number): string {
  const size = Math.abs(value)
  if (size === 0 || (size >= 1e-3 && size < 1e7)) {
    return Number.isInteger(value) ? `${value}.0` : String(value)
  }
  const [digits = '', exponent = ''] = value.toExponential().split('e')
  return `${digits.includes('.') ? digits : `${digits}.0`}E${exponent.replace('+', '')}`
}
