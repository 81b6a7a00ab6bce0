import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { Prng } from '../../../src/base/prng.ts'
import { snappyBlocks, snappyHeader } from '../../../src/persistence/snappy-stream.ts'
import { openSnapshot } from '../../../src/persistence/snapshot-source.ts'
import { MemoryDisk } from '../../support/memory-disk.ts'

const MEBIBYTE = 1024 * 1024
const content = Buffer.alloc(9 * MEBIBYTE)
const prng = new Prng(1)
// Part of it can be packed, part of it cannot.
for (let at = 0; at < content.length; at += 16) content.writeInt32BE(prng.below(2 ** 31), at)

const packed = [
  ['snapshot.1', content],
  ['snapshot.1.gz', gzipSync(content)],
  ['snapshot.1.snappy', Buffer.concat([snappyHeader(), snappyBlocks(content)])],
] as const

describe.each(packed)('%s', (name, bytes) => {
  it('gives its content in pieces, each beginning with what was held of the last', () => {
    const disk = new MemoryDisk({ [name]: bytes })
    const source = openSnapshot(disk, { name, zxid: 1, bytes: bytes.length })
    let held: Buffer = Buffer.alloc(0)
    let at = 0
    let pieces = 0
    for (let piece = source.next(held); piece !== undefined; piece = source.next(held)) {
      if (typeof piece === 'string') throw new Error(piece)
      expect(piece.length).toBeGreaterThan(held.length)
      expect(piece.length).toBeLessThan(9 * MEBIBYTE)
      expect(piece.equals(content.subarray(at, at + piece.length))).toBe(true)
      const used = piece.length - prng.below(1000)
      held = piece.subarray(used)
      at += used
      pieces += 1
    }
    expect(at + held.length).toBe(content.length)
    expect(pieces).toBeGreaterThan(2)
  })
})
