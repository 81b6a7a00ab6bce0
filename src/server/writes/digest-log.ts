import { Deque } from '../../base/deque.ts'
import { DIGEST_LOG_ENTRIES_MAX } from '../../base/limits.ts'
import type { TreeDigest } from '../../tree/digest.ts'

/** As in the original (spec 02 §7). */
const ZXID_INTERVAL = 128

interface DigestLogEntry {
  readonly zxid: number
  readonly digest: bigint
}

/** Whether the digest after this txn is kept. */
export const isLogged = (zxid: number): boolean => zxid % ZXID_INTERVAL === 0

/** What the word `hash` shows, so that the members of an ensemble can be compared. */
export class DigestLog {
  readonly #entries = new Deque<DigestLogEntry>()

  onApplied(zxid: number, digest: TreeDigest): void {
    if (!isLogged(zxid)) return
    this.#entries.push({ zxid, digest: digest.toBigInt() })
    if (this.#entries.length > DIGEST_LOG_ENTRIES_MAX) this.#entries.shift()
  }

  /** Oldest first. */
  get entries(): Iterable<DigestLogEntry> {
    return this.#entries
  }
}
