import { crc32 as zlibCrc32 } from 'node:zlib'

/** From here on zlib is faster (docs/decisions/001): a call of it costs what 300 bytes cost here. */
const ZLIB_BYTES_MIN = 512
/** The polynomial of zip, gzip and Ethernet, bits reversed. */
const POLYNOMIAL = 0xedb88320 | 0

const [t0, t1, t2, t3, t4, t5, t6, t7] = buildTables()

type Tables = readonly [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
]

/** Table k maps a byte to its effect on the remainder k bytes further on ("slicing by eight"). */
function buildTables(): Tables {
  const first = Int32Array.from({ length: 256 }, (_, byte) => {
    let c = byte
    for (let bit = 0; bit < 8; bit += 1) c = c & 1 ? (c >>> 1) ^ POLYNOMIAL : c >>> 1
    return c
  })
  const shift = (table: Int32Array): Int32Array =>
    table.map((c) => (c >>> 8) ^ (first[c & 0xff] ?? 0))
  const second = shift(first)
  const third = shift(second)
  const fourth = shift(third)
  const fifth = shift(fourth)
  const sixth = shift(fifth)
  const seventh = shift(sixth)
  return [first, second, third, fourth, fifth, sixth, seventh, shift(seventh)]
}

/**
 * CRC-32 of bytes[start, end), as an int32 (`>>> 0` for the unsigned value): the digest of a node
 * (spec 02 §7). `seed` is the result for what came before. Most inputs have 50 to 300 bytes.
 */
export function crc32(bytes: Uint8Array, start: number, end: number, seed = 0): number {
  if (end - start >= ZLIB_BYTES_MIN) return byZlib(bytes, start, end, seed)
  let c = ~seed
  let i = start
  const unrolledStop = end - 7
  while (i < unrolledStop) {
    c ^=
      (bytes[i] ?? 0) |
      ((bytes[i + 1] ?? 0) << 8) |
      ((bytes[i + 2] ?? 0) << 16) |
      ((bytes[i + 3] ?? 0) << 24)
    c =
      (t7[c & 0xff] ?? 0) ^
      (t6[(c >>> 8) & 0xff] ?? 0) ^
      (t5[(c >>> 16) & 0xff] ?? 0) ^
      (t4[c >>> 24] ?? 0) ^
      (t3[bytes[i + 4] ?? 0] ?? 0) ^
      (t2[bytes[i + 5] ?? 0] ?? 0) ^
      (t1[bytes[i + 6] ?? 0] ?? 0) ^
      (t0[bytes[i + 7] ?? 0] ?? 0)
    i += 8
  }
  while (i < end) {
    c = (c >>> 8) ^ (t0[(c ^ (bytes[i] ?? 0)) & 0xff] ?? 0)
    i += 1
  }
  return ~c
}

/** Apart, so that the other one stays as small as it can be. */
function byZlib(bytes: Uint8Array, start: number, end: number, seed: number): number {
  return zlibCrc32(bytes.subarray(start, end), seed >>> 0) | 0
}
