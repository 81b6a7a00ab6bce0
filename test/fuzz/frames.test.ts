import fc from 'fast-check'
import { type FrameError, FrameSplitter } from 'jute-ts'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { cutInto, frameStream, fuzzRuns, fuzzTimeoutMs } from './arbitraries.ts'

vi.setConfig({ testTimeout: fuzzTimeoutMs })

const frameBytesMax = 24
const lengthBytes = 4

interface Split {
  readonly frames: readonly string[]
  readonly error: FrameError | undefined
  /** Bytes after the last frame, none after an error. */
  readonly restBytes: number
}

/** The whole stream at once, as one would say it: the rule that the splitter must keep. */
function splitAtOnce(stream: Buffer): Split {
  const frames: string[] = []
  let at = 0
  while (stream.length - at >= lengthBytes) {
    const length = stream.readInt32BE(at)
    if (length < 0) return { frames, error: 'negative length', restBytes: 0 }
    if (length > frameBytesMax) return { frames, error: 'frame too large', restBytes: 0 }
    const end = at + lengthBytes + length
    if (end > stream.length) break
    frames.push(stream.toString('hex', at + lengthBytes, end))
    at = end
  }
  return { frames, error: undefined, restBytes: stream.length - at }
}

/** Chunk by chunk; `pulls` says how many frames are taken after each, the rest at the end. */
function splitInChunks(chunks: readonly Buffer[], pulls: readonly number[]): Split {
  const splitter = new FrameSplitter(frameBytesMax)
  const frames: string[] = []
  const take = (): boolean => {
    const found = splitter.next()
    if (found) frames.push(splitter.buffer.toString('hex', splitter.start, splitter.end))
    return found
  }
  for (const [index, chunk] of chunks.entries()) {
    const borrowed = Buffer.from(chunk)
    splitter.push(borrowed)
    for (let pull = pulls[index] ?? 0; pull > 0 && take(); pull -= 1);
    splitter.release()
    // What was borrowed goes back to its owner, who may write over it.
    borrowed.fill(0xee)
  }
  while (take());
  return { frames, error: splitter.error, restBytes: splitter.heldBytes }
}

const cuts = fc.array(fc.nat(), { maxLength: 20 })
const pulls = fc.array(fc.nat({ max: 6 }), { maxLength: 21 })

afterEach(() => {
  vi.restoreAllMocks()
})

describe('any byte stream, however cut', () => {
  it('gives the frames, the refusal and the rest of the uncut stream', () => {
    fc.assert(
      fc.property(frameStream(frameBytesMax), cuts, pulls, (stream, cutAt, pullCounts) => {
        expect(splitInChunks(cutInto(cutAt)(stream), pullCounts)).toEqual(splitAtOnce(stream))
      }),
      { numRuns: fuzzRuns },
    )
  })

  it('survives bytes that were never meant as frames', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), cuts, pulls, (bytes, cutAt, pullCounts) => {
        const stream = Buffer.from(bytes)
        expect(splitInChunks(cutInto(cutAt)(stream), pullCounts)).toEqual(splitAtOnce(stream))
      }),
      { numRuns: fuzzRuns },
    )
  })

  it('costs memory by the bytes that came, not by the length that they claim', () => {
    const holdBytesMin = 256
    const large = 1 << 20
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: large }),
        fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 8 }),
        (claimed, chunkLengths) => {
          const splitter = new FrameSplitter(large)
          const allocate = vi.spyOn(Buffer, 'allocUnsafe')
          const first = Buffer.alloc(lengthBytes)
          first.writeInt32BE(claimed)
          splitter.push(first)
          let receivedBytes = lengthBytes
          for (const length of chunkLengths) {
            splitter.next()
            splitter.push(Buffer.alloc(length, 0x7f))
            receivedBytes += length
          }
          const largest = Math.max(0, ...allocate.mock.calls.map(([bytes]) => bytes))
          expect(largest).toBeLessThanOrEqual(Math.max(holdBytesMin, 2 * receivedBytes))
          allocate.mockRestore()
        },
      ),
      { numRuns: Math.min(fuzzRuns, 1000) },
    )
  })
})
