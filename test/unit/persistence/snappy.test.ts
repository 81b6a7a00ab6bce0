import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { snappyBytesMax, snappyDecode, snappyEncode } from '../../../src/persistence/snappy.ts'

function encode(content: Uint8Array): Buffer {
  const out = Buffer.alloc(snappyBytesMax(content.length))
  return out.subarray(0, snappyEncode(content, 0, content.length, out, 0))
}

/** Bytes with much repetition, so that copies of all lengths come to pass. */
const repetitive = fc
  .array(fc.tuple(fc.uint8Array({ maxLength: 70 }), fc.nat({ max: 30 })), { maxLength: 30 })
  .map((parts) => Buffer.concat(parts.flatMap(([bytes, times]) => Array(times).fill(bytes))))

describe('raw snappy blocks', () => {
  it('hold what was put in', () => {
    fc.assert(
      fc.property(fc.oneof(repetitive, fc.uint8Array({ maxLength: 3000 })), (content) => {
        const bytes = content.subarray(0, 65_536)
        expect(snappyDecode(encode(bytes), 65_536)).toEqual(Buffer.from(bytes))
      }),
    )
  })

  it('are much smaller for text that repeats itself', () => {
    const content = Buffer.alloc(32_768, 'znode and znode and ')
    expect(encode(content).length).toBeLessThan(content.length / 15)
  })

  it('are read as the format says', () => {
    // Five bytes of content: a literal "ab", and a copy of three from two back, which overlaps.
    expect(snappyDecode(Buffer.from([5, 1 << 2, 0x61, 0x62, (2 << 2) | 2, 2, 0]), 5)).toEqual(
      Buffer.from('ababa'),
    )
    // The short form of a copy holds lengths from 4.
    expect(snappyDecode(Buffer.from([6, 1 << 2, 0x61, 0x62, 1, 2]), 6)).toEqual(
      Buffer.from('ababab'),
    )
    expect(snappyDecode(Buffer.from([6, 1 << 2, 0x61, 0x62, 15, 2, 0, 0, 0]), 6)).toEqual(
      Buffer.from('ababab'),
    )
  })

  it('are refused when they claim what they do not hold, and never make it throw', () => {
    expect(snappyDecode(Buffer.from([255, 255, 255, 255, 15]), 65_536)).toBeUndefined()
    expect(snappyDecode(Buffer.from([4, 0, 0x61, 1, 2]), 65_536)).toBeUndefined()
    expect(snappyDecode(Buffer.from([]), 10)).toBeUndefined()
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const out = snappyDecode(bytes, 1000)
        expect(out === undefined || out.length <= 1000).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })
})
