import { describe, expect, it } from 'vitest'
import { Err } from '../../../../src/data/error-code.ts'
import { OpCode } from '../../../../src/data/op-code.ts'
import { writeAuthPacket } from '../../../../src/data/records.ts'
import type { Answer } from '../../../../src/server/auth/provider.ts'
import { type MemoryClient, MemoryServer } from '../../../support/memory-server.ts'
import { create, getData, setData } from '../../../support/requests.ts'

const AUTH_XID = -4
const bob = [{ scheme: 'late', id: 'bob' }]

function logIn(client: MemoryClient): void {
  const packet = { type: 0, scheme: 'late', auth: Buffer.from('bob') }
  client.send(OpCode.auth, (w) => writeAuthPacket(w, packet), AUTH_XID)
}

function answer(server: MemoryServer, given: Answer, index = 0): void {
  const [asked] = server.questions.splice(index, 1)
  if (asked === undefined) throw new Error('nothing was asked')
  asked.done(given)
  server.settle()
}

const xids = (client: MemoryClient): readonly number[] => client.takeReplies().map(({ xid }) => xid)

describe('a login that takes its time', () => {
  it('is asked of the shell, and holds the requests behind it in their order', () => {
    const server = new MemoryServer()
    const [client, other] = [server.connect(), server.connect()]
    logIn(client)
    expect(server.questions.map(({ question }) => question)).toEqual([
      { scheme: 'late', data: Buffer.from('bob'), address: '127.0.0.1' },
    ])
    const made = client.send(OpCode.create, create('/a'))
    const read = client.send(OpCode.getData, getData('/a'))
    expect(client.takeReplies()).toEqual([])
    expect(other.call(OpCode.getData, getData('/')).err).toBe(Err.ok)
    answer(server, bob)
    expect(xids(client)).toEqual([AUTH_XID, made, read])
    expect(server.member.clients.get(client.id)?.ids).toEqual([
      { scheme: 'ip', id: '127.0.0.1' },
      ...bob,
    ])
  })

  it('is refused as any other', () => {
    const server = new MemoryServer()
    const client = server.connect()
    logIn(client)
    client.send(OpCode.getData, getData('/'))
    answer(server, undefined)
    expect(client.takeReplies().map(({ xid, err }) => [xid, err])).toEqual([
      [AUTH_XID, Err.authFailed],
    ])
    expect(client.isClosed).toBe(true)
    expect(server.member.stats.authFailedCount).toBe(1)
  })

  it('may be the end without an answer', () => {
    const server = new MemoryServer()
    const client = server.connect()
    logIn(client)
    answer(server, 'hang up')
    expect([client.isClosed, client.takeReplies()]).toEqual([true, []])
  })

  it('does not hold what was there before', () => {
    const server = new MemoryServer()
    const client = server.connect()
    client.call(OpCode.create, create('/a'))
    server.isDiskHeld = true
    const written = client.send(OpCode.setData, setData('/a', 'x'))
    const read = client.send(OpCode.getData, getData('/a'))
    const second = client.send(OpCode.setData, setData('/a', 'y'))
    logIn(client)
    const behind = client.send(OpCode.getData, getData('/a'))
    server.isDiskHeld = false
    server.releaseDisk()
    expect(xids(client)).toEqual([written, read, second])
    answer(server, bob)
    expect(xids(client)).toEqual([AUTH_XID, behind])
  })

  it('stops the reading of a client that goes on sending, and keeps its session', () => {
    const server = new MemoryServer({ limits: { unservedBytesPause: 100 } })
    const client = server.connect(4000)
    logIn(client)
    const read = Array.from({ length: 10 }, () => client.send(OpCode.getData, getData('/')))
    expect(client.isPaused).toBe(true)
    server.pass(20_000)
    expect(client.isClosed).toBe(false)
    answer(server, bob)
    expect(xids(client)).toEqual([AUTH_XID, ...read])
    expect(client.isPaused).toBe(false)
  })

  it('goes with its connection, and its answer with it', () => {
    const server = new MemoryServer()
    const [client, other] = [server.connect(), server.connect()]
    logIn(client)
    logIn(other)
    client.vanish()
    answer(server, bob)
    expect(other.takeReplies()).toEqual([])
    answer(server, bob)
    expect(xids(other)).toEqual([AUTH_XID])
  })

  it('counts until it is answered, and one too many is not asked', () => {
    const server = new MemoryServer({ limits: { questionsMax: 2 } })
    const [first, second, third] = [server.connect(), server.connect(), server.connect()]
    for (const client of [first, second]) logIn(client)
    first.vanish()
    logIn(third)
    expect([third.isClosed, second.isClosed, server.questions.length]).toEqual([true, false, 2])
    answer(server, bob)
    const fourth = server.connect()
    logIn(fourth)
    answer(server, bob, 1)
    expect(xids(fourth)).toEqual([AUTH_XID])
  })
})
