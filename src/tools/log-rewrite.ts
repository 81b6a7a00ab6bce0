import { counterOf, epochOf, formatZxid } from '../data/zxid.ts'
import type { DiskReader, LogFileInfo } from '../persistence/disk.ts'
import { END_MARK, LOG_HEADER_BYTES } from '../persistence/txn-log-format.ts'
import { problemOf, recordLine } from './log-dump.ts'
import { isCleanEnd, type LogRecord, readLogRecords } from './log-records.ts'

/** What of a log makes a new one: all bytes up to `keepTo`, with some of them replaced. */
export interface LogCopy {
  /** In bytes from the start of the file. */
  readonly keepTo: number
  /** The record before is whole but for its end mark, which is to be written at `keepTo`. */
  readonly addEndMark: boolean
  /** Offsets of records and the checksums to write there, ascending. */
  readonly checksums: ReadonlyMap<number, number>
  readonly records: number
}

const PIECE_BYTES = 1024 * 1024
const CHECKSUM_BYTES = 8

/** The bytes of the new log, in pieces. */
export function* copyLog(disk: DiskReader, file: LogFileInfo, copy: LogCopy): Generator<Buffer> {
  let at = 0
  for (const [offset, adler32] of copy.checksums) {
    yield* copyRange(disk, file, at, offset)
    const checksum = Buffer.alloc(CHECKSUM_BYTES)
    checksum.writeUInt32BE(adler32, 4)
    yield checksum
    at = offset + CHECKSUM_BYTES
  }
  yield* copyRange(disk, file, at, copy.keepTo)
  if (copy.addEndMark) yield Buffer.from([END_MARK])
}

function* copyRange(
  disk: DiskReader,
  file: LogFileInfo,
  from: number,
  to: number,
): Generator<Buffer> {
  for (let at = from; at < to; at += PIECE_BYTES)
    yield disk.readLog(file.name, at, Math.min(PIECE_BYTES, to - at))
}

/** A record whose checksum is wrong and whose content decodes. */
export interface BadChecksum {
  readonly offset: number
  readonly adler32: number
  /** The record, for a person who is asked. */
  readonly line: string
}

export interface RepairPlan {
  readonly bad: readonly BadChecksum[]
  /** As if all of `bad` were to keep the checksum they have. */
  readonly copy: LogCopy
  /** What a crash has left at the end and is not copied. Undefined: nothing. */
  readonly tail: string | undefined
}

/**
 * What new checksums can repair. A string says what else is wrong, which they cannot: nothing that
 * stands behind it could be read.
 */
export function planRepair(disk: DiskReader, file: LogFileInfo): RepairPlan | string {
  const bad: BadChecksum[] = []
  let records = 0
  const read = readLogRecords(disk, file)
  let step = read.next()
  for (; step.done !== true; step = read.next()) {
    const record = step.value
    records += 1
    if (record.problem !== undefined) return at(record.offset, problemOf(record) ?? record.problem)
    if (record.checksumOk) continue
    bad.push({ offset: record.offset, adler32: record.adler32, line: recordLine(record) })
  }
  const end = step.value
  if (end.kind === 'corrupt' || end.kind === 'bad end mark') return at(end.offset, end.detail)
  if (end.offset < LOG_HEADER_BYTES) return at(end.offset, end.detail)
  const addEndMark = end.kind === 'missing end mark'
  const copy = { keepTo: end.offset, addEndMark, checksums: new Map<number, number>(), records }
  return { bad, copy, tail: isCleanEnd(end) ? undefined : at(end.offset, end.detail) }
}

interface CutPlan {
  readonly copy: LogCopy
  /** What is wrong where it is cut. */
  readonly reason: string
}

/**
 * Where to cut so that what stays is good: before the first damage, or at `wanted`, which must be
 * where a record begins. Undefined: nothing is wrong. A string says why it cannot be cut there.
 */
export function planCut(
  disk: DiskReader,
  file: LogFileInfo,
  wanted: number | undefined,
): CutPlan | string | undefined {
  const checksums = new Map<number, number>()
  const cut = (keepTo: number, records: number, reason: string): CutPlan => ({
    copy: { keepTo, addEndMark: false, checksums, records },
    reason: at(keepTo, reason),
  })
  let records = 0
  let lastZxid: number | undefined
  const read = readLogRecords(disk, file)
  let step = read.next()
  for (; step.done !== true; step = read.next()) {
    const record = step.value
    const { offset } = record
    const problem = problemOf(record) ?? gapProblem(record, lastZxid)
    if (wanted !== undefined && wanted < offset) return notABoundary(wanted)
    if (wanted === offset) return cut(offset, records, problem ?? 'as was asked for')
    if (problem !== undefined) {
      if (wanted === undefined) return cut(offset, records, problem)
      return `there is damage before offset ${wanted}: ${at(offset, problem)}`
    }
    records += 1
    lastZxid = Math.max(lastZxid ?? 0, record.header?.zxid ?? 0)
  }
  const end = step.value
  if (wanted !== undefined && wanted !== end.offset) return notABoundary(wanted)
  if (isCleanEnd(end)) return wanted === undefined ? undefined : cut(wanted, records, end.detail)
  const plan = cut(end.offset, records, end.detail)
  return { ...plan, copy: { ...plan.copy, addEndMark: end.kind === 'missing end mark' } }
}

interface ChopPlan {
  readonly copy: LogCopy
  /** Zxids that do not follow each other, for a person. */
  readonly gaps: readonly string[]
}

/** Keeps everything up to and including `zxid`. A string says why that cannot be had. */
export function planChop(disk: DiskReader, file: LogFileInfo, zxid: number): ChopPlan | string {
  const gaps: string[] = []
  let records = 0
  let lastZxid: number | undefined
  const read = readLogRecords(disk, file)
  let step = read.next()
  for (; step.done !== true; step = read.next()) {
    const record = step.value
    const found = record.header?.zxid
    // What stands behind the zxid is left out, damaged or not.
    if (lastZxid === zxid && (found === undefined || found !== zxid || !record.checksumOk)) break
    const problem = problemOf(record)
    if (problem !== undefined || found === undefined) return at(record.offset, problem ?? '')
    if (found > zxid) return `the log does not hold zxid ${formatZxid(zxid)}`
    const gap = gapProblem(record, lastZxid)
    if (gap !== undefined) gaps.push(gap)
    records += 1
    lastZxid = found
  }
  if (step.done === true && lastZxid !== zxid) {
    const last = lastZxid === undefined ? 'it holds none' : `the last is ${formatZxid(lastZxid)}`
    return `the log does not hold zxid ${formatZxid(zxid)}: ${last}`
  }
  if (step.done === true && isCleanEnd(step.value))
    return `zxid ${formatZxid(zxid)} is the last one: nothing is to be chopped off`
  const addEndMark = step.done === true && step.value.kind === 'missing end mark'
  return {
    copy: { keepTo: step.value.offset, addEndMark, checksums: new Map(), records },
    gaps,
  }
}

/** Undefined: the record may stand behind one of `lastZxid`. */
function gapProblem({ header }: LogRecord, lastZxid: number | undefined): string | undefined {
  const zxid = header?.zxid
  if (zxid === undefined || lastZxid === undefined || zxid <= lastZxid) return undefined
  if (zxid === lastZxid + 1) return undefined
  if (epochOf(zxid) > epochOf(lastZxid) && counterOf(zxid) === 1) return undefined
  return `zxid ${formatZxid(zxid)} does not follow ${formatZxid(lastZxid)}`
}

const at = (offset: number, problem: string): string => `offset ${offset}: ${problem}`

const notABoundary = (offset: number): string => `no record begins at offset ${offset}`
