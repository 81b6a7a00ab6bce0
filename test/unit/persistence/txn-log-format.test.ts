import { JuteWriter } from 'jute-ts'
import { describe, expect, it } from 'vitest'
import { parseSnapshotName, snapshotFileName } from '../../../src/persistence/snapshot-name.ts'
import {
  beginTxnRecord,
  endTxnRecord,
  logFileName,
  paddedFileBytes,
  parseLogFileName,
} from '../../../src/persistence/txn-log-format.ts'

describe('file names', () => {
  it('hold a zxid in lower-case hex', () => {
    expect(logFileName(0x1000000ab)).toBe('log.1000000ab')
    expect(parseLogFileName('log.1000000ab')).toBe(0x1000000ab)
    expect(parseLogFileName('log.00AB')).toBe(0xab)
    for (const name of ['log.', 'log', 'log.g', 'log.1.gz', 'log.-1', 'Log.1', ' log.1', 'log.1 '])
      expect(parseLogFileName(name)).toBe(undefined)
    // Nobody can have given this out.
    expect(parseLogFileName('log.20000000000000')).toBe(undefined)
    expect(parseLogFileName('log.1fffffffffffff')).toBe(Number.MAX_SAFE_INTEGER)
  })

  it('tell how a snapshot is compressed', () => {
    for (const compression of ['', 'gz', 'snappy'] as const) {
      const name = { zxid: 0x2a, compression }
      expect(parseSnapshotName(snapshotFileName(name))).toEqual(name)
    }
    expect(snapshotFileName({ zxid: 0, compression: 'gz' })).toBe('snapshot.0.gz')
    expect(parseSnapshotName('snapshot.5.bak')).toEqual({ zxid: 5, compression: '' })
    for (const name of ['snapshot', 'snapshot.', 'snapshot.gz', 'snapshot.x', 'xsnapshot.1'])
      expect(parseSnapshotName(name)).toBe(undefined)
  })
})

describe('padding', () => {
  it('grows the file when less than 4096 bytes would be left', () => {
    const step = 65536
    expect(paddedFileBytes(16, 100, step)).toBe(16 + step)
    expect(paddedFileBytes(16 + step, 16 + step - 4097, step)).toBe(16 + step)
    expect(paddedFileBytes(16 + step, 16 + step - 4096, step)).toBe(16 + 2 * step)
    expect(paddedFileBytes(16 + step, 16 + 5 * step - 4096, step)).toBe(16 + 6 * step)
  })

  it('is not there when it is turned off', () => {
    expect(paddedFileBytes(16, 100, 0)).toBe(100)
    expect(paddedFileBytes(100, 300, -1)).toBe(300)
  })
})

describe('records', () => {
  it('are framed in place, one behind the other, while the buffer grows', () => {
    const w = new JuteWriter(1)
    for (const entry of ['abc', 'Wikipedia']) {
      const at = beginTxnRecord(w)
      w.writeBytes(Buffer.from(entry))
      endTxnRecord(w, at)
    }
    expect(w.bytes().toString('hex')).toBe(
      `00000000024d0127${'00000003'}${Buffer.from('abc').toString('hex')}42` +
        `0000000011e60398${'00000009'}${Buffer.from('Wikipedia').toString('hex')}42`,
    )
  })
})
