import fc from 'fast-check'
import { FrameSplitter } from 'jute-ts'
import { describe, expect, it } from 'vitest'

const FRAME_BYTES_MAX = 5000

function frame(payload: Buffer): Buffer {
  const bytes = Buffer.alloc(4 + payload.length)
  bytes.writeInt32BE(payload.length)
  payload.copy(bytes, 4)
  return bytes
}

function length(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function current(splitter: FrameSplitter): string {
  return splitter.buffer.toString('hex', splitter.start, splitter.end)
}

/** All frames that there are, as hex: a lent frame is gone at the next step. */
function take(splitter: FrameSplitter, framesMax: number = Number.POSITIVE_INFINITY): string[] {
  const frames: string[] = []
  while (frames.length < framesMax && splitter.next()) frames.push(current(splitter))
  return frames
}

/** How many bytes Buffers copy while `run` runs. */
function countCopied(run: () => void): number {
  let copied = 0
  const { copy } = Buffer.prototype
  Buffer.prototype.copy = function (...args: Parameters<typeof copy>): number {
    const count = copy.apply(this, args)
    copied += count
    return count
  }
  try {
    run()
  } finally {
    Buffer.prototype.copy = copy
  }
  return copied
}

const payloads = ['', '01', '0203', 'ff'.repeat(300), '04'].map((hex) => Buffer.from(hex, 'hex'))
const stream = Buffer.concat(payloads.map(frame))
const expected = payloads.map((payload) => payload.toString('hex'))

describe('a stream of frames', () => {
  it('is split at once', () => {
    const splitter = new FrameSplitter(FRAME_BYTES_MAX)
    splitter.push(stream)
    expect(take(splitter)).toEqual(expected)
    expect([splitter.heldBytes, splitter.error]).toEqual([0, undefined])
  })

  it('may be cut at any byte', () => {
    for (let cut = 0; cut <= stream.length; cut += 1) {
      const splitter = new FrameSplitter(FRAME_BYTES_MAX)
      splitter.push(stream.subarray(0, cut))
      const before = take(splitter)
      splitter.push(stream.subarray(cut))
      expect([...before, ...take(splitter)]).toEqual(expected)
    }
  })

  it('may come byte by byte', () => {
    const splitter = new FrameSplitter(FRAME_BYTES_MAX)
    const frames: string[] = []
    for (const byte of stream) {
      splitter.push(Buffer.of(byte))
      frames.push(...take(splitter))
      splitter.release()
    }
    expect(frames).toEqual(expected)
  })

  it('may be cut anywhere, read by halves and released at any time', () => {
    const payload = fc.uint8Array({ maxLength: 700 }).map((array) => Buffer.from(array))
    const step = fc.record({
      bytes: fc.integer({ min: 0, max: 900 }),
      framesMax: fc.nat(3),
      isReleased: fc.boolean(),
    })
    fc.assert(
      fc.property(
        fc.array(payload, { maxLength: 12 }),
        fc.array(step, { minLength: 1, maxLength: 12 }),
        (some, steps) => {
          const whole = Buffer.concat(some.map(frame))
          const splitter = new FrameSplitter(FRAME_BYTES_MAX)
          const frames: string[] = []
          let at = 0
          for (const { bytes, framesMax, isReleased } of steps) {
            const chunk = Buffer.from(whole.subarray(at, at + bytes))
            at += chunk.length
            splitter.push(chunk)
            frames.push(...take(splitter, framesMax))
            if (isReleased) {
              splitter.release()
              chunk.fill(0xee) // The owner of a chunk may use it again.
            }
            const consumed = frames.reduce((sum, hex) => sum + 4 + hex.length / 2, 0)
            expect(splitter.heldBytes).toBe(at - consumed)
          }
          splitter.push(whole.subarray(at))
          frames.push(...take(splitter))
          expect(frames).toEqual(some.map((each) => each.toString('hex')))
          expect(splitter.heldBytes).toBe(0)
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe('a borrowed chunk', () => {
  it('is lent on without a copy', () => {
    const splitter = new FrameSplitter(FRAME_BYTES_MAX)
    splitter.push(stream)
    splitter.next()
    expect(splitter.buffer).toBe(stream)
  })

  it('is lent on behind a frame that began before it', () => {
    const splitter = new FrameSplitter(FRAME_BYTES_MAX)
    splitter.push(stream.subarray(0, 6))
    take(splitter)
    const chunk = stream.subarray(6)
    splitter.push(chunk)
    expect(splitter.next()).toBe(true)
    expect(splitter.buffer).not.toBe(chunk)
    expect(splitter.next()).toBe(true)
    expect(splitter.buffer).toBe(chunk)
  })

  it('joins what is held of earlier ones, read or not', () => {
    const splitter = new FrameSplitter(FRAME_BYTES_MAX)
    const [first, second] = [frame(Buffer.alloc(100, 1)), frame(Buffer.alloc(150, 2))]
    splitter.push(Buffer.concat([first, second]))
    splitter.release()
    expect(take(splitter, 1)).toEqual(['01'.repeat(100)])
    splitter.push(frame(Buffer.alloc(300, 3)))
    splitter.release()
    expect(take(splitter)).toEqual(['02'.repeat(150), '03'.repeat(300)])
  })

  it('may be used again once the next one is pushed', () => {
    const splitter = new FrameSplitter(FRAME_BYTES_MAX)
    const chunk = Buffer.from(stream)
    splitter.push(chunk)
    expect(take(splitter, 1)).toEqual(expected.slice(0, 1))
    splitter.push(length(0))
    chunk.fill(0xee)
    expect(take(splitter)).toEqual([...expected.slice(1), ''])
  })
})

describe('a wrong length', () => {
  it.each([
    [-1, 'negative length'],
    [-(2 ** 31), 'negative length'],
    [FRAME_BYTES_MAX + 1, 'frame too large'],
    [2 ** 31 - 1, 'frame too large'],
  ] as const)('%i ends the stream: %s', (claimed, error) => {
    const bytes = Buffer.concat([frame(Buffer.of(1)), length(claimed), stream])
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const splitter = new FrameSplitter(FRAME_BYTES_MAX)
      splitter.push(bytes.subarray(0, cut))
      const before = take(splitter)
      splitter.push(bytes.subarray(cut))
      expect([...before, ...take(splitter)]).toEqual(['01'])
      expect([splitter.error, splitter.heldBytes]).toEqual([error, 0])
      splitter.push(stream)
      expect([splitter.next(), splitter.heldBytes]).toEqual([false, 0])
    }
  })

  it('is not one at the limit itself', () => {
    const splitter = new FrameSplitter(3)
    splitter.push(frame(Buffer.of(1, 2, 3)))
    expect(take(splitter)).toEqual(['010203'])
  })
})

describe('memory', () => {
  it('grows with the bytes that came, not with those that were claimed', () => {
    const claimed = 512 * 1024 * 1024
    const before = process.memoryUsage().arrayBuffers
    const splitters = Array.from({ length: 50 }, () => {
      const splitter = new FrameSplitter(claimed)
      splitter.push(Buffer.concat([length(claimed), Buffer.alloc(100)]))
      splitter.next()
      splitter.release()
      return splitter
    })
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1024 * 1024)
    expect(splitters.every((splitter) => splitter.heldBytes === 104)).toBe(true)
  })

  it('is copied a bounded number of times, however small the pieces of a large frame', () => {
    const payload = Buffer.alloc(4 * 1024 * 1024, 7)
    const bytes = frame(payload)
    const splitter = new FrameSplitter(payload.length)
    const pieceBytes = 1000
    const copied = countCopied(() => {
      for (let at = 0; at < bytes.length; at += pieceBytes) {
        splitter.push(bytes.subarray(at, at + pieceBytes))
        const isWhole = splitter.next()
        expect(isWhole).toBe(at + pieceBytes >= bytes.length)
        if (!isWhole) splitter.release()
      }
    })
    expect(splitter.end - splitter.start).toBe(payload.length)
    expect(splitter.buffer.length).toBe(bytes.length)
    expect(copied).toBeLessThan(4 * bytes.length)
  })

  it.each([100, 100_150])(
    'is copied a bounded number of times when frames up to %i wait',
    (frameBytesMax) => {
      const splitter = new FrameSplitter(frameBytesMax)
      const small = frame(Buffer.alloc(96))
      const backlog = 1000
      const rounds = 20_000
      splitter.push(Buffer.concat(Array.from({ length: backlog }, () => small)))
      let roomBytesMax = 0
      const copied = countCopied(() => {
        for (let i = 0; i < rounds; i += 1) {
          splitter.push(small)
          splitter.next()
          roomBytesMax = Math.max(roomBytesMax, splitter.buffer.length)
          splitter.release()
        }
      })
      expect(splitter.heldBytes).toBe(backlog * small.length)
      expect(copied).toBeLessThan(4 * rounds * small.length)
      expect(roomBytesMax).toBeLessThan(4 * backlog * small.length)
    },
  )
})
