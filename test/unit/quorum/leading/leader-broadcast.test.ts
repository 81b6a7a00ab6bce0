import { JuteWriter } from 'jute-ts'
import { describe, expect, it } from 'vitest'
import { writeLearnerRequest } from '../../../../src/data/records.ts'
import { encodePacket, PacketType } from '../../../../src/quorum/wire/packets.ts'
import { LeaderRig, type ScriptedLearner, touches, z } from '../../../support/leader-rig.ts'

const request = (sessionId: bigint, cxid: number, type: number, body: Buffer): Buffer => {
  const w = new JuteWriter()
  writeLearnerRequest(w, { sessionId, cxid, type })
  w.writeBytes(body)
  return w.copy()
}

/** A leader 1 with followers 2 and 3, and observer 4. */
function ensemble(bounds = {}): {
  rig: LeaderRig
  two: ScriptedLearner
  three: ScriptedLearner
  four: ScriptedLearner
} {
  const { rig, followers } = LeaderRig.leading([2, 3], { observers: [4, 5], bounds })
  const [two, three] = followers
  const four = rig.join(4, { type: 'observerInfo' })
  four.heard()
  if (two === undefined || three === undefined) throw new Error('two followers')
  return { rig, two, three, four }
}

describe('broadcast', () => {
  it('proposes to followers, commits with a quorum, informs observers then', () => {
    const { rig, two, three, four } = ensemble()
    rig.turn(() => rig.replica.write('a'))
    for (const learner of [two, three]) expect(learner.heard()).toEqual(['PROPOSAL 100000001 "a"'])
    two.ack(z(1, 1))
    expect(two.heard()).toEqual([])
    rig.flush()
    for (const learner of [two, three]) expect(learner.heard()).toEqual(['COMMIT 100000001'])
    expect(four.heard()).toEqual(['INFORM 100000001 "a"'])
    three.ack(z(1, 1))
    expect(rig.replica.calls.filter(({ call }) => call === 'onAck')).toHaveLength(1)
  })

  it('commits with two followers before our own disk is ready', () => {
    const { rig, two, three } = ensemble()
    rig.turn(() => rig.replica.write('a'))
    two.ack(z(1, 1))
    three.ack(z(1, 1))
    expect(two.heard()).toEqual(['PROPOSAL 100000001 "a"', 'COMMIT 100000001'])
  })

  it('sends all of a turn at once, the same bytes to all followers', () => {
    const { rig, two, three, four } = ensemble()
    rig.turn(() => {
      rig.replica.write('a')
      rig.replica.write('b')
    })
    const parts = [two, three].map(({ link }) => rig.links.takeParts(link))
    expect(parts.map(({ length }) => length)).toEqual([1, 1])
    expect(parts[0]?.[0]).toBe(parts[1]?.[0])
    rig.turn(() => {
      rig.replica.flush()
      rig.leader.onLinkBytes(two.link, encodePacket(PacketType.ack, z(1, 1)))
      rig.leader.onLinkBytes(two.link, encodePacket(PacketType.ack, z(1, 2)))
      rig.replica.write('c')
    })
    expect(rig.links.takeParts(three.link)).toHaveLength(1)
    expect(four.heard()).toEqual(['INFORM 100000001 "a"', 'INFORM 100000002 "b"'])
  })

  it('tells one learner something in its place among what all are told', () => {
    const { rig, two, three } = ensemble()
    rig.turn(() => {
      rig.replica.write('a')
      rig.leader.sendSync(two.link)
      rig.replica.write('b')
      rig.leader.sendSync(99)
    })
    expect(two.heard()).toEqual(['PROPOSAL 100000001 "a"', 'SYNC 0', 'PROPOSAL 100000002 "b"'])
    expect(three.heard()).toEqual(['PROPOSAL 100000001 "a"', 'PROPOSAL 100000002 "b"'])
  })

  it('ignores acks that say nothing new, and of what was never proposed', () => {
    const { rig, two, three } = ensemble()
    rig.turn(() => rig.replica.write('a'))
    rig.flush()
    for (const zxid of [z(1, 0), z(1, 2), z(2, 0), z(7, 1), 0, -1]) two.ack(zxid)
    expect(rig.replica.calls.filter(({ call }) => call === 'onAck')).toEqual([])
    two.ack(z(1, 1))
    rig.turn(() => rig.replica.write('b'))
    rig.flush()
    three.ack(z(1, 1))
    three.ack(z(0, 9))
    expect(rig.replica.calls.filter(({ call }) => call === 'onAck')).toEqual([
      { call: 'onAck', sid: 2, zxid: z(1, 1) },
    ])
    expect(rig.ends).toEqual([])
  })

  it('does not let observers vote', () => {
    const { rig, four } = ensemble()
    rig.turn(() => rig.replica.write('a'))
    rig.flush()
    four.ack(z(1, 1))
    expect(rig.replica.calls.some(({ call }) => call === 'onAck')).toBe(false)
  })

  it('counts an ack that was faster than that of NEWLEADER, but not before it', () => {
    const { rig, followers } = LeaderRig.leading([2])
    rig.turn(() => rig.replica.write('a'))
    rig.flush()
    followers[0]?.heard()
    const three = rig.report(3, 1)
    three.ackEpoch(-1, z(1, 0))
    three.ack(z(1, 1))
    expect(rig.replica.lastProcessedZxid).toBe(z(1, 0))
    three.ackNewLeader()
    expect(rig.replica.lastProcessedZxid).toBe(z(1, 1))
    expect(three.heard().slice(-2)).toEqual(['UPTODATE -1', 'COMMIT 100000001'])
  })

  it('cuts what a follower has logged and is not committed; its old ack is withdrawn', () => {
    const { rig, two } = ensemble()
    rig.turn(() => rig.replica.write('a'))
    two.ack(z(1, 1))
    two.cut()
    const again = rig.report(2, 1)
    again.ackEpoch(-1, z(1, 1))
    expect(again.heard().slice(1)).toEqual([
      'TRUNC 100000000',
      'PROPOSAL 100000001 "a"',
      expect.stringContaining('NEWLEADER'),
    ])
    // Ours alone is no quorum: the follower has it no more.
    rig.flush()
    expect(rig.replica.lastProcessedZxid).toBe(z(1, 0))
    again.ackNewLeader()
    again.ack(z(1, 1))
    expect(rig.replica.lastProcessedZxid).toBe(z(1, 1))
  })

  it('knows the sizes of proposals and who is there', () => {
    const { rig, two, four } = ensemble()
    expect([rig.leader.sizes.last, rig.leader.sizes.min, rig.leader.sizes.max]).toEqual([
      -1, -1, -1,
    ])
    rig.turn(() => {
      for (const text of ['four', 'sixsix', 'two']) rig.replica.write(text)
    })
    expect([rig.leader.sizes.last, rig.leader.sizes.min, rig.leader.sizes.max]).toEqual([3, 3, 6])
    two.ack(z(1, 2))
    // A member that is configured as an observer, and asks to follow.
    rig.report(5, 1)
    two.send('request', -1, request(5n, 1, 9, Buffer.alloc(0)))
    expect(rig.leader.counts()).toEqual({
      followers: 3,
      syncedFollowers: 2,
      observers: 1,
      syncedObservers: 1,
      nonVotingFollowers: 1,
      pendingSyncs: 1,
    })
    rig.turn(() => rig.leader.sendSync(two.link))
    expect(rig.leader.counts().pendingSyncs).toBe(0)
    expect(rig.leader.learners()[0]).toEqual({
      sid: 2,
      role: 'participant',
      address: { host: 'member-2', port: 2888 },
      synced: true,
      syncing: false,
      lastAckedZxid: z(1, 2),
      lastHeardMono: rig.now,
      waitingBytes: 0,
    })
    four.cut()
    expect(rig.leader.counts().observers).toBe(0)
  })
})

describe('requests and sessions of learners', () => {
  it('are handed on', () => {
    const { rig, two, four } = ensemble()
    const body = Buffer.from('body')
    two.send('request', -1, request(0x1000n, 7, 1, body), [{ scheme: 'ip', id: '127.0.0.1' }])
    four.send('request', -1, request(-1n, 0, -10, Buffer.alloc(4)))
    expect(rig.replica.calls.slice(-2)).toEqual([
      {
        call: 'onForwarded',
        link: two.link,
        sessionId: 0x1000n,
        cxid: 7,
        op: 1,
        body: body.toString('hex'),
        ids: ['ip:127.0.0.1'],
      },
      {
        call: 'onForwarded',
        link: four.link,
        sessionId: -1n,
        cxid: 0,
        op: -10,
        body: '00000000',
        ids: [],
      },
    ])
  })

  it('are touched by the answers to PINGs', () => {
    const { rig, two } = ensemble()
    rig.pass(500)
    expect(two.heard()).toEqual(['PING 100000000'])
    two.answerPing(touches([5n, 4000], [-6n, 9000]))
    expect(rig.replica.calls.slice(-2)).toEqual([
      { call: 'onTouched', sessionId: 5n, timeoutMs: 4000 },
      { call: 'onTouched', sessionId: -6n, timeoutMs: 9000 },
    ])
  })

  it('are revalidated', () => {
    const { rig, two } = ensemble()
    rig.replica.sessions.add(5n)
    two.send('revalidate', -1, touches([5n, 4000]))
    two.send('revalidate', -1, touches([6n, 4000]))
    expect(two.heard()).toEqual([
      'REVALIDATE -1 000000000000000501',
      'REVALIDATE -1 000000000000000600',
    ])
  })
})

describe('what no learner may say', () => {
  const cases: readonly (readonly [string, (learner: ScriptedLearner) => void])[] = [
    ['garbage', (l) => l.sendBytes(Buffer.alloc(64, 0xfe))],
    [
      'an unknown packet',
      (l) => l.sendBytes(Buffer.from(encodePacket(PacketType.ack, 0)).fill(77, 3, 4)),
    ],
    ['a packet of a leader', (l) => l.send('proposal', z(1, 1), Buffer.from('x'))],
    ['FOLLOWERINFO again', (l) => l.send('followerInfo', 0)],
    ['a REQUEST without data', (l) => l.send('request', -1)],
    ['a REQUEST cut short', (l) => l.send('request', -1, Buffer.alloc(15))],
    ['a REVALIDATE without data', (l) => l.send('revalidate', -1)],
    ['a REVALIDATE cut short', (l) => l.send('revalidate', -1, Buffer.alloc(11))],
    ['a PING that answers nothing', (l) => l.send('ping', 0, Buffer.alloc(0))],
  ]
  it.each(cases)('%s: its link is closed, and nothing else', (_, say) => {
    const { rig, two, three } = ensemble()
    say(two)
    expect(two.isClosed).toBe(true)
    expect(three.isClosed).toBe(false)
    rig.turn(() => rig.replica.write('a'))
    expect(three.heard()).toEqual(['PROPOSAL 100000001 "a"'])
    expect(rig.ends).toEqual([])
  })

  it('a PING cut short', () => {
    const { rig, two } = ensemble()
    rig.pass(500)
    two.answerPing(Buffer.alloc(13))
    expect(two.isClosed).toBe(true)
  })

  const joining: readonly (readonly [string, (learner: ScriptedLearner) => void])[] = [
    ['something else than FOLLOWERINFO', (l) => l.ack(0)],
    ['garbage first', (l) => l.sendBytes(Buffer.from('GET / HTTP/1.0\r\n\r\n'))],
    ['a zxid below 0', (l) => l.send('followerInfo', -1)],
    ['an epoch that no zxid has room for', (l) => l.send('followerInfo', z(2 ** 21 - 1, 0))],
    ['a sid that nobody can have', (l) => l.send('followerInfo', 0, Buffer.alloc(20, 0x7f))],
    [
      'something else than ACKEPOCH',
      (l) => {
        l.send('followerInfo', 0)
        l.ack(0)
      },
    ],
  ]
  it.each(joining)('while it joins: %s', (_, say) => {
    for (const rig of [new LeaderRig(), ensemble().rig]) {
      const learner = rig.connect()
      say(learner)
      expect(learner.isClosed).toBe(true)
      expect(rig.ends).toEqual([])
    }
  })

  it('ACKEPOCH without an epoch, NEWLEADER of another epoch, a REQUEST before it serves', () => {
    const { rig } = LeaderRig.leading([2])
    const one = rig.report(3, 1)
    one.send('ackEpoch', 0)
    const two = rig.report(3, 1)
    two.ackEpoch(1, z(1, 0))
    two.ack(z(2, 0))
    const three = rig.report(3, 1)
    three.ackEpoch(1, z(1, 0))
    three.send('request', -1, request(5n, 1, 1, Buffer.alloc(0)))
    expect([one, two, three].map(({ isClosed }) => isClosed)).toEqual([true, true, true])
    expect(rig.replica.calls.some(({ call }) => call === 'onForwarded')).toBe(false)
  })

  it('too much without an end: refused at the bound', () => {
    const { two, three } = ensemble({ packetBytesMax: 1000 })
    two.sendBytes(encodePacket(PacketType.request, -1, Buffer.alloc(2000)).subarray(0, 100))
    expect([two.isClosed, three.isClosed]).toEqual([true, false])
  })

  it('byte by byte it is the same', () => {
    const { rig, two } = ensemble()
    rig.turn(() => rig.replica.write('a'))
    for (const byte of encodePacket(PacketType.ack, z(1, 1))) two.sendBytes(Buffer.of(byte))
    expect(rig.replica.calls.at(-1)).toEqual({ call: 'onAck', sid: 2, zxid: z(1, 1) })
  })
})
