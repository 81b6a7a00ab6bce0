import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  adjustStats,
  formatStats,
  parseQuotaText,
  pathCountedBy,
  pathLimitedBy,
  QuotaTable,
  wouldExceed,
} from '../../../src/tree/quota.ts'

const none = { count: -1, bytes: -1, countHardLimit: -1, byteHardLimit: -1 }
const parse = (text: string): unknown => parseQuotaText(Buffer.from(text))

describe('the text of limits and stats', () => {
  // golden/wire/zkcli-quota, and a 3.4 client's.
  test.each([
    ['count=3,bytes=-1=;byteHardLimit=-1;countHardLimit=-1', { ...none, count: 3 }],
    [
      'count=-1,bytes=100=;byteHardLimit=-1;countHardLimit=5',
      { ...none, bytes: 100, countHardLimit: 5 },
    ],
    ['count=2,bytes=5', { ...none, count: 2, bytes: 5 }],
    ['', none],
    ['bytes=7', { ...none, bytes: 7 }],
    ['bytes=7;count=+3', { ...none, count: 3, bytes: 7 }],
    ['count==9,bytes=4', { ...none, bytes: 4 }],
    ['count=1,count=2', { ...none, count: 2 }],
    ['count=1;;,bytes=2,', { ...none, count: 1, bytes: 2 }],
    ['count=1,shoeSize=43', { ...none, count: 1 }],
    ['count=9223372036854775807', { ...none, count: 2 ** 63 }],
  ])('%j', (text, expected) => {
    expect(parse(text)).toEqual(expected)
  })

  test.each([
    'count',
    'count=',
    ',count=1',
    'count=x',
    'count=1 ',
    'count=1\n',
    'count=1.5',
    'count=1e3',
    'count=99999999999999999999',
    'garbage',
    '\0\u00ff',
  ])('%j is malformed', (text) => {
    expect(parse(text)).toBe('malformed')
  })

  test('null data says nothing', () => {
    expect(parseQuotaText(null)).toEqual(none)
  })

  test('is written as the original writes stats', () => {
    expect(formatStats(1, 1).toString()).toBe('count=1,bytes=1')
  })

  test('what clients since 3.7 write can be read', () => {
    const text = 'count=3,bytes=100=;byteHardLimit=-1;countHardLimit=5'
    expect(parse(text)).toEqual({ ...none, count: 3, bytes: 100, countHardLimit: 5 })
  })

  test('any bytes give a value or a refusal', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const value = parseQuotaText(Buffer.from(bytes))
        return value === 'malformed' || Number.isInteger(value.count)
      }),
    )
  })

  test('stats move by the deltas; what cannot be read stays', () => {
    // golden/wire/zkcli-quota: create of /wq/a with four bytes.
    expect(adjustStats(Buffer.from('count=1,bytes=1'), 1, 4)?.toString()).toBe('count=2,bytes=5')
    expect(adjustStats(Buffer.from('count=2,bytes=5'), -1, -4)?.toString()).toBe('count=1,bytes=1')
    expect(adjustStats(Buffer.from('hello'), 1, 4)).toBeUndefined()
  })
})

describe('wouldExceed', () => {
  const stats = { ...none, count: 3, bytes: 10 }

  test('the limit itself may be reached, not passed', () => {
    expect(wouldExceed({ ...none, countHardLimit: 4 }, stats, 1, 0)).toBeUndefined()
    expect(wouldExceed({ ...none, countHardLimit: 3 }, stats, 1, 0)).toEqual({
      kind: 'hard',
      what: 'count',
      wanted: 4,
      limit: 3,
    })
    expect(wouldExceed({ ...none, byteHardLimit: 12 }, stats, 1, 2)).toBeUndefined()
    expect(wouldExceed({ ...none, byteHardLimit: 11 }, stats, 1, 2)).toMatchObject({
      kind: 'hard',
      what: 'bytes',
    })
  })

  test('without limits nothing is too much; a limit of 0 is a limit', () => {
    expect(wouldExceed(none, stats, 1, 1e9)).toBeUndefined()
    expect(wouldExceed({ ...none, countHardLimit: 0 }, stats, 1, 0)?.kind).toBe('hard')
  })

  test('a hard limit hides the soft one of its kind', () => {
    expect(wouldExceed({ ...none, count: 1, countHardLimit: 9 }, stats, 1, 0)).toBeUndefined()
    expect(wouldExceed({ ...none, count: 1 }, stats, 1, 0)).toMatchObject({ kind: 'soft' })
  })

  test('a hard excess goes before a soft one', () => {
    expect(wouldExceed({ ...none, count: 1, byteHardLimit: 10 }, stats, 1, 1)).toMatchObject({
      kind: 'hard',
      what: 'bytes',
    })
    expect(wouldExceed({ ...none, bytes: 10, countHardLimit: 3 }, stats, 1, 1)).toMatchObject({
      kind: 'hard',
      what: 'count',
    })
  })

  test('no change is no excess, but shrinking above the limit is', () => {
    expect(wouldExceed({ ...none, countHardLimit: 1 }, stats, 0, 0)).toBeUndefined()
    expect(wouldExceed({ ...none, byteHardLimit: 5 }, stats, 0, 0)).toBeUndefined()
    expect(wouldExceed({ ...none, byteHardLimit: 5 }, stats, 0, -1)?.kind).toBe('hard')
  })
})

describe('where quotas are', () => {
  test('limits and stats nodes by their paths', () => {
    expect(pathLimitedBy('/zookeeper/quota/a/b/zookeeper_limits')).toBe('/a/b')
    expect(pathCountedBy('/zookeeper/quota/a/zookeeper_stats')).toBe('/a')
    for (const path of [
      '/a/zookeeper_limits',
      '/zookeeper/quota',
      '/zookeeper/quota/zookeeper_limits',
      '/zookeeper/quota/a',
      '/zookeeper/quota/a/zookeeper_stats',
      '/zookeeper/quotas/a/zookeeper_limits',
    ])
      expect(pathLimitedBy(path)).toBeUndefined()
  })

  test('the nearest one counts, itself included, the root never', () => {
    const table = new QuotaTable()
    expect(table.nearest('/a/b/c')).toBeUndefined()
    table.add('/a')
    table.add('/a/b')
    expect(table.nearest('/a/b/c')?.path).toBe('/a/b')
    expect(table.nearest('/a/b')).toEqual({
      path: '/a/b',
      limitsPath: '/zookeeper/quota/a/b/zookeeper_limits',
      statsPath: '/zookeeper/quota/a/b/zookeeper_stats',
    })
    expect(table.nearest('/a/bc')?.path).toBe('/a')
    expect(table.nearest('/ab')).toBeUndefined()
    expect(table.nearest('/')).toBeUndefined()
    table.delete('/a/b')
    expect(table.nearest('/a/b/c')?.path).toBe('/a')
    expect([...table.roots()].map((root) => root.path)).toEqual(['/a'])
    table.clear()
    expect([table.size, table.nearest('/a')]).toEqual([0, undefined])
  })
})
