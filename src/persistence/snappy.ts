/**
 * The raw block format of Snappy, as used by snappy-java's streams (spec 02 §4): the length of the
 * content as a varint, then literals and copies of what came before. Ours, because a snapshot may be
 * damaged anywhere: the decoder takes any bytes and allocates no more than `lengthMax`.
 */

const TAG_LITERAL = 0
const TAG_COPY1 = 1
const TAG_COPY2 = 2
const MATCH_BYTES_MIN = 4
const COPY_BYTES_MAX = 64
/** A block is at most 64 KiB, so that offsets fit in 16 bits. */
export const SNAPPY_BLOCK_BYTES_MAX = 65_536
const HASH_BITS = 13
const HASH_FACTOR = 0x1e35a7bd
/** Where a sequence of four bytes was last seen, by its hash. */
const table = new Uint16Array(1 << HASH_BITS)

/** What a compressed block holds. Undefined: it is damaged, or longer than `lengthMax` bytes. */
export function snappyDecode(block: Uint8Array, lengthMax: number): Buffer | undefined {
  const length = readVarint(block)
  if (length === undefined || length > lengthMax) return undefined
  const out = Buffer.allocUnsafe(length)
  let at = varintBytes(length)
  let end = 0
  while (at < block.length) {
    const tag = block[at] ?? 0
    at += 1
    if ((tag & 3) === TAG_LITERAL) {
      const extra = Math.max(0, (tag >> 2) - 59)
      const count = (extra === 0 ? tag >> 2 : littleEndian(block, at, extra)) + 1
      at += extra
      if (at + count > block.length || end + count > length) return undefined
      out.set(block.subarray(at, at + count), end)
      at += count
      end += count
      continue
    }
    const extra = (tag & 3) === TAG_COPY1 ? 1 : (tag & 3) === TAG_COPY2 ? 2 : 4
    const isShort = extra === 1
    const count = isShort ? ((tag >> 2) & 7) + MATCH_BYTES_MIN : (tag >> 2) + 1
    const low = littleEndian(block, at, extra)
    const offset = isShort ? ((tag >> 5) << 8) | low : low
    at += extra
    if (at > block.length || offset <= 0 || offset > end || end + count > length) return undefined
    // A copy may reach into what it writes: that is how a run is written. So byte by byte.
    for (let i = 0; i < count; i += 1) out[end + i] = out[end - offset + i] ?? 0
    end += count
  }
  return end === length ? out : undefined
}

function littleEndian(bytes: Uint8Array, at: number, count: number): number {
  let value = 0
  for (let i = count - 1; i >= 0; i -= 1) value = value * 256 + (bytes[at + i] ?? 0)
  return value
}

function readVarint(bytes: Uint8Array): number | undefined {
  let value = 0
  for (let i = 0; i < 5; i += 1) {
    const byte = bytes[i]
    if (byte === undefined) return undefined
    value += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) return varintBytes(value) === i + 1 ? value : undefined
  }
  return undefined
}

const varintBytes = (value: number): number => {
  let bytes = 1
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) bytes += 1
  return bytes
}

/** The most bytes that `snappyEncode` makes of so many. */
export const snappyBytesMax = (length: number): number => 32 + length + Math.ceil(length / 6)

/**
 * Compresses content[start, end), at most SNAPPY_BLOCK_BYTES_MAX bytes, into `out` from `at` on,
 * which has room for snappyBytesMax. Returns the offset behind it.
 */
export function snappyEncode(
  content: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  at: number,
): number {
  let to = at
  for (let rest = end - start; ; rest >>>= 7) {
    out[to] = rest < 0x80 ? rest : (rest & 0x7f) | 0x80
    to += 1
    if (rest < 0x80) break
  }
  table.fill(0)
  let literalAt = start
  let i = start
  const last = end - MATCH_BYTES_MIN
  while (i <= last) {
    const word = wordAt(content, i)
    const slot = Math.imul(word, HASH_FACTOR) >>> (32 - HASH_BITS)
    const match = start + (table[slot] ?? 0)
    table[slot] = i - start
    if (match >= i || wordAt(content, match) !== word) {
      // The longer nothing was found, the larger the steps: data that does not compress goes fast.
      i += 1 + ((i - literalAt) >> 5)
      continue
    }
    let matchEnd = i + MATCH_BYTES_MIN
    while (matchEnd < end && content[matchEnd] === content[match + matchEnd - i]) matchEnd += 1
    to = writeLiteral(content, literalAt, i, out, to)
    to = writeCopy(i - match, matchEnd - i, out, to)
    i = matchEnd
    literalAt = i
  }
  return writeLiteral(content, literalAt, end, out, to)
}

const wordAt = (bytes: Uint8Array, at: number): number =>
  (bytes[at] ?? 0) |
  ((bytes[at + 1] ?? 0) << 8) |
  ((bytes[at + 2] ?? 0) << 16) |
  ((bytes[at + 3] ?? 0) << 24)

function writeLiteral(
  content: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  at: number,
): number {
  const length = end - start
  if (length === 0) return at
  let to = at
  const coded = length - 1
  if (coded < 60) {
    out[to] = coded << 2
    to += 1
  } else {
    const extra = coded < 0x100 ? 1 : 2
    out[to] = (59 + extra) << 2
    out[to + 1] = coded
    if (extra === 2) out[to + 2] = coded >> 8
    to += 1 + extra
  }
  out.set(content.subarray(start, end), to)
  return to + length
}

/** Copies of at most 64 bytes each, with offsets of 16 bits: the plain form, and nearly as short. */
function writeCopy(offset: number, length: number, out: Uint8Array, at: number): number {
  let to = at
  for (let rest = length; rest > 0; ) {
    const count = Math.min(rest, COPY_BYTES_MAX)
    out[to] = ((count - 1) << 2) | TAG_COPY2
    out[to + 1] = offset
    out[to + 2] = offset >> 8
    to += 3
    rest -= count
  }
  return to
}
