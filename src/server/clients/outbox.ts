import { JuteWriter } from 'jute-ts'

/** Bytes for one connection, to be written at the end of the turn. Borrowed until then. */
export interface ClientWrite {
  readonly cnxn: number
  readonly bytes: Buffer
  /** They lie in the buffer that the next turn is to use again. */
  readonly isOfArena: boolean
}

/** A connection, as the outbox knows it: where in the arena the pieces of its output lie. */
export interface OutboxTarget {
  readonly id: number
  /** Start and end of each piece, one after the other; empty between turns. */
  readonly pieces: number[]
  /** Bytes written in this turn, or before and not yet taken by its socket. */
  unsentBytes: number
}

const ARENA_BYTES_INITIAL = 64 * 1024
/**
 * The buffer of replies that is kept from turn to turn.
 * @bound bytes: it is given back
 */
const ARENA_BYTES_KEPT = 1024 * 1024
/** A piece that is so large a share of its arena may keep it. */
const ARENA_SHARE_MIN = 4

/**
 * All that the clients are told in one turn, in one growing buffer. The reads of a pipelining client
 * and the replies to a batch of its writes lie side by side in it, so what leaves is nearly always a
 * plain slice; and the buffer is used again in the next turn unless a socket still holds on to it.
 */
export class Outbox {
  #writer = new JuteWriter(ARENA_BYTES_INITIAL)
  #current: OutboxTarget | undefined
  #currentStart = 0
  readonly #dirty: OutboxTarget[] = []

  /** Where to write the next frame for `target`. Valid until the next call. */
  begin(target: OutboxTarget): JuteWriter {
    if (this.#current !== target) {
      this.#endPiece()
      this.#current = target
      this.#currentStart = this.#writer.length
    }
    return this.#writer
  }

  /** Bytes for `target` that the running turn has produced. */
  pendingBytes(target: OutboxTarget): number {
    let bytes = this.#current === target ? this.#writer.length - this.#currentStart : 0
    for (let i = 0; i + 1 < target.pieces.length; i += 2)
      bytes += (target.pieces[i + 1] ?? 0) - (target.pieces[i] ?? 0)
    return bytes
  }

  #endPiece(): void {
    const target = this.#current
    if (target === undefined) return
    this.#current = undefined
    if (this.#writer.length === this.#currentStart) return
    if (target.pieces.length === 0) this.#dirty.push(target)
    target.pieces.push(this.#currentStart, this.#writer.length)
  }

  /** Connections with something to be written. */
  get touched(): number {
    const isNew = this.#current !== undefined && this.#current.pieces.length === 0
    return this.#dirty.length + (isNew ? 1 : 0)
  }

  /** What is to be written now, one entry per connection; the caller then calls `recycle`. */
  take(): ClientWrite[] {
    this.#endPiece()
    const writes: ClientWrite[] = []
    const arena = this.#writer.buffer
    for (const target of this.#dirty) {
      // A piece that a socket may hold on to shall not keep an arena that is much larger.
      const isCopied = target.unsentBytes > 0 || arena.length > ARENA_BYTES_KEPT
      const bytes = gather(arena, target.pieces, isCopied)
      target.pieces.length = 0
      writes.push({ cnxn: target.id, bytes, isOfArena: bytes.buffer === arena.buffer })
    }
    this.#dirty.length = 0
    return writes
  }

  /** `held`: a socket still refers to what was taken, so those bytes must stay as they are. */
  recycle(held: boolean): void {
    if (held || this.#writer.buffer.length > ARENA_BYTES_KEPT)
      this.#writer = new JuteWriter(ARENA_BYTES_INITIAL)
    else this.#writer.clear()
  }
}

function gather(arena: Buffer, pieces: readonly number[], isCopied: boolean): Buffer {
  let total = 0
  for (let i = 0; i + 1 < pieces.length; i += 2) total += (pieces[i + 1] ?? 0) - (pieces[i] ?? 0)
  const isMostOfIt = total * ARENA_SHARE_MIN >= arena.length
  if (pieces.length === 2 && (!isCopied || isMostOfIt)) return arena.subarray(pieces[0], pieces[1])
  const bytes = isCopied ? Buffer.allocUnsafeSlow(total) : Buffer.allocUnsafe(total)
  let at = 0
  for (let i = 0; i + 1 < pieces.length; i += 2)
    at += arena.copy(bytes, at, pieces[i] ?? 0, pieces[i + 1] ?? 0)
  return bytes
}
