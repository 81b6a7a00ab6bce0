import { expect, test } from 'vitest'
import { javaDate, shortDate } from '../../../src/base/utc.ts'

test('as Java prints it', () => {
  expect(javaDate(1_795_301_304_000)).toBe('Sat Nov 21 22:48:24 UTC 2026')
  expect(javaDate(0)).toBe('Thu Jan 01 00:00:00 UTC 1970')
  expect(javaDate(951_827_696_789)).toBe('Tue Feb 29 12:34:56 UTC 2000')
})

test('as Java prints it shortly', () => {
  expect(shortDate(1_795_301_304_000)).toBe('11/21/26, 10:48:24 PM UTC')
  expect(shortDate(0)).toBe('1/1/70, 12:00:00 AM UTC')
  expect(shortDate(12 * 3_600_000 + 61_000)).toBe('1/1/70, 12:01:01 PM UTC')
})
