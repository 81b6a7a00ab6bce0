import { describe, expect, it } from 'vitest'
import { OpCode } from '../../../../src/data/op-code.ts'
import { defaultMemberBounds } from '../../../../src/server/bounds/member-bounds.ts'
import { type MemoryClient, MemoryServer } from '../../../support/memory-server.ts'
import { create, getData, pathOnly } from '../../../support/requests.ts'

/** Of a lone create: so many go into a turn. */
const CREATE_STEPS = 80
const CREATES_PER_TURN = 5

/** A server that has little room for what commits in one turn, and tells of every turn. */
class SlowServer extends MemoryServer {
  /** Txns applied, turn by turn; those without any are left out. */
  readonly applied: number[] = []
  onTurn: () => void = () => {}
  #zxid = 0

  constructor(stepsPerTurn: number = CREATES_PER_TURN * CREATE_STEPS) {
    super({
      settings: { maxClientCnxns: '0' },
      bounds: { ...defaultMemberBounds, applyStepsPerTurn: stepsPerTurn },
    })
  }

  override afterThisTurn(fn: () => void): void {
    super.afterThisTurn(() => {
      fn()
      const zxid = this.member.tree.lastProcessedZxid
      if (zxid > this.#zxid) this.applied.push(zxid - this.#zxid)
      this.#zxid = zxid
      this.onTurn()
    })
  }

  connectAll(count: number): MemoryClient[] {
    return Array.from({ length: count }, () => this.connect())
  }

  /** What `send` sends commits together, behind the first write of it. */
  commitTogether(send: () => void): void {
    this.isDiskHeld = true
    send()
    this.releaseDisk()
    this.applied.length = 0
    this.isDiskHeld = false
    this.releaseDisk()
  }
}

describe('what commits together', () => {
  it('is applied in slices, a turn each, and in order', () => {
    const server = new SlowServer()
    const clients = server.connectAll(13)
    server.commitTogether(() => {
      for (const client of clients) client.send(OpCode.create, create(`/${client.id}`))
    })
    // The first was alone in its write.
    expect(server.applied).toEqual([5, 5, 2])
    const zxids = clients.flatMap((client) => client.takeReplies().map(({ zxid }) => zxid))
    expect(zxids).toEqual(Array.from({ length: 13 }, (_, i) => 14 + i))
    expect([server.member.isApplyBehind, server.member.wantsTurn]).toEqual([false, false])
    expect(server.member.clients.outstandingRequests).toBe(0)
  })

  it('gets on by one txn a turn, however little room there is', () => {
    const server = new SlowServer(1)
    const [client] = server.connectAll(1)
    server.commitTogether(() => {
      for (let i = 0; i < 4; i += 1) client?.send(OpCode.create, create(`/${i}`))
    })
    expect(server.applied).toEqual([1, 1, 1])
  })

  it('lets no more connections end in a turn', () => {
    const server = new SlowServer(2000)
    const clients = server.connectAll(20)
    const closed = (): number => clients.filter(({ isClosed }) => isClosed).length
    const perTurn: number[] = []
    let before = 0
    server.onTurn = () => {
      if (closed() > before) perTurn.push(closed() - before)
      before = closed()
    }
    server.commitTogether(() => {
      for (const client of clients) client.send(OpCode.closeSession)
    })
    expect(closed()).toBe(20)
    expect(Math.max(...perTurn)).toBe(5)
    expect(server.member.sessions.count).toBe(0)
  })

  it('counts the events that it sends, and the reads that it answers', () => {
    const server = new SlowServer(CREATES_PER_TURN * CREATE_STEPS)
    const clients = server.connectAll(20)
    const [writer] = clients
    for (const client of clients) client.call(OpCode.exists, getData('/a', true))
    server.commitTogether(() => {
      for (const path of ['/x', '/a', '/b']) writer?.send(OpCode.create, create(path))
    })
    expect(server.applied).toEqual([1, 1])
    server.commitTogether(() => {
      for (let i = 0; i < 4; i += 1) {
        writer?.send(OpCode.create, create(`/r${i}`))
        for (let k = 0; k < 20; k += 1) writer?.send(OpCode.exists, pathOnly('/a'))
      }
    })
    expect(server.applied).toEqual([1, 1, 1])
  })

  it('is not overtaken by a sync behind it, nor by what its own client reads', () => {
    const server = new SlowServer(1)
    const [writer, reader] = server.connectAll(2)
    const nodes = (): number => server.member.tree.nodeCount
    const before = nodes()
    const seen: number[] = []
    server.onTurn = () => {
      if ((reader?.takeReplies().length ?? 0) > 0) seen.push(nodes() - before)
    }
    server.commitTogether(() => {
      for (let i = 0; i < 4; i += 1) writer?.send(OpCode.create, create(`/${i}`))
      reader?.send(OpCode.sync, pathOnly('/'))
      writer?.send(OpCode.getData, getData('/3'))
      writer?.send(OpCode.create, create('/4'))
    })
    expect(seen).toEqual([4])
    expect(writer?.takeReplies().map(({ err }) => err)).toEqual([0, 0, 0, 0, 0, 0])
  })
})
