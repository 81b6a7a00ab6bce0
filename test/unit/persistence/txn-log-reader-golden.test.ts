import { JuteReader, JuteWriter } from 'jute-ts'
import { describe, expect, it } from 'vitest'
import {
  readTxnDigest,
  readTxnHeader,
  writeTxnDigest,
  writeTxnHeader,
} from '../../../src/data/records.ts'
import { readTxn, writeTxn } from '../../../src/data/txn.ts'
import { replayLogs } from '../../../src/persistence/recovery.ts'
import { parseSnapshotName } from '../../../src/persistence/snapshot-name.ts'
import {
  beginTxnRecord,
  endTxnRecord,
  RECORD_FRAME_BYTES,
} from '../../../src/persistence/txn-log-format.ts'
import { TxnLogReader } from '../../../src/persistence/txn-log-reader.ts'
import { goldenDisk, goldenJson } from '../../support/memory-disk.ts'

/** An entry of txns.json, as far as this test compares it. */
interface GoldenTxn {
  readonly file: string
  readonly offset: number
  readonly length: number
  readonly adler32: number
  readonly header: {
    readonly clientId: string
    readonly cxid: number
    readonly zxid: string
    readonly time: string
    readonly type: number
  }
  readonly digest: { readonly version: number; readonly treeDigest: string } | null
}

interface GoldenLog {
  readonly file: string
  readonly endOfRecords: number
  readonly records: number
  readonly firstZxid: string
  readonly lastZxid: string
}

interface GoldenServer {
  readonly logs: readonly GoldenLog[]
  readonly lastZxid: string
}
type Summary = Readonly<Record<string, GoldenServer>>

const DIGEST_BYTES = 12

describe.each(['standalone', 'gz', 'snappy'])('the logs of datadir-%s', (name) => {
  const disk = goldenDisk(`datadir-${name}`)
  const expected = goldenJson<readonly GoldenTxn[]>(`datadir-${name}/txns.json`)

  it.each([1 << 20, 100])('hold the recorded txns, read in pages of %d bytes', (pageBytes) => {
    const found: GoldenTxn[] = []
    for (const file of disk.listLogs()) {
      const log = new TxnLogReader(disk, file, pageBytes)
      while (log.next()) {
        expect(log.checksumOk).toBe(true)
        const r = new JuteReader(log.entry)
        const { clientId, cxid, zxid, time, type } = readTxnHeader(r)
        readTxn(r, type)
        const digest = r.remaining === DIGEST_BYTES ? readTxnDigest(r) : null
        expect(r.ok && r.remaining === 0).toBe(true)
        found.push({
          file: file.name,
          offset: log.offset,
          length: log.entry.length,
          adler32: log.checksum >>> 0,
          header: { clientId: `${clientId}`, cxid, zxid: `${zxid}`, time: `${time}`, type },
          digest: digest && { version: digest.version, treeDigest: `${digest.treeDigest}` },
        })
      }
      expect(log.end?.kind).toBe('padding')
    }
    const wanted = expected.map(({ file, offset, length, adler32, header, digest }) => ({
      file,
      offset,
      length,
      adler32,
      header,
      digest: digest ?? null,
    }))
    expect(found).toEqual(wanted)
  })

  it('are written again to the same bytes', () => {
    for (const file of disk.listLogs()) {
      const log = new TxnLogReader(disk, file)
      while (log.next()) {
        const r = new JuteReader(log.entry)
        const header = readTxnHeader(r)
        const txn = readTxn(r, header.type)
        const w = new JuteWriter(8)
        const at = beginTxnRecord(w)
        writeTxnHeader(w, header)
        if (txn !== undefined) writeTxn(w, txn)
        if (r.remaining > 0) writeTxnDigest(w, readTxnDigest(r))
        endTxnRecord(w, at)
        const bytes = disk.readLog(file.name, log.offset, log.entry.length + RECORD_FRAME_BYTES)
        expect(w.bytes().equals(bytes)).toBe(true)
      }
    }
  })

  it('are replayed in order, from any zxid on', () => {
    for (const after of [0, 1, 0x2e, 0x2f, 0x30, 0x5a, 0x66, 1000]) {
      const zxids: number[] = []
      const result = replayLogs(disk, after, (header) => {
        zxids.push(header.zxid)
        return undefined
      })
      const wanted = expected.map((txn) => Number(txn.header.zxid)).filter((z) => z > after)
      expect(zxids).toEqual(wanted)
      expect(result).toEqual({
        kind: 'replayed',
        lastZxid: wanted.at(-1) ?? after,
        txns: wanted.length,
        repeated: 0,
        tail: undefined,
        end: { name: disk.listLogs().at(-1)?.name, offset: expect.any(Number) },
      })
    }
  })
})

describe.each(['server1', 'server2', 'server3', 'server4'])('the logs of %s', (server) => {
  const disk = goldenDisk(`datadir-quorum/${server}`)
  const summary = goldenJson<Summary>('datadir-quorum/summary.json')

  it('have the recorded extents', () => {
    const found = disk.listLogs().map((file) => {
      const log = new TxnLogReader(disk, file)
      const zxids: number[] = []
      while (log.next()) zxids.push(readTxnHeader(new JuteReader(log.entry)).zxid)
      return {
        file: file.name,
        size: file.bytes,
        endOfRecords: log.end?.offset,
        records: zxids.length,
        firstZxid: `0x${zxids[0]?.toString(16)}`,
        lastZxid: `0x${zxids.at(-1)?.toString(16)}`,
      }
    })
    expect(found).toEqual(summary[server]?.logs)
  })
  it('are replayed to the same end from every snapshot that they continue', () => {
    for (const name of disk.files.keys()) {
      const after = parseSnapshotName(name)?.zxid
      if (after === undefined) continue
      const result = replayLogs(disk, after, () => undefined)
      // This server was sent a snapshot once: its logs lack what it had missed.
      if (server === 'server3' && after < 0x100000210)
        expect(result).toMatchObject({ kind: 'refused', file: 'log.100000211', offset: 16 })
      else
        expect(result).toMatchObject({
          kind: 'replayed',
          lastZxid: Number(summary[server]?.lastZxid),
          tail: undefined,
        })
    }
  })
})
