import { describe, expect, it } from 'vitest'
import { CreateMode } from '../../../../src/data/create-mode.ts'
import { OpCode } from '../../../../src/data/op-code.ts'
import {
  CLOSINGS_OUTSTANDING_MAX,
  EXPIRED_EPHEMERALS_PER_TURN_MAX,
  EXPIRIES_PER_TURN_MAX,
} from '../../../../src/server/sessions/session-expiry.ts'
import { MemoryServer, requestFrame } from '../../../support/memory-server.ts'
import { create } from '../../../support/requests.ts'

const XID_PING = -2
const TIMEOUT_MS = 4000
const pingFrame = requestFrame(XID_PING, OpCode.ping)

const expiredOn = (server: MemoryServer): number =>
  server.logged.filter(({ message }) => message === 'session expired').length

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
