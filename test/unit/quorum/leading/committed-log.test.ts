import { describe, expect, it } from 'vitest'
import { CommittedLog } from '../../../../src/quorum/leading/committed-log.ts'

const entry = (zxid: number, bytes = 1): { zxid: number; bytes: Buffer } => ({
  zxid,
  bytes: Buffer.alloc(bytes),
})
const zxids = (log: CommittedLog, from: number): number[] =>
  [...log.from(from)].map(({ zxid }) => zxid)

describe('the committed log', () => {
  it('is empty at what was processed last', () => {
    const log = new CommittedLog(500, 7)
    expect([log.minZxid, log.maxZxid, log.length]).toEqual([7, 7, 0])
    expect(zxids(log, 0)).toEqual([])
  })

  it('keeps the last 500, however few were asked for, and gives them out from anywhere', () => {
    const log = new CommittedLog(3, 0)
    for (let zxid = 1; zxid <= 510; zxid += 1) log.add(entry(zxid))
    expect([log.minZxid, log.maxZxid, log.length]).toEqual([11, 510, 500])
    expect(zxids(log, 508)).toEqual([508, 509, 510])
    expect(zxids(log, 0).length).toBe(500)
    expect(zxids(log, 511)).toEqual([])
  })

  it('finds the first entry above a zxid that is in a gap between epochs', () => {
    const log = new CommittedLog(500, 0)
    for (const zxid of [5, 6, 2 ** 32 + 1]) log.add(entry(zxid))
    expect(zxids(log, 7)).toEqual([2 ** 32 + 1])
    expect(() => log.add(entry(6))).toThrow()
  })

  it('keeps no more bytes than it may, but always the newest entry', () => {
    const log = new CommittedLog(500, 0, 100)
    for (let zxid = 1; zxid <= 5; zxid += 1) log.add(entry(zxid, 30))
    expect(zxids(log, 0)).toEqual([3, 4, 5])
    log.add(entry(6, 1000))
    expect(zxids(log, 0)).toEqual([6])
    log.add(entry(7, 100))
    expect(zxids(log, 0)).toEqual([7])
  })

  it('begins anew where the state was replaced, even further back', () => {
    const log = new CommittedLog(500, 0)
    for (const zxid of [5, 6]) log.add(entry(zxid))
    log.clear(4)
    expect([log.minZxid, log.maxZxid, log.length]).toEqual([4, 4, 0])
    log.add(entry(5))
    expect([log.minZxid, log.maxZxid]).toEqual([5, 5])
  })
})
