import { describe, expect, it } from 'vitest'
import type { LogFields } from '../../../../src/base/logger.ts'
import {
  type ElectionPost,
  FastLeaderElection,
} from '../../../../src/quorum/election/fast-leader-election.ts'
import { decodeNotification } from '../../../../src/quorum/election/notification.ts'
import { HierarchicalQuorum } from '../../../../src/quorum/membership/quorum-verifier.ts'
import type { PeerState } from '../../../../src/quorum/role/peer-state.ts'
import type { Vote } from '../../../../src/quorum/role/vote.ts'
import { type EnsembleShape, membershipOf, shortTimes } from '../../../support/ensemble-shape.ts'
import { silentLogger } from '../../../support/silent-logger.ts'

const five = { voters: [1, 2, 3, 4, 5], observers: [9] }
const ZXID = 0x1_0000_0001
/** For that member, whose log is as long as all others'. */
const of = (leader: number, peerEpoch = 1): Vote => ({ leader, zxid: ZXID, peerEpoch })

/** One member's election; the others are played by the test. */
class Script implements ElectionPost {
  readonly elected: number[] = []
  readonly how: string[] = []
  readonly epochs = { accepted: 1, current: 1 }
  readonly reach = new Map<number, 'open' | 'opening' | 'down'>()
  readonly election: FastLeaderElection
  connects = 0
  hasDelivered = true
  #sent: string[] = []
  #now = 0

  constructor(sid = 3, shape: EnsembleShape = five) {
    const info = (message: string, fields: LogFields = {}): void => {
      const { how } = fields
      if (message === 'leader elected') this.how.push(String(how))
    }
    const parts = {
      membership: membershipOf(sid, shape),
      settings: shortTimes,
      epochs: this.epochs,
      logger: { ...silentLogger, info },
    }
    this.election = new FastLeaderElection(parts, this, (leader) => this.elected.push(leader))
    this.election.lookForLeader(of(sid), 'hurried', 0)
  }

  send(sid: number, message: Buffer): void {
    const read = decodeNotification(message)
    if (typeof read === 'string') throw new Error(read)
    const { state, vote, round } = read
    const voted = vote === undefined ? 'nobody' : `${vote.leader} epoch ${vote.peerEpoch}`
    this.#sent.push(`${sid}: ${state} ${voted} round ${round}`)
  }

  connectAll(): void {
    this.connects += 1
  }

  reachOf(sid: number): 'open' | 'opening' | 'down' {
    return this.reach.get(sid) ?? 'open'
  }

  /** What was sent since the last call; once, where all four others were sent the same. */
  taken(): readonly string[] {
    const sent = this.#sent
    this.#sent = []
    const texts = new Set(sent.map((line) => line.slice(3)))
    return sent.length >= 4 && texts.size === 1 ? [`all: ${[...texts][0]}`] : sent
  }

  advance(ms: number): void {
    this.#now += ms
    this.election.advance(this.#now)
  }

  /** The role has ended. */
  look(): void {
    this.election.lookForLeader(of(3), 'hurried', this.#now)
  }

  hear(sid: number, state: PeerState, vote: Vote | undefined, round = 1, version = 2): void {
    this.election.onNotification(sid, { state, vote, round, version }, this.#now)
  }
}

describe('a member that looks', () => {
  it('votes for itself, then for the best it hears of, and says so each time', () => {
    const script = new Script()
    expect(script.taken()).toEqual(['all: looking 3 epoch 1 round 1'])
    script.hear(4, 'looking', of(4))
    expect(script.taken()).toEqual(['all: looking 4 epoch 1 round 1'])
    script.hear(2, 'looking', of(2))
    expect(script.taken()).toEqual([])
    expect(script.elected).toEqual([])
  })

  it('has heard those who began to look while it still had a leader, not long ago', () => {
    for (const [pauseMs, elected] of [
      [100, [5, 4]],
      [501, [5]],
    ] as const) {
      const script = new Script()
      for (const sid of [1, 2]) script.reach.set(sid, 'down')
      for (const sid of [4, 5]) script.hear(sid, 'looking', of(5))
      expect(script.elected).toEqual([5])
      script.reach.set(5, 'down')
      script.hear(4, 'looking', of(4), 2)
      script.advance(pauseMs)
      script.look()
      expect([script.election.round, script.elected]).toEqual([2, [5]])
      script.reach.set(1, 'open')
      script.hear(1, 'looking', of(4), 2)
      expect(script.elected).toEqual(elected)
    }
  })

  it('decides at once when all who can be reached agree', () => {
    const script = new Script()
    script.reach.set(1, 'down')
    script.reach.set(2, 'down')
    script.hear(5, 'looking', of(5))
    expect(script.elected).toEqual([])
    script.hear(4, 'looking', of(5))
    expect([script.elected, script.election.state]).toEqual([[5], 'following'])
    expect(script.how).toEqual(['all who can be reached agree'])
  })

  it.each(['open', 'opening'] as const)('waits for one whose link is %s', (reach) => {
    const script = new Script()
    script.reach.set(1, 'down')
    script.reach.set(2, reach)
    for (const sid of [4, 5]) script.hear(sid, 'looking', of(5))
    script.advance(199)
    expect(script.elected).toEqual([])
    script.advance(1)
    expect([script.elected, script.how]).toEqual([[5], ['no better vote came']])
  })

  it('waits no more for one who is gone', () => {
    const script = new Script()
    for (const sid of [1, 4, 5]) script.hear(sid, 'looking', of(5))
    script.advance(50)
    script.reach.set(2, 'down')
    script.election.onUnreachable(50)
    expect(script.elected).toEqual([5])
  })

  it('takes its time when it is told to', () => {
    const script = new Script()
    script.election.lookForLeader(of(3), 'patient', 0)
    for (const sid of [1, 2, 4, 5]) script.hear(sid, 'looking', of(5), 2)
    expect(script.elected).toEqual([])
    script.advance(200)
    expect([script.elected, script.how]).toEqual([[5], ['no better vote came']])
  })

  it('begins the wait anew for a better vote', () => {
    const script = new Script()
    for (const sid of [1, 2]) script.hear(sid, 'looking', of(3))
    script.advance(150)
    script.hear(5, 'looking', of(5))
    script.advance(100)
    expect(script.elected).toEqual([])
    for (const sid of [1, 2]) script.hear(sid, 'looking', of(5))
    script.advance(199)
    expect(script.elected).toEqual([])
    script.advance(1)
    expect(script.elected).toEqual([5])
  })

  it('begins the wait anew even if a quorum has the better vote at once', () => {
    const script = new Script(2, { voters: [1, 2, 3] })
    script.hear(1, 'looking', of(2))
    script.advance(150)
    script.hear(3, 'looking', of(3))
    script.advance(199)
    expect(script.elected).toEqual([])
    script.advance(1)
    expect(script.elected).toEqual([3])
  })

  it('does not wait for one who weighs nothing', () => {
    const weights = new Map([[1, 0]])
    const verifier = new HierarchicalQuorum([[1, 2, 3]], weights)
    const script = new Script(2, { voters: [1, 2, 3], verifier })
    script.hear(3, 'looking', of(3))
    expect(script.elected).toEqual([3])
  })

  it('is not won by one who weighs nothing', () => {
    const verifier = new HierarchicalQuorum([[1, 2, 3]], new Map([[3, 0]]))
    const script = new Script(2, { voters: [1, 2, 3], verifier })
    script.hear(3, 'looking', of(3))
    script.hear(1, 'looking', of(2))
    expect(script.elected).toEqual([2])
  })

  it('joins a later round, and forgets the votes of its own', () => {
    const script = new Script()
    for (const sid of [1, 5]) script.hear(sid, 'looking', of(5))
    script.taken()
    script.hear(2, 'looking', of(2), 4)
    // 5 is not of this round yet: our own first vote is the best that there is.
    expect(script.taken()).toEqual(['all: looking 3 epoch 1 round 4'])
    script.advance(200)
    expect(script.elected).toEqual([])
    expect(script.election.round).toBe(4)
  })

  it('tells one of an earlier round, and leaves its vote alone', () => {
    const script = new Script()
    script.hear(2, 'looking', of(2), 4)
    script.taken()
    script.hear(5, 'looking', of(5), 3)
    expect(script.taken()).toEqual(['5: looking 3 epoch 1 round 4'])
  })

  it('does not listen to votes of or for those who are no voters, nor to observers', () => {
    const script = new Script()
    script.taken()
    for (const [sid, state, leader] of [
      [9, 'looking', 5],
      [4, 'looking', 9],
      [4, 'observing', 5],
      [7, 'leading', 7],
    ] as const)
      script.hear(sid, state, of(leader))
    script.hear(4, 'looking', undefined)
    script.hear(4, 'looking', { ...of(5, 7), zxid: -1 })
    // The observer has asked, and is answered.
    expect(script.taken()).toEqual(['9: looking 3 epoch 1 round 1'])
  })

  it('says it again after 200 ms, 400 and so on, up to a minute', () => {
    const script = new Script()
    script.taken()
    const times: number[] = []
    for (let ms = 50; ms <= 200_000; ms += 50) {
      script.advance(50)
      if (script.taken().length > 0) times.push(ms)
    }
    const pauses = times.map((ms, i) => ms - (times[i - 1] ?? 0))
    expect(pauses).toEqual([200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000])
  })

  it('counts these pauses from the last that it has heard', () => {
    const script = new Script()
    script.advance(150)
    script.hear(2, 'looking', of(2))
    script.taken()
    script.advance(199)
    expect(script.taken()).toEqual([])
    script.advance(1)
    expect(script.taken()).toEqual(['all: looking 3 epoch 1 round 1'])
  })

  it('connects instead when nothing could be said, and once a second in any case', () => {
    const script = new Script()
    script.taken()
    script.hasDelivered = false
    script.advance(200)
    expect([script.taken(), script.connects]).toEqual([[], 1])
    script.hasDelivered = true
    for (let i = 0; i < 20; i += 1) script.advance(500)
    expect(script.connects).toBe(11)
  })
})

describe('a member that finds a leader', () => {
  it('follows it when a quorum and the leader itself say so', () => {
    const script = new Script()
    script.hear(1, 'following', of(2, 4), 7)
    script.hear(4, 'following', of(2, 4), 7)
    script.hear(5, 'following', of(2, 4), 8)
    // Three follow 2, which has not said that it leads: it may be dead.
    expect(script.elected).toEqual([])
    script.hear(2, 'leading', of(2, 4), 7)
    expect([script.elected, script.how]).toEqual([[2], ['before we came']])
    expect(script.election.round).toBe(7)
    script.taken()
    script.hear(5, 'looking', of(5), 1)
    expect(script.taken()).toEqual(['5: following 2 epoch 4 round 7'])
  })

  it('follows it in the round that it knows, with the votes that it has', () => {
    const script = new Script()
    script.reach.set(1, 'opening')
    script.hear(5, 'looking', of(5))
    script.hear(4, 'looking', of(5))
    script.hear(5, 'leading', of(5))
    expect([script.elected, script.how]).toEqual([[5], ['in this round']])
  })

  it('follows it in its own round while some know the new epoch already', () => {
    const script = new Script()
    for (const sid of [1, 4]) script.hear(sid, 'following', of(5))
    script.hear(5, 'leading', of(5, 2))
    expect([script.elected, script.how]).toEqual([[5], ['in this round']])
  })

  it('does not take what was said in an earlier round for said in a later one', () => {
    const script = new Script()
    for (const sid of [1, 4]) script.hear(sid, 'following', of(5), 1)
    script.hear(2, 'looking', of(2), 4)
    script.hear(5, 'leading', of(5, 2), 4)
    expect(script.elected).toEqual([])
  })

  it('does not mix epochs, except of an older format', () => {
    const script = new Script()
    script.hear(1, 'following', of(2, 4), 7)
    script.hear(4, 'following', of(2, 3), 7)
    script.hear(2, 'leading', of(2, 4), 7)
    expect(script.elected).toEqual([])
    script.hear(4, 'following', of(2, 3), 7, 0)
    script.hear(2, 'leading', of(2, 4), 7)
    expect(script.elected).toEqual([2])
  })

  it('leads if the others say so, in its own round only', () => {
    const script = new Script()
    for (const sid of [1, 2, 4]) script.hear(sid, 'following', of(3), 5)
    expect(script.elected).toEqual([])
    for (const sid of [1, 2, 4]) script.hear(sid, 'following', of(3), 1)
    expect([script.elected, script.election.state]).toEqual([[3], 'leading'])
  })
})

describe('a member that has a leader', () => {
  const follower = (): Script => {
    const script = new Script()
    for (const sid of [1, 2, 4, 5]) script.hear(sid, 'looking', of(5))
    expect(script.elected).toEqual([5])
    script.taken()
    return script
  }

  it('answers those who look, with the epoch that it is in', () => {
    const script = follower()
    script.hear(1, 'looking', of(1))
    expect(script.taken()).toEqual(['1: following 5 epoch 1 round 1'])
    Object.assign(script.epochs, { accepted: 2, current: 2 })
    for (const sid of [1, 9]) script.hear(sid, 'looking', sid === 9 ? undefined : of(1), 8)
    expect(script.taken()).toEqual([
      '1: following 5 epoch 2 round 1',
      '9: following 5 epoch 2 round 1',
    ])
  })

  it('is not deposed by whatever is said', () => {
    const script = follower()
    for (const sid of [1, 2, 4, 5]) {
      script.hear(sid, 'following', of(4, 9), 9)
      script.hear(sid, 'leading', of(4, 9), 9)
      script.hear(sid, 'looking', of(4, 9), 9)
    }
    script.advance(100_000)
    expect([script.elected, script.election.state]).toEqual([[5], 'following'])
  })

  it('does not answer those who do not ask', () => {
    const script = follower()
    for (const sid of [1, 9])
      for (const state of ['following', 'leading', 'observing'] as const)
        script.hear(sid, state, of(5))
    expect(script.taken()).toEqual([])
  })
})

describe('those without a vote', () => {
  it('propose nobody, then repeat the best they hear of, and watch who wins', () => {
    const script = new Script(9)
    expect(script.taken()).toEqual(['all: looking nobody round 1'])
    script.hear(4, 'looking', of(4))
    script.hear(5, 'looking', of(5))
    script.hear(4, 'looking', of(5))
    script.hear(1, 'looking', of(5))
    script.advance(200)
    expect([script.elected, script.election.state]).toEqual([[5], 'observing'])
  })

  it('answer nobody: it would mean nothing, and be answered again', () => {
    const script = new Script(9)
    script.hear(5, 'looking', of(5), 3)
    script.taken()
    script.hear(4, 'looking', of(4), 1)
    expect(script.taken()).toEqual([])
  })

  it('of a later round are answered when there is something to say', () => {
    const script = new Script()
    script.taken()
    script.hear(9, 'looking', undefined, 6)
    expect(script.taken()).toEqual([])
    for (const sid of [1, 2, 4, 5]) script.hear(sid, 'looking', of(5))
    expect(script.taken().at(-1)).toBe('9: following 5 epoch 1 round 1')
  })
})
