import type { JuteWriter } from 'jute-ts'
import { adler32 } from '../base/adler32.ts'

/**
 * A log file (spec 02 §2):
 *
 *     file    magic:int = "ZKLG"  version:int = 2  dbid:long = 0  record*  zeros
 *     record  checksum:long  length:int  entry  'B'
 *     entry   TxnHeader  txn  [TxnDigest]
 *
 * The checksum is the Adler-32 of the entry as an unsigned value, so its high half is zero.
 */
export const LOG_MAGIC = 0x5a4b4c47
export const LOG_VERSION = 2
export const LOG_HEADER_BYTES = 16
/** Checksum and length, before the entry. */
export const RECORD_PREFIX_BYTES = 12
/** All that surrounds an entry. */
export const RECORD_FRAME_BYTES = 13
/** The 'B' behind every entry. */
export const END_MARK = 0x42

const LENGTH_OFFSET = 8

/** The header of a log file, in a buffer of its own. */
export function logFileHeader(): Buffer {
  const header = Buffer.alloc(LOG_HEADER_BYTES)
  header.writeInt32BE(LOG_MAGIC, 0)
  header.writeInt32BE(LOG_VERSION, 4)
  return header
}

/** The name of the file whose first record has this zxid. */
export function logFileName(firstZxid: number): string {
  return `log.${firstZxid.toString(16)}`
}

/** The zxid in the name of a log file. Undefined: no log file's name. */
export function parseLogFileName(name: string): number | undefined {
  return parseHexSuffix(name, 'log.')
}

/** The number in `prefix<hex>`. Undefined: another name, or a zxid that nobody can have given out. */
export function parseHexSuffix(name: string, prefix: string): number | undefined {
  if (!name.startsWith(prefix)) return undefined
  const digits = name.slice(prefix.length)
  if (!/^[0-9a-f]+$/i.test(digits)) return undefined
  const zxid = Number.parseInt(digits, 16)
  return Number.isSafeInteger(zxid) ? zxid : undefined
}

/**
 * Makes room for what stands before an entry and returns where the record begins. The caller then
 * writes the entry with the same writer, and calls endTxnRecord. So a record is encoded once, in the
 * batch that goes to the disk.
 */
export function beginTxnRecord(w: JuteWriter): number {
  return w.reserve(RECORD_PREFIX_BYTES)
}

/** Closes the record that began at `at`: checksum, length and end mark. */
export function endTxnRecord(w: JuteWriter, at: number): void {
  const start = at + RECORD_PREFIX_BYTES
  const end = w.length
  w.patchInt(at, 0)
  w.patchInt(at + 4, adler32(w.buffer, start, end))
  w.patchInt(at + LENGTH_OFFSET, end - start)
  w.writeByte(END_MARK)
}

/**
 * The size a log file must have before a batch is appended that ends at `endBytes`: it grows by
 * `preAllocBytes` when less than 4096 bytes would be left, as the original's does, so that most
 * batches change no file size (spec 02 §2). 0 or less: the file is as long as its content.
 */
export function paddedFileBytes(
  fileBytes: number,
  endBytes: number,
  preAllocBytes: number,
): number {
  if (preAllocBytes <= 0) return Math.max(fileBytes, endBytes)
  const missing = endBytes + PADDING_BYTES_MIN - fileBytes
  if (missing < 0) return fileBytes
  return fileBytes + (Math.floor(missing / preAllocBytes) + 1) * preAllocBytes
}

const PADDING_BYTES_MIN = 4096
