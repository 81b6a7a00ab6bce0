import fc from 'fast-check'

const { FUZZ_RUNS: runs = '200' } = process.env
/** How often each property is tried; FUZZ_RUNS=100000 for a night of it. */
export const fuzzRuns: number = Number(runs)
/** Enough for so many runs of the slowest property on a busy machine. */
export const fuzzTimeoutMs: number = 10_000 + fuzzRuns * 20

const int = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

/** Lengths that decoders stumble over: null, empty, near the ends of the range, and small ones. */
const claimedLength: fc.Arbitrary<number> = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -2, max: 12 }) },
  { weight: 1, arbitrary: fc.constantFrom(0x7fffffff, -0x80000000, 0x3fffffff, 0xfffff, 0x100000) },
  { weight: 1, arbitrary: fc.integer() },
)

const prefixed = (bytes: Uint8Array): Buffer => Buffer.concat([int(bytes.length), bytes])

/** One thing that a record may be made of, rightly or wrongly. */
const piece: fc.Arbitrary<Buffer> = fc.oneof(
  claimedLength.map(int),
  fc.string({ maxLength: 12, unit: 'binary' }).map((text) => prefixed(Buffer.from(text))),
  fc.uint8Array({ maxLength: 12 }).map(prefixed),
  fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
  fc.constant(Buffer.alloc(8)),
  fc.constantFrom(0, 1, 2, 255).map((byte) => Buffer.from([byte])),
)

/** Bytes that now and then are a record: noise alone fails at the first length. */
export const recordBytes: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 4, arbitrary: fc.array(piece, { maxLength: 24 }).map((parts) => Buffer.concat(parts)) },
)

/** Damage to bytes that were sound: some overwritten, some cut off, some added. */
export const damage: fc.Arbitrary<(sound: Buffer) => Buffer> = fc
  .record({
    overwrites: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
    claim: fc.option(fc.tuple(fc.nat(), claimedLength)),
    keepShare: fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true })),
    tail: fc.uint8Array({ maxLength: 5 }),
  })
  .map(({ overwrites, claim, keepShare, tail }) => (sound) => {
    const bytes = Buffer.concat([sound.subarray(0, Math.floor(sound.length * keepShare)), tail])
    for (const [at, value] of overwrites) if (bytes.length > 0) bytes[at % bytes.length] = value
    if (claim !== null && bytes.length >= 4)
      bytes.writeInt32BE(claim[1], claim[0] % (bytes.length - 3))
    return bytes
  })

/** A stream as chunks: cut at random places, single bytes and empty chunks included. */
export const cutInto =
  (cuts: readonly number[]) =>
  (stream: Buffer): Buffer[] => {
    const places = [...cuts.map((cut) => cut % (stream.length + 1)), stream.length].sort(
      (a, b) => a - b,
    )
    return places.map((end, index) => stream.subarray(places[index - 1] ?? 0, end))
  }

/** A stream of frames, most of them sound, with payloads around the limit. */
export const frameStream = (frameBytesMax: number): fc.Arbitrary<Buffer> => {
  const sound = fc.uint8Array({ maxLength: frameBytesMax }).map(prefixed)
  const odd = fc
    .tuple(claimedLength, fc.uint8Array({ maxLength: 6 }))
    .map(([length, bytes]) => Buffer.concat([int(length), bytes]))
  return fc
    .array(fc.oneof({ weight: 12, arbitrary: sound }, { weight: 1, arbitrary: odd }), {
      maxLength: 12,
    })
    .map((parts) => Buffer.concat(parts))
}
