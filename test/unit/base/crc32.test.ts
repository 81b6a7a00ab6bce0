import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { crc32 } from '../../../src/base/crc32.ts'

/** By the definition, a bit at a time. */
function naive(bytes: Uint8Array): number {
  let c = 0xffffffff
  for (const byte of bytes) {
    c ^= byte
    for (let bit = 0; bit < 8; bit += 1) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1
  }
  return ~c
}

describe('crc32', () => {
  it('gives the published value', () => {
    expect(crc32(Buffer.from('123456789'), 0, 9)).toBe(0xcbf43926 | 0)
    expect(crc32(Buffer.from('123456789'), 4, 4)).toBe(0)
  })

  it('equals the definition on every range, in one piece or two', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 1500, size: 'max' }),
        fc.nat(1500),
        fc.nat(1500),
        (bytes, x, y) => {
          const start = Math.min(x, bytes.length)
          const middle = Math.min(start + y, bytes.length)
          const first = crc32(bytes, start, middle)
          expect(first).toBe(naive(bytes.subarray(start, middle)))
          expect(crc32(bytes, middle, bytes.length, first)).toBe(naive(bytes.subarray(start)))
        },
      ),
    )
  })
})
