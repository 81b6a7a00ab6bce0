import { JuteReader } from 'jute-ts'
import { readTxnHeader } from '../data/records.ts'
import { isEcho } from '../data/txn.ts'
import { follows } from '../data/zxid.ts'
import type { DiskReader, LogFileInfo } from '../persistence/disk.ts'
import { readOrProblem } from '../persistence/read-or-problem.ts'
import { logsToReplay } from '../persistence/recovery.ts'
import { TxnLogReader } from '../persistence/txn-log-reader.ts'
import type { Entry, HistoryFeed } from '../quorum/replica.ts'

/**
 * Entries from the log files, from the one at or below `fromZxid` on, up to `toZxid` at least, for a
 * learner that has missed more than is in memory. Undefined: a snapshot is cheaper (the logs that
 * would have to be read are larger than `sizeFactor` times the newest snapshot, padding included), or
 * the files do not hold all of it. `sizeFactor` 0: no limit; negative: never (spec 04 §4).
 */
export function readHistory(
  disk: DiskReader,
  fromZxid: number,
  toZxid: number,
  sizeFactor: number,
): HistoryFeed | undefined {
  if (sizeFactor < 0) return undefined
  const feed = readOrProblem(() => openHistory(disk, fromZxid, toZxid, sizeFactor))
  if (feed === undefined || 'problem' in feed) return undefined
  let isFirst = true
  const next = (): Entry | undefined => {
    if (!isFirst && !feed.next()) return undefined
    isFirst = false
    return { zxid: feed.zxid, bytes: Buffer.from(feed.entry) }
  }
  // A purge or a failing disk concerns the learner that waits for this, and nobody else.
  return { next: () => readOrProblem(next) }
}

/** Standing at the record at or below `fromZxid`. Undefined as readHistory. */
function openHistory(
  disk: DiskReader,
  fromZxid: number,
  toZxid: number,
  sizeFactor: number,
): Records | undefined {
  const files = logsToReplay(disk.listLogs(), fromZxid)
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  const snapshotBytes = disk.listSnapshots().at(-1)?.bytes ?? 0
  if (sizeFactor > 0 && bytes > snapshotBytes * sizeFactor) return undefined
  // Looked through beforehand: a learner that was told DIFF cannot be told SNAP when a gap turns up.
  const records = new Records(disk, files)
  const first = records.skipTo(fromZxid)
  if (first === undefined || first > fromZxid) return undefined
  while (records.zxid < toZxid) if (!records.next()) return undefined
  const feed = new Records(disk, files)
  feed.skipTo(fromZxid)
  return feed
}

/** The records of several files as one ascending sequence without gaps; it ends where there is one. */
class Records {
  readonly #disk: DiskReader
  readonly #files: readonly LogFileInfo[]
  readonly #reader = new JuteReader()
  #at = -1
  #log: TxnLogReader | undefined = undefined
  /** Of the record at hand. */
  zxid = 0
  /** Borrowed until the next call. */
  entry: Buffer = NONE
  /** Read, but not at hand: `skipTo` has to look one further. */
  #ahead: { readonly zxid: number; readonly entry: Buffer } | undefined = undefined

  constructor(disk: DiskReader, files: readonly LogFileInfo[]) {
    this.#disk = disk
    this.#files = files
  }

  /** To the last record at or below `zxid`, or the first of all. Its zxid; undefined if there is none. */
  skipTo(zxid: number): number | undefined {
    if (!this.next()) return undefined
    while (this.zxid < zxid) {
      const current = { zxid: this.zxid, entry: Buffer.from(this.entry) }
      if (!this.next()) return current.zxid
      if (this.zxid <= zxid) continue
      this.#ahead = { zxid: this.zxid, entry: Buffer.from(this.entry) }
      this.zxid = current.zxid
      this.entry = current.entry
      return this.zxid
    }
    return this.zxid
  }

  next(): boolean {
    if (this.#ahead !== undefined) {
      this.zxid = this.#ahead.zxid
      this.entry = this.#ahead.entry
      this.#ahead = undefined
      return true
    }
    for (;;) {
      if (this.#log?.next() !== true) {
        if (!this.#openNext()) return false
        continue
      }
      if (!this.#log.checksumOk) return false
      const { zxid, type } = readTxnHeader(this.#reader.reset(this.#log.entry))
      if (!this.#reader.ok) return false
      if (isEcho(type, zxid, this.zxid)) continue
      // A follower may have logged again what it had logged uncommitted (spec 07).
      if (zxid <= this.zxid) continue
      if (this.zxid > 0 && !follows(zxid, this.zxid)) return false
      this.zxid = zxid
      this.entry = this.#log.entry
      return true
    }
  }

  #openNext(): boolean {
    this.#at += 1
    const file = this.#files[this.#at]
    if (file === undefined) return false
    this.#log = new TxnLogReader(this.#disk, file)
    return true
  }
}

const NONE: Buffer = Buffer.alloc(0)
