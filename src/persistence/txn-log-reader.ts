import { adler32 } from '../base/adler32.ts'
import type { DiskReader, LogFileInfo } from './disk.ts'
import { contentEnd, isPadding, judgeLogEnd, type LogEnd } from './txn-log-end.ts'
import {
  END_MARK,
  LOG_HEADER_BYTES,
  LOG_MAGIC,
  LOG_VERSION,
  logFileHeader,
  RECORD_FRAME_BYTES,
  RECORD_PREFIX_BYTES,
} from './txn-log-format.ts'

/** Large enough that the system calls do not show in a replay, small enough to stay in a cache. */
const PAGE_BYTES_DEFAULT = 1024 * 1024

/**
 * Walks the records of one log file, a page at a time. A record with a wrong checksum is yielded
 * too, marked: a tool may want to see it, recovery must not apply it.
 */
export class TxnLogReader {
  /** Where the record begins in the file. */
  offset = 0
  /** TxnHeader, txn, and perhaps TxnDigest. Borrowed: valid until the next call. */
  entry: Buffer = EMPTY
  /** Of the entry as it stands, as an int32. */
  checksum = 0
  /** Whether that is the checksum which the record claims. */
  checksumOk = false

  readonly #disk: DiskReader
  readonly #file: LogFileInfo
  readonly #pageBytes: number
  #page: Buffer = EMPTY
  #pageAt = 0
  #at: number
  /** No record follows; a function says why, which may take reading the rest of the file. */
  #end: LogEnd | (() => LogEnd) | undefined

  /** `startAt`: where a record begins, which is then the first. */
  constructor(
    disk: DiskReader,
    file: LogFileInfo,
    pageBytes: number = PAGE_BYTES_DEFAULT,
    startAt: number = LOG_HEADER_BYTES,
  ) {
    this.#disk = disk
    this.#file = file
    this.#pageBytes = pageBytes
    this.#at = startAt
    this.#end = this.#readHeader()
  }

  /**
   * Set when there is nothing after the record at hand, at the latest when next() returns false. Who
   * only wants the records does not ask, and does not wait for the judgement.
   */
  get end(): LogEnd | undefined {
    if (typeof this.#end === 'function') this.#end = this.#end()
    return this.#end
  }

  /** True: offset, entry and checksumOk describe the next record. False: see `end`. */
  next(): boolean {
    if (this.#end !== undefined) return false
    const at = this.#at
    if (!this.#load(at, RECORD_PREFIX_BYTES)) return this.#stop()
    const length = this.#page.readInt32BE(at - this.#pageAt + 8)
    if (length <= 0) return this.#stop()
    const markAt = at + RECORD_PREFIX_BYTES + length
    const hasMark = this.#load(at, length + RECORD_FRAME_BYTES)
    if (!hasMark && !this.#load(at, length + RECORD_PREFIX_BYTES)) return this.#stop()
    const page = this.#page
    const start = at - this.#pageAt + RECORD_PREFIX_BYTES
    const end = start + length
    const checksum = adler32(page, start, end)
    const checksumOk =
      page.readInt32BE(start - 8) === checksum && page.readInt32BE(start - 12) === 0
    if (!hasMark || page[end] !== END_MARK) {
      // If nothing but the mark is missing, the record is what was meant, whether the write was torn
      // just there or the byte was lost later.
      if (!checksumOk || !isPadding(this.#disk, this.#file, markAt)) return this.#stop()
      const detail = 'the last record is whole but for its end mark'
      this.#end = { kind: 'missing end mark', offset: markAt, detail }
    }
    this.offset = at
    this.entry = page.subarray(start, end)
    this.checksum = checksum
    this.checksumOk = checksumOk
    this.#at = markAt + 1
    return true
  }

  #stop(): false {
    this.#end = () => judgeLogEnd(this.#disk, this.#file, this.#at)
    return false
  }

  /** Undefined: all is well, records may follow. */
  #readHeader(): LogEnd | (() => LogEnd) | undefined {
    const header = this.#disk.readLog(this.#file.name, 0, LOG_HEADER_BYTES)
    // Killed between the creation of the file and its header (spec 07): an empty log.
    if (header.length === 0) return { kind: 'torn record', offset: 0, detail: 'the file is empty' }
    const whole = header.length === LOG_HEADER_BYTES
    if (whole && header.readInt32BE(0) === LOG_MAGIC && header.readInt32BE(4) === LOG_VERSION)
      return undefined
    return () => this.#judgeHeader(header)
  }

  #judgeHeader(header: Buffer): LogEnd {
    // The file was extended before its header was written, so zeros may follow what there is of it.
    const written = contentEnd(this.#disk, this.#file, 0)
    if (header.subarray(0, written).equals(logFileHeader().subarray(0, written)))
      return { kind: 'torn record', offset: 0, detail: 'the file header is cut short' }
    return { kind: 'corrupt', offset: 0, detail: 'this is not the header of a transaction log' }
  }

  /** Makes the page hold `bytes` bytes from `at` on. False: the file does not have so many. */
  #load(at: number, bytes: number): boolean {
    const from = at - this.#pageAt
    if (from + bytes <= this.#page.length) return true
    // A damaged length may claim two gigabytes: do not read what cannot be there.
    if (at + bytes > this.#file.bytes) return false
    this.#page = this.#disk.readLog(this.#file.name, at, Math.max(bytes, this.#pageBytes))
    this.#pageAt = at
    return this.#page.length >= bytes
  }
}

const EMPTY: Buffer = Buffer.alloc(0)
