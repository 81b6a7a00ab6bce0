import { assert } from '../../base/assert.ts'
import { Deque } from '../../base/deque.ts'
import type { CommittedLogView, Entry } from '../ports/replica.ts'

/** The original raises `zookeeper.commitLogCount` to that (spec 04 §4). */
export const COMMITTED_LOG_ENTRIES_MIN = 500
/**
 * Bytes of the committed entries that are kept in memory for learners that missed a little (their
 * number: commitLogCount).
 * @bound bytes: the oldest entries go
 */
export const COMMITTED_LOG_BYTES_MAX: number = 64 * 1024 * 1024

/**
 * The last entries that were delivered, so that a learner which missed a little needs no snapshot.
 * Bounded by number and by bytes, but for the newest entry, which is always kept: without it nobody
 * could tell a learner that is up to date from one that is ahead.
 */
export class CommittedLog implements CommittedLogView {
  readonly #entriesMax: number
  readonly #bytesMax: number
  readonly #entries = new Deque<Entry>()
  #bytes = 0
  #maxZxid: number

  constructor(
    entriesMax: number,
    lastProcessedZxid: number,
    bytesMax: number = COMMITTED_LOG_BYTES_MAX,
  ) {
    this.#entriesMax = Math.max(entriesMax, COMMITTED_LOG_ENTRIES_MIN)
    this.#bytesMax = bytesMax
    this.#maxZxid = lastProcessedZxid
  }

  get minZxid(): number {
    return this.#entries.peek()?.zxid ?? this.#maxZxid
  }

  get maxZxid(): number {
    return this.#maxZxid
  }

  get length(): number {
    return this.#entries.length
  }

  get bytes(): number {
    return this.#bytes
  }

  /** In zxid order. The entry's bytes are kept, not copied. */
  add(entry: Entry): void {
    assert(
      this.#entries.length === 0 || entry.zxid > this.#maxZxid,
      `committed ${entry.zxid} after ${this.#maxZxid}`,
    )
    this.#entries.push(entry)
    this.#bytes += entry.bytes.length
    this.#maxZxid = entry.zxid
    while (this.#entries.length > this.#entriesMax || this.#bytes > this.#bytesMax) {
      if (this.#entries.length === 1) return
      this.#bytes -= this.#entries.shift()?.bytes.length ?? 0
    }
  }

  /** The state was replaced or cut back: what is known of its history begins anew, at that zxid. */
  clear(lastProcessedZxid: number): void {
    this.#entries.clear()
    this.#bytes = 0
    this.#maxZxid = lastProcessedZxid
  }

  *from(zxid: number): IterableIterator<Entry> {
    for (let i = this.#indexOf(zxid); i < this.#entries.length; i += 1) {
      const entry = this.#entries.at(i)
      assert(entry !== undefined, 'the committed log has a hole')
      yield entry
    }
  }

  /** Of the first entry at or above that zxid, by bisection. */
  #indexOf(zxid: number): number {
    let low = 0
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#entries.at(middle)?.zxid ?? 0) < zxid) low = middle + 1
      else high = middle
    }
    return low
  }
}
