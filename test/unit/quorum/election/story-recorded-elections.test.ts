import { describe, expect, it } from 'vitest'
import {
  decodeNotification,
  encodeNotification,
} from '../../../../src/quorum/election/notification.ts'
import { QuorumPeer } from '../../../../src/quorum/election/quorum-peer.ts'
import type { EnsembleMember } from '../../../../src/quorum/membership/configuration.ts'
import { Membership } from '../../../../src/quorum/membership/membership.ts'
import { MajorityQuorum } from '../../../../src/quorum/membership/quorum-verifier.ts'
import type { PeerAddress } from '../../../../src/quorum/ports/links.ts'
import type { Epochs } from '../../../../src/quorum/role/epochs.ts'
import { Standing } from '../../../../src/quorum/role/standing.ts'
import { decodeOpening, encodeOpening } from '../../../../src/quorum/wire/opening-message.ts'
import { makeServerMetrics } from '../../../../src/server/stats/server-metrics.ts'
import { shortTimes } from '../../../support/ensemble-shape.ts'
import { FakeLinks } from '../../../support/fake-links.ts'
import { fakeRoles, replicaUpTo } from '../../../support/fake-roles.ts'
import {
  type ElectionStream,
  electionRuns,
  framed,
  readElectionRun,
  readElectionTexts,
  streamIn,
  textsOf,
} from '../../../support/golden-election.ts'
import type { MemoryReplica } from '../../../support/memory-replica.ts'
import { silentLogger } from '../../../support/silent-logger.ts'

const configTextOf = (message: Buffer): string => message.toString('utf8', 44)

describe('recorded elections', () => {
  it.each(electionRuns)('of %s decode to what an independent decoder read', (run) => {
    const sorted = (texts: readonly string[]): string[] =>
      texts.map((text) => text.replace('len=36 (cut off)', 'len=36')).sort()
    const theirs = readElectionTexts(run).map((text) => text.replace(/(len=36) .*$/, '$1'))
    expect(sorted(readElectionRun(run).flatMap(textsOf))).toEqual(sorted(theirs))
  })

  it.each(electionRuns)('of %s are written again byte for byte', (run) => {
    for (const { opening, messages } of readElectionRun(run)) {
      const opened = opening === undefined ? undefined : decodeOpening(opening)
      if (opening !== undefined && typeof opened === 'object' && typeof opened.sid === 'number')
        expect(encodeOpening(opened.sid, opened.addresses).equals(opening)).toBe(true)
      for (const bytes of messages.filter(({ length }) => length > 40)) {
        const message = decodeNotification(bytes)
        if (typeof message === 'string') throw new Error(message)
        const { state, vote, round } = message
        const again = encodeNotification(state, vote, round, configTextOf(bytes))
        expect(again.toString('hex')).toBe(bytes.toString('hex'))
      }
    }
  })
})

/** A member with the addresses of a configuration text, in place of the one that was recorded. */
class StandIn {
  readonly links = new FakeLinks()
  readonly epochs: Epochs = { accepted: 0, current: 0 }
  readonly replica: MemoryReplica
  readonly peer: QuorumPeer
  #accepted = 0

  constructor(sid: number, configText: string, lastLoggedZxid = 0, epoch = 0) {
    this.epochs.accepted = epoch
    this.epochs.current = epoch
    this.replica = replicaUpTo(lastLoggedZxid)
    const parts = {
      membership: membershipFrom(sid, configText),
      settings: shortTimes,
      replica: this.replica,
      links: this.links,
      epochs: this.epochs,
      standing: new Standing(),
      metrics: makeServerMetrics(),
      logger: silentLogger,
    }
    this.peer = new QuorumPeer(parts, 0, fakeRoles)
    this.peer.start()
  }

  /** Lets what is being dialed there connect. */
  open(address: string): number {
    const link = this.links.dialTo(address)
    if (link === undefined) throw new Error(`nothing was dialed at ${address}`)
    this.peer.onLinkOpened(link)
    return link
  }

  accept(opening: Buffer | undefined): number {
    this.#accepted += 1
    this.peer.onLinkAccepted(this.#accepted, 'election')
    if (opening !== undefined) this.peer.onLinkBytes(this.#accepted, opening)
    return this.#accepted
  }

  hear(link: number, message: Buffer | undefined): void {
    if (message !== undefined) this.peer.onLinkBytes(link, framed(message))
  }
}

function membershipFrom(sid: number, text: string): Membership {
  const members = new Map<number, EnsembleMember>()
  const line = /^server\.(\d+)=([^:]+):(\d+):(\d+):(participant|observer)/gm
  for (const [, id, host = '', quorum, election, role] of text.matchAll(line)) {
    const at = (port: string | undefined): readonly PeerAddress[] => [{ host, port: Number(port) }]
    members.set(Number(id), {
      sid: Number(id),
      role: role === 'observer' ? 'observer' : 'participant',
      quorumAddresses: at(quorum),
      electionAddresses: at(election),
    })
  }
  const voters = [...members.values()].filter(({ role }) => role === 'participant')
  const verifier = new MajorityQuorum(voters.map((member) => member.sid))
  return new Membership(sid, { version: 0, text, members, verifier })
}

const wire = (...parts: readonly (Buffer | undefined)[]): string =>
  Buffer.concat(parts.filter((part) => part !== undefined)).toString('hex')

const allOf = ({ opening, messages }: ElectionStream): string =>
  wire(opening, ...messages.map(framed))

describe('in the place of a recorded member we say the same', () => {
  const run1 = readElectionRun('run1')

  it('as server 1, when 2 comes and then 3', () => {
    const fromTwo = streamIn(run1, 10, 'c2s')
    const toTwo = streamIn(run1, 10, 's2c')
    const one = new StandIn(1, configTextOf(toTwo.messages[0] ?? Buffer.alloc(0)))
    const two = one.accept(fromTwo.opening)
    expect(one.links.taken(two)).toBe(wire(...toTwo.messages.slice(0, 1).map(framed)))
    one.hear(two, fromTwo.messages[0])
    expect(one.links.taken(two)).toBe(wire(...toTwo.messages.slice(1, 2).map(framed)))

    // 3 has not been reached yet: for all we know it may have a better vote.
    one.peer.advance(200)
    expect(one.peer.state).toBe('following')
    Object.assign(one.epochs, { accepted: 1, current: 1 })
    const fromThree = streamIn(run1, 12, 'c2s')
    const three = one.accept(fromThree.opening)
    for (const message of fromThree.messages) one.hear(three, message)
    expect(one.links.taken(three)).toBe(allOf(streamIn(run1, 12, 's2c')))
  })

  it('as server 2, which opens the connection to 1 and leads', () => {
    const fromTwo = streamIn(run1, 10, 'c2s')
    const two = new StandIn(2, configTextOf(fromTwo.messages[0] ?? Buffer.alloc(0)))
    const one = two.open('127.0.0.1:31621')
    expect(two.links.taken(one)).toBe(wire(fromTwo.opening, ...fromTwo.messages.map(framed)))
    two.peer.onLinkClosed(two.links.dialTo('127.0.0.1:31623') ?? 0)
    for (const message of streamIn(run1, 10, 's2c').messages) two.hear(one, message)
    expect(two.peer.state).toBe('leading')
    Object.assign(two.epochs, { accepted: 1, current: 1 })
    const fromThree = streamIn(run1, 13, 'c2s')
    const three = two.accept(fromThree.opening)
    for (const message of fromThree.messages) two.hear(three, message)
    expect(two.links.taken(three)).toBe(allOf(streamIn(run1, 13, 's2c')))
  })

  it('as server 3, which joins after it was killed', () => {
    const toOne = streamIn(run1, 17, 'c2s')
    const config = configTextOf(toOne.messages[0] ?? Buffer.alloc(0))
    const three = new StandIn(3, config, 0x1_0000_0013, 1)
    const one = three.open('127.0.0.1:31631')
    const two = three.open('127.0.0.1:31632')
    expect(three.links.taken(one)).toBe(allOf(toOne))
    expect(three.links.taken(two)).toBe(allOf(streamIn(run1, 18, 'c2s')))
    for (const message of streamIn(run1, 17, 's2c').messages) three.hear(one, message)
    expect(three.peer.state).toBe('looking')
    three.hear(two, streamIn(run1, 18, 's2c').messages[0])
    expect(three.peer.leaderSid).toBe(2)
  })

  it('as observer 4', () => {
    const toOne = streamIn(run1, 16, 'c2s')
    const four = new StandIn(4, configTextOf(toOne.messages[0] ?? Buffer.alloc(0)))
    const one = four.open('127.0.0.1:31641')
    const two = four.open('127.0.0.1:31642')
    const three = four.open('127.0.0.1:31643')
    expect(four.links.taken(one)).toBe(allOf(toOne))
    expect(four.links.taken(two)).toBe(allOf(streamIn(run1, 14, 'c2s')))
    for (const message of streamIn(run1, 14, 's2c').messages) four.hear(two, message)
    for (const message of streamIn(run1, 15, 's2c').messages) four.hear(three, message)
    expect(four.peer.state).toBe('observing')
    expect(four.peer.leaderSid).toBe(2)
  })

  it('as server 2, when leader 3 is killed', () => {
    const [join, again] = streamIn(run1, 33, 'c2s').messages
    const fromOne = streamIn(run1, 33, 's2c').messages
    const two = new StandIn(2, configTextOf(join ?? Buffer.alloc(0)), 0x1_0000_0217, 1)
    const one = two.open('127.0.0.1:31621')
    expect(two.links.taken(one)).toBe(
      wire(streamIn(run1, 33, 'c2s').opening, framed(join ?? Buffer.alloc(0))),
    )
    for (const message of fromOne.slice(0, 2)) two.hear(one, message)
    // What 3 says was not recorded: it went past the proxy.
    const three = two.accept(encodeOpening(3, [{ host: '127.0.0.1', port: 31413 }]))
    const vote = { leader: 3, zxid: 0x1_0000_0215, peerEpoch: 2 }
    two.hear(three, encodeNotification('leading', vote, 1, ''))
    expect(two.peer.state).toBe('following')
    two.links.taken(one)
    Object.assign(two.epochs, { accepted: 2, current: 2 })
    two.replica.lastLoggedZxid = 0x2_0000_0003
    const leader = two.open('127.0.0.1:31523')
    two.peer.onLinkClosed(three)
    two.peer.onLinkClosed(leader)
    expect(two.links.taken(one)).toBe(wire(framed(again ?? Buffer.alloc(0))))
    for (const message of fromOne.slice(2)) two.hear(one, message)
    two.peer.advance(200)
    expect(two.peer.state).toBe('leading')
  })

  it('as leader 3 of run 3, which connects back to smaller ids', () => {
    const run3 = readElectionRun('run3-fake-peers')
    const answers = streamIn(run3, 4, 'c2s')
    const config = configTextOf(answers.messages.at(-1) ?? Buffer.alloc(0))
    const three = new StandIn(3, config)
    const two = three.open('127.0.0.1:31412')
    three.peer.onLinkClosed(three.links.dialTo('127.0.0.1:31411') ?? 0)
    three.hear(two, encodeNotification('looking', { leader: 3, zxid: 0, peerEpoch: 0 }, 1, ''))
    expect(three.peer.state).toBe('leading')
    Object.assign(three.epochs, { accepted: 1, current: 1 })
    for (const [opened, back] of [
      [3, 4],
      [5, 6],
    ] as const) {
      const refused = three.accept(streamIn(run3, opened, 'c2s').opening)
      expect(three.links.closed).toContain(refused)
      const one = three.open('127.0.0.1:31411')
      const theirs = streamIn(run3, back, 'c2s')
      // The recorded one repeats what it said last before each answer, once; here that is a vote.
      const [opening, ...rest] = [theirs.opening, ...theirs.messages.slice(1).map(framed)]
      const before = three.links.taken(one)
      expect(before.startsWith(wire(opening))).toBe(true)
      for (const message of streamIn(run3, back, 's2c').messages) three.hear(one, message)
      expect(three.links.taken(one)).toBe(wire(...rest))
      three.peer.onLinkClosed(one)
    }
  })
})
