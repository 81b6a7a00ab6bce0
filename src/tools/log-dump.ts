import type { DiskReader, LogFileInfo } from '../persistence/disk.ts'
import { isCleanEnd, type LogRecord, readLogRecords } from './log-records.ts'
import { recordJson } from './txn-json.ts'
import { txnLine } from './txn-text.ts'

export interface LogDumpOptions {
  /** One object a line, instead of text. */
  readonly json: boolean
  /** First and last zxid that are wanted. Records without a zxid are shown always. */
  readonly from: number
  readonly to: number
}

interface LogDumped {
  readonly records: number
  /** Records that are damaged, and an end that is not the end. */
  readonly problems: number
}

/** The marks of a line about something wrong, before the dash. The first is the original's. */
const CHECKSUM_MARK = 'CRC ERROR'
const DAMAGE_MARK = 'DAMAGED'

/** Yields lines, each with its line break. */
export function* dumpLog(
  disk: DiskReader,
  file: LogFileInfo,
  options: LogDumpOptions,
): Generator<string, LogDumped> {
  let records = 0
  let problems = 0
  if (!options.json) yield `Transaction log ${file.name}\n`
  const read = readLogRecords(disk, file)
  let step = read.next()
  for (; step.done !== true; step = read.next()) {
    const record = step.value
    records += 1
    if (!record.checksumOk || record.problem !== undefined) problems += 1
    if (!isWanted(record, options)) continue
    yield options.json
      ? `${JSON.stringify(recordJson(file.name, record, problemOf(record)))}\n`
      : `${recordLine(record)}\n`
  }
  const { offset, detail } = step.value
  const isClean = isCleanEnd(step.value)
  if (!isClean) problems += 1
  if (!options.json) {
    const mark = isClean ? '' : `${DAMAGE_MARK} - `
    yield `${mark}End of ${file.name} at offset ${offset} after ${records} txns: ${detail}\n`
  } else if (!isClean) yield `${JSON.stringify({ file: file.name, offset, problem: detail })}\n`
  return { records, problems }
}

function isWanted({ header }: LogRecord, { from, to }: LogDumpOptions): boolean {
  return header === undefined || (header.zxid >= from && header.zxid <= to)
}

/** Undefined: nothing is wrong with it. */
export function problemOf({ checksumOk, problem }: LogRecord): string | undefined {
  if (checksumOk) return problem
  const mismatch = 'the checksum does not match the content'
  return problem === undefined ? mismatch : `${mismatch}, and ${problem}`
}

/** The record for a person, with a mark in front if something is wrong with it. */
export function recordLine(record: LogRecord): string {
  const { header, txn, offset, length, problem } = record
  const mark = record.checksumOk ? (problem === undefined ? '' : DAMAGE_MARK) : CHECKSUM_MARK
  const txt = header === undefined ? `a record of ${length} bytes` : txnLine(header, txn)
  if (mark === '') return txt
  const reason = problem === undefined ? '' : `: ${problem}`
  return `${mark} - ${txt} (offset ${offset}${reason})`
}
