import fc from 'fast-check'
import { JuteReader, JuteWriter } from 'jute-ts'
import { describe, expect, it } from 'vitest'

/** What `write` appends, as bytes of their own. */
function encode(write: (w: JuteWriter) => void): Buffer {
  const w = new JuteWriter(1)
  write(w)
  return w.copy()
}

/** Written, read back, and nothing is left over. */
function roundTrip<T>(write: (w: JuteWriter) => void, read: (r: JuteReader) => T): T {
  const r = new JuteReader(encode(write))
  const value = read(r)
  expect(r.ok).toBe(true)
  expect(r.remaining).toBe(0)
  return value
}

const safeInteger = fc.maxSafeInteger()
const signed64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const text = fc.string({ unit: 'binary', maxLength: 100 })

describe('the bytes on the wire', () => {
  it('are big-endian, and lengths are ints', () => {
    const bytes = encode((w) => {
      w.writeByte(-2)
      w.writeBoolean(true)
      w.writeInt(-2)
      w.writeLong(-2n)
      w.writeNumber(0x1_2345_6789)
      w.writeFloat(1)
      w.writeDouble(1)
      w.writeString('é/')
      w.writeString(null)
      w.writeBuffer(Buffer.of(9))
      w.writeBuffer(null)
    })
    expect(bytes.toString('hex')).toBe(
      'fe01fffffffefffffffffffffffe0000000123456789' +
        '3f8000003ff000000000000000000003c3a92fffffffff0000000109ffffffff',
    )
  })
})

describe('every type', () => {
  it('byte, from all ints', () => {
    fc.assert(
      fc.property(fc.integer({ min: -128, max: 127 }), (value) => {
        expect(
          roundTrip(
            (w) => w.writeByte(value),
            (r) => r.readByte(),
          ),
        ).toBe(value)
      }),
    )
  })

  it('boolean, of which any byte but 0 is true', () => {
    expect(new JuteReader(Buffer.of(0)).readBoolean()).toBe(false)
    expect(new JuteReader(Buffer.of(1)).readBoolean()).toBe(true)
    expect(new JuteReader(Buffer.of(255)).readBoolean()).toBe(true)
  })

  it('int', () => {
    fc.assert(
      fc.property(fc.integer(), (value) => {
        expect(
          roundTrip(
            (w) => w.writeInt(value),
            (r) => r.readInt(),
          ),
        ).toBe(value)
      }),
    )
  })

  it('long', () => {
    fc.assert(
      fc.property(signed64, (value) => {
        expect(
          roundTrip(
            (w) => w.writeLong(value),
            (r) => r.readLong(),
          ),
        ).toBe(value)
      }),
    )
  })

  it('number, with the same bytes as the long', () => {
    fc.assert(
      fc.property(safeInteger, (value) => {
        expect(
          roundTrip(
            (w) => w.writeNumber(value),
            (r) => r.readNumber(),
          ),
        ).toBe(value)
        expect(encode((w) => w.writeNumber(value))).toEqual(
          encode((w) => w.writeLong(BigInt(value))),
        )
      }),
    )
  })

  it('float and double', () => {
    fc.assert(
      fc.property(fc.float(), fc.double(), (single, double) => {
        const back = roundTrip(
          (w) => {
            w.writeFloat(single)
            w.writeDouble(double)
          },
          (r) => [r.readFloat(), r.readDouble()],
        )
        expect(back).toEqual([single, double])
      }),
    )
  })

  it('buffer and string, null or not, of any length', () => {
    const bytes = fc.uint8Array({ maxLength: 3000 }).map((array) => Buffer.from(array))
    fc.assert(
      fc.property(fc.option(bytes), fc.option(text), (buffer, string) => {
        const back = roundTrip(
          (w) => {
            w.writeBuffer(buffer)
            w.writeString(string)
          },
          (r) => [r.readNullableBuffer(), r.readNullableString()],
        )
        expect(back).toEqual([buffer, string])
      }),
    )
  })

  it.each([0, 1, 23, 24, 25, 341, 1023, 1024, 1025, 100_000])('string of %i chars', (chars) => {
    for (const unit of ['a', 'é', '漢', '😀']) {
      const value = 'x'.repeat(chars % 2) + unit.repeat(chars)
      const back = roundTrip(
        (w) => {
          w.writeString(value)
          w.writeInt(7)
        },
        (r) => [r.readString(), r.readInt()],
      )
      expect(back).toEqual([value, 7])
    }
  })

  it('string with a lone surrogate, which becomes U+FFFD', () => {
    expect(
      roundTrip(
        (w) => w.writeString('a\ud800b'),
        (r) => r.readString(),
      ),
    ).toBe('a\ufffdb')
  })
})

describe('a reader', () => {
  it('decodes bytes that are not UTF-8 to replacement characters', () => {
    const cesu = Buffer.from([0, 0, 0, 7, 0x61, 0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80])
    expect(new JuteReader(cesu).readString()).toMatch(/^a\ufffd+$/u)
  })

  it('lends parts of its own bytes', () => {
    const bytes = encode((w) => w.writeBuffer(Buffer.of(1, 2)))
    const lent = new JuteReader(bytes).readBuffer()
    bytes[5] = 9
    expect([...lent]).toEqual([1, 9])
  })

  it('fails on a long that is no safe integer', () => {
    for (const value of [2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n)]) {
      const r = new JuteReader(encode((w) => w.writeLong(value)))
      expect(r.readNumber()).toBe(0)
      expect(r.ok).toBe(false)
    }
    const edge = new JuteReader(encode((w) => w.writeLong(1n - 2n ** 53n)))
    expect(edge.readNumber()).toBe(Number.MIN_SAFE_INTEGER)
  })

  it('fails on a null that is not expected, and not on one that is', () => {
    const nothing = encode((w) => w.writeInt(-1))
    const readers = [(r: JuteReader) => r.readBuffer(), (r: JuteReader) => r.readString()] as const
    for (const read of readers) {
      const r = new JuteReader(nothing)
      expect(read(r)).toHaveLength(0)
      expect(r.ok).toBe(false)
    }
    expect(new JuteReader(nothing).readNullableCopy(ownCopy)).toBeNull()
    expect(new JuteReader(nothing).readNullableBuffer()).toBeNull()
    expect(new JuteReader(nothing).readNullableString()).toBeNull()
    expect(new JuteReader(nothing).readVectorCount(1)).toBe(-1)
  })

  it.each([-2, -(2 ** 31), 5, 2 ** 31 - 1])(
    'fails on the length %i before four bytes',
    (length) => {
      const bytes = encode((w) => {
        w.writeInt(length)
        w.writeInt(0)
      })
      const reads: ((r: JuteReader) => unknown)[] = [
        (r) => r.readBuffer(),
        (r) => r.readNullableBuffer(),
        (r) => r.readString(),
        (r) => r.readNullableString(),
        (r) => r.readVectorCount(1),
      ]
      for (const read of reads) {
        const r = new JuteReader(bytes)
        expect([null, 0, '', Buffer.alloc(0)]).toContainEqual(read(r))
        expect(r.ok).toBe(false)
      }
    },
  )

  it('fails one byte before the end of each type', () => {
    const reads: (readonly [number, (r: JuteReader) => unknown])[] = [
      [1, (r) => r.readByte()],
      [1, (r) => r.readBoolean()],
      [4, (r) => r.readInt()],
      [8, (r) => r.readLong()],
      [8, (r) => r.readNumber()],
      [4, (r) => r.readFloat()],
      [8, (r) => r.readDouble()],
    ]
    for (const [bytes, read] of reads) {
      const whole = new JuteReader(Buffer.alloc(9), 0, bytes)
      read(whole)
      expect(whole.ok).toBe(true)
      const short = new JuteReader(Buffer.alloc(9), 0, bytes - 1)
      read(short)
      expect(short.ok).toBe(false)
    }
  })

  it('checks a count against the bytes that its elements need', () => {
    const bytes = encode((w) => {
      w.writeInt(3)
      w.reserve(12)
    })
    expect(new JuteReader(bytes).readVectorCount(4)).toBe(3)
    const r = new JuteReader(bytes)
    expect(r.readVectorCount(5)).toBe(0)
    expect(r.ok).toBe(false)
  })

  it('stays failed, with zero values, even when a caller widens its end', () => {
    const r = new JuteReader(Buffer.alloc(100, 1), 0, 3)
    expect(r.readInt()).toBe(0)
    r.end = 100
    expect([r.readByte(), r.readInt(), r.readNumber(), r.readFloat(), r.readDouble()]).toEqual([
      0, 0, 0, 0, 0,
    ])
    expect([r.readBoolean(), r.readLong(), r.readString(), r.readBuffer().length]).toEqual([
      false,
      0n,
      '',
      0,
    ])
    expect([r.readNullableString(), r.readNullableBuffer(), r.readVectorCount(1)]).toEqual([
      null,
      null,
      0,
    ])
    expect([r.ok, r.remaining]).toEqual([false, 0])
    expect(r.reset(Buffer.of(0, 0, 0, 5)).readInt()).toBe(5)
    expect(r.ok).toBe(true)
  })

  it('keeps to its part of the buffer', () => {
    const r = new JuteReader(Buffer.of(9, 0, 0, 0, 5, 9), 1, 5)
    expect([r.remaining, r.readInt(), r.remaining]).toEqual([4, 5, 0])
    expect(r.readByte()).toBe(0)
    expect(r.ok).toBe(false)
    for (const [start, end] of [
      [0, 7],
      [-1, 2],
      [3, 2],
    ] as const)
      expect(new JuteReader(Buffer.alloc(6), start, end).ok).toBe(false)
    expect(new JuteReader().remaining).toBe(0)
  })
})

describe('a writer', () => {
  it('patches what it left room for', () => {
    const w = new JuteWriter()
    const at = w.reserveInt()
    w.writeString('abc')
    w.patchLength(at)
    expect(w.bytes().toString('hex')).toBe('0000000700000003616263')
  })

  it('keeps what was written when it grows', () => {
    const w = new JuteWriter(0)
    for (let i = 0; i < 5000; i += 1) w.writeInt(i)
    const r = new JuteReader(w.bytes())
    for (let i = 0; i < 5000; i += 1) expect(r.readInt()).toBe(i)
    expect(w.length).toBe(20_000)
  })

  it('truncates and clears', () => {
    const w = new JuteWriter()
    w.writeInt(1)
    w.writeInt(2)
    w.truncate(4)
    w.writeBytes(Buffer.of(7))
    expect([...w.bytes()]).toEqual([0, 0, 0, 1, 7])
    w.clear()
    expect(w.bytes()).toHaveLength(0)
  })

  it('copies what it takes, lends bytes and gives copies', () => {
    const w = new JuteWriter()
    const taken = Buffer.of(1)
    w.writeBytes(taken)
    taken[0] = 2
    const [lent, copied] = [w.bytes(), w.copy()]
    w.patchByte(0, 3)
    expect([lent[0], copied[0]]).toEqual([3, 1])
  })
})

const ownCopy = (from: Buffer, start: number, end: number): Buffer =>
  Buffer.from(from.subarray(start, end))

describe('readNullableCopy', () => {
  const bytes = Buffer.from([0, 0, 0, 2, 7, 8])

  it('returns bytes that do not change with those they were read from', () => {
    const source = Buffer.from(bytes)
    const copy = new JuteReader(source).readNullableCopy(ownCopy)
    source.fill(0)
    expect(copy).toEqual(Buffer.from([7, 8]))
  })

  it('fails where readNullableBuffer does', () => {
    const r = new JuteReader(bytes, 0, 5)
    r.readNullableCopy(ownCopy)
    expect(r.ok).toBe(false)
  })
})
