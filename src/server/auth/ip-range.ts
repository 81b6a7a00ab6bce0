/** An address as one or four words of 32 bits, so that comparing two of them allocates nothing. */
export interface IpAddress {
  readonly isV6: boolean
  readonly words: readonly number[]
}

interface IpRange {
  readonly address: IpAddress
  /** How many of its leading bits count. */
  readonly bits: number
}

const WORD_BITS = 32
const COLON = 0x3a
const DOT = 0x2e
const PLUS = 0x2b
const ZERO = 0x30
const NINE = 0x39
const OCTET_MAX = 255
const OCTETS = 4
const GROUPS = 8
const GROUP_DIGITS_MAX = 4

/**
 * `address` or `address/bits`. An ACL may hold tens of thousands of these, and whoever sets it or meets
 * it first makes the server parse them all: so this looks at each character once.
 */
export function parseRange(text: string): IpRange | undefined {
  const slash = text.indexOf('/')
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash))
  if (address === undefined) return undefined
  const bitsMax = address.words.length * WORD_BITS
  if (slash < 0) return { address, bits: bitsMax }
  const bits = parseDecimal(text, slash + 1, text.length, bitsMax)
  return bits < 0 ? undefined : { address, bits }
}

export function parseAddress(text: string): IpAddress | undefined {
  return text.includes(':') ? parseV6(text) : parseV4(text)
}

function parseV4(text: string): IpAddress | undefined {
  const word = v4WordOf(text, text.length)
  return word < 0 ? undefined : { isV6: false, words: [word | 0] }
}

/** The address that stands before `end`, without a sign. -1: it is none. */
function v4WordOf(text: string, end: number): number {
  let word = 0
  let octets = 0
  let start = 0
  for (let at = 0; at <= end; at += 1) {
    if (at < end && text.charCodeAt(at) !== DOT) continue
    const value = parseDecimal(text, start, at, OCTET_MAX)
    if (value < 0) return -1
    word = (word << 8) | value
    octets += 1
    start = at + 1
  }
  return octets === OCTETS ? word >>> 0 : -1
}

/** Many ranges side by side: nearly all are of IPv4, and these need no object each. */
export class IpRanges {
  readonly #words: Int32Array
  /** Of a range of IPv4; -1: it is none. */
  readonly #bits: Int8Array
  readonly #others = new Map<number, IpRange>()

  constructor(texts: readonly string[]) {
    this.#words = new Int32Array(texts.length)
    this.#bits = new Int8Array(texts.length).fill(-1)
    for (let index = 0; index < texts.length; index += 1) this.#add(index, texts[index] ?? '')
  }

  #add(index: number, text: string): void {
    const slash = text.indexOf('/')
    const word = v4WordOf(text, slash < 0 ? text.length : slash)
    if (word >= 0) {
      this.#words[index] = word | 0
      this.#bits[index] =
        slash < 0 ? WORD_BITS : parseDecimal(text, slash + 1, text.length, WORD_BITS)
      return
    }
    const range = parseRange(text)
    if (range !== undefined) this.#others.set(index, range)
  }

  contains(index: number, address: IpAddress): boolean {
    const bits = this.#bits[index] ?? -1
    if (bits < 0) {
      const range = this.#others.get(index)
      return range !== undefined && isWithin(address, range)
    }
    if (address.isV6) return false
    const difference = (address.words[0] ?? 0) ^ (this.#words[index] ?? 0)
    return bits === 0 || difference >>> (WORD_BITS - bits) === 0
  }
}

/** -1: no number, or above `max`. Leading zeros and a plus are allowed, as by Integer.parseInt. */
function parseDecimal(text: string, from: number, to: number, max: number): number {
  const start = from < to && text.charCodeAt(from) === PLUS ? from + 1 : from
  if (start === to) return -1
  let value = 0
  for (let at = start; at < to; at += 1) {
    const code = text.charCodeAt(at)
    if (code < ZERO || code > NINE) return -1
    value = value * 10 + code - ZERO
    if (value > max) return -1
  }
  return value
}

/** Groups of hex digits, at most one `::` for one or more zero groups; no dotted tail. */
function parseV6(text: string): IpAddress | undefined {
  const groups: number[] = []
  let gapAt = -1
  let at = 0
  if (text.charCodeAt(0) === COLON) {
    if (text.charCodeAt(1) !== COLON) return undefined
    gapAt = 0
    at = 2
  }
  while (at < text.length) {
    let value = 0
    const start = at
    for (; at < text.length; at += 1) {
      const digit = hexDigit(text.charCodeAt(at))
      if (digit < 0) break
      value = value * 16 + digit
    }
    if (at === start || at - start > GROUP_DIGITS_MAX) return undefined
    groups.push(value)
    if (at === text.length) break
    if (text.charCodeAt(at) !== COLON) return undefined
    at += 1
    if (text.charCodeAt(at) === COLON) {
      if (gapAt >= 0) return undefined
      gapAt = groups.length
      at += 1
    } else if (at === text.length) return undefined
  }
  if (gapAt < 0 ? groups.length !== GROUPS : groups.length >= GROUPS) return undefined
  while (groups.length < GROUPS) groups.splice(gapAt, 0, 0)
  const word = (index: number): number =>
    ((groups[index * 2] ?? 0) << 16) | (groups[index * 2 + 1] ?? 0)
  return { isV6: true, words: [word(0), word(1), word(2), word(3)] }
}

/** -1: it is none. */
function hexDigit(code: number): number {
  if (code >= ZERO && code <= NINE) return code - ZERO
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : -1
}

export function isWithin(address: IpAddress, range: IpRange): boolean {
  const other = range.address
  if (address.isV6 !== other.isV6) return false
  let bits = range.bits
  for (let i = 0; bits > 0; i += 1, bits -= WORD_BITS) {
    const difference = (address.words[i] ?? 0) ^ (other.words[i] ?? 0)
    if (difference === 0) continue
    if (bits >= WORD_BITS || difference >>> (WORD_BITS - bits) !== 0) return false
  }
  return true
}
