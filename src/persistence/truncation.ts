import { JuteReader } from 'jute-ts'
import { readTxnHeader } from '../data/records.ts'
import { formatZxid } from '../data/zxid.ts'
import type { DiskReader, LogFileInfo } from './disk.ts'
import { logsToReplay } from './recovery.ts'
import { TxnLogReader } from './txn-log-reader.ts'

/** Where a log is to end. */
export interface LogCut {
  readonly name: string
  /** A good record ends here, or the header of the file; nothing may stand behind. */
  readonly offset: number
}

/**
 * What is to be done, in this order, each step durable before the next. A crash between two of them
 * leaves a state that recovery accepts: one that ends where it did, or somewhere above the zxid. No
 * snapshot is ever left without the records that were applied while it was written, and the newest
 * log goes first, so that no gap comes to be.
 */
export interface Truncation {
  /** Snapshots to remove, the newest first. */
  readonly snapshots: readonly string[]
  /** Logs to remove, the newest first. */
  readonly logs: readonly string[]
  /** Logs to cut, the newest first. Nearly always one, or none when the history ended there. */
  readonly cuts: readonly LogCut[]
}

/**
 * How to remove from the files all that is above `zxid` (spec 02 §8). A string says why that cannot
 * be done, in which case nothing should be: the state would not be that of `zxid`. Reads the logs
 * that recovery would read, in full, unless there is nothing above.
 */
export function planTruncation(disk: DiskReader, zxid: number): Truncation | string {
  const snapshots = disk.listSnapshots()
  const base = snapshots.findLast((file) => file.zxid <= zxid)
  if (base === undefined && snapshots.length > 0)
    return `there is no snapshot at or below ${formatZxid(zxid)} to begin with`
  const logs = disk.listLogs()
  const above = (file: { readonly zxid: number }): boolean => file.zxid > zxid
  const kept = logs.filter((file) => !above(file))
  const cuts: LogCut[] = []
  for (const file of logsToReplay(kept, base?.zxid ?? 0)) {
    const offset = firstAbove(disk, file, zxid)
    if (typeof offset === 'string') return offset
    if (offset !== undefined) cuts.unshift({ name: file.name, offset })
  }
  return {
    snapshots: namesNewestFirst(snapshots.filter(above)),
    logs: namesNewestFirst(logs.filter(above)),
    cuts,
  }
}

const namesNewestFirst = (files: readonly { readonly name: string }[]): readonly string[] =>
  files.map(({ name }) => name).toReversed()

/**
 * Where the first record above `zxid` begins; undefined: there is none. All that follows goes with it,
 * also where a follower of the original has logged the same records twice and zxids go back (spec 07):
 * what comes again is what had been before.
 */
function firstAbove(
  disk: DiskReader,
  file: LogFileInfo,
  zxid: number,
): number | string | undefined {
  const log = new TxnLogReader(disk, file)
  const reader = new JuteReader()
  while (log.next()) {
    const damage = `${file.name} is damaged at offset ${log.offset}`
    if (!log.checksumOk) return `${damage}: the checksum of a record does not match its content`
    const header = readTxnHeader(reader.reset(log.entry))
    if (!reader.ok) return `${damage}: a record has no valid header`
    if (header.zxid > zxid) return log.offset
  }
  const { end } = log
  if (end?.kind === 'corrupt' || end?.kind === 'bad end mark')
    return `${file.name} is damaged at offset ${end.offset}: ${end.detail}`
  return undefined
}
