import { expect, test } from 'vitest'
import { hexOfLong, TextWriter } from '../../../src/admin/text-writer.ts'

test('is cut at its limit, and says so', () => {
  const out = new TextWriter(10)
  out.line('1234')
  out.line('678')
  expect(out.text).toBe('1234\n678\n')
  out.line('longer than one')
  out.add('9')
  expect(out.text).toBe('1234\n678\n\n(cut at 10 characters)\n')
})

test('longs in hexadecimal', () => {
  expect(hexOfLong(0)).toBe('0')
  expect(hexOfLong(2 ** 32 + 4)).toBe('100000004')
  expect(hexOfLong(-1)).toBe('ffffffffffffffff')
  expect(hexOfLong(-0x6fffffffffffffffn)).toBe('9000000000000001')
})
