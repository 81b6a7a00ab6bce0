import { describe, expect, it } from 'vitest'
import { Err } from '../../../src/data/error-code.ts'
import { OpCode } from '../../../src/data/op-code.ts'
import type { FourLetterWords } from '../../../src/server/clients/first-bytes.ts'
import { ADVANCE_INTERVAL_MS } from '../../../src/server/member.ts'
import { framed, type MemoryClient, MemoryServer } from '../../support/memory-server.ts'
import { create, exists, remove } from '../../support/requests.ts'

describe('quotas', () => {
  function withQuota(enforceQuota: string): MemoryClient {
    const client = new MemoryServer({ settings: { enforceQuota } }).connect()
    for (const path of ['/q', '/zookeeper/quota/q']) client.call(OpCode.create, create(path))
    const data = Buffer.from('count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=1')
    const limits = create('/zookeeper/quota/q/zookeeper_limits', { data })
    client.call(OpCode.create, limits)
    client.call(OpCode.create, create('/zookeeper/quota/q/zookeeper_stats'))
    return client
  }
  /** Of the metric quota_exceeded_error_per_namespace, by name. */
  function errorsOf({ server }: MemoryClient): Record<string, string> {
    const dumped: Record<string, string> = {}
    server.member.metrics.quotaExceededErrorPerNamespace.dump((name, value) => {
      dumped[name] = value
    })
    return dumped
  }

  it('that are enforced refuse, and count what they have refused', () => {
    const client = withQuota('true')
    expect(client.call(OpCode.create, create('/q/a')).err).toBe(Err.quotaExceeded)
    expect(client.call(OpCode.create, create('/q/b')).err).toBe(Err.quotaExceeded)
    expect(errorsOf(client)).toEqual({ q_quota_exceeded_error_per_namespace: '2' })
  })

  it('that are not enforced warn, and have refused nothing', () => {
    const client = withQuota('false')
    expect(client.call(OpCode.create, create('/q/a')).err).toBe(Err.ok)
    expect(errorsOf(client)).toEqual({})
    expect(
      client.server.logged.filter(({ message }) => message === 'quota exceeded'),
    ).toMatchObject([
      { level: 'warn', fields: { path: '/q', kind: 'hard', what: 'count', wanted: 2, limit: 1 } },
    ])
  })

  it('do not flood the log', () => {
    const client = withQuota('false')
    const { server } = client
    for (let i = 0; i < 100; i += 1) client.call(OpCode.create, create(`/q/n${i}`))
    server.pass(1000)
    client.call(OpCode.create, create('/q/last'))
    const told = server.logged.filter(({ message }) => message === 'quota exceeded')
    expect(told).toMatchObject([{ fields: { untold: 0 } }, { fields: { untold: 99 } }])
  })
})

describe('the first bytes of a connection', () => {
  const words: FourLetterWords = {
    wordOf: (first4) => ({ 1920298859: 'ruok', 1937010027: 'stmk' })[first4],
    extraBytes: (word) => (word === 'stmk' ? 8 : 0),
    run: (word, extra) => `${word} ${extra.toString('hex')}`,
    silenceMsMax: 1000,
  }
  const textOf = (client: MemoryClient): string => client.received.toString()

  it.each([
    ['at once', ['ruok']],
    ['byte by byte', ['r', 'u', 'o', 'k']],
    ['with more behind', ['ruok\n']],
  ])('may be a word, %s: the answer, then the end', (_, chunks) => {
    const client = new MemoryServer({ words }).open()
    for (const chunk of chunks) client.sendBytes(Buffer.from(chunk))
    expect([textOf(client), client.isClosed]).toEqual(['ruok ', true])
  })

  it('of a word that has an argument are waited for', () => {
    const client = new MemoryServer({ words }).open()
    client.sendBytes(Buffer.from('stmk'))
    client.sendBytes(Buffer.from([0, 1, 2, 3, 4, 5, 6]))
    expect(client.isClosed).toBe(false)
    client.sendBytes(Buffer.from([7, 8]))
    expect([textOf(client), client.isClosed]).toEqual(['stmk 0001020304050607', true])
  })

  it('may be a frame in pieces, with requests in the same chunk', () => {
    const connect = Buffer.alloc(45)
    connect.writeInt32BE(4000, 12)
    connect.writeInt32BE(16, 24)
    const ping = Buffer.alloc(8)
    ping.writeInt32BE(-2, 0)
    ping.writeInt32BE(OpCode.ping, 4)
    const client = new MemoryServer({ words }).open()
    const bytes = Buffer.concat([framed(connect), framed(ping)])
    for (const chunk of [bytes.subarray(0, 2), bytes.subarray(2, 20), bytes.subarray(20)])
      client.sendBytes(chunk)
    const [handshake, pong] = client.takeFrames()
    expect(handshake?.length).toBe(37)
    expect(pong?.readInt32BE(0)).toBe(-2)
  })

  it('must come in time, even if a few have', () => {
    const server = new MemoryServer({ words })
    const [silent, few] = [server.open(), server.open()]
    const session = server.connect(4000)
    few.sendBytes(Buffer.from([0, 0, 0, 45, 1]))
    server.pass(900)
    const late = server.open()
    server.pass(200)
    expect([silent, few, session, late].map((client) => client.isClosed)).toEqual([
      true,
      true,
      false,
      false,
    ])
    server.pass(1000)
    expect([session.isClosed, late.isClosed]).toEqual([false, true])
  })
})

describe('time', () => {
  it('ends sessions by a txn with cxid 0 at the edge of their bucket', () => {
    const server = new MemoryServer()
    server.mono = 1_000_100
    const client = server.connect(4000)
    client.call(OpCode.create, create('/e', { flags: 1 }))
    // (1_000_100 + 4000) / 2000, rounded up: 1_006_000.
    server.pass(5900 - ADVANCE_INTERVAL_MS)
    expect(server.member.tree.node('/e')).toBeDefined()
    server.pass(ADVANCE_INTERVAL_MS)
    expect(server.member.tree.node('/e')).toBeUndefined()
    expect(client.isClosed).toBe(true)
    const [op] = server.diskOps.slice(-1)
    if (op?.kind !== 'appendTxns') throw new Error('nothing was logged')
    expect(op.bytes.readBigInt64BE(12)).toBe(client.sessionId)
    expect([op.bytes.readInt32BE(20), op.bytes.readInt32BE(40)]).toEqual([0, OpCode.closeSession])
  })

  it('does not serve a session that has run out, though its end is not yet durable', () => {
    const server = new MemoryServer()
    const client = server.connect(4000)
    server.isDiskHeld = true
    server.pass(8000)
    client.send(OpCode.create, create('/late'))
    client.send(OpCode.ping, undefined, -2)
    expect(client.takeReplies()).toEqual([])
    const second = server.open()
    second.handshake({ sessionId: client.sessionId, passwd: client.passwd })
    // Nobody is told that it is over before it is.
    expect([second.takeFrames(), second.isClosed, client.isClosed]).toEqual([[], false, true])
    server.isDiskHeld = false
    server.releaseDisk()
    expect([second.takeFrames(), second.isClosed]).toEqual([[], true])
    const third = server.open()
    third.handshake({ sessionId: client.sessionId, passwd: client.passwd })
    expect([third.timeOut, third.isClosed]).toEqual([0, true])
    expect(server.connect().call(OpCode.exists, exists('/late')).err).toBe(Err.noNode)
    expect(server.member.sessions.get(client.sessionId)).toBeUndefined()
  })

  it('of the wall is written into txns and Stats', () => {
    const server = new MemoryServer({ wall: 1234 })
    const client = server.connect()
    client.call(OpCode.create, create('/a'))
    expect(server.member.tree.node('/a')?.ctime).toBe(1234)
    client.call(OpCode.delete, remove('/a'))
  })
})

describe('the reply to a create', () => {
  it.each([
    ['the path alone', OpCode.create, 0, 0],
    ['the path alone for a container by flags', OpCode.create, 4, 0],
    ['a Stat too', OpCode.create2, 0, 68],
    ['a Stat too for a container', OpCode.createContainer, 4, 68],
  ])('has %s', (_, op, flags, statBytes) => {
    const { body } = new MemoryServer().connect().call(op, create('/a', { flags }))
    expect([body.readString(), body.remaining]).toEqual(['/a', statBytes])
  })
})

describe('closeSession', () => {
  it('ends what the client has sent behind it', () => {
    const server = new MemoryServer()
    const client = server.connect()
    server.isDiskHeld = true
    client.send(OpCode.create, create('/e', { flags: 1 }))
    const last = client.send(OpCode.closeSession)
    client.send(OpCode.create, create('/late'))
    server.isDiskHeld = false
    server.releaseDisk()
    const replies = client.takeReplies()
    expect(replies.map(({ xid }) => xid)).toEqual([last - 1, last])
    expect(replies.map(({ err }) => err)).toEqual([Err.ok, Err.ok])
    expect(client.isClosed).toBe(true)
    expect(server.member.tree.node('/')?.childCount).toBe(1)
    expect(server.member.clients.outstandingRequests).toBe(0)
  })

  it('of one session leaves the ephemerals of others', () => {
    const server = new MemoryServer()
    const [one, two] = [server.connect(), server.connect()]
    one.call(OpCode.create, create('/one', { flags: 1 }))
    two.call(OpCode.create, create('/two', { flags: 1 }))
    one.call(OpCode.closeSession)
    expect(two.call(OpCode.exists, exists('/one')).err).toBe(Err.noNode)
    expect(two.call(OpCode.exists, exists('/two')).err).toBe(Err.ok)
  })
})
