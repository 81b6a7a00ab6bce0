import { describe, expect, it } from 'vitest'
import { Err } from '../../../../src/data/error-code.ts'
import { OpCode } from '../../../../src/data/op-code.ts'
import { sessionPassword } from '../../../../src/data/session-id.ts'
import { MemoryServer } from '../../../support/memory-server.ts'
import { create, exists, getData } from '../../../support/requests.ts'

describe('a session', () => {
  it('is created by a txn, and gets its password and a clamped timeout', () => {
    const server = new MemoryServer()
    const client = server.open()
    expect(client.handshake({ timeOut: 1 })).toEqual({ timeOut: 4000, readOnlyByte: true })
    expect(client.sessionId >> 56n).toBe(1n)
    expect(client.passwd).toEqual(sessionPassword(client.sessionId))
    expect(server.member.tree.lastProcessedZxid).toBe(1)
    expect(server.open().handshake({ timeOut: 10 ** 9 })?.timeOut).toBe(40_000)
  })

  it('is answered without the readOnly byte when the client has sent none', () => {
    const client = new MemoryServer().open()
    expect(client.handshake({ readOnlyByte: false })?.readOnlyByte).toBe(false)
  })

  it('is not answered before its txn is durable', () => {
    const server = new MemoryServer()
    server.isDiskHeld = true
    const client = server.open()
    expect(client.handshake()).toBeUndefined()
    server.releaseDisk()
    expect(client.takeFrames()).toHaveLength(1)
  })

  it('moves to a second connection, and the first is closed', () => {
    const server = new MemoryServer()
    const first = server.connect()
    const second = server.open()
    second.handshake({ sessionId: first.sessionId, passwd: first.passwd })
    expect(second.sessionId).toBe(first.sessionId)
    expect(first.isClosed).toBe(true)
    expect(second.call(OpCode.ping, undefined, -2)).toMatchObject({ xid: -2, err: Err.ok })
  })

  it('is refused with a wrong password, which still closes its live connection', () => {
    const server = new MemoryServer()
    const owner = server.connect()
    const thief = server.open()
    expect(thief.handshake({ sessionId: owner.sessionId })?.timeOut).toBe(0)
    expect(thief.sessionId).toBe(0n)
    expect(thief.passwd).toEqual(Buffer.alloc(16))
    expect(thief.isClosed).toBe(true)
    expect(owner.isClosed).toBe(true)
  })

  it('closes a client that has seen a later zxid than ours, without a word', () => {
    const client = new MemoryServer().open()
    expect(client.handshake({ lastZxidSeen: 5 })).toBeUndefined()
    expect(client.isClosed).toBe(true)
  })

  it('expires at the end of its bucket, and its ephemerals with it', () => {
    const server = new MemoryServer()
    const other = server.connect(40_000)
    const client = server.connect(4000)
    client.call(OpCode.create, create('/e', { flags: 1 }))
    server.pass(3900)
    other.call(OpCode.ping, undefined, -2)
    expect(other.call(OpCode.exists, exists('/e')).err).toBe(Err.ok)
    server.pass(2200)
    expect(client.isClosed).toBe(true)
    expect(other.call(OpCode.exists, exists('/e')).err).toBe(Err.noNode)
    const late = server.open()
    late.handshake({ sessionId: client.sessionId, passwd: client.passwd })
    expect(late.timeOut).toBe(0)
  })

  it('lives on while it pings', () => {
    const server = new MemoryServer()
    const client = server.connect(4000)
    for (let i = 0; i < 10; i += 1) {
      server.pass(1500)
      client.call(OpCode.ping, undefined, -2)
    }
    expect(client.isClosed).toBe(false)
  })

  it('survives its connection until it expires', () => {
    const server = new MemoryServer()
    const first = server.connect(4000)
    first.call(OpCode.create, create('/e', { flags: 1 }))
    first.vanish()
    const second = server.open()
    second.handshake({ sessionId: first.sessionId, passwd: first.passwd })
    expect(second.call(OpCode.getData, getData('/e')).err).toBe(Err.ok)
  })

  it('ends with closeSession: reply, then the end of the connection', () => {
    const server = new MemoryServer()
    const client = server.connect()
    client.call(OpCode.create, create('/e', { flags: 1 }))
    expect(client.call(OpCode.closeSession)).toMatchObject({ err: Err.ok })
    expect(client.isClosed).toBe(true)
    expect(server.member.tree.node('/e')).toBeUndefined()
    expect(server.member.sessions.count).toBe(0)
  })

  it('leaves nothing behind when its client goes before it is there', () => {
    const server = new MemoryServer()
    server.isDiskHeld = true
    const client = server.open()
    client.handshake({ timeOut: 4000 })
    client.vanish()
    server.releaseDisk()
    const [id] = [...server.member.sessions.all.keys()]
    expect(id).toBeDefined()
    expect(server.member.clients.cnxnOf(id ?? 0n)).toBeUndefined()
    server.isDiskHeld = false
    server.pass(10_000)
    expect(server.member.sessions.count).toBe(0)
    expect(server.member.clients.outstandingRequests).toBe(0)
  })

  it('never gives out an id that is in use, though the clock went back', () => {
    const server = new MemoryServer()
    const first = server.connect()
    const again = new MemoryServer({
      recovered: {
        tree: server.member.tree,
        sessions: new Map([[first.sessionId, 4000]]),
        lastZxid: server.member.tree.lastProcessedZxid,
      },
    })
    expect(again.connect().sessionId).toBe(first.sessionId + 1n)
  })
})
