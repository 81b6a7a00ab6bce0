import { JuteReader } from 'jute-ts'
import { readTxnHeader } from '../data/records.ts'
import { isEcho } from '../data/txn.ts'
import { follows, formatZxid } from '../data/zxid.ts'
import type { DiskReader, LogCut, LogFileInfo, SnapshotFileInfo, Truncation } from './disk.ts'
import { logsToReplay } from './recovery.ts'
import { snapshotReach } from './snapshot-reach.ts'
import { TxnLogReader } from './txn-log-reader.ts'

/**
 * How to remove from the files all that is above `zxid` (spec 02 §8). A string says why that cannot
 * be done, in which case nothing should be: the state would not be that of `zxid`. Reads what recovery
 * would read afterwards, in full: the snapshot that it would begin with, and the logs from there on.
 */
export function planTruncation(disk: DiskReader, zxid: number): Truncation | string {
  const snapshots = disk.listSnapshots()
  const { base, above } = chooseBase(disk, snapshots, zxid)
  if (base === undefined && snapshots.length > 0)
    return `there is no snapshot at or below ${formatZxid(zxid)} to begin with`
  const logs = disk.listLogs()
  const kept = logs.filter((file) => file.zxid <= zxid)
  const cuts: LogCut[] = []
  let end = base?.zxid ?? 0
  for (const file of logsToReplay(kept, end)) {
    const part = walk(disk, file, end, zxid)
    if (typeof part === 'string') return part
    if (part.cut !== undefined) cuts.unshift({ name: file.name, offset: part.cut })
    end = part.end
  }
  const newer = logs.filter((file) => file.zxid > zxid)
  return { snapshots: above, logs: newer.map(({ name }) => name).toReversed(), cuts, end }
}

/**
 * The newest snapshot that holds nothing above `zxid`, and those that do, the newest first. A damaged
 * one is left alone, as recovery will pass over it.
 */
function chooseBase(
  disk: DiskReader,
  snapshots: readonly SnapshotFileInfo[],
  zxid: number,
): { readonly base: SnapshotFileInfo | undefined; readonly above: readonly string[] } {
  const above: string[] = []
  for (const file of snapshots.toReversed()) {
    const reach = file.zxid > zxid ? file.zxid : snapshotReach(disk, file)
    if (typeof reach === 'string') continue
    if (reach <= zxid) return { base: file, above }
    above.push(file.name)
  }
  return { base: undefined, above }
}

interface LogPart {
  /** Where the first record above the zxid begins; undefined: there is none. */
  readonly cut: number | undefined
  /** Of the last record before that. */
  readonly end: number
}

/**
 * Goes on from `end` through one file, up to the first record above `zxid`. All that follows goes with
 * it, also where a follower of the original has logged the same records twice and zxids go back (spec
 * 07): what comes again is what had been before.
 */
function walk(disk: DiskReader, file: LogFileInfo, begin: number, zxid: number): LogPart | string {
  const log = new TxnLogReader(disk, file)
  const reader = new JuteReader()
  let last = begin
  while (log.next()) {
    const damage = `${file.name} is damaged at offset ${log.offset}`
    if (!log.checksumOk) return `${damage}: the checksum of a record does not match its content`
    const header = readTxnHeader(reader.reset(log.entry))
    if (!reader.ok) return `${damage}: a record has no valid header`
    if (header.zxid > zxid) return { cut: log.offset, end: last }
    if (isEcho(header.type, header.zxid, last)) continue
    if (header.zxid <= last) continue
    if (!follows(header.zxid, last))
      return `${file.name} lacks what is between ${formatZxid(last)} and ${formatZxid(header.zxid)}`
    last = header.zxid
  }
  const { end } = log
  if (end?.kind === 'corrupt' || end?.kind === 'bad end mark')
    return `${file.name} is damaged at offset ${end.offset}: ${end.detail}`
  return { cut: undefined, end: last }
}
