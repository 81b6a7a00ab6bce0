import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ReplyScanner } from './reply-scanner.ts'

/** A reply frame with a body of so many bytes, which look like anything but zeros. */
function reply(err: number, bodyBytes: number): Buffer {
  const frame = Buffer.alloc(20 + bodyBytes, 0xa5)
  frame.writeInt32BE(16 + bodyBytes, 0)
  frame.writeInt32BE(err, 16)
  return frame
}

const replies = fc.array(fc.tuple(fc.constantFrom(0, 0, 0, -101), fc.nat({ max: 60 })), {
  maxLength: 20,
})

describe('ReplyScanner', () => {
  it('counts each reply when its last byte comes, and keeps the first error', () => {
    fc.assert(
      fc.property(replies, fc.array(fc.integer({ min: 1, max: 70 })), (specs, chunkLengths) => {
        const frames = specs.map(([err, bodyBytes]) => reply(err, bodyBytes))
        const stream = Buffer.concat(frames)
        const ends = frames.map((_, index) => Buffer.concat(frames.slice(0, index + 1)).length)
        const scanner = new ReplyScanner()
        let at = 0
        let count = 0
        for (const length of [...chunkLengths, stream.length]) {
          const chunk = stream.subarray(at, at + length)
          // The chunk may lie in a buffer that is longer than what was read into it.
          count += scanner.scan(Buffer.concat([chunk, Buffer.alloc(9, 0xff)]), chunk.length)
          at += chunk.length
          expect(count).toBe(ends.filter((end) => end <= at).length)
        }
        expect(scanner.error).toBe(specs.find(([err]) => err !== 0)?.[0])
      }),
    )
  })
})
