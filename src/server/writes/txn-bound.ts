import { encodeTxn, type Txn } from '../../data/txn.ts'
import { PACKET_BYTES_MAX } from '../../quorum/wire/packets.ts'
import type { Growth } from '../auth/acl-check.ts'

/**
 * The largest txn: a member of the original reads no element above twice jute.maxbuffer, in its log
 * and from peers.
 * @bound frames (jute.maxbuffer): the write is refused; the end of a session is split
 */
const FRAMES_PER_TXN = 2
/** A proposal has some bytes around its entry. */
const PACKET_SPARE_BYTES = 4096
/** TxnHeader and TxnDigest. */
const AROUND_BODY_BYTES = 32 + 12
/** The least part of a multi that was read, and its txn: no more than this grows but by `auth`. */
const BODY_GROWTH_FACTOR = 1.5
/** In a list of paths: its length. In a multi: type and length, too. */
const LISTED_PATH_BYTES = 4
const DELETE_PART_BYTES = 12

/**
 * How large a txn may be. One that is larger is acknowledged and then read by nobody: neither by this
 * server at its next start, nor by those who follow it. So it is refused before it has its place.
 */
export class TxnBound {
  readonly #frameBytesMax: number
  readonly txnBytesMax: number
  /** Of the request at hand. */
  readonly growth: Growth

  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax
    this.txnBytesMax = Math.min(
      FRAMES_PER_TXN * frameBytesMax,
      PACKET_BYTES_MAX - PACKET_SPARE_BYTES,
    )
    this.growth = { bytesLeft: frameBytesMax }
  }

  /** Call before each request. */
  begin(): void {
    this.growth.bytesLeft = this.#frameBytesMax
  }

  /** Whether what a request of `bodyBytes` has become is too large. Hardly ever has to look. */
  isExceededBy(txn: Txn, bodyBytes: number): boolean {
    const grown = this.#frameBytesMax - this.growth.bytesLeft
    const bytesMax = bodyBytes * BODY_GROWTH_FACTOR + grown + AROUND_BODY_BYTES
    if (bytesMax <= this.txnBytesMax) return false
    return AROUND_BODY_BYTES + encodeTxn(txn).length > this.txnBytesMax
  }

  /** How many of `paths`, from `from` on, fit in one closeSession, or in a multi that deletes them. */
  countOfPaths(paths: readonly string[], from: number, inMulti: boolean): number {
    const around = inMulti ? DELETE_PART_BYTES : LISTED_PATH_BYTES
    let left = this.txnBytesMax - AROUND_BODY_BYTES - LISTED_PATH_BYTES
    let at = from
    for (; at < paths.length; at += 1) {
      left -= around + Buffer.byteLength(paths[at] ?? '')
      if (left < 0) break
    }
    return at - from
  }
}
