import { expect, test } from 'vitest'
import { hexOfLong } from '../../../src/admin/text-writer.ts'

test('longs in hexadecimal', () => {
  expect(hexOfLong(0)).toBe('0')
  expect(hexOfLong(2 ** 32 + 4)).toBe('100000004')
  expect(hexOfLong(-1)).toBe('ffffffffffffffff')
  expect(hexOfLong(-0x6fffffffffffffffn)).toBe('9000000000000001')
})
