import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { adler32 } from '../../../src/base/adler32.ts'

/** By the definition in RFC 1950, a byte at a time. */
function naive(bytes: Uint8Array): number {
  let a = 1
  let b = 0
  for (const byte of bytes) {
    a = (a + byte) % 65521
    b = (b + a) % 65521
  }
  return (b * 65536 + a) | 0
}

describe('adler32', () => {
  it('gives the published value', () => {
    const bytes = Buffer.from('Wikipedia')
    expect(adler32(bytes, 0, bytes.length)).toBe(0x11e60398)
    expect(adler32(bytes, 3, 3)).toBe(1)
  })

  it('equals the definition on every range', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.nat(200),
        fc.nat(200),
        (bytes, from, length) => {
          const start = Math.min(from, bytes.length)
          const end = Math.min(start + length, bytes.length)
          expect(adler32(bytes, start, end)).toBe(naive(bytes.subarray(start, end)))
        },
      ),
    )
  })

  it('does not overflow on the largest sums', () => {
    const bytes = Buffer.alloc(20_000, 0xff)
    expect(adler32(bytes, 0, bytes.length)).toBe(naive(bytes))
    // Both sums begin as large as they can be.
    expect(adler32(bytes, 0, bytes.length, 0xfff0fff0 | 0) >>> 16).toBeLessThan(65521)
    let whole = adler32(bytes, 0, 1)
    for (let i = 1; i < bytes.length; i += 1) whole = adler32(bytes, i, i + 1, whole)
    expect(whole).toBe(naive(bytes))
  })
})
