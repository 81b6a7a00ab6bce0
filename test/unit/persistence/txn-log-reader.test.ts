import { describe, expect, it } from 'vitest'
import type { LogEnd } from '../../../src/persistence/txn-log-end.ts'
import { LOG_HEADER_BYTES, logFileHeader } from '../../../src/persistence/txn-log-format.ts'
import { TxnLogReader } from '../../../src/persistence/txn-log-reader.ts'
import { logFile, MemoryDisk, record } from '../../support/memory-disk.ts'

interface Walk {
  readonly entries: readonly Buffer[]
  readonly bad: number
  readonly end: LogEnd | undefined
}

function walk(bytes: Buffer, pageBytes?: number): Walk {
  const disk = new MemoryDisk({ 'log.1': bytes })
  const log = new TxnLogReader(disk, disk.file('log.1'), pageBytes)
  const entries: Buffer[] = []
  let bad = 0
  while (log.next()) {
    if (log.checksumOk) entries.push(Buffer.from(log.entry))
    else bad += 1
  }
  return { entries, bad, end: log.end }
}

const entryOf = (bytes: Buffer): Buffer => bytes.subarray(12, bytes.length - 1)

const records: readonly Buffer[] = [
  record(1),
  record(2, Buffer.alloc(40)),
  record(3, Buffer.from('BBBBBBBBBBBBBBBBBBBB')),
  record(4, Buffer.from([9, 0, 0, 0])),
]
const entries: readonly Buffer[] = records.map(entryOf)
const whole = logFile(records)
/** Where the first record begins and each ends. */
const ends: readonly number[] = [0, 1, 2, 3, 4].map((n) => logFile(records.slice(0, n)).length)

describe('a log file', () => {
  it('ends with its padding, or with the file', () => {
    expect(walk(whole)).toMatchObject({ entries, bad: 0, end: { kind: 'end of file' } })
    const padded = logFile(records, 5000)
    expect(walk(padded)).toMatchObject({ end: { kind: 'padding', offset: whole.length } })
    expect(walk(logFile(records, 3)).end?.kind).toBe('padding')
    expect(walk(padded, 64).entries).toEqual(entries)
  })

  it('may be empty, or a header alone', () => {
    const empty = { entries: [], bad: 0 }
    expect(walk(Buffer.alloc(0))).toMatchObject({ ...empty, end: { kind: 'torn record' } })
    expect(walk(logFileHeader())).toMatchObject({ ...empty, end: { kind: 'end of file' } })
    expect(walk(logFile([], 100))).toMatchObject({ ...empty, end: { kind: 'padding' } })
    for (let at = 1; at < LOG_HEADER_BYTES; at += 1) {
      const cut = logFileHeader().subarray(0, at)
      expect(walk(cut)).toMatchObject({ ...empty, end: { kind: 'torn record', offset: 0 } })
    }
    expect(walk(Buffer.alloc(5000))).toMatchObject({ ...empty, end: { kind: 'torn record' } })
  })

  it('of another kind is refused', () => {
    for (const at of [0, 3, 7]) {
      const bytes = Buffer.from(whole)
      bytes.writeUInt8(0x99, at)
      expect(walk(bytes).end).toMatchObject({ kind: 'corrupt', offset: 0 })
    }
  })

  it.each(['cut', 'zeroed'])('torn at any byte and %s there keeps what was whole', (how) => {
    for (let at = LOG_HEADER_BYTES; at < whole.length; at += 1) {
      const bytes = Buffer.alloc(how === 'cut' ? at : whole.length + 100)
      whole.copy(bytes, 0, 0, at)
      const done = ends.filter((end) => end <= at).length - 1
      const found = walk(bytes)
      expect(found.bad).toBe(0)
      const markAt = (ends[done + 1] ?? 0) - 1
      const isLost =
        how === 'cut' ? markAt > at : whole.subarray(at, markAt).some((byte) => byte > 0)
      if (!isLost) {
        // Only the end mark is missing: the record counts.
        expect(found.entries).toEqual(entries.slice(0, done + 1))
        expect(found.end).toMatchObject({ kind: 'missing end mark', offset: markAt })
        continue
      }
      expect(found.entries).toEqual(entries.slice(0, done))
      const start = ends[done] ?? 0
      if (whole.subarray(start, at).every((byte) => byte === 0))
        expect(['padding', 'end of file', 'torn record']).toContain(found.end?.kind)
      else expect(found.end).toMatchObject({ kind: 'torn record', offset: start })
    }
  })

  it('shows a record whose checksum is wrong, and goes on', () => {
    const bytes = Buffer.from(whole)
    const at = (ends[1] ?? 0) + 12
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
    expect(walk(bytes)).toMatchObject({
      entries: entries.filter((_, index) => index !== 1),
      bad: 1,
      end: { kind: 'end of file' },
    })
  })

  it('has no checksum above 32 bits', () => {
    const bytes = Buffer.from(whole)
    bytes.writeUInt8(1, (ends[0] ?? 0) + 3)
    expect(walk(bytes)).toMatchObject({ entries: entries.slice(1), bad: 1 })
  })

  it.each([0, 400])('with any byte changed is found damaged, or nothing is lost', (padding) => {
    const original = logFile(records, padding)
    for (let at = 0; at < original.length; at += 1)
      for (const change of [0x01, 0x80, 0xff, original[at] ?? 0]) {
        if (change === 0) continue
        const bytes = Buffer.from(original)
        bytes.writeUInt8(bytes.readUInt8(at) ^ change, at)
        const found = walk(bytes)
        const kind = found.end?.kind ?? ''
        const damaged = found.bad > 0 || kind === 'corrupt' || kind === 'bad end mark'
        const context = `byte ${at} changed by ${change}: ${kind}`
        expect(damaged || found.entries.length === records.length, context).toBe(true)
      }
  })

  it('tells a hole from a torn tail', () => {
    const hole = logFile([...records.slice(0, 2), Buffer.alloc(60), record(4)], 100)
    expect(walk(hole).end).toMatchObject({ kind: 'corrupt', offset: ends[2] })
    // So far away that only samples are looked at.
    const distant = [Buffer.alloc(3 << 20), ...Array.from({ length: 30_000 }, () => record(4))]
    const far = logFile([...records.slice(0, 2), ...distant], 3 << 20)
    expect(walk(far).end).toMatchObject({ kind: 'corrupt', offset: ends[2] })
    // Pages of one write that never ended, the first of them missing.
    const pages = logFile([...records.slice(0, 2), Buffer.alloc(60), record(4).subarray(0, 40)])
    expect(walk(pages).end).toMatchObject({ kind: 'torn record', offset: ends[2] })
  })

  it('does not believe a length that the file cannot hold', () => {
    const huge = Buffer.from(whole)
    huge.writeInt32BE(0x7fffffff, (ends[1] ?? 0) + 8)
    const disk = new MemoryDisk({ 'log.1': huge })
    let bytesMax = 0
    const readLog = disk.readLog.bind(disk)
    disk.readLog = (name, offset, length) => {
      bytesMax = Math.max(bytesMax, length)
      return readLog(name, offset, length)
    }
    const log = new TxnLogReader(disk, disk.file('log.1'))
    while (log.next());
    expect(bytesMax).toBeLessThanOrEqual(1 << 20)
    expect(walk(huge)).toMatchObject({
      entries: entries.slice(0, 1),
      end: { kind: 'corrupt', offset: ends[1] },
    })
    const last = Buffer.from(whole)
    last.writeInt32BE(0x00010000, (ends[3] ?? 0) + 8)
    expect(walk(last).end).toMatchObject({ kind: 'corrupt', offset: ends[3] })
    last.writeInt32BE(-5, (ends[3] ?? 0) + 8)
    expect(walk(last).end).toMatchObject({ kind: 'corrupt', offset: ends[3] })
  })
})
