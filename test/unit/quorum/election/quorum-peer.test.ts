import { describe, expect, it } from 'vitest'
import { encodeNotification } from '../../../../src/quorum/election/notification.ts'
import { QuorumPeer, type Role } from '../../../../src/quorum/election/quorum-peer.ts'
import type { LinkId } from '../../../../src/quorum/ports/links.ts'
import type { PeerState } from '../../../../src/quorum/role/peer-state.ts'
import { Standing } from '../../../../src/quorum/role/standing.ts'
import { encodeOpening } from '../../../../src/quorum/wire/opening-message.ts'
import { makeServerMetrics } from '../../../../src/server/stats/server-metrics.ts'
import { membershipOf, shortTimes } from '../../../support/ensemble-shape.ts'
import { FakeLinks } from '../../../support/fake-links.ts'
import { replicaUpTo, stopsOf } from '../../../support/fake-roles.ts'
import { framed } from '../../../support/golden-election.ts'
import { addressOf } from '../../../support/memory-network.ts'
import { silentLogger } from '../../../support/silent-logger.ts'

/** Member 2 of three, whose role does nothing but remember what it is told. */
class Peer {
  readonly links = new FakeLinks()
  readonly replica = replicaUpTo(0)
  readonly told: string[] = []
  readonly peer: QuorumPeer
  /** Of the roles so far, the latest last. */
  readonly ends: ((reason: string) => void)[] = []
  #three = 0

  constructor() {
    const parts = {
      membership: membershipOf(2, { voters: [1, 2, 3] }),
      settings: shortTimes,
      replica: this.replica,
      links: this.links,
      epochs: { accepted: 0, current: 0 },
      standing: new Standing(),
      metrics: makeServerMetrics(),
      logger: silentLogger,
    }
    this.peer = new QuorumPeer(parts, 0, {
      lead: (_parts, _now, onEnd) => this.#role('leading', onEnd),
      learn: (_parts, leader, role, _now, onEnd) => this.#role(`${role} ${leader.sid}`, onEnd),
    })
    this.peer.start()
  }

  /** 1 is down, and 3 votes for that one. */
  readonly elect = (leader: 2 | 3, state: PeerState = 'looking', round = 1): void => {
    for (const { link, port, addresses } of this.links.dialed)
      if (port === 'election' && addresses[0]?.host === 'member-1') this.peer.onLinkClosed(link)
    if (this.#three === 0) {
      this.#three = 100
      this.peer.onLinkAccepted(this.#three, 'election')
      this.peer.onLinkBytes(this.#three, encodeOpening(3, [addressOf(3, 'election')]))
    }
    this.hear(this.#three, state, leader, round)
  }

  hear(link: LinkId, state: PeerState, leader: 2 | 3, round: number): void {
    const zxid = leader === 3 ? 1 : 0
    const message = encodeNotification(state, { leader, zxid, peerEpoch: 0 }, round, '')
    this.peer.onLinkBytes(link, framed(message))
  }

  #role(name: string, onEnd: (reason: string) => void): Role {
    const tell = (what: string) => (link: LinkId) => {
      this.told.push(`${what} ${link}`)
    }
    this.told.push(name)
    this.ends.push(onEnd)
    return {
      advance: () => {},
      onLinkAccepted: tell('accepted'),
      onLinkOpened: tell('opened'),
      onLinkBytes: (link, bytes) => this.told.push(`bytes ${link} ${bytes}`),
      onLinkClosed: tell('closed'),
      onLinkDrained: tell('drained'),
      close: () => this.told.push('close'),
    }
  }
}

describe('a member', () => {
  it('hands links on to its role, and election links to the election', () => {
    const { peer, told, elect, links } = new Peer()
    elect(3)
    expect([peer.state, peer.leaderSid]).toEqual(['following', 3])
    const link = links.dial('quorum', [])
    peer.onLinkOpened(link)
    peer.onLinkBytes(link, Buffer.from('hello'))
    peer.onLinkDrained(link)
    peer.onLinkClosed(link)
    peer.onLinkClosed(100)
    expect(told).toEqual([
      'following 3',
      `opened ${link}`,
      `bytes ${link} hello`,
      `drained ${link}`,
      `closed ${link}`,
    ])
  })

  it('does not look for a leader before its disk has ended what the last role began', () => {
    const { peer, told, elect, ends, replica } = new Peer()
    elect(3)
    replica.isSettled = false
    ends[0]?.('lost')
    peer.settle()
    peer.advance(5000)
    expect([told, peer.state]).toEqual([['following 3', 'close'], 'following'])
    replica.isSettled = true
    peer.settle()
    expect(peer.state).toBe('looking')
  })

  it('keeps those who know before itself that it leads', () => {
    const { peer, told, elect, links } = new Peer()
    for (const link of [7, 8, 9]) peer.onLinkAccepted(link, 'quorum')
    peer.onLinkBytes(7, Buffer.from('follower'))
    peer.onLinkBytes(7, Buffer.from('info'))
    peer.onLinkClosed(8)
    expect([told, links.closed]).toEqual([[], []])
    elect(2)
    peer.onLinkAccepted(10, 'quorum')
    expect(told).toEqual([
      'leading',
      'accepted 7',
      'bytes 7 followerinfo',
      'accepted 9',
      'accepted 10',
    ])
  })

  it('turns those away who are wrong about it', () => {
    const { peer, elect, links } = new Peer()
    peer.onLinkAccepted(7, 'quorum')
    elect(3)
    peer.onLinkAccepted(8, 'quorum')
    expect(links.closed).toEqual([7, 8])
  })

  it('keeps only so many, who say only so much', () => {
    const { peer, links } = new Peer()
    for (let link = 1; link <= 65; link += 1) peer.onLinkAccepted(link, 'quorum')
    peer.onLinkBytes(9, Buffer.alloc(4096))
    expect(links.closed).toEqual([1])
    peer.onLinkBytes(9, Buffer.alloc(1))
    expect(links.closed).toEqual([1, 9])
  })

  it('looks again when its role has ended, in a later round, after the replica has stopped', () => {
    const { peer, told, elect, links, replica, ends } = new Peer()
    elect(3)
    links.taken(100)
    replica.lastLoggedZxid = 5
    ends[0]?.('because')
    // Whoever says so is still being called.
    expect([peer.state, stopsOf(replica)]).toEqual(['following', 0])
    peer.settle()
    expect([peer.state, peer.leaderSid, stopsOf(replica)]).toEqual(['looking', undefined, 1])
    const vote = { leader: 2, zxid: 5, peerEpoch: 0 }
    expect(links.taken(100)).toBe(
      framed(encodeNotification('looking', vote, 2, 'version=0')).toString('hex'),
    )
    expect(told).toEqual(['following 3', 'close'])
  })

  it('does not listen to a role that has ended', () => {
    const { peer, elect, links, replica, ends } = new Peer()
    elect(3)
    ends[0]?.('once')
    ends[0]?.('twice')
    peer.settle()
    links.taken(100)
    ends[0]?.('late')
    peer.settle()
    expect([links.taken(100), peer.state, stopsOf(replica)]).toEqual(['', 'looking', 1])
  })

  it('pauses when it is turned away again and again', () => {
    const member = new Peer()
    const { peer, told, elect, links, ends } = member
    const begun = (): number => told.filter((what) => what === 'following 3').length
    elect(3)
    ends[0]?.('turned away')
    peer.settle()
    const one = links.dialTo('member-1:3888') ?? 0
    peer.onLinkOpened(one)
    /** The others have a leader already, so that nothing needs to be waited for. */
    const find = (): void => {
      member.hear(100, 'leading', 3, 9)
      member.hear(one, 'following', 3, 9)
    }
    find()
    expect(begun()).toBe(2)
    ends[1]?.('turned away')
    peer.settle()
    find()
    expect([begun(), peer.state]).toEqual([2, 'following'])
    peer.advance(199)
    expect(begun()).toBe(2)
    peer.advance(200)
    expect(begun()).toBe(3)
    peer.advance(10_000)
    ends[2]?.('after a while')
    peer.settle()
    find()
    expect(begun()).toBe(4)
  })

  it('closes all at once, and takes nobody in afterwards', () => {
    const { peer, told, elect, links, replica } = new Peer()
    elect(2)
    peer.onLinkAccepted(7, 'quorum')
    peer.close()
    expect(told.at(-1)).toBe('close')
    // Its other dials are given up, too.
    expect([links.closed.filter((link) => link > 0), stopsOf(replica)]).toEqual([[100], 1])
    const closed = links.closed.length
    peer.onLinkAccepted(8, 'quorum')
    peer.onLinkAccepted(9, 'election')
    expect(links.closed.slice(closed)).toEqual([8, 9])
    const before = links.dialed.length
    peer.advance(100_000)
    peer.close()
    expect([links.dialed.length, stopsOf(replica)]).toEqual([before, 1])
  })

  it('closes those, too, who wait for it to lead', () => {
    const { peer, links } = new Peer()
    peer.onLinkAccepted(7, 'quorum')
    peer.close()
    expect(links.closed).toContain(7)
  })
})
