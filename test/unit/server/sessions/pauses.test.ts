import { describe, expect, it } from 'vitest'
import { CreateMode } from '../../../../src/data/create-mode.ts'
import { Err } from '../../../../src/data/error-code.ts'
import { OpCode } from '../../../../src/data/op-code.ts'
import {
  DEFERRAL_MS_MAX,
  GAP_MS_MIN,
  PAUSE_MS_MIN,
  PauseWatch,
} from '../../../../src/server/pause-watch.ts'
import {
  CLOSINGS_OUTSTANDING_MAX,
  EXPIRED_EPHEMERALS_PER_TURN_MAX,
  EXPIRIES_PER_TURN_MAX,
} from '../../../../src/server/sessions/session-expiry.ts'
import { MemoryEnsemble } from '../../../support/memory-ensemble.ts'
import { type MemoryClient, MemoryServer, requestFrame } from '../../../support/memory-server.ts'
import { create, setData } from '../../../support/requests.ts'

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

describe('a pause', () => {
  it('is noticed from a length on, and over when all was read', () => {
    const pauses = new PauseWatch()
    expect(pauses.onTime(1_000_000)).toBe(0)
    expect(pauses.onTime(1_000_000 + PAUSE_MS_MIN - 1)).toBe(0)
    expect(pauses.onTime(1_000_000 + 2 * PAUSE_MS_MIN - 1)).toBe(PAUSE_MS_MIN)
    pauses.onTurnEnd()
    expect(pauses.isInputRead).toBe(false)
    pauses.onTurnEnd()
    expect(pauses.isInputRead).toBe(true)
  })

  it('lets nobody be judged before all was read, though it be too short to make up for', () => {
    const pauses = new PauseWatch()
    pauses.onTime(1_000_000)
    expect(pauses.onTime(1_000_000 + GAP_MS_MIN - 1)).toBe(0)
    expect(pauses.isInputRead).toBe(true)
    expect(pauses.onTime(1_000_000 + 2 * GAP_MS_MIN - 1)).toBe(0)
    expect(pauses.isInputRead).toBe(false)
    pauses.onTurnEnd()
    pauses.onTurnEnd()
    expect(pauses.isInputRead).toBe(true)
  })

  it('does not keep a process from judging all of whose turns are long', () => {
    const pauses = new PauseWatch()
    let judgedMono = 1_000_000
    for (let now = judgedMono; now < 1_010_000; now += GAP_MS_MIN + 20) {
      pauses.onTime(now)
      if (pauses.isInputRead) judgedMono = now
      expect(now - judgedMono).toBeLessThan(DEFERRAL_MS_MAX + 3 * (GAP_MS_MIN + 20))
      pauses.onTurnEnd()
    }
  })
})

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

describe('sessions that expire together', () => {
  const turnsOf = (server: MemoryServer): number[] => {
    const { member } = server
    const expired: number[] = []
    const endTurn = member.endTurn.bind(member)
    member.endTurn = () => {
      const before = expiredOn(server)
      endTurn()
      const count = expiredOn(server) - before
      if (count > 0) expired.push(count)
    }
    return expired
  }

  it('do so in slices, one a turn', () => {
    const server = new MemoryServer({ settings: { maxClientCnxns: '0' } })
    for (let i = 0; i < CLOSINGS_OUTSTANDING_MAX + 1; i += 1) server.connect(TIMEOUT_MS)
    const expired = turnsOf(server)
    server.pass(TIMEOUT_MS + 3000)
    expect(expired).toEqual([EXPIRIES_PER_TURN_MAX, EXPIRIES_PER_TURN_MAX, 1])
    expect(server.member.sessions.count).toBe(0)
  })

  it('count by what they leave behind, too', () => {
    const server = new MemoryServer()
    for (let n = 0; n < 3; n += 1) {
      const client = server.connect(TIMEOUT_MS)
      for (let i = 0; i < EXPIRED_EPHEMERALS_PER_TURN_MAX; i += 1)
        client.send(OpCode.create, create(`/e${n}-${i}`, { flags: CreateMode.ephemeral }))
    }
    const expired = turnsOf(server)
    server.pass(TIMEOUT_MS + 3000)
    expect(expired).toEqual([1, 1, 1])
    expect(server.member.tree.ephemeralsCount).toBe(0)
  })

  it('wait for those before them, so that not all are under way at once', () => {
    const server = new MemoryServer({ settings: { maxClientCnxns: '0' } })
    const count = CLOSINGS_OUTSTANDING_MAX + 1
    for (let i = 0; i < count; i += 1) server.connect(TIMEOUT_MS)
    server.isDiskHeld = true
    server.pass(TIMEOUT_MS + 3000)
    expect(server.member.sessions.closingCount).toBe(CLOSINGS_OUTSTANDING_MAX)
    expect(server.member.wantsTurn).toBe(false)
    server.isDiskHeld = false
    server.releaseDisk()
    expect([server.member.sessions.count, server.member.sessions.closingCount]).toEqual([0, 0])
  })

  it('are spared if they are heard of before their turn', () => {
    const server = new MemoryServer({ settings: { maxClientCnxns: '0' } })
    const clients = Array.from({ length: EXPIRIES_PER_TURN_MAX + 1 }, () =>
      server.connect(TIMEOUT_MS),
    )
    const last = clients.at(-1)
    const endTurn = server.member.endTurn.bind(server.member)
    let isHeard = false
    server.member.endTurn = () => {
      endTurn()
      if (isHeard || expiredOn(server) === 0) return
      isHeard = true
      server.loop.enter((member) => member.sockets.onBytes(last?.id ?? 0, pingFrame))
    }
    server.pass(TIMEOUT_MS + 2000)
    expect(expiredOn(server)).toBe(EXPIRIES_PER_TURN_MAX)
    expect(last?.isClosed).toBe(false)
  })
})
