import { describe, expect, it } from 'vitest'
import { DiskLane } from '../../../../src/server/storage/disk-lane.ts'
import { LogWatch } from '../../../../src/server/storage/log-watch.ts'

describe('the watch over our log', () => {
  const log = (lane: DiskLane, bytes: number): void => {
    const at = lane.begin(1)
    lane.writer.writeBytes(Buffer.alloc(bytes))
    lane.end(at)
  }

  it('looks at what waits, on its way to the disk or not yet', () => {
    const lane = new DiskLane()
    log(lane, 1000)
    const one = lane.backlogBytes
    const watch = new LogWatch(lane, 100, 2 * one, 0)
    const batch = lane.take(0)
    log(lane, 1000)
    expect([watch.look(1), lane.backlogBytes]).toEqual([undefined, 2 * one])
    log(lane, 1)
    expect(watch.look(2)).toBe(`${lane.backlogBytes} bytes wait for our log`)
    if (batch === undefined) throw new Error('there was something to write')
    lane.onDurable(batch)
    expect(watch.look(3)).toBe(undefined)
  })

  it('waits for one batch no longer than that, and does not count what nobody could see', () => {
    const lane = new DiskLane()
    const watch = new LogWatch(lane, 2500, 1e9, 0)
    log(lane, 1)
    const batch = lane.take(0)
    log(lane, 1)
    expect([1000, 2000].map((at) => watch.look(at))).toEqual([undefined, undefined])
    // The process stood still for a minute.
    expect([62_000, 62_100].map((at) => watch.look(at))).toEqual([
      'our log has taken nothing for 2500 ms',
      'our log has taken nothing for 2500 ms',
    ])
    if (batch === undefined) throw new Error('there was something to write')
    lane.onDurable(batch)
    expect([63_000, 64_000, 65_000].map((at) => watch.look(at))).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })
})
