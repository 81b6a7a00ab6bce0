import { JuteReader } from 'jute-ts'
import { readTxnHeader, type TxnHeader } from '../data/records.ts'
import { isEcho } from '../data/txn.ts'
import { follows, formatZxid } from '../data/zxid.ts'
import type { DiskReader, LogFileInfo } from './disk.ts'
import { RecentRecords } from './recent-records.ts'
import type { LogEnd } from './txn-log-end.ts'
import { TxnLogReader } from './txn-log-reader.ts'

/**
 * Takes one txn. The reader stands behind the header and ends with the entry: what is left of it
 * after the txn is the digest, if any (spec 02 §2). A string says why it cannot be applied.
 */
type OnTxn = (header: TxnHeader, body: JuteReader) => string | undefined

/** What a crash left at the end of the newest log. It was never acknowledged and must be cut off. */
export interface LogTail {
  readonly name: string
  /** What stands from here on is to be cut off. */
  readonly offset: number
  /** Then an end mark is to be written here, because the record before is whole. */
  readonly addEndMark: boolean
  readonly detail: string
}

export interface Replayed {
  readonly kind: 'replayed'
  /** Of the last record, or what the replay began with. */
  readonly lastZxid: number
  readonly txns: number
  /** Records that a log held again, the same as before (spec 07). */
  readonly repeated: number
  readonly tail: LogTail | undefined
  /** Where the records of the newest log end, once the tail is cut off; undefined: there is no log. */
  readonly end: LogPlace | undefined
}

export interface LogPlace {
  readonly name: string
  /** In bytes from the start of the file. */
  readonly offset: number
}

/** Starting would mean to serve a state that is not the one that was acknowledged. */
export interface RecoveryRefusal {
  readonly kind: 'refused'
  /** The log or snapshot that is to be looked at. */
  readonly file: string
  /** In bytes from the start of the file; undefined: it is about the file as a whole. */
  readonly offset: number | undefined
  readonly reason: string
  readonly remedy: string
}

/**
 * Replays every txn above `afterZxid`, in order, from the newest log that may hold the first of them
 * and from all newer ones (spec 02 §2). Nothing that has been acknowledged is left out in silence:
 * damage, and a gap between two zxids, are refusals.
 */
export function replayLogs(
  disk: DiskReader,
  afterZxid: number,
  onTxn: OnTxn,
): Replayed | RecoveryRefusal {
  const files = logsToReplay(disk.listLogs(), afterZxid)
  const replay = new Replay(disk, afterZxid, onTxn)
  for (const [index, file] of files.entries()) {
    const refusal = replay.file(file, index === files.length - 1)
    if (refusal !== undefined) return refusal
  }
  return replay.result()
}

/** The newest log whose first zxid is at most `afterZxid`, and all newer ones; ascending. */
export function logsToReplay(
  files: readonly LogFileInfo[],
  afterZxid: number,
): readonly LogFileInfo[] {
  let first = 0
  for (const [index, file] of files.entries()) if (file.zxid <= afterZxid) first = index
  return files.slice(first)
}

class Replay {
  readonly #disk: DiskReader
  readonly #onTxn: OnTxn
  readonly #afterZxid: number
  readonly #reader = new JuteReader()
  readonly #recent = new RecentRecords()
  #lastZxid: number
  #txns = 0
  #repeated = 0
  #tail: LogTail | undefined
  #end: LogPlace | undefined

  constructor(disk: DiskReader, afterZxid: number, onTxn: OnTxn) {
    this.#disk = disk
    this.#onTxn = onTxn
    this.#afterZxid = afterZxid
    this.#lastZxid = afterZxid
  }

  result(): Replayed {
    return {
      kind: 'replayed',
      lastZxid: this.#lastZxid,
      txns: this.#txns,
      repeated: this.#repeated,
      tail: this.#tail,
      end: this.#end,
    }
  }

  file(file: LogFileInfo, isNewest: boolean): RecoveryRefusal | undefined {
    const log = new TxnLogReader(this.#disk, file)
    while (log.next()) {
      const reason = this.#record(log)
      if (reason !== undefined) return refuse(file.name, log.offset, reason)
    }
    if (log.end === undefined) return undefined
    const withMark = log.end.kind === 'missing end mark' ? 1 : 0
    this.#end = { name: file.name, offset: log.end.offset + withMark }
    return this.#onEnd(file.name, log.end, isNewest)
  }

  /** A string says what is wrong with the record. */
  #record(log: TxnLogReader): string | undefined {
    if (!log.checksumOk) return 'the checksum of a record does not match its content'
    const reader = this.#reader.reset(log.entry)
    const header = readTxnHeader(reader)
    if (!reader.ok) return 'a record has no valid header'
    const zxid = header.zxid
    const last = this.#lastZxid
    if (zxid <= last) {
      if (zxid <= this.#afterZxid) return undefined
      // A follower may have logged again what it had logged uncommitted (spec 07).
      if (this.#recent.isSame(zxid, log.checksum)) {
        this.#repeated += 1
        return undefined
      }
      if (isEcho(header.type, zxid, last)) return undefined
      return `there are two different records of zxid ${formatZxid(zxid)}`
    }
    if (isEcho(header.type, zxid, last)) return undefined
    if (!follows(zxid, last))
      return `zxid ${formatZxid(zxid)} does not follow ${formatZxid(last)}: records are missing`
    const reason = this.#onTxn(header, reader)
    if (reason !== undefined) return reason
    this.#recent.add(zxid, log.checksum)
    this.#lastZxid = zxid
    this.#txns += 1
    return undefined
  }

  #onEnd(name: string, end: LogEnd, isNewest: boolean): RecoveryRefusal | undefined {
    switch (end.kind) {
      case 'padding':
      case 'end of file':
        return undefined
      case 'torn record':
      case 'missing end mark':
        // In an older log a crash was survived before: if a record was lost, the zxids have a gap.
        if (!isNewest) return undefined
        this.#tail = {
          name,
          offset: end.offset,
          addEndMark: end.kind === 'missing end mark',
          detail: end.detail,
        }
        return undefined
      case 'bad end mark':
      case 'corrupt':
        return refuse(name, end.offset, end.detail)
    }
  }
}

function refuse(file: string, offset: number, reason: string): RecoveryRefusal {
  const remedy =
    'restore the file from another copy, or in an ensemble empty the data directory of this ' +
    'server so that it copies the state of the leader; to go on without the records from here on, ' +
    `cut the file: zk-data txnlog repair --cut --at ${offset} ${file}, ` +
    'and move newer log files away'
  return { kind: 'refused', file, offset, reason, remedy }
}
