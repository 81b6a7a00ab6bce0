const INITIAL_BYTES = 1024
const NULL_LENGTH = -1
const LENGTH_BYTES = 4
const LOW_SPAN = 2 ** 32

/** Up to here a loop over char codes beats the call into native code: 2.5 ns a char against 60. */
const LOOP_CHARS_MAX = 24

/** UTF-16 to UTF-8: three bytes a code unit at most. */
const UTF8_BYTES_PER_CHAR_MAX = 3

/** Above this many chars a string is measured before room is made, not estimated. */
const ESTIMATE_CHARS_MAX = 1024

/**
 * Appends Jute values to one growing Buffer, `length` bytes of which are written. What is handed in
 * is copied. The bytes handed out are borrowed: the next write may move or change them.
 *
 * How large it may grow is for the caller to bound. A patch changes bytes that were written, or
 * reserved, before; `at` is an offset from the start.
 */
export class JuteWriter {
  length = 0
  #buffer: Buffer
  /** The same bytes: half as dear as four stores for an int. */
  #view: DataView

  /** Room for so many bytes to begin with. */
  constructor(initialBytes: number = INITIAL_BYTES) {
    this.#buffer = Buffer.allocUnsafe(initialBytes)
    this.#view = viewOf(this.#buffer)
  }

  /** What is written and the room behind it; another one after growth. */
  get buffer(): Buffer {
    return this.#buffer
  }

  /** The low 8 bits of the value. */
  writeByte(value: number): void {
    this.patchByte(this.reserve(1), value)
  }

  writeBoolean(value: boolean): void {
    this.patchBoolean(this.reserve(1), value)
  }

  /** The low 32 bits of the value. */
  writeInt(value: number): void {
    this.patchInt(this.reserve(4), value)
  }

  /** The low 64 bits of the value. */
  writeLong(value: bigint): void {
    this.patchLong(this.reserve(8), value)
  }

  /** A safe integer as a long. */
  writeNumber(value: number): void {
    this.patchNumber(this.reserve(8), value)
  }

  /** IEEE 754, 4 bytes. */
  writeFloat(value: number): void {
    this.patchFloat(this.reserve(4), value)
  }

  /** IEEE 754, 8 bytes. */
  writeDouble(value: number): void {
    this.patchDouble(this.reserve(8), value)
  }

  patchByte(at: number, value: number): void {
    this.#view.setInt8(at, value)
  }

  patchBoolean(at: number, value: boolean): void {
    this.#view.setInt8(at, value ? 1 : 0)
  }

  patchInt(at: number, value: number): void {
    this.#view.setInt32(at, value)
  }

  /** The number of bytes written behind the int at `at`, into it: so a frame is closed. */
  patchLength(at: number): void {
    this.#view.setInt32(at, this.length - at - LENGTH_BYTES)
  }

  patchLong(at: number, value: bigint): void {
    this.#view.setBigInt64(at, value)
  }

  patchNumber(at: number, value: number): void {
    this.#view.setInt32(at, Math.floor(value / LOW_SPAN))
    this.#view.setInt32(at + 4, value)
  }

  patchFloat(at: number, value: number): void {
    this.#view.setFloat32(at, value)
  }

  patchDouble(at: number, value: number): void {
    this.#view.setFloat64(at, value)
  }

  /** Length and bytes. */
  writeBuffer(value: Buffer | null): void {
    if (value === null) {
      this.writeInt(NULL_LENGTH)
      return
    }
    this.writeInt(value.length)
    this.writeBytes(value)
  }

  /** The bytes alone. */
  writeBytes(raw: Buffer): void {
    const at = this.reserve(raw.length)
    raw.copy(this.#buffer, at)
  }

  /** Length in bytes, then UTF-8. A lone surrogate becomes U+FFFD. */
  writeString(value: string | null): void {
    if (value === null) {
      this.writeInt(NULL_LENGTH)
      return
    }
    const chars = value.length
    if (chars > LOOP_CHARS_MAX) {
      this.#writeLongString(value)
      return
    }
    const at = this.reserve(LENGTH_BYTES + chars)
    const buffer = this.#buffer
    const start = at + LENGTH_BYTES
    for (let i = 0; i < chars; i += 1) {
      const code = value.charCodeAt(i)
      if (code > 0x7f) {
        this.length = at
        this.#writeLongString(value)
        return
      }
      buffer[start + i] = code
    }
    this.patchInt(at, chars)
  }

  #writeLongString(value: string): void {
    const room =
      value.length > ESTIMATE_CHARS_MAX
        ? Buffer.byteLength(value)
        : value.length * UTF8_BYTES_PER_CHAR_MAX
    const at = this.reserve(LENGTH_BYTES + room)
    const bytes = this.#buffer.write(value, at + LENGTH_BYTES)
    this.patchInt(at, bytes)
    this.length = at + LENGTH_BYTES + bytes
  }

  /** Leaves room for an int and returns its offset, for patchInt once the value is known. */
  reserveInt(): number {
    return this.reserve(4)
  }

  /** Appends so many bytes of undefined content and returns the offset of the first. */
  reserve(bytes: number): number {
    const at = this.length
    const length = at + bytes
    if (length > this.#buffer.length) this.#grow(length)
    this.length = length
    return at
  }

  /** Forgets what was written from the offset `length` on. */
  truncate(length: number): void {
    this.length = length
  }

  /** Forgets all and keeps the room. */
  clear(): void {
    this.length = 0
  }

  /** What is written, borrowed. */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.length)
  }

  /** What is written, in a Buffer of its own. */
  copy(): Buffer {
    return Buffer.from(this.bytes())
  }

  /** Doubles, so that n bytes cost O(n) copying however they come. */
  #grow(bytesMin: number): void {
    const grown = Buffer.allocUnsafe(Math.max(bytesMin, this.#buffer.length * 2))
    this.#buffer.copy(grown, 0, 0, this.length)
    this.#buffer = grown
    this.#view = viewOf(grown)
  }
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.length)
}
