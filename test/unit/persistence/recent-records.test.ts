import { expect, it } from 'vitest'
import { RecentRecords } from '../../../src/persistence/recent-records.ts'

it('tells a rival from a repeated record, as far back as it remembers', () => {
  const records = new RecentRecords(4)
  records.add(2 ** 32 + 1, 11)
  records.add(2 ** 32 + 2, 22)
  expect([11, 12].map((checksum) => records.isSame(2 ** 32 + 1, checksum))).toEqual([true, false])
  // Never seen: nothing speaks against it, also in another epoch, or at the same place.
  expect(records.isSame(1, 12)).toBe(true)
  expect(records.isSame(2 ** 32 + 5, 12)).toBe(true)
  records.add(2 ** 32 + 5, 55)
  expect(records.isSame(2 ** 32 + 1, 12)).toBe(true)
  expect(records.isSame(2 ** 32 + 5, 12)).toBe(false)
})
