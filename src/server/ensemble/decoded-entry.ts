import { JuteReader } from 'jute-ts'
import { readTxnHeader } from '../../data/records.ts'
import { DIGEST_VERSION, readTxn } from '../../data/txn.ts'
import type { AcceptedEntry, Entry } from '../../quorum/ports/replica.ts'
import { ownData } from '../storage/load.ts'
import type { OrderedTxn } from '../writes/write-path.ts'

const DIGEST_BYTES = 12

/** What an entry means; who waits for it here is not known before it is delivered. */
type Meaning = Omit<OrderedTxn, 'origin' | 'entry'>

/** An entry of a leader's with what it means, decoded once: as proposed, logged and delivered. */
export class DecodedEntry implements AcceptedEntry {
  readonly entry: Entry
  readonly meaning: Meaning

  private constructor(entry: Entry, meaning: Meaning) {
    this.entry = entry
    this.meaning = meaning
  }

  /** Undefined: it cannot be decoded, or has another zxid than its packet. */
  static of(entry: Entry): DecodedEntry | undefined {
    const r = reader.reset(entry.bytes)
    const { clientId, cxid, zxid, time, type } = readTxnHeader(r)
    const txn = r.ok && zxid === entry.zxid ? readTxn(r, type) : undefined
    if (txn === undefined || !r.ok) return undefined
    let digest: Meaning['digest']
    if (r.remaining === DIGEST_BYTES && r.readInt() === DIGEST_VERSION)
      digest = { high: r.readInt() >>> 0, low: r.readInt() >>> 0 }
    return new DecodedEntry(entry, { clientId, cxid, zxid, time, txn: ownData(txn), digest })
  }
}

/** Holds nothing between two calls. */
const reader = new JuteReader()
