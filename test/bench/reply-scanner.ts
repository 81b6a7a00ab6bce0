/** Length prefix, xid, zxid and err: the part of a reply that is looked at (spec 01 §2, §4). */
const headBytes = 20
const errOffset = 16

/**
 * Counts whole replies in a byte stream, and looks at nothing but their length and error code. It copies
 * no body: bodies are skipped, and only a head that falls on a chunk boundary is put together.
 */
export class ReplyScanner {
  readonly #head: Buffer = Buffer.alloc(headBytes)
  #headFilled = 0
  /** Bytes of the current reply that are still to come, once its head is known. */
  #skip = 0
  #inBody = false
  /** The first error code that was not 0, or undefined. */
  error: number | undefined = undefined

  /** How many replies end in the first `length` bytes of `chunk`. */
  scan(chunk: Uint8Array, length: number): number {
    let at = 0
    let count = 0
    while (at < length) {
      if (this.#inBody) {
        if (this.#skip > length - at) {
          this.#skip -= length - at
          return count
        }
        at += this.#skip
        this.#inBody = false
        count += 1
      } else if (this.#headFilled === 0 && length - at >= headBytes) {
        this.#begin(chunk, at)
        at += headBytes
      } else {
        const take = Math.min(headBytes - this.#headFilled, length - at)
        this.#head.set(chunk.subarray(at, at + take), this.#headFilled)
        this.#headFilled += take
        at += take
        if (this.#headFilled < headBytes) return count
        this.#headFilled = 0
        this.#begin(this.#head, 0)
      }
      if (this.#inBody && this.#skip === 0) {
        this.#inBody = false
        count += 1
      }
    }
    return count
  }

  #begin(bytes: Uint8Array, at: number): void {
    const payloadBytes = int32At(bytes, at)
    const err = int32At(bytes, at + errOffset)
    if (err !== 0 && this.error === undefined) this.error = err
    this.#skip = payloadBytes - (headBytes - 4)
    this.#inBody = true
  }
}

const int32At = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] ?? 0) << 24) |
  ((bytes[at + 1] ?? 0) << 16) |
  ((bytes[at + 2] ?? 0) << 8) |
  (bytes[at + 3] ?? 0)
