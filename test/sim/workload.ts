import type { Chance } from './chance.ts'
import type { AclName, Call, Part } from './history.ts'
import {
  limitsText,
  noQuotaParts,
  quotaBase,
  quotaLimits,
  quotaParts,
  quotaStats,
} from './model-quota.ts'

export interface WorkloadShape {
  readonly paths: number
  readonly client: number
  readonly fatBytes: number
  readonly hasQuotas?: boolean
}

/** Nodes with sequential names that a client leaves lying about. */
const SEQUENTIAL_MAX = 10

type Make = (load: Workload) => Call

/** How often what is asked for. */
const mix: readonly (readonly [weight: number, make: Make])[] = [
  [20, (load) => load.create()],
  [20, (load) => load.setData()],
  [8, (load) => load.remove()],
  [10, (load) => load.multi()],
  [14, (load) => load.read('getData')],
  [6, (load) => load.read('exists')],
  [8, (load) => load.read('getChildren')],
  [3, (load) => load.setAcl()],
  [2, (load) => ({ op: 'getACL', path: load.path() })],
  [2, (load) => load.multiRead()],
  [2, (load) => ({ op: 'getEphemerals', prefix: load.prefix() })],
  [1.5, (load) => load.watch('addWatch')],
  [0.7, (load) => load.watch('removeWatches')],
  [1, (load) => load.removeWatch()],
  [1.5, (load) => load.createReaped()],
  [5, (load) => ({ op: 'sync', path: load.path() })],
  [0.5, () => ({ op: 'closeSession' })],
]
const quotaMix: readonly (readonly [weight: number, make: Make])[] = [
  [4, (load) => load.quota()],
  [6, (load) => ({ op: 'getData', path: load.quotaStats(), watch: false })],
]
const totalOf = (calls: typeof mix): number => calls.reduce((sum, [weight]) => sum + weight, 0)

/** What one client asks for: few paths, so that clients meet, and values that nobody else writes. */
export class Workload {
  readonly #chance: Chance
  readonly #shape: WorkloadShape
  /** The versions seen last, for compare-and-set. */
  readonly versions: Map<string, number> = new Map()
  /** Names that sequential creates were given. */
  readonly #sequential: string[] = []
  #value = 0

  constructor(chance: Chance, shape: WorkloadShape) {
    this.#chance = chance
    this.#shape = shape
  }

  next(): Call {
    // Small trees show as much as large ones do, and faster.
    const max = this.#shape.fatBytes === 0 ? SEQUENTIAL_MAX : 2 * SEQUENTIAL_MAX
    const oldest = this.#sequential.length > max ? this.#sequential.shift() : undefined
    if (oldest !== undefined) return { op: 'delete', path: oldest, version: -1 }
    const calls = this.#shape.hasQuotas === true ? [...mix, ...quotaMix] : mix
    let at = (this.#chance.below(1000) / 1000) * totalOf(calls)
    for (const [weight, make] of calls) {
      at -= weight
      if (at < 0) return make(this)
    }
    return this.read('getData')
  }

  /** A write that cannot be refused for what the tree holds. */
  probe(): Call {
    return { op: 'setData', path: '/', data: this.#nextValue(), version: -1 }
  }

  onCreated(path: string): void {
    this.#sequential.push(path)
  }

  #top(): string {
    return `/n${this.#chance.below(this.#shape.paths)}`
  }

  path(): string {
    const top = this.#top()
    if (this.#chance.chance(0.6)) return top
    return `${top}/n${this.#chance.below(this.#shape.paths)}`
  }

  /** All that it may have asked for, but for sequential names. */
  allPaths(): readonly string[] {
    const names = Array.from({ length: this.#shape.paths }, (_, index) => `n${index}`)
    const tops = names.map((name) => `/${name}`)
    const all = ['/', ...tops, ...tops.flatMap((top) => names.map((name) => `${top}/${name}`))]
    if (this.#shape.hasQuotas !== true) return all
    return [
      ...all,
      ...tops.flatMap((top) => [quotaBase, quotaLimits, quotaStats].map((of) => of(top))),
    ]
  }

  #nextValue(): string {
    this.#value += 1
    return `c${this.#shape.client}-${this.#value}${this.#padding()}`
  }

  #padding(): string {
    const { fatBytes } = this.#shape
    return fatBytes === 0 ? '' : '.'.repeat(this.#chance.below(3 * fatBytes))
  }

  create(): Extract<Part, { op: 'create' }> {
    const flags = this.#chance.pick([0, 0, 0, 1, 2, 3])
    const isSequential = (flags & 2) !== 0
    const path = isSequential ? this.#sequentialPath() : this.path()
    return { op: 'create', path, data: this.#nextValue(), flags, acl: this.#acl() }
  }

  /** Mostly open: few can change what is guarded. */
  #acl(): AclName {
    return this.#chance.chance(0.06) ? 'guarded' : 'open'
  }

  /** A container, or a node that lives for a while only. */
  createReaped(): Call {
    const flags = this.#chance.pick([4, 5])
    return { op: 'create', path: this.path(), data: this.#nextValue(), flags, acl: 'open' }
  }

  setAcl(): Call {
    const acl = this.#chance.chance(0.3) ? 'guarded' : 'open'
    const version = this.#chance.chance(0.7) ? -1 : this.#chance.below(2)
    return { op: 'setACL', path: this.path(), acl, version }
  }

  /** Lists of names only where they cannot be long. */
  multiRead(): Call {
    const reads = Array.from({ length: 1 + this.#chance.below(3) }, () => {
      const path = this.path()
      const isLong = this.#shape.fatBytes > 0 && path === '/n0'
      const op = isLong ? 'getData' : this.#chance.pick(['getData', 'getChildren'] as const)
      return { op, path }
    })
    return { op: 'multiRead', reads }
  }

  prefix(): string {
    return this.#chance.chance(0.3) ? '/' : this.path()
  }

  watch(op: 'addWatch' | 'removeWatches'): Call {
    return { op, path: this.path(), recursive: this.#chance.chance(0.5) }
  }

  quotaStats(): string {
    return quotaStats(this.#top())
  }

  /** Set, changed or taken away. */
  quota(): Call {
    const top = this.#top()
    const max = 4 * Math.max(1, this.#shape.fatBytes)
    const bytes = this.#chance.chance(0.5) ? -1 : this.#chance.between(5, 40) * max
    const limits = limitsText(this.#chance.pick([-1, 2, 5, 12]), bytes)
    switch (this.#chance.below(4)) {
      case 0:
        return { op: 'multi', parts: noQuotaParts(top) }
      case 1:
        return { op: 'setData', path: quotaLimits(top), data: limits, version: -1 }
      default:
        return { op: 'multi', parts: quotaParts(top, this.#nextValue(), limits) }
    }
  }

  removeWatch(): Call {
    return { op: 'removeWatch', path: this.path(), kind: this.#chance.pick(['data', 'child']) }
  }

  /** In fat runs all names are in one place: to list them makes a reply above all bounds. */
  #sequentialPath(): string {
    const { fatBytes } = this.#shape
    return fatBytes === 0 ? `${this.path()}/s-` : `/n0/${'x'.repeat(fatBytes)}-`
  }

  #version(path: string): number {
    if (this.#chance.chance(0.4)) return -1
    return this.versions.get(path) ?? this.#chance.below(3)
  }

  setData(): Extract<Part, { op: 'setData' }> {
    const path = this.path()
    return { op: 'setData', path, data: this.#nextValue(), version: this.#version(path) }
  }

  remove(): Extract<Part, { op: 'delete' }> {
    const created = this.#sequential.length > 0 && this.#chance.chance(0.5)
    const path = created ? this.#chance.pick(this.#sequential) : this.path()
    return { op: 'delete', path, version: created ? -1 : this.#version(path) }
  }

  #part(path: string): Part {
    switch (this.#chance.below(4)) {
      case 0:
        return this.create()
      case 1:
        return this.setData()
      case 2:
        return this.remove()
      default:
        return { op: 'check', path, version: this.#version(path) }
    }
  }

  multi(): Call {
    const parts: Part[] = []
    const count = this.#chance.below(4)
    for (let i = 0; i <= count; i += 1) {
      const path = this.path()
      parts.push(this.#part(path))
    }
    return { op: 'multi', parts }
  }

  read(op: 'getData' | 'exists' | 'getChildren'): Call {
    return { op, path: this.path(), watch: this.#chance.chance(0.3) }
  }
}
