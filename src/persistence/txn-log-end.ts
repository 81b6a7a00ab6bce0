import { adler32 } from '../base/adler32.ts'
import type { DiskReader, LogFileInfo } from './disk.ts'
import { END_MARK, RECORD_FRAME_BYTES, RECORD_PREFIX_BYTES } from './txn-log-format.ts'

/**
 * How the records of a log file end.
 *
 * - padding: only zeros follow, as the file was extended ahead.
 * - end of file: between two records.
 * - torn record: the beginning of a record and nothing after it, which is what a crash in the middle
 *   of a write leaves. It was never acknowledged.
 * - missing end mark: as torn, but the entry is whole and its checksum right.
 * - bad end mark, corrupt: damage. What follows may have been acknowledged.
 */
export interface LogEnd {
  readonly kind:
    | 'padding'
    | 'end of file'
    | 'torn record'
    | 'missing end mark'
    | 'bad end mark'
    | 'corrupt'
  /** In bytes from the start of the file. A good record ends here. */
  readonly offset: number
  /** For a person. */
  readonly detail: string
}

/**
 * What may follow the last whole record of a log: a crash tears one write, and none is as large as
 * this.
 * @bound bytes: the log counts as damaged
 */
export const TORN_BYTES_MAX: number = 64 * 1024 * 1024
const SCAN_BYTES = 1024 * 1024
const PROBE_BYTES = 512
/** The TxnHeader alone. */
const ENTRY_BYTES_MIN = 32
const ZEROS: Buffer = Buffer.alloc(SCAN_BYTES)

/**
 * Judges why no good record begins at `offset`. The original takes nearly all of this for the end of
 * the file and serves a shorter history in silence (spec 02 §2, 07). But a crash leaves one thing
 * only: a record that breaks off with nothing behind it.
 */
export function judgeLogEnd(disk: DiskReader, file: LogFileInfo, offset: number): LogEnd {
  const restBytes = contentEnd(disk, file, offset) - offset
  if (restBytes <= 0)
    return offset < file.bytes
      ? { kind: 'padding', offset, detail: 'only zeros follow' }
      : { kind: 'end of file', offset, detail: 'nothing follows' }
  if (restBytes > TORN_BYTES_MAX)
    return { kind: 'corrupt', offset, detail: 'no record begins here, yet much data follows' }
  const rest = Buffer.alloc(Math.max(restBytes, RECORD_FRAME_BYTES))
  disk.readLog(file.name, offset, restBytes).copy(rest)
  return judgeRest(rest, restBytes, offset)
}

/** `rest` is what follows up to its last byte that is not zero, and zeros if that is very little. */
function judgeRest(rest: Buffer, restBytes: number, offset: number): LogEnd {
  const follower = findRecord(rest)
  if (follower >= 0) {
    const detail = `no record begins here, but one does at offset ${offset + follower}`
    return { kind: 'corrupt', offset, detail }
  }
  const tornRecord: LogEnd = {
    kind: 'torn record',
    offset,
    detail: 'the last record was never written to its end',
  }
  const length = rest.readInt32BE(8)
  if (length < 0) return { kind: 'corrupt', offset, detail: 'the length is negative' }
  if (length === 0) {
    // No more than the checksum was written; or of several pages of one write an earlier is missing.
    const unwritten = restBytes <= RECORD_PREFIX_BYTES || isZero(rest, RECORD_PREFIX_BYTES)
    return unwritten ? tornRecord : { kind: 'corrupt', offset, detail: 'the length is zero' }
  }
  const markAt = RECORD_PREFIX_BYTES + length
  if (restBytes > markAt)
    return { kind: 'bad end mark', offset, detail: `no end mark at offset ${offset + markAt}` }
  const lastAt = restBytes - 1
  if (rest[lastAt] === END_MARK && isEntry(rest, 0, lastAt - RECORD_PREFIX_BYTES))
    return { kind: 'corrupt', offset, detail: 'the length is wrong, the entry is whole' }
  return tornRecord
}

/** Whether the checksum of the record that begins at `at` fits an entry of `length` bytes. */
function isEntry(bytes: Buffer, at: number, length: number): boolean {
  const start = at + RECORD_PREFIX_BYTES
  const checksum = adler32(bytes, start, start + length)
  return bytes.readInt32BE(at) === 0 && bytes.readInt32BE(at + 4) === checksum
}

/** Where a whole, good record begins behind the first byte; -1 if nowhere. */
function findRecord(bytes: Buffer): number {
  const lastAt = bytes.length - RECORD_FRAME_BYTES - ENTRY_BYTES_MIN
  for (let at = 1; at <= lastAt; at += 1) {
    if (bytes[at] !== 0 || bytes.readInt32BE(at) !== 0) continue
    const length = bytes.readInt32BE(at + 8)
    if (length < ENTRY_BYTES_MIN || length > bytes.length - at - RECORD_FRAME_BYTES) continue
    if (bytes[at + RECORD_PREFIX_BYTES + length] === END_MARK && isEntry(bytes, at, length))
      return at
  }
  return -1
}

const isZero = (bytes: Buffer, length: number): boolean =>
  bytes.subarray(0, length).equals(ZEROS.subarray(0, length))

/** The offset behind the last byte, at or after `from`, that is not zero; `from` if there is none. */
export function contentEnd(disk: DiskReader, file: LogFileInfo, from: number): number {
  if (isPadding(disk, file, from)) return from
  let end = file.bytes
  while (end > from) {
    const start = Math.max(from, end - SCAN_BYTES)
    const bytes = disk.readLog(file.name, start, end - start)
    // One comparison in native code for what is nearly always all zeros.
    if (!isZero(bytes, bytes.length))
      for (let i = bytes.length; i > 0; i -= 1) if (bytes[i - 1] !== 0) return start + i
    end = start
  }
  return from
}

/**
 * Whether only zeros follow. Far ahead it looks at samples: to read all of the 64 MiB by which a log
 * is extended would take a third of a quick start, and what follows a gap that large is no page that
 * was lost on its own.
 */
export function isPadding(disk: DiskReader, file: LogFileInfo, from: number): boolean {
  const near = disk.readLog(file.name, from, SCAN_BYTES)
  if (!isZero(near, near.length)) return false
  for (let at = from + SCAN_BYTES; at < file.bytes; at += SCAN_BYTES) {
    const probe = disk.readLog(file.name, at, PROBE_BYTES)
    if (!isZero(probe, probe.length)) return false
  }
  return true
}
