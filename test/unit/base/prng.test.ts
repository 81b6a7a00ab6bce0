import { expect, it } from 'vitest'
import { Prng } from '../../../src/base/prng.ts'

const drawn = (seed: number, bound: number, count: number): number[] => {
  const prng = new Prng(seed)
  return Array.from({ length: count }, () => prng.below(bound))
}

it('gives the same numbers for the same seed, on every machine', () => {
  // By the definition of xorshift32 with the shifts 13, 17 and 5.
  expect(drawn(1, 2 ** 32, 3)).toEqual([270_369, 67_634_689, 2_647_435_461])
})

it('draws from a seed of 0, too, which would stay 0 for ever', () => {
  expect(new Set(drawn(0, 2 ** 32, 100)).size).toBe(100)
})

it('draws every number below the bound about as often', () => {
  const counts = [0, 0, 0, 0, 0]
  for (const number of drawn(7, 5, 10_000)) counts[number] = (counts[number] ?? 0) + 1
  for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(200)
  expect(() => new Prng(1).below(0)).toThrow('must be positive')
})
