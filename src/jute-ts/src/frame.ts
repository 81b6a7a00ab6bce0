const LENGTH_BYTES = 4
const HELD_BYTES_MIN = 256
const EMPTY: Buffer = Buffer.alloc(0)

export type FrameError = 'negative length' | 'frame too large'

/**
 * Cuts a byte stream into frames of an int length and so many bytes. Pull style:
 *
 *     splitter.push(chunk)
 *     while (splitter.next()) use(splitter.buffer, splitter.start, splitter.end)
 *     splitter.release()
 *
 * Stopping in the middle keeps the rest for a later next(). A frame is lent until the next call of
 * next(), push() or release(). A chunk is borrowed until the next push() or release(): what is left
 * of it by then is copied. A frame that lies whole in one chunk is never copied.
 *
 *     #held   [ consumed | #heldStart .. #heldEnd | room ]     older bytes, ours
 *     #chunk  [ consumed | #at .. #chunkEnd ]                  newer bytes, borrowed
 */
export class FrameSplitter {
  /** The payload of the current frame is buffer[start .. end), without its length. */
  buffer: Buffer = EMPTY
  start = 0
  end = 0
  /** Once set, the stream cannot be understood any more and next() stays false. */
  error: FrameError | undefined = undefined

  #chunk: Buffer = EMPTY
  #at = 0
  #chunkEnd = 0
  #held: Buffer = EMPTY
  #heldStart = 0
  #heldEnd = 0
  readonly #frameBytesMax: number

  /** The largest payload of a frame, in bytes. */
  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax
  }

  /** Adds bytes at the end of the stream. After an error they are dropped. */
  push(chunk: Buffer): void {
    this.release()
    if (this.error !== undefined) return
    this.#chunk = chunk
    this.#at = 0
    this.#chunkEnd = chunk.length
  }

  /** True: buffer, start and end describe the next frame. False: more bytes are needed, or error. */
  next(): boolean {
    if (this.#heldEnd > this.#heldStart) return this.#nextHeld()
    const at = this.#at
    const payload = at + LENGTH_BYTES
    if (payload > this.#chunkEnd) return false
    const length = this.#lengthAt(this.#chunk, at)
    if (length < 0) return false
    const end = payload + length
    if (end > this.#chunkEnd) return false
    this.buffer = this.#chunk
    this.start = payload
    this.end = end
    this.#at = end
    return true
  }

  /** Bytes pushed and not yet part of a returned frame. */
  get heldBytes(): number {
    return this.#heldEnd - this.#heldStart + this.#chunkEnd - this.#at
  }

  /** Lets go of the chunk, copying what is left of it. Call it at the end of an event. */
  release(): void {
    if (this.#heldStart === this.#heldEnd) {
      // An idle connection shall not keep the memory of its largest frame.
      this.#held = EMPTY
      this.#heldStart = 0
      this.#heldEnd = 0
    }
    if (this.#at < this.#chunkEnd) this.#hold(this.#chunkEnd - this.#at)
    this.buffer = EMPTY
    this.start = 0
    this.end = 0
    this.#chunk = EMPTY
    this.#at = 0
    this.#chunkEnd = 0
  }

  /** The frame began in an earlier chunk: complete it there, and take no byte more. */
  #nextHeld(): boolean {
    if (!this.#gather(LENGTH_BYTES)) return false
    const length = this.#lengthAt(this.#held, this.#heldStart)
    if (length < 0 || !this.#gather(LENGTH_BYTES + length)) return false
    this.buffer = this.#held
    this.start = this.#heldStart + LENGTH_BYTES
    this.end = this.start + length
    this.#heldStart = this.end
    return true
  }

  /** Moves bytes over from the chunk until `bytes` are held. False: there are not so many yet. */
  #gather(bytes: number): boolean {
    const missing = bytes - (this.#heldEnd - this.#heldStart)
    if (missing <= 0) return true
    const taken = Math.min(missing, this.#chunkEnd - this.#at)
    if (taken > 0) this.#hold(taken)
    return taken === missing
  }

  #hold(bytes: number): void {
    this.#makeRoom(bytes)
    this.#chunk.copy(this.#held, this.#heldEnd, this.#at, this.#at + bytes)
    this.#heldEnd += bytes
    this.#at += bytes
  }

  /**
   * Room grows with the bytes that came, never with the length that a peer only claims; and twofold,
   * so that copying stays linear in the bytes received. What was consumed stays behind.
   */
  #makeRoom(bytes: number): void {
    if (this.#heldEnd + bytes <= this.#held.length) return
    const live = this.#heldEnd - this.#heldStart
    const needed = live + bytes
    const doubled = Math.max(HELD_BYTES_MIN, needed * 2)
    const frameBytes = LENGTH_BYTES + this.#frameBytesMax
    // As long as no frame was taken this may all be one, and then more room is never used.
    const isCapped = this.#heldStart === 0 && needed <= frameBytes
    const target = Buffer.allocUnsafe(isCapped ? Math.min(doubled, frameBytes) : doubled)
    this.#held.copy(target, 0, this.#heldStart, this.#heldEnd)
    this.#held = target
    this.#heldStart = 0
    this.#heldEnd = live
  }

  /** The length at `at`, or -1 with `error` set. */
  #lengthAt(bytes: Buffer, at: number): number {
    const length = bytes.readInt32BE(at)
    if (length >= 0 && length <= this.#frameBytesMax) return length
    this.error = length < 0 ? 'negative length' : 'frame too large'
    this.#at = this.#chunkEnd
    this.#heldStart = this.#heldEnd
    return -1
  }
}
