import { describe, expect, it } from 'vitest'
import type { LogFileInfo } from '../../../src/persistence/disk.ts'
import {
  contentEnd,
  isPadding,
  judgeLogEnd,
  TORN_BYTES_MAX,
} from '../../../src/persistence/txn-log-end.ts'
import { LOG_HEADER_BYTES } from '../../../src/persistence/txn-log-format.ts'
import { logFile, MemoryDisk, record } from '../../support/memory-disk.ts'

const MIB = 1024 * 1024
const one = record(1)
const two = record(2)

function diskOf(bytes: Buffer): { disk: MemoryDisk; file: LogFileInfo } {
  const disk = new MemoryDisk({ 'log.1': bytes })
  return { disk, file: disk.file('log.1') }
}

/** What stands behind the first record is judged. */
const judged = (rest: Buffer, paddingBytes = 0): string => {
  const { disk, file } = diskOf(logFile([one, rest], paddingBytes))
  return judgeLogEnd(disk, file, LOG_HEADER_BYTES + one.length).kind
}
const changed = (bytes: Buffer, change: (copy: Buffer) => void): Buffer => {
  const copy = Buffer.from(bytes)
  change(copy)
  return copy
}

describe('the end of a log', () => {
  it('is no damage where nothing follows, or only zeros', () => {
    expect(judged(Buffer.alloc(0))).toBe('end of file')
    expect(judged(Buffer.alloc(0), 100)).toBe('padding')
  })

  it('is torn wherever a record may break off', () => {
    for (let length = 1; length < two.length - 1; length += 1)
      expect([length, judged(two.subarray(0, length), 50)]).toEqual([
        length,
        // What ends with zeros may look as if nothing had been written.
        two.subarray(0, length).every((byte) => byte === 0) ? 'padding' : 'torn record',
      ])
  })

  it('is damage where a good record follows, or what stands there cannot be the beginning of one', () => {
    const broken = changed(one, (copy) => copy.writeInt32BE(copy.readInt32BE(4) + 1, 4))
    expect(judged(Buffer.concat([broken, two]))).toBe('corrupt')
    expect(judged(changed(two, (copy) => copy.writeInt32BE(-1, 8)))).toBe('corrupt')
    expect(judged(changed(two, (copy) => copy.writeInt32BE(0, 8)))).toBe('corrupt')
    expect(judged(changed(two, (copy) => copy.writeInt32BE(1000, 8)))).toBe('corrupt')
    expect(judged(changed(two, (copy) => copy.writeUInt8(0x43, copy.length - 1)))).toBe(
      'bad end mark',
    )
  })

  it('is damage where more follows than any write can tear', () => {
    const rest = Buffer.alloc(TORN_BYTES_MAX + 1)
    rest[TORN_BYTES_MAX] = 1
    expect(judged(rest)).toBe('corrupt')
  })
})

describe('where the content of a file ends', () => {
  it('is behind the last byte that is not zero', () => {
    for (const at of [0, 1, MIB - 1, MIB, 2 * MIB + 7]) {
      const { disk, file } = diskOf(Buffer.alloc(3 * MIB + 5))
      disk.files.get('log.1')?.writeUInt8(1, at)
      expect([at, contentEnd(disk, file, 0)]).toEqual([at, at + 1])
    }
    const { disk, file } = diskOf(Buffer.alloc(3 * MIB + 5))
    expect(contentEnd(disk, file, 10)).toBe(10)
  })

  it('is looked for closely nearby, and by samples far ahead', () => {
    const isZeroWith = (at: number): boolean => {
      const { disk, file } = diskOf(Buffer.alloc(3 * MIB))
      disk.files.get('log.1')?.writeUInt8(1, at)
      return isPadding(disk, file, 100)
    }
    expect([99, 100, MIB + 99, MIB + 100, 2 * MIB + 100].map(isZeroWith)).toEqual([
      true,
      false,
      false,
      false,
      false,
    ])
    expect(isZeroWith(MIB + 100 + 512)).toBe(true)
  })
})
