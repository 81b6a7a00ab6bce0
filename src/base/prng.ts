import { assert } from './assert.ts'

/**
 * xorshift32: small, fast, and the same on every machine. The only source of random numbers in pure
 * code.
 */
export class Prng {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0 || 0x9e3779b9
  }

  /** An integer in [0, bound). */
  below(bound: number): number {
    assert(bound > 0, 'prng bound must be positive')
    let x = this.#state
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.#state = x >>> 0
    return this.#state % bound
  }
}
