import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { JuteWriter } from 'jute-ts'
import { OpCode } from '../../../src/data/op-code.ts'
import { writeTxnHeader } from '../../../src/data/records.ts'
import { makeZxid } from '../../../src/data/zxid.ts'
import { NodeDisk } from '../../../src/node/files/disk.ts'
import {
  beginTxnRecord,
  endTxnRecord,
  logFileHeader,
  logFileName,
} from '../../../src/persistence/txn-log-format.ts'
import { readHistory } from '../../../src/server/storage/history.ts'
import { silentLogger } from '../../support/silent-logger.ts'
import { type CheapRequestRow, timed } from './cheap-request.ts'

const RECORDS = 300_000
const TORN_BYTES = 64 * 1024 * 1024
const DATA_BYTES = 1000

/** A log of one file, in the folder where a disk expects it, of the records from `first` to `last`. */
function writeLog(folder: string, first: number, last: number, behind: Buffer): void {
  const fd = openSync(join(folder, logFileName(makeZxid(1, first))), 'w')
  writeSync(fd, logFileHeader())
  const data = Buffer.alloc(DATA_BYTES, 'x')
  for (let counter = first; counter <= last; ) {
    const w = new JuteWriter(1 << 20)
    for (let n = 0; n < 1000 && counter <= last; n += 1, counter += 1) {
      const at = beginTxnRecord(w)
      const zxid = makeZxid(1, counter)
      writeTxnHeader(w, { clientId: 1n, cxid: counter, zxid, time: 0, type: OpCode.setData })
      w.writeString('/n')
      w.writeBuffer(data)
      w.writeInt(counter)
      endTxnRecord(w, at)
    }
    writeSync(fd, w.bytes())
  }
  writeSync(fd, behind)
  closeSync(fd)
}

/** What a leader does for it before it can be told DIFF: a slice a turn. */
function scan(disk: NodeDisk, last: number): { longestTurnMs: number; outcome: string } {
  let turns = 1
  const history = timed(() => readHistory(disk, makeZxid(1, 1), makeZxid(1, last), 0))
  let longestTurnMs = history.ms
  for (let found: unknown = 'more'; found === 'more'; turns += 1) {
    const step = timed(() => history.value?.step())
    longestTurnMs = Math.max(longestTurnMs, step.ms)
    found = step.value
    if (found === undefined) throw new Error('the history is not all there')
  }
  return { longestTurnMs, outcome: `in ${turns} turns` }
}

function row(
  write: (folder: string) => void,
  last: number,
): { longestTurnMs: number; outcome: string } {
  const dir = mkdtempSync(join(tmpdir(), 'zk-history-'))
  try {
    const options = {
      dataDir: dir,
      dataLogDir: dir,
      dataDirAutocreate: true,
      preAllocBytes: 0,
      forceSync: true,
      fsyncWarningThresholdMs: 1000,
      txnLogSizeLimitBytes: 0,
    }
    const events = { logger: silentLogger, onSync: () => {}, onFatal: () => {} }
    const disk = NodeDisk.open(options, events)
    if (typeof disk === 'string') throw new Error(disk)
    write(disk.logFolder)
    return scan(disk, last)
  } finally {
    rmSync(dir, { recursive: true })
  }
}

function historyRow(
  name: string,
  write: (folder: string) => void,
  last: number,
): readonly [name: string, row: CheapRequestRow] {
  return [name, () => ({ name, sentBytes: 0, ...row(write, last) })]
}

/** `[name, row]`; the name is what the command line picks by. */
export const historyRows: readonly (readonly [name: string, row: CheapRequestRow])[] = [
  historyRow(
    'a learner that has missed 300 MB of log',
    (folder) => writeLog(folder, 1, RECORDS, Buffer.alloc(0)),
    RECORDS,
  ),
  historyRow(
    'one that needs a log with a torn end of 64 MiB',
    (folder) => {
      const torn = Buffer.alloc(TORN_BYTES, Buffer.from([0, 0, 0, 0, 1, 0, 0, 0, 0x7f, 2]))
      writeLog(folder, 1, 20, torn)
      writeLog(folder, 21, 40, Buffer.alloc(TORN_BYTES))
    },
    40,
  ),
]
