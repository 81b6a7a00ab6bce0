import { assert } from './assert.ts'
import { Prng } from './prng.ts'

/**
 * A uniform sample of a stream (Vitter's problem, solved by Li's algorithm L): once full it draws
 * how many values to pass over instead of a number for each, so that nearly every `add` is one
 * comparison. The generator is its own and fixed: a sample must not disturb the simulator's.
 */
export class Reservoir {
  readonly #samplesMax: number
  readonly #prng: Prng = new Prng(1)
  /** Made at the first value: most summaries of a standalone server never see one. */
  #samples: Float64Array = new Float64Array(0)
  #count = 0
  /** The ordinal of the next value that replaces a sample. */
  #next = 0
  #w = 1

  constructor(samplesMax: number) {
    assert(samplesMax > 0, 'a reservoir must hold a sample')
    this.#samplesMax = samplesMax
  }

  add(value: number): void {
    this.#count += 1
    if (this.#count < this.#next) return
    this.#keep(value)
  }

  /** A copy of the samples, ascending. */
  sorted(): Float64Array {
    return this.#samples.slice(0, Math.min(this.#count, this.#samplesMax)).sort()
  }

  reset(): void {
    this.#count = 0
    this.#next = 0
    this.#w = 1
  }

  #keep(value: number): void {
    if (this.#samples.length === 0) this.#samples = new Float64Array(this.#samplesMax)
    if (this.#count <= this.#samplesMax) {
      this.#samples[this.#count - 1] = value
      if (this.#count === this.#samplesMax) this.#skip()
      return
    }
    this.#samples[this.#prng.below(this.#samplesMax)] = value
    this.#skip()
  }

  #skip(): void {
    this.#w *= Math.exp(Math.log(this.#fraction()) / this.#samplesMax)
    this.#next = this.#count + 1 + Math.floor(Math.log(this.#fraction()) / Math.log(1 - this.#w))
  }

  /** In (0, 1]. */
  #fraction(): number {
    const steps = 2 ** 30
    return (this.#prng.below(steps) + 1) / steps
  }
}

/**
 * The value below which `quantile` (0 to 1) of the ascending samples lie, interpolated between two of
 * them and rounded to a whole number; 0 when there are none.
 */
export function percentile(sorted: Float64Array, quantile: number): number {
  const position = quantile * (sorted.length + 1)
  const index = Math.min(Math.max(Math.floor(position), 1), sorted.length)
  const lower = sorted[index - 1] ?? 0
  const upper = sorted[Math.min(index, sorted.length - 1)] ?? 0
  if (position < 1) return Math.round(lower)
  return Math.round(lower + (position - index) * (upper - lower))
}
