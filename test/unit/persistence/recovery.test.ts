import { describe, expect, it } from 'vitest'
import { OpCode } from '../../../src/data/op-code.ts'
import {
  type RecoveryRefusal,
  type Replayed,
  replayLogs,
} from '../../../src/persistence/recovery.ts'
import { logFile, MemoryDisk, record } from '../../support/memory-disk.ts'

const EPOCH = 2 ** 32

interface Outcome {
  readonly result: Replayed | RecoveryRefusal
  readonly zxids: readonly number[]
}

function replay(
  files: Readonly<Record<string, Buffer>>,
  after = 0,
  disk = new MemoryDisk(files),
): Outcome {
  const zxids: number[] = []
  const result = replayLogs(disk, after, (header) => {
    zxids.push(header.zxid)
    return undefined
  })
  return { result, zxids }
}

const log = (...zxids: number[]): Buffer =>
  logFile(
    zxids.map((zxid) => record(zxid)),
    200,
  )

describe('replay', () => {
  it('of nothing is where it began', () => {
    expect(replay({}, 5).result).toEqual({
      kind: 'replayed',
      lastZxid: 5,
      txns: 0,
      repeated: 0,
      tail: undefined,
    })
  })

  it('begins with the newest log that may hold the next txn', () => {
    const files = { 'log.1': Buffer.from('not read'), 'log.3': log(3, 4), 'log.a': log(10, 11) }
    const before = { 'log.3': log(3, 4, 5, 6, 7, 8, 9), 'log.a': log(10, 11) }
    expect(replay({ ...files, ...before }, 3).zxids).toEqual([4, 5, 6, 7, 8, 9, 10, 11])
    expect(replay(files, 10).zxids).toEqual([11])
    expect(replay(files, 11)).toMatchObject({ zxids: [], result: { lastZxid: 11 } })
  })

  it('goes on into a new epoch', () => {
    const files = { 'log.1': log(1, 2), 'log.100000001': log(EPOCH + 1), 'log.2': log(2, 3) }
    expect(replay(files).zxids).toEqual([1, 2, 3, EPOCH + 1])
    expect(replay({ 'log.1': log(EPOCH - 1, EPOCH) }, EPOCH - 2).result).toMatchObject({ txns: 2 })
  })

  it('passes over the echo of a write that the original could not decode', () => {
    const echo = (zxid: number): Buffer => record(zxid, Buffer.from([0xff, 0xff, 0xff, 0xfb]))
    const files = {
      'log.1': logFile([record(1), record(2), echo(2), echo(2), record(3)]),
      'log.3': logFile([echo(3), record(4)]),
      'log.100000000': logFile([echo(EPOCH), record(EPOCH + 1), echo(EPOCH + 1)]),
    }
    expect(replay(files)).toMatchObject({
      zxids: [1, 2, 3, 4, EPOCH + 1],
      result: { lastZxid: EPOCH + 1, repeated: 0 },
    })
    expect(replay(files, 3).zxids).toEqual([4, EPOCH + 1])
    // Of any other txn there is one.
    const rival = record(2, Buffer.from('else'), OpCode.delete)
    expect(replay({ 'log.1': logFile([record(1), record(2), rival]) }).result.kind).toBe('refused')
    expect(replay({ 'log.1': logFile([record(1), record(2), record(3), echo(2)]) }).result).toEqual(
      expect.objectContaining({ kind: 'refused' }),
    )
  })

  it('counts what a log holds twice, and accepts no second version of it', () => {
    const again = { 'log.1': log(1, 2, 3, 2, 3, 4), 'log.4': log(4, 5) }
    expect(replay(again)).toMatchObject({ zxids: [1, 2, 3, 4, 5], result: { repeated: 3 } })
    const rival = {
      'log.1': logFile([record(1), record(2), record(2, Buffer.from('else'), OpCode.setData)]),
    }
    expect(replay(rival).result).toMatchObject({
      kind: 'refused',
      file: 'log.1',
      reason: expect.stringContaining('two different records of zxid 0x2'),
    })
  })

  it('refuses a gap', () => {
    for (const files of [
      { 'log.1': log(1, 3) },
      { 'log.1': log(1), 'log.3': log(3) },
      { 'log.2': log(2) },
      { 'log.1': log(1), 'log.100000002': log(EPOCH + 2) },
    ])
      expect(replay(files).result).toMatchObject({
        kind: 'refused',
        offset: expect.any(Number),
        reason: expect.stringContaining('missing'),
      })
  })

  it('hands over the body with its digest', () => {
    const disk = new MemoryDisk({ 'log.1': logFile([record(1, Buffer.from('body'))]) })
    const bodies: Buffer[] = []
    replayLogs(disk, 0, (header, body) => {
      expect(header).toEqual({ clientId: 7n, cxid: 1, zxid: 1, time: 1001, type: -1 })
      bodies.push(Buffer.from(body.buffer.subarray(body.at, body.end)))
      return undefined
    })
    expect(bodies).toEqual([Buffer.from('body')])
  })

  it('stops where a txn cannot be applied', () => {
    const disk = new MemoryDisk({ 'log.1': log(1, 2, 3) })
    const result = replayLogs(disk, 0, (header) => (header.zxid === 2 ? 'no such type' : undefined))
    const offset = 16 + record(1).length
    expect(result).toMatchObject({ kind: 'refused', file: 'log.1', offset, reason: 'no such type' })
  })

  it('refuses a damaged record with file, offset and remedy', () => {
    const damaged = log(1, 2, 3)
    const offset = 16 + record(1).length
    damaged.writeUInt8(0xee, offset + 30)
    expect(replay({ 'log.1': damaged })).toMatchObject({
      zxids: [1],
      result: {
        kind: 'refused',
        file: 'log.1',
        offset,
        reason: expect.stringContaining('checksum'),
        remedy: expect.stringContaining(`zk-data txnlog repair --cut --at ${offset} log.1`),
      },
    })
    const beyond = log(1, 2)
    beyond.writeInt32BE(0x10000, 16 + 8)
    expect(replay({ 'log.1': beyond }).result).toMatchObject({ kind: 'refused', offset: 16 })
  })

  it('tells what a crash left at the very end', () => {
    const torn = logFile([record(1), record(2).subarray(0, 20)], 300)
    const offset = 16 + record(1).length
    expect(replay({ 'log.1': torn })).toMatchObject({
      zxids: [1],
      result: { tail: { name: 'log.1', offset, addEndMark: false } },
    })
    const unmarked = logFile([record(1), record(2).subarray(0, -1)])
    expect(replay({ 'log.1': unmarked })).toMatchObject({
      zxids: [1, 2],
      result: { tail: { name: 'log.1', offset: unmarked.length, addEndMark: true } },
    })
    expect(replay({ 'log.1': log(1), 'log.2': Buffer.alloc(0) })).toMatchObject({
      zxids: [1],
      result: { lastZxid: 1, tail: { name: 'log.2', offset: 0 } },
    })
  })

  it('accepts a torn tail in an older log if nothing is missing', () => {
    const torn = logFile([record(1), record(2).subarray(0, 20)], 300)
    expect(replay({ 'log.1': torn, 'log.2': log(2, 3) })).toMatchObject({
      zxids: [1, 2, 3],
      result: { tail: undefined },
    })
    expect(replay({ 'log.1': torn, 'log.3': log(3) }).result).toMatchObject({ kind: 'refused' })
  })
})
