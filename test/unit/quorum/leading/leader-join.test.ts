import { describe, expect, it } from 'vitest'
import { EPOCH_MAX } from '../../../../src/data/zxid.ts'
import { encodePacket, PacketType } from '../../../../src/quorum/wire/packets.ts'
import { LeaderRig, learnerInfo, z } from '../../../support/leader-rig.ts'
import { MemoryReplica, textEntry } from '../../../support/memory-replica.ts'

const LEADERINFO_1 = 'LEADERINFO 100000000 00010000'
const CONFIG = Buffer.from('server.1=...\nversion=0').toString('hex')
const log = (epoch: number, count: number) =>
  Array.from({ length: count }, (_, i) => textEntry(z(epoch, i + 1)))

describe('discovery', () => {
  it('proposes an epoch above all of a quorum, once our own disk knows it', () => {
    const rig = new LeaderRig({ disk: { acceptedEpoch: 4, currentEpoch: 4 } })
    const two = rig.report(2, 6)
    expect(rig.replica.calls).toEqual([{ call: 'writeEpoch', file: 'acceptedEpoch', epoch: 7 }])
    expect(rig.epochs.accepted).toBe(7)
    const three = rig.report(3, 9)
    expect(two.heard()).toEqual([])
    rig.flush()
    expect(rig.replica.disk.acceptedEpoch).toBe(7)
    expect(two.heard()).toEqual(['LEADERINFO 700000000 00010000'])
    // It came too late to have a say; it will go away by itself.
    expect(three.heard()).toEqual(['LEADERINFO 700000000 00010000'])
    expect(rig.report(3, 1).heard()).toEqual(['LEADERINFO 700000000 00010000'])
  })

  it('counts participants only, and heeds what an observer of ours has accepted', () => {
    const rig = new LeaderRig({ observers: [4] })
    const four = rig.report(4, 8, 'observerInfo')
    const stranger = rig.report(9, 50, 'observerInfo')
    rig.flush()
    expect([...four.heard(), ...stranger.heard()]).toEqual([])
    rig.report(2, 3)
    rig.flush()
    for (const learner of [four, stranger])
      expect(learner.heard()).toEqual(['LEADERINFO 900000000 00010000'])
  })

  it('does not count a participant that only observes', () => {
    const rig = new LeaderRig()
    const two = rig.report(2, 0, 'observerInfo')
    rig.flush()
    expect(two.heard()).toEqual([])
    const three = rig.report(3)
    rig.flush()
    two.ackEpoch(0, 0)
    expect(two.heard()).toEqual([LEADERINFO_1])
    three.ackEpoch(0, 0)
    rig.flush()
    two.ackNewLeader()
    expect(rig.leader.isServing).toBe(false)
    three.ackNewLeader()
    expect(rig.leader.isServing).toBe(true)
    three.cut()
    rig.pass(1000)
    expect(rig.ends).toEqual(['a quorum does not follow any more'])
  })

  it('waits for a quorum of five', () => {
    const rig = new LeaderRig({ voters: [1, 2, 3, 4, 5] })
    const two = rig.report(2)
    const again = rig.report(2)
    rig.flush()
    expect([...two.heard(), ...again.heard()]).toEqual([])
    rig.report(3)
    rig.flush()
    expect(two.heard()).toEqual([LEADERINFO_1])
  })

  it('is a quorum by itself in an ensemble of one', () => {
    const rig = new LeaderRig({ voters: [1] })
    expect(rig.leader.isServing).toBe(false)
    rig.flush()
    expect(rig.replica.calls).toEqual([
      { call: 'writeEpoch', file: 'acceptedEpoch', epoch: 1 },
      { call: 'writeEpoch', file: 'currentEpoch', epoch: 1 },
      { call: 'startLeading', epoch: 1 },
    ])
    rig.replica.write()
    rig.flush()
    expect(rig.replica.lastProcessedZxid).toBe(z(1, 1))
    rig.pass(60_000)
    expect(rig.ends).toEqual([])
  })

  it('gives up without a quorum within initLimit, in each phase', () => {
    const unacked = new LeaderRig()
    const two = unacked.report(2)
    unacked.flush()
    unacked.pass(10_050)
    expect(unacked.ends).toEqual(['no quorum for the election within initLimit'])
    expect(two.isClosed).toBe(true)

    const unsynced = new LeaderRig()
    const three = unsynced.report(3)
    unsynced.flush()
    three.ackEpoch(0, 0)
    unsynced.flush()
    unsynced.pass(10_050)
    expect(unsynced.ends).toEqual(['no quorum for the synchronisation within initLimit'])
  })

  it('gives up sooner when nobody comes, or a quorum has left again', () => {
    const alone = new LeaderRig()
    alone.pass(2000)
    expect(alone.ends).toEqual([])
    alone.pass(50)
    expect(alone.ends).toEqual(['a quorum has not come, or has left'])

    const left = new LeaderRig()
    const two = left.report(2)
    left.flush()
    left.pass(5000)
    two.cut()
    left.pass(2000)
    expect(left.ends).toEqual([])
    left.pass(50)
    expect(left.ends).toEqual(['a quorum has not come, or has left'])
  })

  it('ends once, and says nothing any more', () => {
    const rig = new LeaderRig()
    const two = rig.report(2)
    rig.flush()
    two.heard()
    rig.leader.giveUp('enough')
    rig.leader.giveUp('enough')
    expect(rig.ends).toEqual(['enough'])
    rig.flush()
    rig.pass(20_000)
    rig.turn(() => rig.leader.onLinkAccepted(99))
    expect(two.heard()).toEqual([])
    expect(rig.ends).toEqual(['enough'])
  })

  it('asks nothing of the disk that has been slower than its leadership', () => {
    const rig = new LeaderRig()
    const two = rig.report(2)
    rig.leader.close()
    rig.flush()
    expect(two.heard()).toEqual([])
    expect(rig.ends).toEqual([])
    expect(rig.replica.calls.map(({ call }) => call)).toEqual(['writeEpoch'])
    const one = new LeaderRig({ voters: [1] })
    one.leader.close()
    one.flush()
    expect(one.replica.calls.map(({ call }) => call)).toEqual(['writeEpoch'])
    const later = new LeaderRig({ voters: [1] })
    later.replica.flushOne()
    later.leader.close()
    later.flush()
    expect(later.replica.calls.map(({ call }) => call)).toEqual(['writeEpoch', 'writeEpoch'])
  })
})

describe('the election of an epoch', () => {
  it('synchronises when a quorum has acked it, and serves when a quorum has NEWLEADER', () => {
    const rig = new LeaderRig({ disk: { log: log(1, 3), acceptedEpoch: 1, currentEpoch: 1 } })
    const two = rig.report(2, 1)
    const three = rig.report(3, 1)
    rig.flush()
    two.ackEpoch(1, z(1, 3))
    expect(two.heard()).toEqual([
      'LEADERINFO 200000000 00010000',
      'DIFF 100000003',
      `NEWLEADER 200000000 ${CONFIG}`,
    ])
    two.ackNewLeader()
    expect(two.heard()).toEqual([])
    expect(rig.leader.isServing).toBe(false)
    rig.flush()
    expect(rig.replica.disk.currentEpoch).toBe(2)
    expect(rig.leader.isServing).toBe(true)
    expect(two.heard()).toEqual(['UPTODATE -1'])
    three.ackEpoch(-1, z(1, 2))
    expect(three.told()).toEqual([
      'LEADERINFO 200000000 00010000',
      'DIFF 100000003',
      'PROPOSAL 100000003 "txn 100000003"',
      'COMMIT 100000003',
      `NEWLEADER 200000000 ${CONFIG}`,
    ])
    three.ackNewLeader()
    expect(three.told()).toEqual(['UPTODATE -1'])
  })

  it('does not serve before our own currentEpoch is on the disk, whatever others have acked', () => {
    const rig = new LeaderRig()
    const learners = [rig.report(2), rig.report(3)]
    rig.flush()
    for (const learner of learners) learner.ackEpoch(0, 0)
    for (const learner of learners) learner.ackNewLeader()
    expect(rig.leader.isServing).toBe(false)
    rig.flush()
    expect(rig.leader.isServing).toBe(true)
  })

  it.each([
    ['its epoch is later', 2, z(1, 1)],
    ['its log is longer', 1, z(1, 4)],
  ])('gives up when a participant is ahead: %s', (_, epoch, zxid) => {
    const rig = new LeaderRig({ disk: { log: log(1, 3), acceptedEpoch: 1, currentEpoch: 1 } })
    const two = rig.report(2, 1)
    rig.flush()
    two.ackEpoch(epoch, zxid)
    expect(rig.ends).toEqual(['member 2 is ahead of us'])
  })

  it('does not give up for one that is longer, but of an earlier epoch', () => {
    const rig = new LeaderRig({ disk: { log: log(2, 3), acceptedEpoch: 2, currentEpoch: 2 } })
    const two = rig.report(2, 2)
    rig.flush()
    two.ackEpoch(1, z(2, 9))
    expect(rig.ends).toEqual([])
    expect(two.heard().slice(1, 2)).toEqual(['TRUNC 200000003'])
  })

  it('has what an epoch began with, even where no txn of it is in the log', () => {
    const disk = { log: log(1, 3), acceptedEpoch: 2, currentEpoch: 2 }
    const replica = new MemoryReplica({ disk })
    replica.lastProcessedZxid = z(2, 0)
    const rig = new LeaderRig({ replica })
    const [two, three] = [rig.report(2, 2), rig.report(3, 2)]
    rig.flush()
    // As a member of Apache's says that was in that epoch, and as one of ours does.
    two.ackEpoch(2, z(2, 0))
    three.ackEpoch(2, z(1, 3))
    expect(rig.ends).toEqual([])
    expect(two.heard().slice(1, 2)).toEqual(['DIFF 200000000'])
    expect(three.heard().slice(1, 2)).toEqual(['DIFF 100000003'])
  })

  it('does not let an observer with something of its own stop the ensemble', () => {
    const rig = new LeaderRig({ observers: [4] })
    const four = rig.report(4, 0, 'observerInfo')
    rig.report(2)
    rig.flush()
    four.ackEpoch(0, z(0, 5))
    expect(four.isClosed).toBe(true)
    expect(rig.ends).toEqual([])
  })

  it('does not count one that had accepted the epoch before', () => {
    const rig = new LeaderRig()
    const two = rig.report(2)
    rig.flush()
    two.ackEpoch(-1, 0)
    expect(two.heard()).toEqual([LEADERINFO_1])
    rig.report(3)
    rig.flush()
    const three = rig.report(3)
    three.ackEpoch(0, 0)
    expect(two.heard().at(0)).toBe('DIFF 0')
  })

  it('lets in no follower that is not in the configuration', () => {
    const rig = new LeaderRig()
    const nameless = rig.connect()
    nameless.send('followerInfo', 0)
    expect([rig.report(9).isClosed, nameless.isClosed]).toEqual([true, true])
    expect(rig.report(9, 0, 'observerInfo').isClosed).toBe(false)
  })

  it('makes room for a later epoch that a member has promised to, and for no stranger', () => {
    const { rig } = LeaderRig.leading([2], { observers: [4] })
    rig.report(3, 1)
    rig.report(9, 5)
    expect(rig.ends).toEqual([])
    rig.standing.onVote(3, { leader: 3, zxid: z(1, 7), peerEpoch: 1 })
    rig.report(3, 2)
    expect(rig.ends).toEqual(['member 3 has accepted epoch 2'])
    rig.replica.flush()
    expect(rig.replica.disk.acceptedEpoch).toBe(2)
  })

  it.each([
    ['nothing', undefined],
    ['a later epoch', { leader: 3, zxid: 0, peerEpoch: 2 }],
    ['a zxid of a later epoch', { leader: 3, zxid: z(2, 1), peerEpoch: 1 }],
    ['for one who has a later epoch', { leader: 2, zxid: 0, peerEpoch: 2 }],
  ])('makes no room for one that has voted with %s', (_, vote) => {
    const { rig } = LeaderRig.leading([2])
    if (vote !== undefined) rig.standing.onVote(3, vote)
    // Its own learner refuses that, as that of the original does.
    expect(rig.report(3, 2).heard()).toEqual([LEADERINFO_1])
    expect(rig.ends).toEqual([])
  })

  it('makes no room in the name of one that follows all the while', () => {
    const { rig, followers } = LeaderRig.leading([2, 3])
    rig.standing.onVote(3, { leader: 3, zxid: 0, peerEpoch: 0 })
    expect(rig.report(3, 2).heard()).toEqual([LEADERINFO_1])
    expect(rig.ends).toEqual([])
    followers[1]?.cut()
    rig.report(3, 2)
    expect(rig.ends).toEqual(['member 3 has accepted epoch 2'])
  })

  it('makes room once in a while, however often it is asked', () => {
    const first = LeaderRig.leading([2])
    const vote = { leader: 3, zxid: 0, peerEpoch: 0 }
    first.rig.standing.onVote(3, vote)
    first.rig.report(3, 2)
    expect(first.rig.ends.length).toBe(1)
    const { standing, now } = first.rig
    const { rig, followers } = LeaderRig.leading([2], { standing, now })
    rig.report(3, 2)
    const stay = (): void => {
      for (const follower of followers)
        for (const line of follower.heard()) if (line.startsWith('PING')) follower.answerPing()
    }
    rig.pass(19_950, stay)
    rig.report(3, 2)
    expect(rig.ends).toEqual([])
    rig.pass(50, stay)
    rig.report(3, 2)
    expect(rig.ends).toEqual(['member 3 has accepted epoch 2'])
  })

  it.each([
    ['epoch', 2, z(1, 7)],
    ['zxid', 1, z(2, 7)],
  ])(
    'does not overwrite a history whose %s is beyond the epoch that it leads',
    (_, epoch, zxid) => {
      const { rig } = LeaderRig.leading([2])
      const three = rig.report(3, 1)
      three.heard()
      three.ackEpoch(epoch, zxid)
      expect([three.heard(), three.isClosed]).toEqual([[], true])
      expect(rig.leader.outsiders()).toEqual([3])
      expect(rig.logs.filter((line) => line.includes('stays out')).length).toBe(1)
      rig.report(3, 1).ackEpoch(epoch, zxid)
      expect(rig.logs.filter((line) => line.includes('stays out')).length).toBe(1)
      expect(rig.ends).toEqual([])
    },
  )

  it('does not let one claim use up the epochs', () => {
    const rig = new LeaderRig({ observers: [4] })
    const far = Math.floor(EPOCH_MAX / 256)
    expect(rig.report(2, EPOCH_MAX - 1).isClosed).toBe(true)
    expect(rig.report(2, far + 1).isClosed).toBe(true)
    expect(rig.report(4, far + 1, 'observerInfo').isClosed).toBe(true)
    expect(rig.report(2, far).isClosed).toBe(false)
    rig.flush()
    expect(rig.leader.epoch).toBe(far + 1)
  })

  it('takes one that is ahead, once a quorum has decided without it', () => {
    const { rig } = LeaderRig.leading([2])
    const three = rig.join(3, { currentEpoch: 0, zxid: z(0, 7) })
    expect(rig.ends).toEqual([])
    expect(three.told().slice(1, 2)).toEqual(['SNAP 100000000'])
  })
})

describe('learners of all ages', () => {
  it.each([
    ['3.5 and later', 20, [LEADERINFO_1]],
    ['3.4', 12, [LEADERINFO_1]],
  ])('%s', (_, bytes, expected) => {
    const { rig } = LeaderRig.leading([2])
    const learner = rig.connect()
    learner.send('followerInfo', 0, learnerInfo(3, 0, bytes))
    expect(learner.heard()).toEqual(expected)
  })

  it('before 3.4: no LEADERINFO, and NEWLEADER has no data', () => {
    const { rig } = LeaderRig.leading([2])
    rig.replica.write('a')
    rig.flush()
    const sids: number[] = []
    const observer = 'observerInfo' as const
    for (const [type, data] of [
      ['followerInfo', learnerInfo(3, 0, 8)],
      [observer, learnerInfo(3, 0, 0)],
      [observer, null],
    ] as const) {
      const learner = rig.connect()
      learner.send(type, z(1, 0), data)
      const outstanding = type === observer ? [] : ['PROPOSAL 100000001 "a"']
      expect(learner.heard()).toEqual(['DIFF 100000000', ...outstanding, 'NEWLEADER 100000000'])
      learner.ackNewLeader()
      expect(learner.heard()).toEqual(['UPTODATE -1'])
      sids.push(rig.leader.learners().at(-1)?.sid ?? 0)
    }
    expect(sids).toEqual([3, -1, -2])
  })

  it('before 3.4, in the first quorum of an epoch', () => {
    const rig = new LeaderRig({ disk: { log: log(1, 3), acceptedEpoch: 1, currentEpoch: 1 } })
    const two = rig.connect()
    two.send('followerInfo', z(1, 2), learnerInfo(2, 0, 8))
    rig.flush()
    expect(two.heard()).toEqual([
      'DIFF 100000003',
      'PROPOSAL 100000003 "txn 100000003"',
      'COMMIT 100000003',
      'NEWLEADER 200000000',
    ])
    two.ackNewLeader()
    expect(two.heard()).toEqual(['UPTODATE -1'])
  })

  it('a configuration newer than ours: dropped', () => {
    const rig = new LeaderRig({ config: { version: 5 } })
    const learner = rig.connect()
    learner.send('followerInfo', 0, learnerInfo(2, 6))
    expect(learner.isClosed).toBe(true)
    const other = rig.connect()
    other.send('followerInfo', 0, learnerInfo(2, 5))
    expect(other.isClosed).toBe(false)
  })

  it('the same member on a new connection: what its old one still says does not count', () => {
    const { rig, followers } = LeaderRig.leading([2])
    const again = rig.join(2, { zxid: z(1, 0) })
    expect(again.told().at(-1)).toBe('UPTODATE -1')
    expect(followers[0]?.isClosed).toBe(true)
    expect(rig.leader.learners().map(({ sid }) => sid)).toEqual([2])
  })
})

describe('one that has not said who it is', () => {
  it('gets no room for a large packet, and has it afterwards', () => {
    const rig = new LeaderRig()
    const info = learnerInfo(2)
    const large = rig.connect()
    // It claims so much, and would send it.
    const head = encodePacket(PacketType.followerInfo, 0, info).subarray(0, 16)
    head.writeInt32BE(4097 - 20, 12)
    large.sendBytes(head)
    expect(large.isClosed).toBe(true)
    const two = rig.report(2)
    rig.flush()
    const ack = Buffer.alloc(100_000)
    two.send('ackEpoch', 0, ack)
    expect(two.isClosed).toBe(false)
  })

  it('gives way when there are too many of its kind', () => {
    const rig = new LeaderRig({ bounds: { strangersMax: 2 } })
    const two = rig.report(2)
    const [one, other, third] = [rig.connect(), rig.connect(), rig.connect()]
    expect([two, one, other, third].map(({ isClosed }) => isClosed)).toEqual([
      false,
      true,
      false,
      false,
    ])
  })
})

describe('too many learners', () => {
  it('are refused their connection', () => {
    const rig = new LeaderRig({ bounds: { learnersMax: 2 } })
    const [one, two, three] = [rig.connect(), rig.connect(), rig.connect()]
    expect([one, two, three].map((learner) => learner.isClosed)).toEqual([false, false, true])
    one.cut()
    expect(rig.connect().isClosed).toBe(false)
  })

  it('wait outside when they are observers that synchronise; participants never do', () => {
    const { rig } = LeaderRig.leading([2], {
      observers: [4, 5, 6],
      settings: { concurrentSnapSyncsMax: 1, concurrentDiffSyncsMax: 1 },
    })
    const zxid = z(1, 0)
    const start = (sid: number, from: number, type: 'followerInfo' | 'observerInfo') => {
      const learner = rig.report(sid, 1, type)
      learner.ackEpoch(1, from)
      return learner
    }
    const snap = start(4, 0, 'observerInfo')
    const surplus = start(5, 0, 'observerInfo')
    const diff = start(5, zxid, 'observerInfo')
    const surplusDiff = start(6, zxid, 'observerInfo')
    const participant = start(3, 0, 'followerInfo')
    expect([snap, surplus, diff, surplusDiff, participant].map(({ isClosed }) => isClosed)).toEqual(
      [false, true, false, true, false],
    )
    snap.ackNewLeader()
    participant.ackNewLeader()
    expect(start(6, 0, 'observerInfo').isClosed).toBe(false)
  })
})
