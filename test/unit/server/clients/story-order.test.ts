import { describe, expect, it } from 'vitest'
import { Err } from '../../../../src/data/error-code.ts'
import { OpCode } from '../../../../src/data/op-code.ts'
import { MemoryServer, requestFrame } from '../../../support/memory-server.ts'
import {
  check,
  create,
  exists,
  getData,
  multi,
  pathOnly,
  remove,
  setData,
} from '../../../support/requests.ts'

/** Several requests in one chunk, as a pipelining client sends them. */
const pipelined = (...frames: Buffer[]): Buffer => Buffer.concat(frames)

describe('the order of replies', () => {
  it('is the order of requests, though reads are ready before writes', () => {
    const server = new MemoryServer()
    const client = server.connect()
    server.isDiskHeld = true
    client.sendBytes(
      pipelined(
        requestFrame(1, OpCode.getData, getData('/')),
        requestFrame(2, OpCode.create, create('/a')),
        requestFrame(3, OpCode.exists, exists('/a')),
        requestFrame(4, OpCode.setData, setData('/a', 'x')),
        requestFrame(5, OpCode.getData, getData('/a')),
        requestFrame(-2, OpCode.ping),
      ),
    )
    expect(client.takeReplies().map((reply) => reply.xid)).toEqual([1])
    server.releaseDisk()
    const replies = client.takeReplies()
    expect(replies.map((reply) => reply.xid)).toEqual([2, 3, 4, 5, -2])
    expect(replies.every((reply) => reply.err === Err.ok)).toBe(true)
    expect(replies[3]?.body.readBuffer().toString()).toBe('x')
  })

  it('shows a read the writes before it and not the ones behind it', () => {
    const server = new MemoryServer()
    const client = server.connect()
    server.isDiskHeld = true
    client.sendBytes(
      pipelined(
        requestFrame(1, OpCode.create, create('/a', { data: Buffer.from('old') })),
        requestFrame(2, OpCode.getData, getData('/a')),
        requestFrame(3, OpCode.setData, setData('/a', 'new')),
      ),
    )
    server.releaseDisk()
    const [, read] = client.takeReplies()
    expect(read?.body.readBuffer().toString()).toBe('old')
  })

  it('lets the reads of other sessions pass while a write waits', () => {
    const server = new MemoryServer()
    const writer = server.connect()
    const reader = server.connect()
    server.isDiskHeld = true
    writer.send(OpCode.create, create('/a'))
    expect(reader.call(OpCode.exists, exists('/a')).err).toBe(Err.noNode)
    expect(writer.takeReplies()).toEqual([])
    server.releaseDisk()
    expect(reader.call(OpCode.exists, exists('/a')).err).toBe(Err.ok)
  })

  it('answers nothing before it is durable, and a batch shares one flush', () => {
    const server = new MemoryServer()
    const client = server.connect()
    const flushes = server.diskOps.length
    server.isDiskHeld = true
    client.sendBytes(
      pipelined(...[1, 2, 3].map((xid) => requestFrame(xid, OpCode.create, create(`/n${xid}`)))),
    )
    expect(client.takeReplies()).toEqual([])
    expect(server.diskOps.length).toBe(flushes + 1)
    server.releaseDisk()
    expect(client.takeReplies()).toHaveLength(3)
  })

  it('puts what arrives during a flush into the next one', () => {
    const server = new MemoryServer()
    const client = server.connect()
    const flushes = server.diskOps.length
    server.isDiskHeld = true
    for (let i = 0; i < 5; i += 1) client.send(OpCode.create, create(`/n${i}`))
    expect(server.diskOps.length).toBe(flushes + 1)
    server.releaseDisk()
    expect(client.takeReplies()).toHaveLength(1)
    expect(server.diskOps.length).toBe(flushes + 2)
    server.releaseDisk()
    expect(client.takeReplies()).toHaveLength(4)
  })

  it('answers a sync behind all writes, those of others too', () => {
    const server = new MemoryServer()
    const writer = server.connect()
    const reader = server.connect()
    server.isDiskHeld = true
    writer.send(OpCode.create, create('/a'))
    reader.send(OpCode.sync, pathOnly('/any/path'))
    reader.send(OpCode.getData, getData('/a'))
    expect(reader.takeReplies()).toEqual([])
    server.releaseDisk()
    const [sync, read] = reader.takeReplies()
    expect(sync?.body.readString()).toBe('/any/path')
    expect(read?.err).toBe(Err.ok)
  })

  it('answers a sync at once when nothing is under way', () => {
    const server = new MemoryServer()
    const client = server.connect()
    server.isDiskHeld = true
    expect(client.call(OpCode.sync, pathOnly('/')).err).toBe(Err.ok)
  })

  it('judges a write by the writes before it that are still under way', () => {
    const server = new MemoryServer()
    const [one, other] = [server.connect(), server.connect()]
    server.isDiskHeld = true
    one.send(OpCode.create, create('/a'))
    other.send(OpCode.create, create('/a'))
    other.send(OpCode.create, create('/a/b'))
    one.send(OpCode.delete, remove('/a'))
    server.releaseDisk()
    server.releaseDisk()
    expect(one.takeReplies().map((reply) => reply.err)).toEqual([Err.ok, Err.notEmpty])
    expect(other.takeReplies().map((reply) => reply.err)).toEqual([Err.nodeExists, Err.ok])
  })

  it('gives a failed write a zxid of its own', () => {
    const server = new MemoryServer()
    const client = server.connect()
    const before = server.member.tree.lastProcessedZxid
    expect(client.call(OpCode.delete, remove('/none'))).toMatchObject({
      err: Err.noNode,
      zxid: before + 1,
    })
  })

  it('drops the replies of a client that has gone, and goes on with the others', () => {
    const server = new MemoryServer()
    const [gone, other] = [server.connect(), server.connect()]
    server.isDiskHeld = true
    gone.send(OpCode.create, create('/a'))
    gone.send(OpCode.getData, getData('/a'))
    gone.vanish()
    server.releaseDisk()
    expect(gone.takeReplies()).toEqual([])
    expect(server.member.clients.outstandingRequests).toBe(0)
    expect(other.call(OpCode.exists, exists('/a')).err).toBe(Err.ok)
  })
})

describe('a multi', () => {
  it('sees the effect of its earlier parts, and is all or nothing', () => {
    const server = new MemoryServer()
    const client = server.connect()
    const good = client.call(
      OpCode.multi,
      multi([
        [OpCode.create, create('/m')],
        [OpCode.create, create('/m/a')],
        [OpCode.setData, setData('/m/a', 'x', 0)],
        [OpCode.delete, remove('/m/a', 1)],
      ]),
    )
    expect(good.err).toBe(Err.ok)
    const bad = client.call(
      OpCode.multi,
      multi([
        [OpCode.create, create('/m/b')],
        [OpCode.check, check('/m', 7)],
        [OpCode.create, create('/m/c')],
      ]),
    )
    expect(bad.err).toBe(Err.ok)
    const errs = [0, 1, 2].map(() => {
      bad.body.readInt()
      bad.body.readBoolean()
      bad.body.readInt()
      return bad.body.readInt()
    })
    expect(errs).toEqual([Err.ok, Err.badVersion, Err.runtimeInconsistency])
    expect(client.call(OpCode.exists, exists('/m/b')).err).toBe(Err.noNode)
    // What was rolled back leaves no trace for the next request: same names, first cversion.
    expect(client.call(OpCode.create, create('/m/b')).err).toBe(Err.ok)
  })
})
