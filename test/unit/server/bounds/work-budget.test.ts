import { describe, expect, it } from 'vitest'
import { OpCode } from '../../../../src/data/op-code.ts'
import { MemoryEnsemble } from '../../../support/memory-ensemble.ts'
import { type MemoryClient, MemoryServer, requestFrame } from '../../../support/memory-server.ts'
import { create, getData, pathOnly } from '../../../support/requests.ts'

/** Who was sent how many replies, in this order: an entry for each write to a socket. */
class OrderedServer extends MemoryServer {
  readonly sent: [client: number, replies: number][] = []

  override writeClient(cnxn: number, bytes: Buffer): number {
    let replies = 0
    for (let at = 0; at < bytes.length; at += 4 + bytes.readInt32BE(at)) replies += 1
    this.sent.push([cnxn, replies])
    return super.writeClient(cnxn, bytes)
  }
}

const frames = (count: number, op: number, body = getData('/a')): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, xid) => requestFrame(xid, op, body)))

/** As two sockets that are readable in the same turn. */
function sendBoth(first: MemoryClient, bytes: Buffer, second: MemoryClient, more: Buffer): void {
  const { loop } = first.server
  loop.enter((member) => member.sockets.onBytes(first.id, bytes))
  loop.enter((member) => member.sockets.onBytes(second.id, more))
  first.server.settle()
}

// A request costs 20 steps, and one for each 16 of its bytes.
const serverOf = (requests: number): OrderedServer => {
  const server = new OrderedServer({ limits: { workStepsPerTurn: 20 * requests } })
  server.connect().call(OpCode.create, create('/a'))
  return server
}

const ensembleOf = (requests: number): { leader: MemoryServer; follower: MemoryServer } => {
  const ensemble = new MemoryEnsemble([1, 2, 3], {}, { workStepsPerTurn: 20 * requests })
  const leader = ensemble.awaitLeader()
  return { leader: ensemble.server(leader), follower: ensemble.server(leader === 1 ? 2 : 1) }
}

describe('a pipeline', () => {
  it('is served up to the budget of a turn, and goes on in the next', () => {
    const server = serverOf(5)
    const greedy = server.connect()
    const modest = server.connect()
    server.sent.length = 0
    sendBoth(greedy, frames(23, OpCode.getData), modest, frames(2, OpCode.getData))
    // The other client does not wait for more than five.
    expect(server.sent).toEqual([
      [greedy.id, 5],
      [modest.id, 2],
      [greedy.id, 5],
      [greedy.id, 5],
      [greedy.id, 5],
      [greedy.id, 3],
    ])
    expect(greedy.takeReplies().map(({ xid }) => xid)).toEqual([...Array(23).keys()])
  })

  it('within the budget is served at once', () => {
    const server = serverOf(12)
    const client = server.connect()
    server.sent.length = 0
    client.sendBytes(frames(12, OpCode.getData))
    expect(server.sent).toEqual([[client.id, 12]])
  })

  it('of dear requests pays for what they look at, and has one a turn in any case', () => {
    const server = serverOf(5)
    const client = server.connect()
    for (let i = 0; i < 200; i += 1) client.call(OpCode.create, create(`/e${i}`, { flags: 1 }))
    server.sent.length = 0
    client.sendBytes(frames(4, OpCode.getEphemerals, pathOnly('/x')))
    expect(server.sent).toEqual([
      [client.id, 1],
      [client.id, 1],
      [client.id, 1],
      [client.id, 1],
    ])
  })

  it('of reads behind a write is answered in slices, too, and in order', () => {
    const server = serverOf(5)
    const client = server.connect()
    server.isDiskHeld = true
    client.sendBytes(Buffer.concat([requestFrame(100, OpCode.create, create('/b'))]))
    for (let xid = 0; xid < 14; xid += 1)
      client.sendBytes(requestFrame(xid, OpCode.getData, getData('/a')))
    server.sent.length = 0
    server.isDiskHeld = false
    server.releaseDisk()
    const replies = client.takeReplies().map(({ xid }) => xid)
    expect(replies).toEqual([100, ...Array(14).keys()])
    expect(Math.max(...server.sent.map(([, count]) => count))).toBeLessThanOrEqual(6)
  })

  it('of reads between two writes is answered before the second one, whatever it costs', () => {
    for (const at of ['standalone', 'leader', 'follower'] as const) {
      const server = at === 'standalone' ? serverOf(40) : ensembleOf(40)[at]
      const client = server.connect()
      for (let i = 0; i < 200; i += 1) client.call(OpCode.create, create(`/e${i}`, { flags: 1 }))
      client.sendBytes(
        Buffer.concat([
          requestFrame(100, OpCode.create, create('/b')),
          frames(12, OpCode.getEphemerals, pathOnly('/e')),
          requestFrame(101, OpCode.create, create('/e', { flags: 1 })),
          requestFrame(102, OpCode.getEphemerals, pathOnly('/e')),
        ]),
      )
      const replies = client.takeReplies()
      expect(replies.map(({ xid }) => xid)).toEqual([100, ...Array(12).keys(), 101, 102])
      const reads = replies.filter(({ xid }) => xid !== 100 && xid !== 101)
      expect(reads.map(({ body }) => body.readInt())).toEqual([...Array(12).fill(200), 201])
    }
  })

  it('of all clients together has a budget as well', () => {
    const server = serverOf(2)
    const clients = Array.from({ length: 10 }, () => server.connect())
    server.sent.length = 0
    for (const { id } of clients)
      server.loop.enter((member) => member.sockets.onBytes(id, frames(4, OpCode.getData)))
    server.settle()
    const first = server.sent.slice(0, 10).map(([, count]) => count)
    // Eight requests of four clients fill the turn; the others have one each before it ends.
    expect(first).toEqual([2, 2, 2, 2, 1, 1, 1, 1, 1, 1])
    for (const client of clients) expect(client.takeReplies()).toHaveLength(4)
  })
})
