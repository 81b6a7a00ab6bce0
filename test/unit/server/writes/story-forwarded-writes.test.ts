import { describe, expect, it } from 'vitest'
import type { Limits } from '../../../../src/base/limits.ts'
import { Err } from '../../../../src/data/error-code.ts'
import { OpCode } from '../../../../src/data/op-code.ts'
import { packetName } from '../../../../src/quorum/wire/packets.ts'
import { answersRevalidateAtOnce } from '../../../support/apache-leader.ts'
import { packetsOf } from '../../../support/learner-rig.ts'
import { MemoryEnsemble } from '../../../support/memory-ensemble.ts'
import { type MemoryClient, type Reply, requestFrame } from '../../../support/memory-server.ts'
import { type Body, create, getData, setData } from '../../../support/requests.ts'

interface Shape {
  readonly ensemble: MemoryEnsemble
  /** Sid of a follower that is not the other one. */
  readonly one: number
  readonly other: number
  readonly leader: number
}

function start(limits: Partial<Limits> = {}): Shape {
  const ensemble = new MemoryEnsemble([1, 2, 3], {}, limits)
  const leader = ensemble.awaitLeader()
  const [one = 0, other = 0] = [1, 2, 3].filter((sid) => sid !== leader)
  return { ensemble, leader, one, other }
}

/** Nothing commits while the disks are held. */
function holdDisks({ ensemble }: Shape, isHeld: boolean): void {
  for (const server of ensemble.servers.values()) server.isDiskHeld = isHeld
  ensemble.settle()
}

/** The client is back at that member, and sends its first request without waiting to be let in. */
function comeBack(
  { ensemble }: Shape,
  at: number,
  session: MemoryClient,
  op: number,
  body: Body,
  xid = 1,
): MemoryClient {
  const client = ensemble.server(at).open()
  client.sendBytes(session.connectFrame({ sessionId: session.sessionId, passwd: session.passwd }))
  client.sendBytes(requestFrame(xid, op, body))
  return client
}

/** What the client was told behind the answer to its connect request. */
function repliesOf(client: MemoryClient): Reply[] {
  client.readConnectResponse()
  return client.takeReplies()
}

const outcome = (client: MemoryClient): unknown[] =>
  repliesOf(client).map(({ xid, err, body }) => [xid, err, body.remaining])

describe('a client that comes back while a write of its last connection is under way', () => {
  for (const [kind, apache] of [
    ['ours', false],
    ['one of Apache', true],
  ] as const) {
    describe(`with a leader like ${kind}`, () => {
      const scene = (): Shape & { readonly client: MemoryClient } => {
        const shape = start()
        shape.ensemble.server(shape.one).connect().call(OpCode.create, create('/there'))
        if (apache) shape.ensemble.tap = answersRevalidateAtOnce(shape.leader)
        const client = shape.ensemble.server(shape.one).connect()
        return { ...shape, client }
      }

      for (const [where, at] of [
        ['the same follower', (shape: Shape) => shape.one],
        ['another follower', (shape: Shape) => shape.other],
        ['the leader', (shape: Shape) => shape.leader],
      ] as const)
        for (const xid of [0, 1])
          it(`is answered for what it asks ${where}, with xid ${xid} again`, () => {
            const shape = scene()
            holdDisks(shape, true)
            shape.client.send(OpCode.create, create('/late'), xid)
            shape.client.vanish()
            const back = comeBack(
              shape,
              at(shape),
              shape.client,
              OpCode.create,
              create('/there'),
              xid,
            )
            holdDisks(shape, false)
            expect(outcome(back)).toEqual([[xid, Err.nodeExists, 0]])
            expect(back.call(OpCode.exists, getData('/late')).err).toBe(Err.ok)
          })

      it('is answered in order, however often it has come', () => {
        const shape = scene()
        holdDisks(shape, true)
        let client = shape.client
        for (const name of ['/a', '/b', '/c']) {
          client.send(OpCode.create, create(name), 1)
          client.send(OpCode.setData, setData('/there', name), 2)
          client.vanish()
          client = comeBack(shape, shape.one, shape.client, OpCode.create, create('/a'))
        }
        holdDisks(shape, false)
        expect(outcome(client)).toEqual([[1, Err.nodeExists, 0]])
      })

      it('is told of its own error, not of that of its last connection', () => {
        const shape = scene()
        holdDisks(shape, true)
        shape.client.send(OpCode.create, create('/there'), 1)
        shape.client.vanish()
        const back = comeBack(shape, shape.one, shape.client, OpCode.create, create('/new'))
        holdDisks(shape, false)
        expect(repliesOf(back).map(({ xid, err }) => [xid, err])).toEqual([[1, Err.ok]])
      })
    })
  }
})

describe('the leader', () => {
  it('answers REVALIDATE behind what was proposed before, and at once when nothing was', () => {
    const shape = start()
    const { ensemble, leader, one, other } = shape
    const client = ensemble.server(one).connect()
    const told: string[] = []
    ensemble.tap = ({ from, to, port, bytes }) => {
      if (port === 'quorum' && from === leader && to === other)
        told.push(...packetsOf(bytes).map(({ type }) => packetName(type)))
      if (told.at(-1) === 'PING') told.pop()
      return bytes
    }
    holdDisks(shape, true)
    client.send(OpCode.create, create('/late'))
    client.vanish()
    const back = comeBack(shape, other, client, OpCode.exists, getData('/late'))
    expect([told.splice(0), back.takeFrames()]).toEqual([['PROPOSAL'], []])
    holdDisks(shape, false)
    expect(told.splice(0)).toEqual(['COMMIT', 'REVALIDATE', 'SYNC'])
    expect(outcome(back)).toEqual([[1, Err.ok, 68]])
    back.vanish()
    ensemble.server(other).isDiskHeld = true
    comeBack(shape, other, client, OpCode.exists, getData('/late'))
    expect(told[0]).toBe('REVALIDATE')
  })

  it('does not answer a request with xid 0 by a closeSession of its own', () => {
    const shape = start()
    const { ensemble, one } = shape
    const client = ensemble.server(one).connect(4000)
    holdDisks(shape, true)
    ensemble.pass(7000)
    client.send(OpCode.create, create('/never'), 0)
    expect([client.takeReplies(), client.isClosed]).toEqual([[], false])
    holdDisks(shape, false)
    expect([client.takeReplies(), client.isClosed]).toEqual([[], true])
    expect(ensemble.server(one).member.tree.node('/never')).toBe(undefined)
    expect(ensemble.server(one).member.clients.outstandingRequests).toBe(0)
  })
})

describe('writes whose connection has gone', () => {
  for (const at of ['one', 'leader'] as const)
    it(`count as outstanding until they are committed, on the ${at === 'one' ? 'follower' : at}`, () => {
      const shape = start({ requestsOutstandingMax: 4 })
      const server = shape.ensemble.server(shape[at])
      const { clients } = server.member
      const [gone, stays] = [server.connect(), server.connect()]
      holdDisks(shape, true)
      for (const name of ['/a', '/b']) gone.send(OpCode.create, create(name))
      gone.send(OpCode.sync, (w) => w.writeString('/'))
      gone.send(OpCode.getData, getData('/a'))
      expect(clients.outstandingRequests).toBe(4)
      gone.vanish()
      // The read is gone with its connection, what was sent on is not.
      expect(clients.outstandingRequests).toBe(3)
      for (const name of ['/c', '/d']) stays.send(OpCode.create, create(name))
      expect(clients.outstandingRequests).toBe(4)
      holdDisks(shape, false)
      expect(stays.takeReplies().map(({ err }) => err)).toEqual([Err.ok, Err.ok])
      expect(clients.outstandingRequests).toBe(0)
      for (const name of ['/a', '/b', '/c', '/d'])
        expect(server.member.tree.node(name)).not.toBe(undefined)
    })

  for (const at of ['one', 'leader'] as const)
    it(`keep further ones out when there are too many, on the ${at === 'one' ? 'follower' : at}`, () => {
      const shape = start({ requestsOutstandingMax: 2 })
      const server = shape.ensemble.server(shape[at])
      const [gone, writer, syncer, idle] = [1, 2, 3, 4].map(() => server.connect())
      holdDisks(shape, true)
      gone?.send(OpCode.create, create('/a'))
      gone?.send(OpCode.create, create('/b'))
      // As long as the connection is there, each of the others may have one.
      writer?.send(OpCode.create, create('/c'))
      expect(server.member.clients.outstandingRequests).toBe(3)
      gone?.vanish()
      writer?.send(OpCode.create, create('/d'))
      syncer?.send(OpCode.sync, (w) => w.writeString('/'))
      expect([writer?.isClosed, syncer?.isClosed]).toEqual([false, true])
      const newcomer = server.connect()
      expect([newcomer.timeOut, newcomer.isClosed]).toEqual([0, true])
      expect(idle?.call(OpCode.getData, getData('/')).err).toBe(Err.ok)
      holdDisks(shape, false)
      expect(writer?.takeReplies().map(({ err }) => err)).toEqual([Err.ok, Err.ok])
      expect(server.member.clients.outstandingRequests).toBe(0)
      expect(server.connect().timeOut).toBeGreaterThan(0)
    })

  it('are forgotten when the role ends', () => {
    const shape = start()
    const { ensemble, one, leader } = shape
    const server = ensemble.server(one)
    const client = server.connect()
    holdDisks(shape, true)
    client.send(OpCode.create, create('/a'), 1)
    client.vanish()
    const { clients } = server.member
    expect(clients.outstandingRequests).toBe(1)
    ensemble.kill(leader)
    holdDisks(shape, false)
    expect(clients.outstandingRequests).toBe(0)
    ensemble.awaitLeader()
    const back = comeBack(shape, one, client, OpCode.create, create('/b'))
    expect(outcome(back).length).toBe(1)
    expect(clients.outstandingRequests).toBe(0)
  })
})

describe('sessions that come back', () => {
  it('are refused when too many wait for the word of the leader', () => {
    const shape = start({ sessionsReturningMax: 2 })
    const { ensemble, one } = shape
    const server = ensemble.server(one)
    const sessions = [1, 2, 3].map(() => server.connect())
    for (const session of sessions) session.vanish()
    const writer = server.connect()
    holdDisks(shape, true)
    writer.send(OpCode.create, create('/a'))
    const back = sessions.map((session) =>
      comeBack(shape, one, session, OpCode.exists, getData('/a')),
    )
    expect(back.map(({ isClosed }) => isClosed)).toEqual([false, false, true])
    holdDisks(shape, false)
    const [first, second, third] = back.map(outcome)
    expect([first, second, third]).toEqual([[[1, Err.ok, 68]], [[1, Err.ok, 68]], []])
  })
})

describe('a write that is late at the member where its session was', () => {
  /** It reaches the leader when the session has gone to another follower. */
  const late = (): Shape & { readonly client: MemoryClient; readonly release: () => void } => {
    const shape = start()
    const client = shape.ensemble.server(shape.one).connect()
    client.call(OpCode.create, create('/there'))
    const release = holdWords(shape)
    client.send(OpCode.create, create('/late'), 1)
    return { ...shape, client, release }
  }

  /** What the follower says to its leader from now on comes when it is released. */
  const holdWords = ({ ensemble, one, leader }: Shape): (() => void) => {
    const held: (() => void)[] = []
    ensemble.tap = ({ from, to, port, bytes, forward }) => {
      if (port !== 'quorum' || from !== one || to !== leader) return bytes
      held.push(() => forward(bytes))
      return Buffer.alloc(0)
    }
    return () => {
      ensemble.tap = undefined
      for (const say of held) say()
      ensemble.settle()
    }
  }

  it('does not end the new connection, on which the same xid is under way', () => {
    const shape = late()
    const { ensemble, other, client, release } = shape
    client.vanish()
    holdDisks(shape, true)
    const back = ensemble.server(other).open()
    back.sendBytes(client.connectFrame({ sessionId: client.sessionId, passwd: client.passwd }))
    expect(back.readConnectResponse()).not.toBe(undefined)
    // Its own request is behind the late one, which is refused.
    release()
    back.send(OpCode.create, create('/there'), 1)
    holdDisks(shape, false)
    expect([back.takeReplies().map(({ xid, err }) => [xid, err]), back.isClosed]).toEqual([
      [[1, Err.nodeExists]],
      false,
    ])
    for (const { member } of ensemble.servers.values()) {
      expect(member.tree.node('/late')).toBe(undefined)
      expect(member.clients.outstandingRequests).toBe(0)
    }
  })

  it('ends the old connection, if it is there, and counts no more', () => {
    const { ensemble, one, other, client, release } = late()
    const moved = ensemble.server(other).open()
    moved.handshake({ sessionId: client.sessionId, passwd: client.passwd })
    release()
    expect([client.takeReplies(), client.isClosed]).toEqual([[], true])
    expect(ensemble.server(one).member.clients.outstandingRequests).toBe(0)
    expect(moved.call(OpCode.create, create('/there')).err).toBe(Err.nodeExists)
  })

  it('ends the old connection when a sync stands behind it', () => {
    const { ensemble, one, other, client, release } = late()
    client.send(OpCode.sync, (w) => w.writeString('/'))
    client.send(OpCode.getData, getData('/there'))
    const moved = ensemble.server(other).open()
    moved.handshake({ sessionId: client.sessionId, passwd: client.passwd })
    release()
    expect([client.takeReplies(), client.isClosed]).toEqual([[], true])
    expect(ensemble.server(one).member.clients.outstandingRequests).toBe(0)
  })

  it('counts no more when the old connection goes before that is certain', () => {
    const shape = late()
    const { ensemble, one, other, client, release } = shape
    const moved = ensemble.server(other).open()
    moved.handshake({ sessionId: client.sessionId, passwd: client.passwd })
    for (const sid of [1, 2, 3]) ensemble.server(sid).isDiskHeld = true
    release()
    const releaseDoubt = holdWords(shape)
    ensemble.server(other).isDiskHeld = false
    ensemble.server(shape.leader).isDiskHeld = false
    ensemble.settle()
    const { clients } = ensemble.server(one).member
    expect([client.isClosed, clients.outstandingRequests]).toEqual([false, 1])
    client.vanish()
    expect(clients.outstandingRequests).toBe(1)
    releaseDoubt()
    expect(clients.outstandingRequests).toBe(0)
  })
})

describe('a write of which the leader says nothing', () => {
  it('ends its connection when a sync behind it is answered', () => {
    const { ensemble, one, leader } = start()
    const server = ensemble.server(one)
    const client = server.connect()
    let left = 1
    ensemble.tap = ({ from, to, port, bytes }) => {
      if (port !== 'quorum' || from !== one || to !== leader || left === 0) return bytes
      left -= 1
      return Buffer.alloc(0)
    }
    client.send(OpCode.create, create('/lost'))
    expect(left).toBe(0)
    client.send(OpCode.sync, (w) => w.writeString('/'))
    expect([client.takeReplies(), client.isClosed]).toEqual([[], true])
    expect(server.member.clients.outstandingRequests).toBe(0)
    const back = comeBack(
      { ensemble, one, leader, other: 0 },
      one,
      client,
      OpCode.create,
      create('/n'),
    )
    expect(outcome(back).length).toBe(1)
    expect(server.member.clients.outstandingRequests).toBe(0)
  })
})
