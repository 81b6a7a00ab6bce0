import { describe, expect, it } from 'vitest'
import { Err } from '../../../../src/data/error-code.ts'
import { OpCode } from '../../../../src/data/op-code.ts'
import { MemoryEnsemble } from '../../../support/memory-ensemble.ts'
import { type MemoryClient, MemoryServer, requestFrame } from '../../../support/memory-server.ts'
import { setData } from '../../../support/requests.ts'

const XID_PING = -2
const TIMEOUT_MS = 4000
const SYNC_LIMIT_MS = 10_000
const pingFrame = requestFrame(XID_PING, OpCode.ping)

const expiredOn = (server: MemoryServer): number =>
  server.logged.filter(({ message }) => message === 'session expired').length

/** The process stands still, and goes on with whatever it comes to first. */
function standStill(server: MemoryServer, ms: number): void {
  server.mono += ms
  server.wall += ms
}

describe('a server that has stood still', () => {
  it('has lost none of twenty sessions after a turn of 27 seconds', () => {
    const server = new MemoryServer({ settings: { maxClientCnxns: '0' } })
    const clients = Array.from({ length: 20 }, () => server.connect(TIMEOUT_MS))
    server.pass(1000)
    standStill(server, 27_000)
    // The one that comes first must not be the end of the others, nor must a timer.
    server.loop.enter(() => {})
    server.settle()
    for (const client of clients) client.sendBytes(pingFrame)
    server.pass(1000)
    expect(clients.filter((client) => !client.isClosed)).toHaveLength(20)
    expect(expiredOn(server)).toBe(0)
  })

  it('gives sessions that time back, and no more', () => {
    const server = new MemoryServer()
    server.connect(TIMEOUT_MS)
    server.pass(TIMEOUT_MS - 1000)
    standStill(server, 27_000)
    server.pass(900)
    expect(expiredOn(server)).toBe(0)
    // A bucket is a tick of 2 s.
    server.pass(2200)
    expect(expiredOn(server)).toBe(1)
  })

  it('does not call a new connection silent that it has not listened to', () => {
    const server = new MemoryServer()
    const fresh = server.open()
    standStill(server, 27_000)
    server.loop.enter(() => {})
    server.settleAlone()
    fresh.handshake({ timeOut: TIMEOUT_MS })
    server.pass(1000)
    expect(fresh.isClosed).toBe(false)
  })
})

describe('an ensemble', () => {
  const start = (): { ensemble: MemoryEnsemble; leader: MemoryServer; sid: number } => {
    const ensemble = new MemoryEnsemble([1, 2, 3])
    const sid = ensemble.awaitLeader()
    ensemble.pass(3000)
    return { ensemble, sid, leader: ensemble.server(sid) }
  }
  const pass = (ensemble: MemoryEnsemble, ms: number, clients: readonly MemoryClient[]): void => {
    for (let left = ms; left > 0; left -= 500) {
      for (const client of clients) client.sendBytes(pingFrame)
      ensemble.pass(500)
    }
  }

  it('keeps its leader and all sessions when the leader stands still for less than syncLimit', () => {
    const { ensemble, sid, leader } = start()
    const local = leader.connect(TIMEOUT_MS)
    const remote = ensemble.server(1).connect(TIMEOUT_MS)
    for (const offset of [0, 250, 500, 750]) {
      pass(ensemble, 2000, [local, remote])
      ensemble.pass(offset)
      ensemble.standStill(sid, SYNC_LIMIT_MS - 1000, () => local.sendBytes(pingFrame))
      pass(ensemble, 3000, [local, remote])
    }
    expect(leader.member.role).toBe('leading')
    expect([local.isClosed, remote.isClosed, expiredOn(leader)]).toEqual([false, false, 0])
    expect(leader.logged.filter(({ message }) => message === 'a learner is gone')).toEqual([])
    remote.takeReplies()
    expect(remote.call(OpCode.setData, setData('/', 'x')).err).toBe(Err.ok)
  })

  it('has another leader when it stands still for longer', () => {
    const { ensemble, sid, leader } = start()
    ensemble.standStill(sid, 3 * SYNC_LIMIT_MS)
    // A tick or two, though nobody has told it.
    ensemble.pass(4000)
    expect(leader.member.role).not.toBe('leading')
    ensemble.awaitLeader()
    expect([1, 2, 3].filter((id) => ensemble.server(id).member.role === 'none')).toEqual([])
  })

  it('keeps a follower that has stood still for less than syncLimit', () => {
    const { ensemble } = start()
    const follower = ensemble.server(1)
    const client = follower.connect(20_000)
    ensemble.standStill(1, SYNC_LIMIT_MS - 1500)
    pass(ensemble, 3000, [client])
    expect([follower.member.role, client.isClosed]).toEqual(['following', false])
    expect(follower.logged.filter(({ message }) => message === 'learning ends')).toEqual([])
  })
})
