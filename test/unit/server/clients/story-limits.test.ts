import { describe, expect, it } from 'vitest'
import { Err } from '../../../../src/data/error-code.ts'
import { OpCode } from '../../../../src/data/op-code.ts'
import { writeAuthPacket } from '../../../../src/data/records.ts'
import { framed, MemoryServer, requestFrame } from '../../../support/memory-server.ts'
import { create, getData, multi, pathAndInt, setData } from '../../../support/requests.ts'

describe('maxClientCnxns and maxCnxns', () => {
  it('let in as many of one address as they say, and no more', () => {
    const server = new MemoryServer({ settings: { maxClientCnxns: '2' } })
    const [one, two, three] = [server.open(), server.open(), server.open()]
    expect([one, two, three].map((client) => client.isClosed)).toEqual([false, false, true])
    expect(server.open('127.0.0.2').isClosed).toBe(false)
    one.vanish()
    expect(server.open().isClosed).toBe(false)
  })

  it('count all addresses together', () => {
    const server = new MemoryServer({ settings: { maxCnxns: '1', maxClientCnxns: '0' } })
    expect(server.open('127.0.0.1').isClosed).toBe(false)
    expect(server.open('127.0.0.2').isClosed).toBe(true)
  })

  it('count a connection that is closed here until its socket is gone', () => {
    for (const settings of [{ maxClientCnxns: '1' }, { maxClientCnxns: '0', maxCnxns: '1' }]) {
      const server = new MemoryServer({ settings })
      const client = server.connect()
      client.lingers = true
      client.call(OpCode.closeSession)
      expect(client.isClosed).toBe(true)
      expect(server.open().isClosed).toBe(true)
      client.vanish()
      expect(server.open().isClosed).toBe(false)
    }
  })
})

describe('jute.maxbuffer', () => {
  const settings = { 'jute.maxbuffer': '1000' }

  it('lets a frame of exactly so many bytes pass, and one more ends the connection', () => {
    const server = new MemoryServer({ settings })
    const client = server.connect()
    const bodyBytes = (data: number): number => 8 + (4 + 2) + (4 + data) + 27 + 4
    const fitting = 1000 - bodyBytes(0)
    const frame = requestFrame(1, OpCode.create, create('/a', { data: Buffer.alloc(fitting) }))
    expect(frame.length - 4).toBe(1000)
    client.sendBytes(frame)
    expect(client.takeReplies()[0]?.err).toBe(Err.ok)
    client.sendBytes(
      requestFrame(2, OpCode.create, create('/b', { data: Buffer.alloc(fitting + 1) })),
    )
    expect(client.isClosed).toBe(true)
    expect(client.takeReplies()).toEqual([])
  })

  it('holds for a first frame too, and so does a negative length', () => {
    const server = new MemoryServer({ settings })
    for (const length of [1001, -1]) {
      const client = server.open()
      const prefix = Buffer.alloc(4)
      prefix.writeInt32BE(length)
      client.sendBytes(prefix)
      expect(client.isClosed).toBe(true)
    }
  })
})

describe('globalOutstandingLimit', () => {
  it('stops reading from clients, and goes on when there is room', () => {
    const limits = { unservedBytesPause: 0 }
    const server = new MemoryServer({ settings: { globalOutstandingLimit: '3' }, limits })
    const client = server.connect()
    server.isDiskHeld = true
    const frames = [1, 2, 3, 4, 5].map((i) => requestFrame(i, OpCode.create, create(`/n${i}`)))
    client.sendBytes(Buffer.concat(frames))
    expect(server.member.clients.outstandingRequests).toBe(3)
    expect(client.isPaused).toBe(true)
    server.releaseDisk()
    expect(client.takeReplies().map((reply) => reply.xid)).toEqual([1, 2, 3])
    expect(client.isPaused).toBe(false)
    server.releaseDisk()
    expect(client.takeReplies().map((reply) => reply.xid)).toEqual([4, 5])
  })

  it('serves the others in the order in which they had to stop', () => {
    const server = new MemoryServer({ settings: { globalOutstandingLimit: '1' } })
    const clients = [server.connect(), server.connect(), server.connect()]
    server.isDiskHeld = true
    for (const client of clients) client.send(OpCode.setData, setData('/', 'x'))
    const answered = clients.map((client) => {
      server.releaseDisk()
      return client.takeReplies().length
    })
    expect(answered).toEqual([1, 1, 1])
  })
})

describe('reads that wait behind a write', () => {
  it('are so many and no more; the rest is read when they have been answered', () => {
    const server = new MemoryServer({ limits: { parkedReadsMax: 3, unservedBytesPause: 0 } })
    const client = server.connect()
    server.isDiskHeld = true
    const reads = [2, 3, 4, 5, 6].map((xid) => requestFrame(xid, OpCode.getData, getData('/')))
    client.sendBytes(Buffer.concat([requestFrame(1, OpCode.setData, setData('/', 'x')), ...reads]))
    expect(server.member.clients.outstandingRequests).toBe(4)
    expect(client.isPaused).toBe(true)
    server.releaseDisk()
    expect(client.takeReplies().map((reply) => reply.xid)).toEqual([1, 2, 3, 4, 5, 6])
    expect(client.isPaused).toBe(false)
  })
})

describe('a client that does not read', () => {
  const limits = {
    unservedBytesPause: 0,
    replyBytesPause: 1000,
    replyBytesMax: 4000,
    frameBytesMax: 2000,
  }

  it('has no more of its requests read until it has taken the replies', () => {
    const server = new MemoryServer({ limits })
    const client = server.connect()
    client.call(OpCode.create, create('/a', { data: Buffer.alloc(900) }))
    client.isStuck = true
    const frames = [1, 2, 3, 4, 5].map((xid) => requestFrame(xid, OpCode.getData, getData('/a')))
    client.sendBytes(Buffer.concat(frames))
    expect(client.takeReplies()).toHaveLength(2)
    expect(client.isPaused).toBe(true)
    client.drain()
    expect(client.takeReplies()).toHaveLength(3)
    expect(client.isPaused).toBe(false)
  })

  it('does not starve when it pipelines more than one turn may answer', () => {
    const server = new MemoryServer({ limits })
    const client = server.connect()
    client.call(OpCode.create, create('/a', { data: Buffer.alloc(900) }))
    const frames = Array.from({ length: 50 }, (_, xid) =>
      requestFrame(xid, OpCode.getData, getData('/a')),
    )
    client.sendBytes(Buffer.concat(frames))
    expect(client.takeReplies()).toHaveLength(50)
  })

  it('gets one reply of any size, and is cut off for what comes on top of it', () => {
    const server = new MemoryServer({ limits: { ...limits, frameBytesMax: 0xfffff } })
    const [stuck, writer] = [server.connect(), server.connect()]
    writer.call(OpCode.create, create('/large', { data: Buffer.alloc(100_000) }))
    stuck.call(OpCode.addWatch, pathAndInt('/large', 1))
    stuck.isStuck = true
    const frames = [1, 2].map((xid) => requestFrame(xid, OpCode.getData, getData('/large')))
    stuck.sendBytes(Buffer.concat(frames))
    for (let i = 0; i < 10; i += 1) writer.call(OpCode.create, create(`/large/${i}`))
    expect(stuck.isClosed).toBe(false)
    stuck.drain()
    expect(stuck.takeReplies().map(({ xid }) => xid)).toContain(2)
    stuck.isStuck = true
    stuck.send(OpCode.getData, getData('/large'), 3)
    for (let i = 0; i < 100 && !stuck.isClosed; i += 1)
      writer.call(OpCode.create, create(`/large/another-${i}`))
    expect(stuck.isClosed).toBe(true)
  })

  it('is cut off when events pile up, and nobody else is', () => {
    const server = new MemoryServer({ limits })
    const [stuck, writer] = [server.connect(), server.connect()]
    stuck.call(OpCode.addWatch, pathAndInt('/', 1))
    stuck.isStuck = true
    for (let i = 0; i < 100 && !stuck.isClosed; i += 1)
      writer.call(OpCode.create, create(`/node-with-a-longish-name-${i}`))
    expect(stuck.isClosed).toBe(true)
    expect(stuck.received.length).toBeLessThan(2 * limits.replyBytesMax)
    expect(writer.isClosed).toBe(false)
    expect(server.member.watches.table.watchCount).toBe(0)
  })
})

describe('what a client sends', () => {
  it('may be cut anywhere', () => {
    const server = new MemoryServer()
    const client = server.connect()
    const bytes = Buffer.concat([
      requestFrame(1, OpCode.create, create('/a')),
      requestFrame(2, OpCode.getData, getData('/a')),
    ])
    for (const byte of bytes) client.sendBytes(Buffer.from([byte]))
    expect(client.takeReplies().map((reply) => reply.err)).toEqual([Err.ok, Err.ok])
  })

  it('that does not decode is refused as it should be', () => {
    const server = new MemoryServer()
    const client = server.connect()
    const zxid = server.member.tree.lastProcessedZxid
    expect(client.call(OpCode.getData, (w) => w.writeInt(99)).err).toBe(Err.marshallingError)
    expect(client.call(OpCode.create, (w) => w.writeInt(99))).toMatchObject({
      err: Err.marshallingError,
      zxid: zxid + 1,
    })
    expect(client.call(OpCode.multi, multi([[OpCode.getData, getData('/')]])).err).toBe(
      Err.marshallingError,
    )
    expect(client.call(OpCode.ping, undefined, -2).err).toBe(Err.ok)
    client.sendBytes(framed(Buffer.from([1, 2, 3])))
    expect(client.isClosed).toBe(true)
  })

  it('with an unknown operation gets -6 and the end of the connection', () => {
    const server = new MemoryServer()
    for (const op of [0, 10, 77, OpCode.check, OpCode.deleteContainer, OpCode.createSession]) {
      const client = server.connect()
      expect(client.call(op)).toMatchObject({ err: Err.unimplemented, zxid: -1 })
      expect(client.isClosed).toBe(true)
    }
  })
})

describe('a connection without a session', () => {
  it('is closed when it stays silent', () => {
    const server = new MemoryServer()
    const silent = server.open()
    const open = server.connect(40_000)
    server.pass(10_100)
    expect(silent.isClosed).toBe(true)
    expect(open.isClosed).toBe(false)
  })
})

describe('what a stranger does again and again', () => {
  it('is logged once a second a cause, and counted', () => {
    const server = new MemoryServer({ settings: { maxClientCnxns: '0' } })
    const flood = (bytes: Buffer, times: number): void => {
      for (let n = 0; n < times; n += 1) server.open().sendBytes(bytes)
    }
    flood(Buffer.from('ffffffff', 'hex'), 100)
    flood(Buffer.from('7fffffff', 'hex'), 50)
    server.pass(1000)
    const told = server.logged
      .filter(({ message }) => message === 'closing a client connection')
      .map(({ fields: { reason, lines } }) => [reason, lines])
    expect(told).toEqual([
      ['negative length', undefined],
      ['frame too large', undefined],
      ['negative length', 99],
      ['frame too large', 49],
    ])
  })

  it('so are logins that fail', () => {
    const server = new MemoryServer({ settings: { maxClientCnxns: '0' } })
    for (let n = 0; n < 20; n += 1)
      server.connect().send(
        OpCode.auth,
        (w) => {
          writeAuthPacket(w, { type: 0, scheme: 'x'.repeat(500_000), auth: Buffer.alloc(0) })
        },
        -4,
      )
    server.pass(1000)
    const told = server.logged.filter(({ message }) => message === 'authentication failed')
    expect(told.map(({ fields: { lines } }) => lines)).toEqual([undefined, 19])
  })
})
