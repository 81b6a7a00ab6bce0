/** The largest prime below 2^16: both halves of the checksum are kept modulo this. */
const MODULUS = 65521
/** After so many bytes neither sum can have left the positive int32 range: reduce only then. */
const BYTES_PER_REDUCTION = 3800

/**
 * Adler-32 of bytes[start, end), as an int32 (`>>> 0` for the unsigned value): the checksum of log
 * records and snapshots (spec 02 §2, §4). `seed` is the result for what came before.
 */
export function adler32(bytes: Uint8Array, start: number, end: number, seed = 1): number {
  let a = seed & 0xffff
  let b = seed >>> 16
  let i = start
  while (i < end) {
    const stop = Math.min(i + BYTES_PER_REDUCTION, end)
    const unrolledStop = stop - ((stop - i) & 7)
    // Eight bytes a round: the loop's own checks cost as much as the sums. `?? 0` costs nothing, an
    // index in bounds is known to yield a number.
    while (i < unrolledStop) {
      a = (a + (bytes[i] ?? 0)) | 0
      b = (b + a) | 0
      a = (a + (bytes[i + 1] ?? 0)) | 0
      b = (b + a) | 0
      a = (a + (bytes[i + 2] ?? 0)) | 0
      b = (b + a) | 0
      a = (a + (bytes[i + 3] ?? 0)) | 0
      b = (b + a) | 0
      a = (a + (bytes[i + 4] ?? 0)) | 0
      b = (b + a) | 0
      a = (a + (bytes[i + 5] ?? 0)) | 0
      b = (b + a) | 0
      a = (a + (bytes[i + 6] ?? 0)) | 0
      b = (b + a) | 0
      a = (a + (bytes[i + 7] ?? 0)) | 0
      b = (b + a) | 0
      i += 8
    }
    while (i < stop) {
      a = (a + (bytes[i] ?? 0)) | 0
      b = (b + a) | 0
      i += 1
    }
    a %= MODULUS
    b %= MODULUS
  }
  return (b << 16) | a
}
