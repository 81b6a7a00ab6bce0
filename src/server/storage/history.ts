import { JuteReader } from 'jute-ts'
import { readTxnHeader } from '../../data/records.ts'
import { isEcho } from '../../data/txn.ts'
import { follows } from '../../data/zxid.ts'
import type { DiskReader, LogFileInfo } from '../../persistence/disk.ts'
import { readOrProblem } from '../../persistence/read-or-problem.ts'
import { logsToReplay } from '../../persistence/recovery.ts'
import { TxnLogReader } from '../../persistence/txn-log-reader.ts'
import type { Entry, HistoryFeed, HistoryScan } from '../../quorum/ports/replica.ts'

/**
 * Bytes of the log files that are looked through in one turn: some milliseconds.
 * @bound bytes: the rest has the next turns
 */
export const SCAN_BYTES_PER_STEP: number = 1024 * 1024

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
): HistoryScan | undefined {
  if (sizeFactor < 0) return undefined
  const scan = readOrProblem(() => {
    const files = logsToReplay(disk.listLogs(), fromZxid)
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
    const snapshotBytes = disk.listSnapshots().at(-1)?.bytes ?? 0
    if (sizeFactor > 0 && bytes > snapshotBytes * sizeFactor) return undefined
    return new Scan(disk, files, fromZxid, toZxid)
  })
  // A purge or a failing disk concerns the learner that waits for this, and nobody else.
  if (scan === undefined || 'problem' in scan) return undefined
  return {
    step: () => {
      const found = readOrProblem(() => scan.step())
      return typeof found === 'object' && 'problem' in found ? undefined : found
    },
  }
}

/** A record in the files. */
interface Place {
  readonly file: number
  readonly offset: number
}

/**
 * Everything is looked through beforehand, in slices: a learner that was told DIFF cannot be told SNAP
 * when a gap turns up.
 */
class Scan {
  readonly #disk: DiskReader
  readonly #files: readonly LogFileInfo[]
  readonly #fromZxid: number
  readonly #toZxid: number
  readonly #records: Records
  /** Of the newest record at or below fromZxid. */
  #begin: Place | undefined = undefined

  constructor(disk: DiskReader, files: readonly LogFileInfo[], fromZxid: number, toZxid: number) {
    this.#disk = disk
    this.#files = files
    this.#fromZxid = fromZxid
    this.#toZxid = toZxid
    this.#records = new Records(disk, files)
  }

  step(): HistoryFeed | 'more' | undefined {
    const records = this.#records
    for (let bytes = 0; bytes < SCAN_BYTES_PER_STEP; bytes += records.entry.length) {
      if (!records.next()) return records.zxid < this.#toZxid ? undefined : this.#feed()
      if (records.zxid <= this.#fromZxid) this.#begin = records.place
      if (this.#begin === undefined) return undefined
      if (records.zxid >= this.#toZxid && records.zxid >= this.#fromZxid) return this.#feed()
    }
    return 'more'
  }

  #feed(): HistoryFeed | undefined {
    if (this.#begin === undefined) return undefined
    const records = new Records(this.#disk, this.#files, this.#begin)
    const next = (): Entry | undefined =>
      records.next() ? { zxid: records.zxid, bytes: Buffer.from(records.entry) } : undefined
    return { next: () => readOrProblem(next) }
  }
}

/** The records of several files as one ascending sequence without gaps; it ends where there is one. */
class Records {
  readonly #disk: DiskReader
  readonly #files: readonly LogFileInfo[]
  readonly #reader = new JuteReader()
  #at: number
  #log: TxnLogReader | undefined = undefined
  /** Of the record at hand. */
  zxid = 0
  /** Borrowed until the next call. */
  entry: Buffer = NONE

  constructor(disk: DiskReader, files: readonly LogFileInfo[], begin?: Place) {
    this.#disk = disk
    this.#files = files
    this.#at = begin === undefined ? -1 : begin.file
    const file = files[this.#at]
    if (begin !== undefined && file !== undefined)
      this.#log = new TxnLogReader(disk, file, undefined, begin.offset)
  }

  /** Of the record at hand. */
  get place(): Place {
    return { file: this.#at, offset: this.#log?.offset ?? 0 }
  }

  next(): boolean {
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
