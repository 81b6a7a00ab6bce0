import { describe, expect, it } from 'vitest'
import { CreateMode } from '../../../../src/data/create-mode.ts'
import { Err } from '../../../../src/data/error-code.ts'
import { OpCode } from '../../../../src/data/op-code.ts'
import { readGetDataResponse } from '../../../../src/data/records.ts'
import { MemoryEnsemble } from '../../../support/memory-ensemble.ts'
import type { MemoryClient, Reply } from '../../../support/memory-server.ts'
import { create, getData, pathOnly, setData } from '../../../support/requests.ts'

const ephemeral = { flags: CreateMode.ephemeral }

const start = (): { ensemble: MemoryEnsemble; leader: number; followers: readonly number[] } => {
  const ensemble = new MemoryEnsemble([1, 2, 3])
  const leader = ensemble.awaitLeader()
  return { ensemble, leader, followers: [1, 2, 3].filter((sid) => sid !== leader) }
}

const dataOf = (reply: Reply): string | undefined => {
  if (reply.err !== Err.ok) return undefined
  return reply.body.readNullableBuffer()?.toString()
}

const read = (client: MemoryClient, node: string): string | undefined =>
  dataOf(client.call(OpCode.getData, getData(node)))

describe('an ensemble of three', () => {
  it('elects the largest sid of equals, and all serve', () => {
    const { ensemble, leader } = start()
    expect(leader).toBe(3)
    expect([1, 2, 3].map((sid) => ensemble.server(sid).member.role)).toEqual([
      'following',
      'following',
      'leading',
    ])
  })

  it('takes writes anywhere, and shows them everywhere', () => {
    const { ensemble } = start()
    const clients = [1, 2, 3].map((sid) => ensemble.server(sid).connect())
    for (const [index, client] of clients.entries())
      expect(
        client.call(OpCode.create, create(`/n${index}`, { data: Buffer.from(`by ${index}`) })).err,
      ).toBe(Err.ok)
    for (const client of clients) {
      expect(client.call(OpCode.sync, pathOnly('/')).err).toBe(Err.ok)
      expect([0, 1, 2].map((index) => read(client, `/n${index}`))).toEqual(['by 0', 'by 1', 'by 2'])
    }
    const digests = [1, 2, 3].map((sid) => ensemble.server(sid).member.tree.digest.toBigInt())
    expect(new Set(digests).size).toBe(1)
  })

  it('show their configuration with the Stat that the original gives it', () => {
    const { ensemble } = start()
    for (const sid of [1, 2, 3]) {
      const { body, err } = ensemble
        .server(sid)
        .connect()
        .call(OpCode.getData, getData('/zookeeper/config'))
      expect(err).toBe(Err.ok)
      const { data, stat } = readGetDataResponse(body)
      expect(data?.toString()).toMatch(/^server.1=.*\nversion=0$/s)
      expect(stat).toMatchObject({ czxid: 0, mzxid: 0, version: -1, cversion: 0, aversion: -1 })
    }
  })

  it('answers a pipeline on a follower in order', () => {
    const { ensemble } = start()
    const client = ensemble.server(1).connect()
    const xids = [
      client.send(OpCode.create, create('/p')),
      client.send(OpCode.getData, getData('/p')),
      client.send(OpCode.setData, setData('/p', 'b')),
      client.send(OpCode.sync, pathOnly('/p')),
      client.send(OpCode.getData, getData('/p')),
      client.send(OpCode.create, create('/p')),
    ]
    const replies = client.takeReplies()
    expect(replies.map(({ xid }) => xid)).toEqual(xids)
    expect(replies.map(({ err }) => err)).toEqual([0, 0, 0, 0, 0, Err.nodeExists])
  })

  it('keeps a session when its client goes to another member, and refuses what still comes the old way', () => {
    const { ensemble } = start()
    const old = ensemble.server(1).connect()
    old.call(OpCode.create, create('/e', ephemeral))
    const moved = ensemble.server(2).open()
    moved.handshake({ sessionId: old.sessionId, passwd: old.passwd })
    expect(moved.sessionId).toBe(old.sessionId)
    expect(moved.call(OpCode.setData, setData('/e', 'mine')).err).toBe(Err.ok)
    old.send(OpCode.setData, setData('/e', 'late'))
    expect([old.takeReplies(), old.isClosed]).toEqual([[], true])
    expect(read(moved, '/e')).toBe('mine')
    const again = ensemble.server(3).open()
    again.handshake({ sessionId: old.sessionId, passwd: old.passwd })
    expect(again.call(OpCode.setData, setData('/e', 'at the leader')).err).toBe(Err.ok)
  })

  it('refuses a session that nobody knows, and a wrong password', () => {
    const { ensemble } = start()
    const known = ensemble.server(1).connect()
    const stranger = ensemble.server(2).open()
    stranger.handshake({ sessionId: known.sessionId, passwd: Buffer.alloc(16, 1) })
    expect([stranger.timeOut, stranger.isClosed]).toEqual([0, true])
    known.call(OpCode.closeSession)
    const late = ensemble.server(2).open()
    late.handshake({ sessionId: known.sessionId, passwd: known.passwd })
    expect([late.timeOut, late.isClosed]).toEqual([0, true])
  })

  it('keeps the sessions of a follower alive by what it hears, and lets silent ones expire', () => {
    const { ensemble } = start()
    const alive = ensemble.server(1).connect(6000)
    const silent = ensemble.server(1).connect(6000)
    for (const [client, node] of [
      [alive, '/alive'],
      [silent, '/silent'],
    ] as const)
      client.call(OpCode.create, create(node, ephemeral))
    for (let second = 0; second < 12; second += 1) {
      ensemble.pass(1000)
      alive.call(OpCode.ping, undefined, -2)
    }
    expect(silent.isClosed).toBe(true)
    for (const sid of [1, 2, 3]) {
      const { tree } = ensemble.server(sid).member
      expect([tree.node('/alive') !== undefined, tree.node('/silent')]).toEqual([true, undefined])
    }
  })

  it('tells nobody that a session is over before that is committed', () => {
    const { ensemble } = start()
    const client = ensemble.server(1).connect(4000)
    client.vanish()
    for (const sid of [1, 2, 3]) ensemble.server(sid).isDiskHeld = true
    ensemble.pass(7000)
    const back = [1, 3].map((sid) => ensemble.server(sid).open())
    for (const one of back) one.handshake({ sessionId: client.sessionId, passwd: client.passwd })
    expect(back.map(({ timeOut, isClosed }) => [timeOut, isClosed])).toEqual([
      [0, false],
      [0, false],
    ])
    for (const sid of [1, 2, 3]) ensemble.server(sid).isDiskHeld = false
    ensemble.settle()
    expect(back.map(({ isClosed }) => isClosed)).toEqual([true, true])
    const refused = ensemble.server(2).open()
    refused.handshake({ sessionId: client.sessionId, passwd: client.passwd })
    expect([refused.timeOut, refused.isClosed]).toEqual([0, true])
  })

  it('refuses forwarded writes where the leader has no room for them, and goes on with the rest', () => {
    const { ensemble, leader } = start()
    const client = ensemble.server(1).connect()
    client.call(OpCode.create, create('/before'))
    ensemble.server(leader).loop.enter((member) => member.onFreeSpace(1000))
    const answers = [
      client.call(OpCode.create, create('/a')),
      client.call(OpCode.setData, setData('/before', 'b')),
      client.call(OpCode.getData, getData('/before')),
      client.call(OpCode.sync, pathOnly('/')),
    ]
    expect(answers.map(({ err }) => err)).toEqual([Err.systemError, Err.systemError, 0, 0])
    // Sessions are opened and closed.
    const other = ensemble.server(2).connect()
    expect(other.call(OpCode.closeSession).err).toBe(Err.ok)
    ensemble.server(leader).loop.enter((member) => member.onFreeSpace(2 ** 40))
    expect(client.call(OpCode.create, create('/a')).err).toBe(Err.ok)
    const digests = [1, 2, 3].map((sid) => ensemble.server(sid).member.tree.digest.toBigInt())
    expect(new Set(digests).size).toBe(1)
  })

  it('elects another leader when the first is gone, loses nothing and keeps sessions', () => {
    const { ensemble, leader, followers } = start()
    const client = ensemble.server(1).connect()
    client.call(OpCode.create, create('/kept', ephemeral))
    ensemble.kill(leader)
    expect(client.isClosed).toBe(true)
    const next = ensemble.awaitLeader()
    expect(followers).toContain(next)
    const back = ensemble.server(2).open()
    back.handshake({ sessionId: client.sessionId, passwd: client.passwd })
    expect(read(back, '/kept')).toBe('data')
    const created = back.call(OpCode.create, create('/after'))
    expect([created.err, Math.floor(created.zxid / 2 ** 32)]).toEqual([Err.ok, 2])
  })

  it('serves nobody without a quorum', () => {
    const { ensemble, leader, followers } = start()
    const [first = 0, second = 0] = followers
    const client = ensemble.server(first).connect()
    ensemble.kill(leader)
    ensemble.kill(second)
    ensemble.pass(30_000)
    expect([client.isClosed, ensemble.server(first).member.role]).toEqual([true, 'none'])
    const refused = ensemble.server(first).open()
    expect(refused.handshake()).toBeUndefined()
    expect(refused.isClosed).toBe(true)
  })
})
