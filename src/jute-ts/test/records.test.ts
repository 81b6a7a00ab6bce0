import fc from 'fast-check'
import { JuteReader, JuteWriter } from 'jute-ts'
import { describe, expect, it } from 'vitest'
import {
  type Collections,
  type Nullables,
  type Pair,
  readCollections,
  readNullables,
  readScalars,
  type Scalars,
  writeCollections,
  writeNullables,
  writeScalars,
} from './every-type.ts'

const text = fc.string({ unit: 'binary', maxLength: 12 })
const bytes = fc.uint8Array({ maxLength: 12 }).map((array) => Buffer.from(array))
const long = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const byte = fc.integer({ min: -128, max: 127 })
const pair: fc.Arbitrary<Pair> = fc.record({ key: text, value: fc.maxSafeInteger() })
const few = { maxLength: 4 }

const scalars: fc.Arbitrary<Scalars> = fc.record({
  aByte: byte,
  aBoolean: fc.boolean(),
  anInt: fc.integer(),
  aLong: long,
  aNumber: fc.maxSafeInteger(),
  aFloat: fc.float(),
  aDouble: fc.double(),
  aString: text,
  aBuffer: bytes,
})

function mapOf<K, V>(key: fc.Arbitrary<K>, value: fc.Arbitrary<V>): fc.Arbitrary<Map<K, V>> {
  return fc.array(fc.tuple(key, value), few).map((entries) => new Map(entries))
}

const nullables: fc.Arbitrary<Nullables> = fc.record({
  aString: fc.option(text),
  aBuffer: fc.option(bytes),
  strings: fc.option(fc.array(text, few)),
  pairs: fc.option(fc.array(pair, few)),
  counts: fc.option(mapOf(text, fc.integer())),
})

const collections: fc.Arbitrary<Collections> = fc.record({
  bytes: fc.array(byte, few),
  booleans: fc.array(fc.boolean(), few),
  longs: fc.array(long, few),
  doubles: fc.array(fc.double(), few),
  buffers: fc.array(bytes, few),
  pairs: fc.array(pair, few),
  grid: fc.array(fc.array(text, few), few),
  floats: mapOf(fc.integer(), fc.float()),
  pairsByName: mapOf(text, fc.array(pair, few)),
  maps: fc.array(mapOf(long, pair), few),
  default: scalars,
})

interface Codec<T> {
  readonly values: fc.Arbitrary<T>
  readonly read: (r: JuteReader) => T
  readonly write: (w: JuteWriter, value: T) => void
}

function encode<T>({ write }: Codec<T>, value: T): Buffer {
  const w = new JuteWriter(8)
  write(w, value)
  return w.copy()
}

function roundTrips<T>(codec: Codec<T>): void {
  fc.assert(
    fc.property(codec.values, (value) => {
      const encoded = encode(codec, value)
      const r = new JuteReader(encoded)
      expect(codec.read(r)).toEqual(value)
      expect([r.ok, r.at]).toEqual([true, encoded.length])
    }),
  )
}

/** However little is missing, it is noticed, and nothing throws. */
function failsAtEveryCut<T>(codec: Codec<T>): void {
  fc.assert(
    fc.property(codec.values, (value) => {
      const encoded = encode(codec, value)
      for (let end = 0; end < encoded.length; end += 1) {
        const r = new JuteReader(encoded, 0, end)
        codec.read(r)
        expect(r.ok).toBe(false)
      }
    }),
    { numRuns: 20 },
  )
}

/** Any bytes give a record that can be written again, or a failed reader. */
function survivesAnyBytes<T>(codec: Codec<T>): void {
  const flips = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(codec.values, flips, fc.uint8Array({ maxLength: 200 }), (value, changes, any) => {
      const damaged = encode(codec, value)
      for (const [at, byteValue] of changes) damaged[at % damaged.length] = byteValue
      for (const input of [damaged, Buffer.from(any)]) {
        const r = new JuteReader(input)
        const read = codec.read(r)
        if (r.ok) encode(codec, read)
        else expect(r.remaining).toBe(0)
      }
    }),
    { numRuns: 500 },
  )
}

function specify<T>(name: string, codec: Codec<T>): void {
  describe(name, () => {
    it('comes back as it was', () => roundTrips(codec))
    it('fails at every cut', () => failsAtEveryCut(codec))
    it('survives any bytes', () => survivesAnyBytes(codec))
  })
}

specify('a record of all scalars', { values: scalars, read: readScalars, write: writeScalars })
specify('nullable fields', { values: nullables, read: readNullables, write: writeNullables })
specify('vectors and maps', {
  values: collections,
  read: readCollections,
  write: writeCollections,
})

describe('a vector', () => {
  it('that is null where null is not expected fails, and is empty', () => {
    const r = new JuteReader(Buffer.alloc(4, 0xff))
    expect(readCollections(r).bytes).toEqual([])
    expect(r.ok).toBe(false)
  })

  it('is empty once one of its elements failed', () => {
    const w = new JuteWriter()
    w.writeInt(2)
    w.writeString('a')
    w.writeInt(-1)
    w.reserve(100)
    const r = new JuteReader(Buffer.concat([Buffer.alloc(8, 0xff), w.bytes()]))
    expect(readNullables(r).strings).toEqual([])
    expect(r.ok).toBe(false)
  })

  it('may not claim more elements than its bytes can hold', () => {
    const w = new JuteWriter()
    w.writeInt(-1)
    w.writeInt(-1)
    w.writeInt(-1)
    w.writeInt(9)
    w.reserve(9 * 12 - 1)
    const r = new JuteReader(w.bytes())
    expect(readNullables(r).pairs).toEqual([])
    expect(r.ok).toBe(false)
  })
})
