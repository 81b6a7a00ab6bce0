import { describe, expect, it } from 'vitest'
import { DiskLane } from '../../../../src/server/storage/disk-lane.ts'

const record = (lane: DiskLane, zxid: number): void => {
  const at = lane.begin(zxid)
  lane.writer.writeInt(zxid)
  lane.end(at)
}

describe('the lane to the disk', () => {
  it('keeps the order of records and epochs, and says when all of it is durable', () => {
    const lane = new DiskLane()
    const said: string[] = []
    record(lane, 1)
    record(lane, 2)
    lane.push({ kind: 'writeEpoch', file: 'acceptedEpoch', epoch: 3 })
    lane.whenDurable(() => said.push('epoch'))
    record(lane, 4)
    lane.whenDurable(() => said.push('record'))
    const batch = lane.take(0)
    if (batch === undefined) throw new Error('nothing to write')
    expect(batch.ops.map((op) => (op.kind === 'appendTxns' ? op.lastZxid : op.kind))).toEqual([
      2,
      'writeEpoch',
      4,
    ])
    expect([batch.txns, batch.lastZxid, said]).toEqual([3, 4, []])
    lane.onDurable(batch)
    expect(said).toEqual(['epoch', 'record'])
    expect(lane.take(0)).toBeUndefined()
  })

  it('leaves the bytes of a batch alone while the next one is filled', () => {
    const lane = new DiskLane()
    record(lane, 1)
    const first = lane.take(0)
    const op = first?.ops[0]
    if (op?.kind !== 'appendTxns') throw new Error('no record')
    const before = Buffer.from(op.bytes)
    for (let zxid = 2; zxid < 1000; zxid += 1) record(lane, zxid)
    expect(op.bytes.equals(before)).toBe(true)
  })

  it('lets records wait for others, but not for longer than asked, nor for more than asked', () => {
    const lane = new DiskLane({ flushDelayMs: 20, batchTxnsMax: 3 })
    record(lane, 1)
    expect([lane.take(100), lane.take(119)]).toEqual([undefined, undefined])
    expect(lane.take(120)?.txns).toBe(1)
    for (const zxid of [2, 3]) record(lane, zxid)
    expect(lane.take(200)).toBeUndefined()
    record(lane, 4)
    expect(lane.take(201)?.txns).toBe(3)
    record(lane, 5)
    lane.push({ kind: 'writeEpoch', file: 'currentEpoch', epoch: 1 })
    expect(lane.take(202)?.ops).toHaveLength(2)
  })
})
