/** What every zero-length read lends out. */
const EMPTY: Buffer = Buffer.alloc(0)

/**
 * Where a failed reader stands. So far behind any end that each later bounds check fails too: a read
 * then needs no look at `ok`. It and what is added to it stay small integers for the optimizer.
 */
const FAILED_AT = 0x3fffffff

/** The largest end of a reader, in bytes from the start of its buffer. */
const END_MAX = FAILED_AT - 1

/** A long is a safe integer if its high half lies in [-SAFE_HIGH_SPAN, SAFE_HIGH_SPAN). */
const SAFE_HIGH_SPAN = 2 ** 21
const LOW_SPAN = 2 ** 32

/** Two 32-bit halves in, one bigint out: much cheaper than shifting bigints. */
const scratch: DataView = new DataView(new ArrayBuffer(8))

/**
 * Reads Jute values from a borrowed Buffer, from `at` up to but not including `end`.
 *
 * Failure is sticky and nothing throws: after the first read out of bounds, or of an invalid length,
 * `ok` is false for good (until `reset`) and every read returns a zero value: 0, 0n, false, '', an
 * empty Buffer, a null where null is possible. So read a whole record, then look at `ok` once.
 *
 * A caller may narrow or widen `end` between reads, and move `at` while `ok` is true.
 */
export class JuteReader {
  buffer: Buffer = EMPTY
  at = 0
  end = 0
  ok = true

  /** See `reset`. Without a buffer, an empty reader to be reset later. */
  constructor(buffer: Buffer = EMPTY, start = 0, end: number = buffer.length) {
    this.reset(buffer, start, end)
  }

  /**
   * Starts over on other bytes, offsets in bytes: one reader can serve a whole connection. A range
   * that does not lie in the buffer, or that ends beyond 1 GiB, gives a reader that has failed.
   */
  reset(buffer: Buffer, start = 0, end: number = buffer.length): this {
    this.buffer = buffer
    this.at = start
    this.end = end
    this.ok = true
    if (start < 0 || start > end || end > buffer.length || end > END_MAX) this.fail()
    return this
  }

  /** Marks the bytes as undecodable; for checks that Jute itself does not know. */
  fail(): void {
    this.ok = false
    this.at = FAILED_AT
  }

  /** Bytes between `at` and `end`; 0 after a failure. */
  get remaining(): number {
    return this.ok ? this.end - this.at : 0
  }

  /** Signed, -128 to 127. */
  readByte(): number {
    const at = this.at
    if (at + 1 > this.end) {
      this.fail()
      return 0
    }
    this.at = at + 1
    return ((this.buffer[at] ?? 0) << 24) >> 24
  }

  /** Any byte but 0 is true. */
  readBoolean(): boolean {
    const at = this.at
    if (at + 1 > this.end) {
      this.fail()
      return false
    }
    this.at = at + 1
    return this.buffer[at] !== 0
  }

  /** Signed 32 bits. */
  readInt(): number {
    const at = this.at
    if (at + 4 > this.end) {
      this.fail()
      return 0
    }
    this.at = at + 4
    return intAt(this.buffer, at)
  }

  /** Signed 64 bits. */
  readLong(): bigint {
    const at = this.at
    if (at + 8 > this.end) {
      this.fail()
      return 0n
    }
    this.at = at + 8
    const high = intAt(this.buffer, at)
    const low = intAt(this.buffer, at + 4)
    // The owner of most znodes: spares an allocation.
    if ((high | low) === 0) return 0n
    scratch.setInt32(0, high)
    scratch.setInt32(4, low)
    return scratch.getBigInt64(0)
  }

  /** A long as a number. One that is no safe integer, i.e. not within ±(2^53 - 1), fails. */
  readNumber(): number {
    const at = this.at
    if (at + 8 > this.end) {
      this.fail()
      return 0
    }
    const high = intAt(this.buffer, at)
    const low = intAt(this.buffer, at + 4) >>> 0
    const isSafe = high < SAFE_HIGH_SPAN && high >= -SAFE_HIGH_SPAN
    // -2^53 has a high half in range, yet is not safe: 2^53 + 1 would round to the same size.
    if (!isSafe || (high === -SAFE_HIGH_SPAN && low === 0)) {
      this.fail()
      return 0
    }
    this.at = at + 8
    return high * LOW_SPAN + low
  }

  /** IEEE 754, 4 bytes. */
  readFloat(): number {
    const at = this.at
    if (at + 4 > this.end) {
      this.fail()
      return 0
    }
    this.at = at + 4
    return this.buffer.readFloatBE(at)
  }

  /** IEEE 754, 8 bytes. */
  readDouble(): number {
    const at = this.at
    if (at + 8 > this.end) {
      this.fail()
      return 0
    }
    this.at = at + 8
    return this.buffer.readDoubleBE(at)
  }

  /** A part of the reader's own bytes: copy what must outlive them. A null on the wire fails. */
  readBuffer(): Buffer {
    const length = this.#readLength()
    if (length < 0) {
      this.fail()
      return EMPTY
    }
    return this.#take(length)
  }

  /** As readBuffer, but a null on the wire is null. */
  readNullableBuffer(): Buffer | null {
    const length = this.#readLength()
    return length < 0 ? null : this.#take(length)
  }

  /**
   * As readNullableBuffer, but the bytes are the caller's own, as `copy` makes them of a part of a
   * buffer. Costs one Buffer instead of two.
   */
  readNullableCopy(copy: (from: Buffer, start: number, end: number) => Buffer): Buffer | null {
    const length = this.#readLength()
    if (length < 0) return null
    const { at } = this
    this.at = at + length
    return copy(this.buffer, at, this.at)
  }

  /** Bytes that are not UTF-8 become U+FFFD. A null on the wire fails. */
  readString(): string {
    const length = this.#readLength()
    if (length < 0) {
      this.fail()
      return ''
    }
    return this.#decode(length)
  }

  /** As readString, but a null on the wire is null. */
  readNullableString(): string | null {
    const length = this.#readLength()
    return length < 0 ? null : this.#decode(length)
  }

  /**
   * The count of a vector or map, -1 for null. Fails, with 0, when the bytes that are left cannot
   * hold so many elements of at least `elementBytesMin` (> 0) each: a loop up to the count is then
   * bounded by the size of the input, whatever it claims.
   */
  readVectorCount(elementBytesMin: number): number {
    const count = this.readInt()
    if (count < -1 || count * elementBytesMin > this.end - this.at) {
      this.fail()
      return 0
    }
    return count
  }

  /** -1 for null, else a length that fits. Fails with -1, as the zero value of a nullable is null. */
  #readLength(): number {
    const length = this.readInt()
    if (length < -1 || length > this.end - this.at) {
      this.fail()
      return -1
    }
    return length
  }

  #take(length: number): Buffer {
    const at = this.at
    this.at = at + length
    return length === 0 ? EMPTY : this.buffer.subarray(at, at + length)
  }

  #decode(length: number): string {
    const at = this.at
    this.at = at + length
    // Undefined is UTF-8, and the shortest way to it.
    return this.buffer.toString(undefined, at, at + length)
  }
}

function intAt(buffer: Buffer, at: number): number {
  return (
    ((buffer[at] ?? 0) << 24) |
    ((buffer[at + 1] ?? 0) << 16) |
    ((buffer[at + 2] ?? 0) << 8) |
    (buffer[at + 3] ?? 0)
  )
}
