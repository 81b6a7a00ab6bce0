import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { METRIC_SET_KEYS_MAX, RESERVOIR_SAMPLES_MAX } from '../../../src/base/limits.ts'
import {
  AdvancedSummary,
  averageText,
  doubleText,
  type Metric,
  MetricRegistry,
  MetricSet,
  Summary,
} from '../../../src/base/metrics.ts'
import { percentile, Reservoir } from '../../../src/base/reservoir.ts'

function mapOf(metric: Metric): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  metric.dump((key, text) => values.set(key, text))
  return values
}

function valuesOf(metric: Metric): Record<string, string> {
  return Object.fromEntries(mapOf(metric))
}

const NONE = { avg_x: '0.0', min_x: '0', max_x: '0', cnt_x: '0', sum_x: '0' }

describe('Summary', () => {
  test('is all zero before the first value and after a reset', () => {
    const summary = new Summary('x')
    expect(valuesOf(summary)).toEqual(NONE)
    summary.add(7)
    summary.reset()
    expect(valuesOf(summary)).toEqual(NONE)
  })

  test('agrees with the array of its values', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5, max: 100_000 }), { minLength: 1 }), (values) => {
        const summary = new Summary('x')
        for (const value of values) summary.add(value)
        const sum = values.reduce((total, value) => total + value, 0)
        expect([summary.min, summary.max, summary.count, summary.sum]).toEqual([
          Math.min(...values),
          Math.max(...values),
          values.length,
          sum,
        ])
      }),
    )
  })
})

describe('AdvancedSummary', () => {
  test('has percentiles of 1 to 100', () => {
    const summary = new AdvancedSummary('x')
    for (let value = 100; value >= 1; value -= 1) summary.add(value)
    expect(valuesOf(summary)).toEqual({
      ...{ avg_x: '50.5', min_x: '1', max_x: '100', cnt_x: '100', sum_x: '5050' },
      ...{ p50_x: '51', p95_x: '96', p99_x: '100', p999_x: '100' },
    })
  })

  test('is all zero before the first value and after a reset', () => {
    const summary = new AdvancedSummary('x')
    const none = { ...NONE, p50_x: '0', p95_x: '0', p99_x: '0', p999_x: '0' }
    expect(valuesOf(summary)).toEqual(none)
    for (let i = 0; i < RESERVOIR_SAMPLES_MAX * 3; i += 1) summary.add(1000)
    summary.reset()
    expect(valuesOf(summary)).toEqual(none)
    summary.add(3)
    expect(valuesOf(summary)).toMatchObject({ p50_x: '3', p999_x: '3' })
  })

  test('still knows the stream when it is far longer than the sample', () => {
    const summary = new AdvancedSummary('x')
    for (let i = 0; i < 1_000_000; i += 1) summary.add(i)
    const values = mapOf(summary)
    // One standard error of a percentile p of n samples is sqrt(p(1-p)/n): 7,800 at the median.
    expect(Math.abs(Number(values.get('p50_x')) - 500_000)).toBeLessThan(32_000)
    expect(Math.abs(Number(values.get('p99_x')) - 990_000)).toBeLessThan(7_000)
    expect(values.get('max_x')).toBe('999999')
  })
})

describe('Reservoir', () => {
  test('holds everything until it is full', () => {
    const reservoir = new Reservoir(4)
    for (const value of [9, 3, 7, 1]) reservoir.add(value)
    expect([...reservoir.sorted()]).toEqual([1, 3, 7, 9])
  })

  test('then samples the early, the middle and the late alike, and again after a reset', () => {
    const reservoir = new Reservoir(3000)
    for (let round = 0; round < 2; round += 1) {
      for (let i = 0; i < 300_000; i += 1) reservoir.add(i)
      const thirds = [0, 0, 0]
      for (const value of reservoir.sorted()) {
        const third = Math.floor(value / 100_000)
        thirds[third] = (thirds[third] ?? 0) + 1
      }
      // 1,000 expected in each, with a standard deviation of 26.
      for (const count of thirds) expect(Math.abs(count - 1000)).toBeLessThan(110)
      reservoir.reset()
      expect(reservoir.sorted().length).toBe(0)
    }
  })
})

describe('percentile', () => {
  test('interpolates between neighbours', () => {
    expect(percentile(Float64Array.of(10, 20), 0.5)).toBe(15)
    expect(percentile(Float64Array.of(10, 20), 0.1)).toBe(10)
    expect(percentile(Float64Array.of(10, 20), 0.99)).toBe(20)
    expect(percentile(new Float64Array(0), 0.5)).toBe(0)
    expect(percentile(Float64Array.of(1, 2, 6, 10), 0.5)).toBe(4)
  })

  test('lies within the samples and grows with the quantile', () => {
    const samples = fc.array(fc.nat(10_000), { minLength: 1 }).map((values) => {
      return Float64Array.from(values).sort()
    })
    fc.assert(
      fc.property(samples, (sorted) => {
        const at = [0.01, 0.5, 0.95, 0.999].map((quantile) => percentile(sorted, quantile))
        expect(at).toEqual([...at].sort((a, b) => a - b))
        expect(at[0]).toBeGreaterThanOrEqual(sorted[0] ?? 0)
        expect(at[3]).toBeLessThanOrEqual(sorted[sorted.length - 1] ?? 0)
      }),
    )
  })
})

const table = {
  Slow: {
    sets: ['summarySet', 'by_name', 'sizes'],
    advancedSets: ['advancedSet', 'slow_by_name', 'times', 'ms'],
    advanced: ['advanced', 'slow', 'a time', 'ms'],
  },
  Other: {
    size: ['summary', 'size', 'a size', 'bytes'],
    counters: ['counterSet', 'count_by_name', 'numbers'],
    counter: ['counter', 'count', 'a number'],
  },
} as const

describe('MetricRegistry', () => {
  test('lists kind by kind and resets all', () => {
    const registry = new MetricRegistry<typeof table.Slow & typeof table.Other>(table)
    const { sets, advancedSets, advanced, size, counters, counter } = registry.handles
    advancedSets.add('a', 3)
    sets.add('b', 4)
    sets.add('a', 5)
    advanced.add(6)
    size.add(7)
    counters.add('a', 8)
    counter.add(9)
    const sums = () =>
      Object.entries(valuesOf(registry)).filter(([key]) => key.includes('sum') || /count/.test(key))
    expect(sums()).toEqual([
      ['count', '9'],
      ['a_count_by_name', '8'],
      ['sum_size', '7'],
      ['sum_slow', '6'],
      ['sum_b_by_name', '4'],
      ['sum_a_by_name', '5'],
      ['sum_a_slow_by_name', '3'],
    ])
    registry.reset()
    expect(sums().every(([, text]) => text === '0')).toBe(true)
    expect(sums().length).toBe(7)
  })

  test('knows of each metric what its line says', () => {
    const { all } = new MetricRegistry(table)
    expect(all.map(({ name }) => name)).toEqual([
      ...['count', 'count_by_name', 'size', 'slow', 'by_name', 'slow_by_name'],
    ])
    expect(all[0]).toMatchObject({ group: 'Other', unit: 'count', help: 'a number' })
    expect(all[2]).toMatchObject({ kind: 'summary', unit: 'bytes' })
  })

  test('a set takes no more keys than its limit', () => {
    const set = new MetricSet('x', (each) => new Summary(each))
    for (let key = 0; key < METRIC_SET_KEYS_MAX + 5; key += 1) set.add(`key${key}`, 1)
    set.add('key0', 1)
    const values = mapOf(set)
    expect(values.size).toBe(METRIC_SET_KEYS_MAX * 5)
    expect(values.get('cnt_key0_x')).toBe('2')
    expect(values.has(`cnt_key${METRIC_SET_KEYS_MAX}_x`)).toBe(false)
  })
})

describe('numbers as Java prints them', () => {
  test.each([
    [0, '0.0'],
    [1, '1.0'],
    [0.9286, '0.9286'],
    [0.001, '0.001'],
    [0.0009, '9.0E-4'],
    [0.00012, '1.2E-4'],
    [9_999_999, '9999999.0'],
    [10_000_000, '1.0E7'],
    [12_345_678.5, '1.23456785E7'],
    [-3.5, '-3.5'],
  ])('%d', (value, text) => {
    expect(doubleText(value)).toBe(text)
  })

  test('averages have four decimals, a half rounded up', () => {
    expect(averageText(0, 0)).toBe('0.0')
    expect(averageText(143, 154)).toBe('0.9286')
    expect(averageText(11, 3)).toBe('3.6667')
    expect(averageText(1, 32)).toBe('0.0313')
    expect(averageText(1, 100_000)).toBe('0.0')
  })
})
