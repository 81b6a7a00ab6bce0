import { describe, expect, it } from 'vitest'
import { OpCode } from '../../../../src/data/op-code.ts'
import { type MemoryClient, MemoryServer, requestFrame } from '../../../support/memory-server.ts'
import { exists, getData, setData } from '../../../support/requests.ts'

const XID_PING = -2
const TIMEOUT_MS = 4000
const pingFrame = requestFrame(XID_PING, OpCode.ping)
const writes = (count: number): Buffer =>
  Buffer.concat(
    Array.from({ length: count }, (_, i) => requestFrame(i + 1, OpCode.setData, setData('/', 'x'))),
  )
const xidsOf = (client: MemoryClient): number[] => client.takeReplies().map(({ xid }) => xid)

/** A server whose disk hangs, and a client whose writes have used up all there is room for. */
function stalled(outstanding: number): { server: MemoryServer; writer: MemoryClient } {
  const server = new MemoryServer({ settings: { globalOutstandingLimit: String(outstanding) } })
  const writer = server.connect(TIMEOUT_MS)
  server.isDiskHeld = true
  writer.sendBytes(writes(outstanding))
  expect(server.member.clients.outstandingRequests).toBe(outstanding)
  return { server, writer }
}

describe('while the writes of others wait for the disk', () => {
  it('every ping of an idle session is answered in its turn, and the session lives', () => {
    const server = new MemoryServer()
    const writer = server.connect(TIMEOUT_MS)
    const idle = [server.connect(TIMEOUT_MS), server.connect(TIMEOUT_MS)]
    server.isDiskHeld = true
    writer.sendBytes(writes(1000))
    expect(server.member.clients.outstandingRequests).toBe(1000)
    for (let second = 0; second < 30; second += 1) {
      for (const client of idle) {
        client.sendBytes(pingFrame)
        expect(xidsOf(client)).toEqual([XID_PING])
      }
      server.pass(1000)
    }
    server.isDiskHeld = false
    server.releaseDisk()
    expect(idle.map((client) => client.isClosed)).toEqual([false, false])
    expect(server.logged.filter(({ message }) => message === 'session expired')).toHaveLength(1)
  })

  it('reads of an idle session are answered, and its one write is taken', () => {
    const server = new MemoryServer({ settings: { globalOutstandingLimit: '3' } })
    const [writer, idle] = [server.connect(), server.connect()]
    server.isDiskHeld = true
    writer.sendBytes(writes(4))
    idle.sendBytes(Buffer.concat([requestFrame(1, OpCode.getData, getData('/')), writes(2)]))
    expect(server.member.clients.outstandingRequests).toBe(4)
    expect(xidsOf(idle)).toEqual([1])
    idle.sendBytes(pingFrame)
    for (let i = 0; i < 3; i += 1) server.releaseDisk()
    expect(xidsOf(idle)).toEqual([1, 2, XID_PING])
    expect(xidsOf(writer)).toEqual([1, 2, 3, 4])
  })

  it('a ping behind own writes keeps its place among the replies', () => {
    const { server, writer } = stalled(3)
    writer.sendBytes(pingFrame)
    writer.sendBytes(requestFrame(4, OpCode.exists, exists('/')))
    expect(xidsOf(writer)).toEqual([])
    server.releaseDisk()
    expect(xidsOf(writer)).toEqual([1, 2, 3, XID_PING, 4])
  })
})

describe('a client with more requests than are let through', () => {
  it('lives as long as its pings arrive, though they are not answered yet', () => {
    const { server, writer } = stalled(3)
    for (let second = 0; second < 30; second += 1) {
      server.pass(1000)
      writer.sendBytes(pingFrame)
      expect(writer.isPaused).toBe(false)
    }
    server.isDiskHeld = false
    server.releaseDisk()
    expect(writer.isClosed).toBe(false)
    expect(xidsOf(writer)).toEqual([1, 2, 3, ...Array.from({ length: 30 }, () => XID_PING)])
  })

  it('is not heard once it has sent too much, and does not expire of that', () => {
    const { server, writer } = stalled(3)
    writer.sendBytes(Buffer.concat(Array.from({ length: 400 }, () => pingFrame)))
    expect(writer.isPaused).toBe(true)
    server.pass(30_000)
    server.isDiskHeld = false
    server.releaseDisk()
    expect([writer.isClosed, writer.isPaused]).toEqual([false, false])
    expect(xidsOf(writer)).toHaveLength(403)
    // From now on it can be heard, and has to be.
    server.pass(2 * TIMEOUT_MS)
    expect(writer.isClosed).toBe(true)
  })

  it('expires when it is silent, however much waits', () => {
    const { server, writer } = stalled(3)
    server.pass(3 * TIMEOUT_MS)
    server.isDiskHeld = false
    server.releaseDisk()
    expect(writer.isClosed).toBe(true)
  })
})

describe('unservedBytesPause', () => {
  it('is what a client may have sent before its socket is left unread', () => {
    const server = new MemoryServer({
      settings: { globalOutstandingLimit: '1' },
      limits: { unservedBytesPause: 2 * pingFrame.length },
    })
    const client = server.connect()
    server.isDiskHeld = true
    client.sendBytes(writes(1))
    client.sendBytes(Buffer.concat([pingFrame, pingFrame]))
    expect(client.isPaused).toBe(false)
    client.sendBytes(pingFrame.subarray(0, 1))
    expect(client.isPaused).toBe(true)
    server.releaseDisk()
    expect(client.isPaused).toBe(false)
    client.sendBytes(pingFrame.subarray(1))
    expect(xidsOf(client)).toEqual([1, XID_PING, XID_PING, XID_PING])
  })
})

describe('a client that does not take its replies', () => {
  const limits = { replyBytesPause: 100, unservedBytesPause: 100 }

  it('lives while it sends pings, and expires when it has sent too many to be read', () => {
    const server = new MemoryServer({ limits })
    const client = server.connect(TIMEOUT_MS)
    client.isStuck = true
    client.sendBytes(
      Buffer.concat([1, 2, 3].map((xid) => requestFrame(xid, OpCode.getData, getData('/')))),
    )
    for (let i = 0; i < 5; i += 1) {
      server.pass(1000)
      client.sendBytes(pingFrame)
    }
    expect([client.isClosed, client.isPaused]).toEqual([false, false])
    client.sendBytes(Buffer.concat([pingFrame, pingFrame, pingFrame, pingFrame]))
    expect(client.isPaused).toBe(true)
    server.pass(2 * TIMEOUT_MS)
    expect(client.isClosed).toBe(true)
  })
})
