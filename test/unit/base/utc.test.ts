import fc from 'fast-check'
import { expect, test } from 'vitest'
import { javaDate, utcOf } from '../../../src/base/utc.ts'

test('as Java prints it', () => {
  expect(javaDate(1_795_301_304_000)).toBe('Sat Nov 21 22:48:24 UTC 2026')
  expect(javaDate(0)).toBe('Thu Jan 01 00:00:00 UTC 1970')
  expect(javaDate(951_827_696_789)).toBe('Tue Feb 29 12:34:56 UTC 2000')
})

test('agrees with Date', () => {
  fc.assert(
    fc.property(fc.integer({ min: -62_000_000_000_000, max: 8_000_000_000_000 }), (wall) => {
      const date = new Date(wall)
      expect(utcOf(wall)).toEqual({
        year: date.getUTCFullYear(),
        month: date.getUTCMonth() + 1,
        day: date.getUTCDate(),
        weekday: (date.getUTCDay() + 3) % 7,
        hour: date.getUTCHours(),
        minute: date.getUTCMinutes(),
        second: date.getUTCSeconds(),
      })
    }),
    { numRuns: 2000 },
  )
})
