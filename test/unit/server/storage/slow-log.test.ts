import { describe, expect, it } from 'vitest'
import { OpCode } from '../../../../src/data/op-code.ts'
import { DiskLane } from '../../../../src/server/storage/disk-lane.ts'
import { LogWatch } from '../../../../src/server/storage/log-watch.ts'
import { MemoryEnsemble } from '../../../support/memory-ensemble.ts'
import { create } from '../../../support/requests.ts'

const SYNC_LIMIT_MS = 10_000

/** Three members, and the disk of their leader hangs while it has something to write. */
function withStuckLeader(): { ensemble: MemoryEnsemble; leader: number } {
  const ensemble = new MemoryEnsemble([1, 2, 3])
  const leader = ensemble.awaitLeader()
  ensemble.pass(3000)
  const client = ensemble.server(1).connect()
  ensemble.server(leader).isDiskHeld = true
  expect(client.call(OpCode.create, create('/first')).err).toBe(0)
  return { ensemble, leader }
}

const roleOf = (ensemble: MemoryEnsemble, sid: number): string => ensemble.server(sid).member.role

describe('a leader whose log takes nothing', () => {
  it('leads no more after syncLimit, is not elected meanwhile, and comes back', () => {
    const { ensemble, leader } = withStuckLeader()
    ensemble.pass(SYNC_LIMIT_MS - 1000)
    expect(roleOf(ensemble, leader)).toBe('leading')
    ensemble.pass(3000)
    expect([1, 2, 3].map((sid) => roleOf(ensemble, sid))).toEqual(['following', 'leading', 'none'])
    ensemble.pass(30_000)
    expect([1, 2, 3].map((sid) => roleOf(ensemble, sid))).toEqual(['following', 'leading', 'none'])
    expect(ensemble.server(1).connect().call(OpCode.create, create('/second')).err).toBe(0)
    ensemble.server(leader).isDiskHeld = false
    ensemble.settle()
    ensemble.pass(3000)
    expect(roleOf(ensemble, leader)).toBe('following')
    const digests = [1, 2, 3].map((sid) => ensemble.server(sid).member.tree.digest.toBigInt())
    expect(new Set(digests).size).toBe(1)
  })

  it('goes on leading with one that is slow', () => {
    const ensemble = new MemoryEnsemble([1, 2, 3])
    const leader = ensemble.awaitLeader()
    const client = ensemble.server(1).connect()
    const server = ensemble.server(leader)
    server.isDiskHeld = true
    for (let at = 0; at < 8; at += 1) {
      client.call(OpCode.create, create(`/n${at}`))
      ensemble.pass(SYNC_LIMIT_MS / 2)
      server.releaseDisk()
    }
    expect(roleOf(ensemble, leader)).toBe('leading')
  })
})

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
