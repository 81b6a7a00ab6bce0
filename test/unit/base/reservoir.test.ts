import { describe, expect, it } from 'vitest'
import { percentile, Reservoir } from '../../../src/base/reservoir.ts'

describe('a reservoir', () => {
  it('has all values as long as they fit, in order', () => {
    const reservoir = new Reservoir(4)
    for (const value of [3, 1, 2]) reservoir.add(value)
    expect([...reservoir.sorted()]).toEqual([1, 2, 3])
    reservoir.reset()
    expect([...reservoir.sorted()]).toEqual([])
    reservoir.add(9)
    expect([...reservoir.sorted()]).toEqual([9])
  })

  it('has a sample of early and late values alike once there are more', () => {
    const [values, samples] = [100_000, 1000]
    const reservoir = new Reservoir(samples)
    for (let value = 0; value < values; value += 1) reservoir.add(value)
    const sorted = [...reservoir.sorted()]
    expect(sorted.length).toBe(samples)
    expect(new Set(sorted).size).toBe(samples)
    for (let tenth = 0; tenth < 10; tenth += 1) {
      const isIn = (value: number): boolean => Math.floor((value * 10) / values) === tenth
      // A tenth of the samples, give or take four times the deviation.
      expect(Math.abs(sorted.filter(isIn).length - 100)).toBeLessThan(40)
    }
  })
})

describe('a percentile', () => {
  const of = (values: readonly number[], quantile: number): number =>
    percentile(Float64Array.from(values), quantile)

  it('lies between two samples, rounded, and never beyond them', () => {
    expect([0.25, 0.5, 0.75].map((quantile) => of([10, 20, 30], quantile))).toEqual([10, 20, 30])
    expect(of([10, 20, 30, 41], 0.5)).toBe(25)
    expect([0, 0.001, 0.999, 1].map((quantile) => of([10, 20], quantile))).toEqual([10, 10, 20, 20])
    expect(of([], 0.5)).toBe(0)
  })
})
