import { JuteReader } from 'jute-ts'
import { readTxnDigest, readTxnHeader, type TxnDigest, type TxnHeader } from '../data/records.ts'
import { readTxn, type Txn } from '../data/txn.ts'
import type { DiskReader, LogFileInfo } from '../persistence/disk.ts'
import type { LogEnd } from '../persistence/txn-log-end.ts'
import { TxnLogReader } from '../persistence/txn-log-reader.ts'

/** One record of a log as it stands there, whatever its state. */
export interface LogRecord {
  /** Where the record begins in the file, in bytes. */
  readonly offset: number
  /** Of the entry, in bytes. */
  readonly length: number
  /** Adler-32 of the entry, unsigned. */
  readonly adler32: number
  readonly checksumOk: boolean
  /** Undefined: it does not decode, and neither do the others. */
  readonly header: TxnHeader | undefined
  /** Undefined: the type is unknown or the body does not decode. Buffers are borrowed, as the entry. */
  readonly txn: Txn | undefined
  readonly digest: TxnDigest | undefined
  /** What is wrong with it, for a person; a wrong checksum aside. */
  readonly problem: string | undefined
}

const DIGEST_BYTES = 12

/** Every record up to where the file ends or no record can be read; what that was is returned. */
export function* readLogRecords(disk: DiskReader, file: LogFileInfo): Generator<LogRecord, LogEnd> {
  const log = new TxnLogReader(disk, file)
  while (log.next()) yield decodeRecord(log)
  return log.end ?? { kind: 'end of file', offset: log.offset, detail: 'nothing follows' }
}

/** Whether the file ends as a file does that was written to its end, or extended ahead. */
export function isCleanEnd(end: LogEnd): boolean {
  return end.kind === 'padding' || end.kind === 'end of file'
}

function decodeRecord(log: TxnLogReader): LogRecord {
  const { offset, checksumOk } = log
  const known = { offset, length: log.entry.length, adler32: log.checksum >>> 0, checksumOk }
  const none = { header: undefined, txn: undefined, digest: undefined }
  const r = new JuteReader(log.entry)
  const header = readTxnHeader(r)
  if (!r.ok) return { ...known, ...none, problem: 'the header does not decode' }
  const txn = readTxn(r, header.type)
  if (txn === undefined) {
    const problem = `no log may hold a txn of type ${header.type}`
    return { ...known, ...none, header, problem }
  }
  if (!r.ok) return { ...known, ...none, header, problem: 'the body of the txn does not decode' }
  const digest = r.remaining === DIGEST_BYTES ? readTxnDigest(r) : undefined
  return { ...known, header, txn, digest, problem: undefined }
}
