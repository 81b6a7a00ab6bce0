import { describe, expect, it } from 'vitest'
import { encodePacket, PacketType } from '../../../../src/quorum/wire/packets.ts'
import { z } from '../../../support/leader-rig.ts'
import {
  commit,
  diff,
  inform,
  LearnerRig,
  leaderInfo,
  newLeader,
  ping,
  proposal,
  upToDate,
} from '../../../support/learner-rig.ts'
import { addressOf } from '../../../support/memory-network.ts'
import { textEntry, zxidsOf } from '../../../support/memory-replica.ts'

const entry = (epoch: number, counter: number): ReturnType<typeof textEntry> =>
  textEntry(z(epoch, counter))

const HELLO = 'FOLLOWERINFO 0x0 000000000000000100010000' + '0000000000000000'

describe('a learner that connects', () => {
  it('introduces itself to the leader', () => {
    const rig = new LearnerRig({ disk: { acceptedEpoch: 4 }, config: { version: 7 } })
    expect(rig.links.dialed).toEqual([
      { link: -1, port: 'quorum', addresses: [addressOf(3, 'quorum')] },
    ])
    rig.open()
    expect(rig.said()).toEqual([
      'FOLLOWERINFO 0x400000000 0000000000000001000100000000000000000007',
    ])
    const observer = new LearnerRig({ sid: 4, role: 'observing' }).open()
    expect(observer.said()).toEqual(['OBSERVERINFO 0x0 0000000000000004000100000000000000000000'])
  })

  it('tries five times, 100 ms apart', () => {
    const rig = new LearnerRig()
    for (let tries = 1; tries < 5; tries += 1) {
      rig.learner.onLinkClosed(rig.link)
      rig.advance(99)
      expect(rig.links.dialed).toHaveLength(tries)
      rig.advance(1)
      expect(rig.links.dialed).toHaveLength(tries + 1)
    }
    expect(rig.ends).toEqual([])
    rig.learner.onLinkClosed(rig.link)
    expect(rig.ends).toEqual(['the connection to the leader is broken'])
    rig.advance(1000)
    expect(rig.links.dialed).toHaveLength(5)
  })

  it('gives up at the limit, and drops the try that is under way', () => {
    const rig = new LearnerRig()
    rig.advance(2950)
    expect(rig.ends).toEqual([])
    rig.learner.onLinkClosed(rig.link)
    expect(rig.ends).toEqual(['the connection to the leader is broken'])
    const slow = new LearnerRig()
    slow.advance(3000)
    expect(slow.ends).toEqual(['the leader cannot be connected to'])
    expect(slow.links.isClosed(slow.link)).toBe(true)
  })

  it('does not try again where it was taken, and turned away', () => {
    const rig = new LearnerRig().open()
    expect(rig.said()).toEqual([HELLO])
    rig.learner.onLinkClosed(rig.link)
    expect(rig.ends).toEqual(['the connection to the leader is broken'])
  })

  it('has no ear for links that are not its own any more', () => {
    const rig = new LearnerRig()
    const first = rig.link
    rig.learner.onLinkClosed(first)
    rig.advance(100)
    rig.learner.onLinkOpened(first)
    rig.learner.onLinkBytes(first, leaderInfo(1))
    rig.learner.onLinkClosed(first)
    rig.learner.onLinkDrained(first)
    expect(rig.links.take(first)).toHaveLength(0)
    expect(rig.ends).toEqual([])
    rig.open()
    expect(rig.said()).toEqual([HELLO])
  })
})

describe('the epoch', () => {
  it('is on disk before it is promised', () => {
    const log = [entry(2, 1), entry(2, 2)]
    const rig = new LearnerRig({ disk: { acceptedEpoch: 2, currentEpoch: 2, log } }).open()
    rig.said()
    rig.say(leaderInfo(5))
    expect(rig.said()).toEqual([])
    expect(rig.epochs).toMatchObject({ accepted: 5, current: 2 })
    expect(rig.replica.disk.acceptedEpoch).toBe(2)
    expect(rig.replica.flushOne()).toBe(true)
    expect(rig.replica.disk.acceptedEpoch).toBe(5)
    expect(rig.said()).toEqual(['ACKEPOCH 0x200000002 00000002'])
  })

  it('that was accepted before is no vote', () => {
    const rig = new LearnerRig({ disk: { acceptedEpoch: 5, currentEpoch: 2, log: [entry(2, 1)] } })
    rig.open().said()
    rig.say(leaderInfo(5))
    expect(rig.said()).toEqual(['ACKEPOCH 0x200000001 ffffffff'])
    expect(rig.replica.calls).toEqual([])
  })

  it.each([
    ['epoch', { acceptedEpoch: 5, currentEpoch: 4 }, 3],
    ['zxid', { acceptedEpoch: 3, currentEpoch: 3, log: [entry(4, 1)] }, 3],
  ])('stays out when its own %s is beyond it, and says so', (_, disk, epoch) => {
    const rig = new LearnerRig({ disk }).open()
    rig.say(leaderInfo(epoch))
    rig.replica.flush()
    expect(rig.ends).toEqual(['our history is beyond epoch 3 of the leader'])
    expect(rig.replica.calls).toEqual([])
    expect(rig.standing.stayingOut).toMatchObject({ leader: 3, leaderEpoch: 3 })
    const { replica, epochs } = rig
    const again = new LearnerRig({ replica, epochs, standing: rig.standing }).open()
    again.say(leaderInfo(3))
    const isError = (line: string): boolean => line.startsWith('we stay out')
    expect([rig.logs.filter(isError).length, again.logs.filter(isError).length]).toEqual([1, 0])
    const taken = new LearnerRig({ replica, epochs, standing: rig.standing })
    taken.follow(6)
    expect(rig.standing.stayingOut).toBe(undefined)
  })

  it('that is older ends the role', () => {
    for (const epoch of [4, -1, -(2 ** 20)]) {
      const rig = new LearnerRig({ disk: { acceptedEpoch: 5 } }).open()
      rig.say(leaderInfo(epoch))
      expect(rig.ends).toEqual([`epoch ${epoch} of the leader is below the accepted epoch 5`])
      expect(rig.links.isClosed(rig.link)).toBe(true)
      expect(rig.replica.calls).toEqual([])
    }
  })

  it('is not talked over: packets before its promise make no sense', () => {
    const rig = new LearnerRig().open()
    rig.say(leaderInfo(1), diff(0))
    expect(rig.ends).toEqual(['DIFF of 0x0 where acceptedEpoch was awaited'])
    rig.said()
    rig.replica.flush()
    expect(rig.said()).toEqual([])
  })
})

describe('broadcast', () => {
  it('acks each proposal when it is durable, and those that are so together in one send', () => {
    const rig = new LearnerRig().follow(1)
    rig.say(proposal(entry(1, 1)), proposal(entry(1, 2)), proposal(entry(1, 3)))
    rig.say(proposal(entry(1, 4)))
    expect(rig.said()).toEqual([])
    rig.replica.flushOne()
    const parts = rig.links.takeParts(rig.link)
    expect(parts).toHaveLength(1)
    const acks = [1, 2, 3].map((counter) => encodePacket(PacketType.ack, z(1, counter)))
    expect(parts[0]).toEqual(Buffer.concat(acks))
    rig.replica.flush()
    expect(rig.said()).toEqual(['ACK 0x100000004'])
    expect(rig.replica.disk.log.map(({ zxid }) => zxid)).toEqual([1, 2, 3, 4].map((c) => z(1, c)))
  })

  it('delivers at COMMIT, be our own ack out or not', () => {
    const rig = new LearnerRig().follow(1)
    const first = entry(1, 1)
    rig.say(proposal(first))
    expect(zxidsOf(rig.replica, 'deliver')).toEqual([])
    rig.say(commit(first))
    expect(zxidsOf(rig.replica, 'deliver')).toEqual([z(1, 1)])
    expect(rig.said()).toEqual([])
    rig.replica.flush()
    expect(rig.said()).toEqual(['ACK 0x100000001'])
    const second = entry(1, 2)
    rig.say(proposal(second))
    rig.replica.flush()
    rig.say(encodePacket(PacketType.commitAndActivate, second.zxid, Buffer.alloc(8)))
    expect(zxidsOf(rig.replica, 'deliver')).toEqual([z(1, 1), z(1, 2)])
  })

  it('keeps entries in memory of their own', () => {
    const rig = new LearnerRig().follow(1)
    const first = textEntry(z(1, 1), 'what was proposed')
    rig.say(proposal(first), commit(first))
    expect(rig.replica.state.get(z(1, 1))?.bytes.toString()).toBe('what was proposed')
    expect(rig.replica.log[0]?.bytes).toBe(rig.replica.state.get(z(1, 1))?.bytes)
  })

  it('answers a PING at once, with the sessions that were touched', () => {
    const rig = new LearnerRig().follow(1)
    rig.replica.touched = [{ sessionId: 0x1a0000000000002n, timeoutMs: 20_000 }]
    rig.say(ping(z(1, 9)), ping(z(1, 9)))
    expect(rig.said()).toEqual(['PING 0x100000009 01a000000000000200004e20', 'PING 0x100000009 '])
  })

  it('hands on SYNC and REVALIDATE', () => {
    const rig = new LearnerRig().follow(1)
    const answer = (valid: number): Buffer =>
      encodePacket(PacketType.revalidate, -1, Buffer.from([0, 0, 0, 0, 0, 0, 0, 7, valid]))
    rig.say(encodePacket(PacketType.sync, 0), answer(1), answer(0))
    expect(rig.replica.calls.slice(-3)).toEqual([
      { call: 'onSynced' },
      { call: 'onRevalidated', sessionId: 7n, isValid: true },
      { call: 'onRevalidated', sessionId: 7n, isValid: false },
    ])
    rig.say(encodePacket(PacketType.revalidate, -1, Buffer.alloc(8)))
    expect(rig.ends).toEqual(['REVALIDATE is cut short'])
  })

  it('forwards what clients ask', () => {
    const rig = new LearnerRig().follow(1)
    const ids = [{ scheme: 'ip', id: '127.0.0.1' }]
    rig.replica.leader?.forward(5n, 3, 1, Buffer.from('body'), ids)
    rig.replica.leader?.revalidate(5n, 4000)
    expect(rig.links.take(rig.link).toString('hex')).toBe(
      '00000001ffffffffffffffff00000014' + // REQUEST, no zxid, 20 bytes
        '0000000000000005' +
        '00000003' +
        '00000001' +
        Buffer.from('body').toString('hex') +
        '00000001' +
        '000000026970' +
        '000000093132372e302e302e31' +
        '00000006ffffffffffffffff0000000c' +
        '0000000000000005' +
        '00000fa0' +
        'ffffffff',
    )
  })

  it('does not mind UPTODATE once more, nor a packet that nobody knows', () => {
    const rig = new LearnerRig().follow(1)
    rig.say(upToDate(), Buffer.concat([Buffer.of(0, 0, 0, 99), Buffer.alloc(16)]), ping(0))
    expect(rig.said()).toEqual(['PING 0x0 '])
    expect(rig.logs.join()).toContain('a packet of the leader is not known {"type":99}')
  })

  const violations: readonly (readonly [string, readonly Buffer[], string])[] = [
    ['COMMIT of nothing', [commit(entry(1, 1))], 'there is no proposal'],
    [
      'COMMIT out of order',
      [proposal(entry(1, 1)), proposal(entry(1, 2)), commit(entry(1, 2))],
      'COMMIT of 0x100000002, but the oldest proposal is: 0x100000001',
    ],
    ['a gap', [proposal(entry(1, 2))], '0x100000002 does not follow 0x0'],
    ['the same again', [proposal(entry(1, 1)), proposal(entry(1, 1))], 'does not follow'],
    ['a new epoch in the middle', [proposal(entry(2, 2))], 'does not follow'],
    ['no entry', [encodePacket(PacketType.proposal, z(1, 1))], 'comes without its entry'],
    ['an INFORM to a follower', [inform(entry(1, 1))], 'INFORM of 0x100000001 where broadcast'],
    ['SNAP', [encodePacket(PacketType.snap, 0)], 'SNAP of 0x0 where broadcast was awaited'],
    ['NEWLEADER', [newLeader(1)], 'NEWLEADER of 0x100000000 where broadcast'],
    [
      'a negative length',
      [Buffer.from('00000005000000000000000afffffffe00000000', 'hex')],
      'length',
    ],
  ]
  it.each(violations)('ends with %s, and says why', (_name, packets, reason) => {
    const rig = new LearnerRig().follow(1)
    rig.say(...packets, ping(0))
    expect(rig.ends).toHaveLength(1)
    expect(rig.ends[0]).toContain(reason)
    expect(rig.links.isClosed(rig.link)).toBe(true)
    expect(rig.logs.at(-1)).toContain('learning ends')
    rig.replica.flush()
    expect(rig.said()).toEqual([])
  })

  it('ends with an entry that the member cannot make sense of', () => {
    const entryProblem = ({ bytes }: { bytes: Buffer }): string | undefined =>
      bytes.toString() === 'bad' ? 'it is bad' : undefined
    const rig = new LearnerRig({ entryProblem }).follow(1)
    rig.say(proposal(entry(1, 1)), proposal(textEntry(z(1, 2), 'bad')))
    expect(rig.ends).toEqual(['0x100000002: it is bad'])
    expect(zxidsOf(rig.replica, 'append')).toEqual([z(1, 1)])
  })

  it('holds so many proposals and no more', () => {
    const rig = new LearnerRig({ limits: { proposalsPendingMax: 2 } }).follow(1)
    rig.say(proposal(entry(1, 1)), proposal(entry(1, 2)), commit(entry(1, 1)))
    rig.say(proposal(entry(1, 3)))
    expect(rig.ends).toEqual([])
    rig.say(proposal(entry(1, 4)))
    expect(rig.ends).toEqual(['3 proposals of 39 bytes wait for their COMMIT'])
    const bytes = new LearnerRig({ limits: { proposalBytesPendingMax: 10 } }).follow(1)
    bytes.say(proposal(textEntry(z(1, 1), '0123456789')))
    expect(bytes.ends).toEqual([])
    bytes.say(proposal(textEntry(z(1, 2), 'x')))
    expect(bytes.ends).toEqual(['2 proposals of 11 bytes wait for their COMMIT'])
  })

  it('does not read on while too much is on its way to the log', () => {
    const rig = new LearnerRig({ limits: { logBytesPause: 20 } }).follow(1)
    rig.say(proposal(textEntry(z(1, 1), '01234567890123456789')))
    expect(rig.links.isPaused(rig.link)).toBe(false)
    rig.say(proposal(textEntry(z(1, 2), 'x')))
    expect(rig.links.isPaused(rig.link)).toBe(true)
    rig.advance(4999)
    rig.replica.flushOne()
    expect(rig.links.isPaused(rig.link)).toBe(false)
    rig.replica.flush()
    rig.advance(4999)
    expect(rig.ends).toEqual([])
    rig.advance(1)
    expect(rig.ends).toEqual(['the leader has said nothing for 5000 ms'])
  })

  it.each([
    ['while it is not read', 'following', 100],
    ['while there is room', 'following', 1],
    ['of an observer', 'observing', 100],
  ] as const)('ends with a log that takes nothing for syncLimit, %s', (_, role, bytes) => {
    const sid = role === 'following' ? 1 : 4
    const rig = new LearnerRig({ sid, role, limits: { logBytesPause: 20 } }).follow(1)
    const tell = role === 'following' ? proposal : inform
    rig.say(tell(textEntry(z(1, 1), 'x'.repeat(bytes))))
    expect(rig.links.isPaused(rig.link)).toBe(bytes > 20)
    // The leader goes on, for all that can be heard of it.
    for (let at = 0; at < 4; at += 1) {
      rig.advance(1000)
      rig.say(encodePacket(PacketType.ping, z(1, 1)))
    }
    rig.advance(999)
    expect(rig.ends).toEqual([])
    rig.advance(1)
    expect(rig.ends).toEqual(['our log is behind by 5000 ms'])
    expect(rig.links.isClosed(rig.link)).toBe(true)
  })

  it('stays with a log that is slow, but takes what it gets', () => {
    const rig = new LearnerRig().follow(1)
    for (let counter = 1; counter < 20; counter += 1) {
      rig.say(proposal(textEntry(z(1, counter), 'x')))
      if (counter % 3 === 0) rig.replica.flush()
      rig.advance(1500)
    }
    expect(rig.ends).toEqual([])
  })
})

describe('an observer', () => {
  it('logs and delivers what it is informed of, and acks nothing', () => {
    const rig = new LearnerRig({ sid: 4, role: 'observing' }).follow(1)
    const second = entry(1, 2)
    rig.say(inform(entry(1, 1)))
    const activate = Buffer.concat([Buffer.alloc(8), second.bytes])
    rig.say(encodePacket(PacketType.informAndActivate, second.zxid, activate))
    rig.replica.flush()
    expect(zxidsOf(rig.replica, 'append')).toEqual([z(1, 1), z(1, 2)])
    expect(zxidsOf(rig.replica, 'deliver')).toEqual([z(1, 1), z(1, 2)])
    expect(rig.replica.state.get(z(1, 2))?.bytes).toEqual(second.bytes)
    expect(rig.said()).toEqual([])
  })

  it('logs nothing if it is told so, and knows how far it is', () => {
    const options = { sid: 4, role: 'observing', settings: { observerLogs: false } } as const
    const rig = new LearnerRig(options).follow(1)
    rig.say(inform(entry(1, 1)))
    expect(zxidsOf(rig.replica, 'append')).toEqual([])
    expect(zxidsOf(rig.replica, 'deliver')).toEqual([z(1, 1)])
    const again = new LearnerRig({ ...options, replica: rig.replica, epochs: rig.epochs }).open()
    again.said()
    again.say(leaderInfo(1))
    expect(again.said()).toEqual(['ACKEPOCH 0x100000001 ffffffff'])
    again.say(diff(z(1, 1)), proposal(entry(1, 2)), commit(entry(1, 2)), newLeader(1))
    again.replica.flush()
    expect(again.ends).toEqual([])
    expect(zxidsOf(rig.replica, 'append')).toEqual([])
    expect(zxidsOf(rig.replica, 'deliver')).toEqual([z(1, 1), z(1, 2)])
  })

  it('has gaps no more than a follower', () => {
    const rig = new LearnerRig({ sid: 4, role: 'observing' }).follow(1)
    rig.say(inform(entry(1, 1)), inform(entry(1, 3)))
    expect(rig.ends).toEqual(['0x100000003 does not follow 0x100000001'])
  })

  it('takes the INFORM of what an old leader had proposed to it, too', () => {
    const rig = new LearnerRig({ sid: 4, role: 'observing' }).discover(1)
    rig.say(diff(0), proposal(entry(1, 1)), newLeader(1))
    rig.replica.flush()
    expect(rig.said()).toEqual(['ACK 0x100000000'])
    expect(zxidsOf(rig.replica, 'append')).toEqual([])
    rig.say(upToDate(), inform(entry(1, 1)), inform(entry(1, 2)))
    rig.replica.flush()
    expect(zxidsOf(rig.replica, 'append')).toEqual([z(1, 1), z(1, 2)])
    expect(zxidsOf(rig.replica, 'deliver')).toEqual([z(1, 1), z(1, 2)])
    expect(rig.said()).toEqual(['ACK 0x100000000'])
  })
})

describe('silence', () => {
  it('is borne for initLimit before UPTODATE, and for syncLimit afterwards', () => {
    const rig = new LearnerRig().open()
    rig.advance(9999)
    rig.say(leaderInfo(1))
    // Our own disk may take its time.
    rig.advance(50_000)
    rig.replica.flush()
    rig.advance(9999)
    rig.say(diff(0), newLeader(1))
    rig.advance(50_000)
    rig.replica.flush()
    rig.advance(9999)
    rig.say(upToDate())
    rig.advance(4999)
    rig.say(ping(0))
    rig.advance(4999)
    expect(rig.ends).toEqual([])
    rig.advance(1)
    expect(rig.ends).toEqual(['the leader has said nothing for 5000 ms'])
    expect(rig.links.isClosed(rig.link)).toBe(true)
  })

  it('ends every step that waits for the leader', () => {
    const ways: readonly ((rig: LearnerRig) => unknown)[] = [
      (rig) => rig.open(),
      (rig) => rig.discover(1),
      (rig) => rig.discover(1).say(diff(0)),
      (rig) => {
        rig.discover(1).say(diff(0), newLeader(1))
        rig.replica.flush()
      },
    ]
    for (const way of ways) {
      const rig = new LearnerRig()
      way(rig)
      rig.advance(9999)
      expect(rig.ends).toEqual([])
      rig.advance(1)
      expect(rig.ends).toEqual(['the leader has said nothing for 10000 ms'])
    }
  })
})

describe('the end', () => {
  it('by close() lets no mark say anything any more', () => {
    const promises: readonly ((rig: LearnerRig) => unknown)[] = [
      (rig) => rig.open().say(leaderInfo(1)),
      (rig) => rig.discover(1).say(diff(0), newLeader(1)),
      (rig) => rig.follow(1).say(proposal(entry(1, 1))),
    ]
    for (const promise of promises) {
      const rig = new LearnerRig()
      promise(rig)
      rig.said()
      rig.learner.close()
      expect(rig.links.isClosed(rig.link)).toBe(true)
      expect(rig.replica.unflushed).toBeGreaterThan(0)
      // FakeLinks throws when something is sent on a closed link.
      rig.replica.flush()
      expect(rig.said()).toEqual([])
      rig.advance(100_000)
      rig.learner.close()
      rig.learner.onLinkBytes(rig.link, ping(0))
      rig.learner.onLinkClosed(rig.link)
      expect(rig.ends).toEqual([])
    }
  })

  it('by the leader lets no mark say anything any more, nor the replica', () => {
    const rig = new LearnerRig().follow(1)
    rig.say(proposal(entry(1, 1)))
    rig.learner.onLinkClosed(rig.link)
    expect(rig.ends).toEqual(['the connection to the leader is broken'])
    rig.replica.flush()
    rig.replica.leader?.forward(1n, 1, 1, Buffer.alloc(0), null)
    rig.replica.leader?.revalidate(1n, 1)
    expect(rig.said()).toEqual([])
    expect(rig.links.isClosed(rig.link)).toBe(false)
  })

  it('while connecting drops the try', () => {
    const rig = new LearnerRig()
    rig.learner.close()
    expect(rig.links.isClosed(rig.link)).toBe(true)
    const between = new LearnerRig()
    between.learner.onLinkClosed(between.link)
    between.learner.close()
    between.advance(1000)
    expect(between.links.dialed).toHaveLength(1)
    expect(between.links.isClosed(between.link)).toBe(false)
  })
})
