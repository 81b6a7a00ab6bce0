import { Prng } from '../../src/base/prng.ts'

/** Names of the streams: one more draw in one of them must not change all that the others do. */
export type Stream =
  | 'swarm'
  | 'network'
  | 'nemesis'
  | 'disk'
  | 'clock'
  | 'client'
  | 'crypto'
  | 'original'

/** Draws of one stream of a seed. */
export class Chance {
  readonly prng: Prng

  constructor(seed: number, stream: Stream, index = 0) {
    let hash = Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b)
    for (const char of stream) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193)
    hash ^= hash >>> 15
    this.prng = new Prng(Math.imul(hash, 0x2c1b3c6d))
    // Seeds that lie side by side give first draws that do, too.
    for (let i = 0; i < 8; i += 1) this.prng.below(2)
  }

  /** An integer in [0, bound). */
  below(bound: number): number {
    return this.prng.below(bound)
  }

  /** An integer in [min, max]. */
  between(min: number, max: number): number {
    return min + this.prng.below(max - min + 1)
  }

  /** True so often, of 1. */
  chance(share: number): boolean {
    return this.prng.below(1_000_000) < share * 1_000_000
  }

  /** Not negative, of that mean: few long ones among many short ones. */
  exponential(mean: number): number {
    return -Math.log((this.prng.below(1_000_000) + 1) / 1_000_000) * mean
  }

  pick<T>(from: readonly T[]): T {
    const one = from[this.prng.below(from.length)]
    if (one === undefined) throw new Error('picked from nothing')
    return one
  }

  /** In another order. */
  shuffled<T>(from: readonly T[]): T[] {
    const all = [...from]
    for (let i = all.length - 1; i > 0; i -= 1) {
      const j = this.prng.below(i + 1)
      const [a, b] = [all[i], all[j]]
      if (a === undefined || b === undefined) continue
      all[i] = b
      all[j] = a
    }
    return all
  }
}
