import { describe, expect, it } from 'vitest'
import { OpCode } from '../../../../src/data/op-code.ts'
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
