import { describe, expect, it } from 'vitest'
import { ElectionLinks } from '../../../../src/quorum/election/election-links.ts'
import { FastLeaderElection } from '../../../../src/quorum/election/fast-leader-election.ts'
import { decodeNotification } from '../../../../src/quorum/election/notification.ts'
import { Proposals } from '../../../../src/quorum/leading/proposals.ts'
import { encodeOpening } from '../../../../src/quorum/wire/opening-message.ts'
import {
  configurationOf,
  membershipOf,
  shortTimes,
  withMoved,
} from '../../../support/ensemble-shape.ts'
import { FakeLinks } from '../../../support/fake-links.ts'
import { LeaderRig, learnerInfo, z } from '../../../support/leader-rig.ts'
import { LearnerRig, trunc } from '../../../support/learner-rig.ts'
import { addressOf } from '../../../support/memory-network.ts'
import { textEntry } from '../../../support/memory-replica.ts'
import { silentLogger } from '../../../support/silent-logger.ts'

const three = { voters: [1, 2, 3] }
/** 4 and 5 come. */
const five = { voters: [1, 2, 3, 4, 5] }
const settings = shortTimes

describe('a membership that changes is heeded at once', () => {
  it('by proposals: each is counted by the quorum under which it was made', () => {
    const membership = membershipOf(1, three)
    const proposals = new Proposals<string>(membership, 0)
    const committed = (): string[] => {
      const all: string[] = []
      for (let it = proposals.nextCommitted(); it; it = proposals.nextCommitted()) all.push(it)
      return all
    }
    proposals.propose(1, 'before')
    membership.propose(configurationOf({ voters: [1, 4, 5] }, 2))
    proposals.propose(2, 'reconfiguration')
    proposals.propose(3, 'behind it')
    for (const sid of [1, 2]) proposals.onAck(sid, 3)
    // The old quorum was enough for the first, and is not for what came with the new one.
    expect(committed()).toEqual(['before'])
    proposals.onAck(4, 2)
    expect(committed()).toEqual(['reconfiguration'])
    membership.commit(2)
    proposals.propose(4, 'after')
    for (const sid of [1, 2, 3]) proposals.onAck(sid, 4)
    expect(committed()).toEqual([])
    proposals.onAck(4, 3)
    expect(committed()).toEqual(['behind it'])
    proposals.onAck(5, 4)
    expect(committed()).toEqual(['after'])
  })

  it('by the election: who is asked, whose votes count, and what a quorum is', () => {
    const membership = membershipOf(3, three)
    const asked: number[] = []
    const texts: string[] = []
    const elected: number[] = []
    const post = {
      send: (sid: number, message: Buffer): void => {
        asked.push(sid)
        texts.push(message.toString('latin1', 44))
      },
      connectAll: (): void => {},
      hasDelivered: true,
      reachOf: (): 'open' => 'open',
    }
    const parts = {
      membership,
      settings,
      epochs: { accepted: 0, current: 0 },
      logger: silentLogger,
    }
    const election = new FastLeaderElection(parts, post, (leader) => elected.push(leader))
    const own = { leader: 3, zxid: 1, peerEpoch: 0 }
    const vote = { leader: 5, zxid: 2, peerEpoch: 0 }
    const look = (round: number): void => {
      asked.length = 0
      election.lookForLeader(own, 'hurried', 0)
      expect(election.round).toBe(round)
    }
    const hear = (...sids: number[]): void => {
      const notification = { state: 'looking', vote, round: election.round, version: 2 } as const
      for (const sid of sids) election.onNotification(sid, notification, 0)
      election.advance(settings.finalizeWaitMs)
    }

    look(1)
    expect(asked).toEqual([1, 2])
    hear(5, 4)
    expect(election.state).toBe('looking')

    membership.propose(configurationOf({ voters: [3, 4, 5] }, 2))
    look(2)
    expect(asked).toEqual([1, 2, 4, 5])
    hear(4, 5)
    expect(election.state).toBe('looking')
    hear(1)
    expect([election.state, ...elected]).toEqual(['following', 5])
    look(3)
    hear(1, 2)
    expect(election.state).toBe('looking')
    hear(4)
    expect([election.state, ...elected]).toEqual(['following', 5, 5])
    expect(new Set(texts)).toEqual(new Set(['version=0']))

    membership.commit(2)
    look(4)
    expect(asked).toEqual([4, 5])
    expect(texts.at(-1)).toBe('version=2')
    hear(1, 2)
    expect(election.state).toBe('looking')
    hear(4)
    expect([election.state, ...elected]).toEqual(['following', 5, 5, 5])
  })

  it('by one who loses its vote, or gets one', () => {
    const membership = membershipOf(3, three)
    const parts = {
      membership,
      settings,
      epochs: { accepted: 0, current: 0 },
      logger: silentLogger,
    }
    const votes: unknown[] = []
    const post = {
      send: (_: number, message: Buffer): void => {
        const read = decodeNotification(message)
        if (typeof read !== 'string') votes.push(read.vote?.leader)
      },
      connectAll: (): void => {},
      hasDelivered: true,
      reachOf: (): 'open' => 'open',
    }
    const election = new FastLeaderElection(parts, post, () => {})
    const look = (): unknown => {
      election.lookForLeader({ leader: 3, zxid: 1, peerEpoch: 0 }, 'patient', 0)
      return votes.at(-1)
    }
    expect(look()).toBe(3)
    membership.propose(configurationOf({ voters: [1, 2], observers: [3] }, 1))
    membership.commit(1)
    expect(look()).toBe(undefined)
    membership.propose(configurationOf(three, 2))
    membership.commit(2)
    expect(look()).toBe(3)
  })

  it('by an elected leader: its epoch needs a quorum of both', () => {
    const rig = new LeaderRig()
    rig.membership.propose(configurationOf({ voters: [1, 4, 5] }, 9))
    const two = rig.report(2)
    rig.flush()
    expect(two.heard()).toEqual([])
    const four = rig.report(4)
    rig.flush()
    expect(four.heard()).toEqual(['LEADERINFO 100000000 00010000'])
    for (const learner of [two, four]) learner.ackEpoch(0, 0)
    rig.flush()
    const text = Buffer.from('version=9').toString('hex')
    expect(four.told().at(-1)).toBe(`NEWLEADER 100000000 ${text}`)
    two.ackNewLeader()
    rig.flush()
    expect(rig.leader.isServing).toBe(false)
    four.ackNewLeader()
    expect(rig.leader.isServing).toBe(true)
  })

  it('by a leader, of whom it lets in', () => {
    const { rig } = LeaderRig.leading([2, 3])
    expect(rig.report(4).isClosed).toBe(true)
    rig.membership.propose(configurationOf(five, 9))
    const four = rig.join(4)
    expect(four.isClosed).toBe(false)
    rig.membership.commit(9)
    const older = rig.connect()
    older.send('followerInfo', 0, learnerInfo(5, 8))
    const newer = rig.connect()
    newer.send('followerInfo', 0, learnerInfo(5, 10))
    expect([older.isClosed, newer.isClosed]).toEqual([false, true])
    rig.membership.propose(configurationOf(three, 11))
    rig.membership.commit(11)
    expect(rig.report(4).isClosed).toBe(true)
  })

  it('by the list of learners: who votes, and where they are', () => {
    const { rig } = LeaderRig.leading([2, 3])
    const counts = (): readonly number[] => {
      const { followers, nonVotingFollowers } = rig.leader.counts()
      return [followers, nonVotingFollowers]
    }
    expect(counts()).toEqual([2, 0])
    const next = configurationOf({ voters: [1, 2], observers: [3] }, 9)
    rig.membership.propose(withMoved(next, 2, 'elsewhere'))
    expect(counts()).toEqual([2, 0])
    rig.membership.commit(9)
    expect(counts()).toEqual([2, 1])
    const hosts = rig.leader.learners().map(({ sid, address }) => [sid, address?.host])
    expect(hosts).toEqual([
      [2, 'elsewhere'],
      [3, addressOf(3, 'quorum').host],
    ])
  })

  it('by a leader that looks whether a quorum is still there', () => {
    const { rig } = LeaderRig.leading([2, 3])
    rig.pass(2000)
    expect(rig.ends).toEqual([])
    rig.membership.propose(configurationOf({ voters: [1, 4, 5] }, 9))
    rig.pass(1000)
    expect(rig.ends).toEqual(['a quorum does not follow any more'])
  })

  it('by the confirmation that it still leads', () => {
    const { rig, followers } = LeaderRig.leading([2, 3])
    const confirmed = (): number[] =>
      rig.replica.calls.flatMap((it) => (it.call === 'onConfirmed' ? [it.round] : []))
    rig.turn(() => rig.leader.confirm())
    rig.membership.propose(configurationOf({ voters: [1, 4, 5] }, 9))
    for (const follower of followers) follower.answerPing()
    expect(confirmed()).toEqual([])
    rig.membership.withdraw()
    rig.turn(() => rig.leader.confirm())
    for (const follower of followers) follower.answerPing()
    expect(confirmed()).toEqual([1, 2])
  })

  it('by a leader that keeps a member out: not if that has gone for good', () => {
    const { rig } = LeaderRig.leading([2])
    const three = rig.report(3, 1)
    three.ackEpoch(7, z(7, 1))
    expect(rig.leader.outsiders()).toEqual([3])
    rig.membership.propose(configurationOf({ voters: [1, 2] }, 9))
    expect(rig.leader.outsiders()).toEqual([3])
    rig.membership.commit(9)
    expect(rig.leader.outsiders()).toEqual([])
  })

  it('by election links: whom they call, where, and as whom', () => {
    const membership = membershipOf(2, three)
    const links = new FakeLinks()
    const election = new ElectionLinks({ membership, settings, links, logger: silentLogger }, 0, {
      onMessage: () => {},
      onUnreachable: () => {},
    })
    let seen = 0
    const dialed = (): string[][] => {
      const fresh = links.dialed.slice(seen)
      seen = links.dialed.length
      return fresh.map(({ addresses }) => addresses.map(({ host }) => host))
    }
    const word = Buffer.from('vote')
    election.send(4, word)
    expect(dialed()).toEqual([])

    const moved = withMoved(configurationOf({ voters: [2, 3, 4] }, 1), 3, 'elsewhere')
    membership.propose(withMoved(moved, 2, 'here'))
    const host = (sid: number): string => addressOf(sid, 'election').host
    for (const sid of [1, 3, 4]) election.send(sid, word)
    expect(dialed()).toEqual([[host(1)], [host(3), 'elsewhere'], [host(4)]])
    for (const link of [-1, -2, -3]) election.onLinkClosed(link)
    // 1 says where it is, and could be called there even if no configuration knew of it.
    election.onLinkAccepted(1)
    election.onLinkBytes(1, encodeOpening(1, [addressOf(1, 'election')]))
    expect(dialed()).toEqual([[host(1), host(1)]])
    election.onLinkClosed(-4)

    membership.commit(1)
    election.connectAll()
    expect(dialed()).toEqual([['elsewhere'], [host(4)]])
    const link = -5
    election.onLinkOpened(link)
    const { port } = addressOf(2, 'election')
    expect(links.taken(link)).toBe(encodeOpening(2, [{ host: 'here', port }]).toString('hex'))
  })

  it('by a learner that calls its leader again: where that is', () => {
    const log = [textEntry(z(1, 1)), textEntry(z(1, 2))]
    const rig = new LearnerRig({ sid: 2, disk: { log } }).discover(2)
    rig.replica.truncateProblem = 'no snapshot is that old'
    rig.membership.propose(withMoved(configurationOf(three, 1), 3, 'elsewhere'))
    rig.membership.commit(1)
    rig.say(trunc(z(1, 1)))
    rig.replica.flush()
    expect(rig.links.dialed.map(({ addresses }) => addresses[0]?.host)).toEqual([
      'member-3',
      'elsewhere',
    ])
  })
})
