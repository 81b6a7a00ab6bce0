import { describe, expect, it } from 'vitest'
import { Prng } from '../../../../src/base/prng.ts'
import { ElectionLinks } from '../../../../src/quorum/election/election-links.ts'
import {
  decodeNotification,
  encodeNotification,
} from '../../../../src/quorum/election/notification.ts'
import { encodeOpening } from '../../../../src/quorum/wire/opening-message.ts'
import { ElectionEnsemble } from '../../../support/election-ensemble.ts'
import { membershipOf, shortTimes } from '../../../support/ensemble-shape.ts'
import { FakeLinks } from '../../../support/fake-links.ts'
import { stopsOf } from '../../../support/fake-roles.ts'
import { framed } from '../../../support/golden-election.ts'
import { addressOf } from '../../../support/memory-network.ts'

const shape = { voters: [1, 2, 3], observers: [9] }

/** The links of server 2. */
class Desk {
  readonly links = new FakeLinks()
  readonly said: string[] = []
  readonly warned: string[] = []
  readonly desk: ElectionLinks
  #accepted = 0

  constructor() {
    const warn = (message: string, fields: object = {}): void => {
      this.warned.push(`${message}: ${Object(fields).reason}`)
    }
    const logger = { debug: () => {}, info: () => {}, warn, error: () => {} }
    const membership = membershipOf(2, shape)
    const parts = { membership, settings: shortTimes, links: this.links, logger }
    this.desk = new ElectionLinks(parts, 0, {
      onMessage: (sid, payload) => this.said.push(`${sid} says ${payload.toString()}`),
      onUnreachable: (sid) => this.said.push(`${sid} is unreachable`),
    })
  }

  /** A connection from somebody who says that. */
  readonly accept = (...bytes: readonly Buffer[]): number => {
    this.#accepted += 1
    this.desk.onLinkAccepted(this.#accepted)
    for (const part of bytes) this.desk.onLinkBytes(this.#accepted, part)
    return this.#accepted
  }
}

const message = (text: string): Buffer => framed(Buffer.from(text))
const hex = (...parts: readonly Buffer[]): string => Buffer.concat(parts).toString('hex')
const opening = (sid: number): Buffer => encodeOpening(sid, [addressOf(sid, 'election')])

function bareSid(sid: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(sid)
  return bytes
}

describe('an election link', () => {
  it('of a larger sid is kept, whatever version opens it', () => {
    const several = encodeOpening(3, [addressOf(3, 'election'), { host: '::1', port: 3888 }])
    for (const first of [opening(3), bareSid(3n), several]) {
      const { desk, links, said, accept } = new Desk()
      const link = accept(Buffer.concat([first, message('here')]))
      expect([links.closed, said, desk.reachOf(3)]).toEqual([[], ['3 says here'], 'open'])
      desk.send(3, Buffer.from('there'))
      expect(links.taken(link)).toBe(hex(message('there')))
    }
  })

  it('may come byte by byte', () => {
    const { said, accept } = new Desk()
    const all = Buffer.concat([opening(3), message('one'), message('two')])
    accept(...[...all].map((byte) => Buffer.from([byte])))
    expect(said).toEqual(['3 says one', '3 says two'])
  })

  it('of a smaller sid is closed, and opened from our side, to where it says it is', () => {
    const { desk, links, accept } = new Desk()
    const elsewhere = { host: 'elsewhere', port: 1234 }
    const link = accept(encodeOpening(1, [elsewhere, { host: '0.0.0.0', port: 3888 }]))
    expect(links.closed).toEqual([link])
    expect(links.dialed).toEqual([
      { link: -1, port: 'election', addresses: [elsewhere, addressOf(1, 'election')] },
    ])
    expect(desk.reachOf(1)).toBe('opening')
    desk.onLinkOpened(-1)
    expect(links.taken(-1)).toBe(hex(opening(2)))
    expect(desk.reachOf(1)).toBe('open')
  })

  it('of a smaller sid replaces the one that it has forgotten', () => {
    const { desk, links, accept } = new Desk()
    desk.send(1, Buffer.from('vote'))
    desk.onLinkOpened(-1)
    expect(links.taken(-1)).toBe(hex(opening(2), message('vote')))
    desk.advance(200)
    const link = accept(opening(1))
    expect(links.closed).toEqual([link, -1])
    desk.onLinkOpened(-2)
    // It may not have come to where it was sent.
    expect(links.taken(-2)).toBe(hex(opening(2), message('vote')))
  })

  it('of a smaller sid does not replace one that has been opened just now', () => {
    const { desk, links, accept } = new Desk()
    desk.send(1, Buffer.from('vote'))
    desk.onLinkOpened(-1)
    desk.advance(199)
    const link = accept(opening(1))
    expect([links.closed, links.dialed.length, desk.reachOf(1)]).toEqual([[link], 1, 'open'])
  })

  it('that breaks right after the peer was woken up will soon be there again', () => {
    const { desk, accept } = new Desk()
    desk.send(3, Buffer.from('vote'))
    desk.onLinkOpened(-1)
    desk.onLinkClosed(accept(opening(3)))
    expect(desk.reachOf(3)).toBe('opening')
    desk.advance(100)
    expect(desk.reachOf(3)).toBe('down')
  })

  it('to a larger sid only wakes it up', () => {
    const { desk, links, accept } = new Desk()
    desk.send(3, Buffer.from('vote'))
    expect(desk.reachOf(3)).toBe('opening')
    desk.onLinkOpened(-1)
    expect([links.taken(-1), links.closed]).toEqual([hex(opening(2)), [-1]])
    expect(desk.reachOf(3)).toBe('opening')
    desk.connectAll()
    expect(links.dialed.length).toBe(1)
    expect(links.taken(accept(opening(3)))).toBe(hex(message('vote')))
  })

  it('that came meanwhile makes it needless to wake anybody up', () => {
    const { desk, links, accept } = new Desk()
    desk.send(3, Buffer.from('vote'))
    accept(opening(3))
    desk.onLinkOpened(-1)
    expect([links.taken(-1), links.closed, desk.reachOf(3)]).toEqual(['', [-1], 'open'])
  })

  it('is one at most: the newer one counts', () => {
    const { desk, links, said, accept } = new Desk()
    const old = accept(opening(3))
    const link = accept(opening(3))
    expect(links.closed).toEqual([old])
    desk.onLinkBytes(old, message('late'))
    desk.onLinkBytes(link, message('new'))
    expect(said).toEqual(['3 says new'])
  })

  it('carries the newest message only when the peer takes none', () => {
    const { desk, links, accept } = new Desk()
    const link = accept(opening(3))
    links.hold(link, 1_000_000)
    for (const text of ['one', 'two', 'three']) desk.send(3, Buffer.from(text))
    expect([links.taken(link), desk.hasDelivered]).toEqual(['', false])
    links.drain(link)
    desk.onLinkDrained(link)
    expect([links.taken(link), desk.hasDelivered]).toEqual([hex(message('three')), true])
  })

  it('says again what was said last when it opens again', () => {
    const { desk, links, said, accept } = new Desk()
    const link = accept(opening(3))
    for (const text of ['one', 'two']) desk.send(3, Buffer.from(text))
    desk.onLinkClosed(link)
    expect([said, desk.reachOf(3)]).toEqual([['3 is unreachable'], 'down'])
    expect(links.taken(accept(opening(3)))).toBe(hex(message('two')))
  })

  it('that cannot be opened is tried again only when asked for', () => {
    const { desk, links, said } = new Desk()
    desk.send(1, Buffer.from('vote'))
    desk.onLinkClosed(-1)
    desk.advance(10_000)
    expect([said, links.dialed.length, desk.reachOf(1)]).toEqual([['1 is unreachable'], 1, 'down'])
    desk.connectAll()
    // For all we know it is still down.
    expect([links.dialed.length, desk.reachOf(1)]).toEqual([2, 'down'])
    desk.onLinkOpened(-2)
    expect(desk.reachOf(1)).toBe('open')
  })
})

describe('an election link is refused', () => {
  const wrong: readonly [string, Buffer][] = [
    ['unknown protocol version', bareSid(-3n)],
    ['invalid length of the address', Buffer.concat([bareSid(-65536n), bareSid(3n), bareSid(0n)])],
    ['invalid address', encodeOpening(3, [{ host: 'x y', port: 0 }])],
    ['no such sid', encodeOpening(-7, [addressOf(3, 'election')])],
    ['it claims to be us', opening(2)],
  ]
  it.each(wrong)('because of %s', (reason, bytes) => {
    const { links, warned, accept } = new Desk()
    const link = accept(bytes)
    expect([warned, links.closed]).toEqual([[`refusing an election link: ${reason}`], [link]])
  })

  it('again and again with one line a second', () => {
    const { desk, warned, accept } = new Desk()
    for (let n = 0; n < 50; n += 1) accept(bareSid(-3n))
    expect(warned).toHaveLength(1)
    desk.advance(1000)
    expect(warned).toHaveLength(2)
  })

  it('when it does not say in time who it is', () => {
    const { desk, links, accept } = new Desk()
    const link = accept(opening(3).subarray(0, 20))
    desk.advance(999)
    expect(links.closed).toEqual([])
    desk.advance(1000)
    expect([links.closed, desk.owns(link)]).toEqual([[link], false])
  })

  it.each([
    [0, 'an empty message'],
    [-1, 'negative length'],
    [524_289, 'frame too large'],
  ])('in the middle, for a message of %i bytes', (length, reason) => {
    const { links, said, warned, accept } = new Desk()
    const bytes = Buffer.alloc(4)
    bytes.writeInt32BE(length)
    const link = accept(opening(3), message('well'), bytes, message('lost'))
    expect(links.closed).toEqual([link])
    expect(said).toEqual(['3 says well', '3 is unreachable'])
    expect(warned).toEqual([`closing an election link: ${reason}`])
  })

  it('if there are too many that say nothing, the oldest first', () => {
    const { links, accept } = new Desk()
    for (let i = 0; i < 66; i += 1) accept()
    expect(links.closed).toEqual([1, 2])
  })

  it('if there are too many peers that nobody knows', () => {
    const { links, accept } = new Desk()
    for (let sid = 100; sid < 150; sid += 1) accept(opening(sid))
    // 32, and as many as the configuration has.
    expect(50 - links.closed.length).toBe(36)
  })
})

describe('observers without an id', () => {
  it('are told apart, and answered', () => {
    const { desk, links, said, accept } = new Desk()
    const anonymous = Buffer.concat([bareSid(2n ** 63n - 1n), message('who leads?')])
    const [a, b] = [accept(anonymous), accept(anonymous)]
    expect([said, links.closed]).toEqual([['-1 says who leads?', '-2 says who leads?'], []])
    desk.send(-2, Buffer.from('me'))
    expect([links.taken(a), links.taken(b)]).toEqual(['', hex(message('me'))])
    desk.onLinkClosed(b)
    desk.send(-2, Buffer.from('me'))
    expect(links.dialed).toEqual([])
  })
})

describe('peers that are not in the configuration', () => {
  it('are connected to where they say they are, and forgotten when that fails', () => {
    const { desk, links, accept } = new Desk()
    accept(opening(0))
    expect(links.dialed[0]?.addresses).toEqual([addressOf(0, 'election')])
    desk.onLinkClosed(-1)
    desk.send(0, Buffer.from('vote'))
    expect(links.dialed.length).toBe(1)
  })
})

describe('garbage on election links', () => {
  const random = (prng: Prng, bytes: number): Buffer =>
    Buffer.from(Array.from({ length: bytes }, () => prng.below(256)))

  it('harms nobody', () => {
    const ensemble = new ElectionEnsemble({ voters: [1, 2, 3] })
    const { network } = ensemble
    ensemble.start(1, 2, 3)
    network.runUntil(() => ensemble.isLedBy(3), 1000)
    const prng = new Prng(7)
    const vote = encodeNotification('looking', { leader: 9, zxid: 5, peerEpoch: 7 }, 5, 'version=0')
    for (let i = 0; i < 300; i += 1) {
      const connection = network.connect(1 + prng.below(3), 'election')
      network.run(3)
      const sid = [0, 4, 1000, 7][prng.below(4)] ?? 0
      const parts = [random(prng, prng.below(60)), opening(sid), framed(vote)]
      const damaged = framed(Buffer.from(vote))
      damaged.writeUInt8(prng.below(256), 4 + prng.below(44))
      connection.send(Buffer.concat([opening(sid), damaged, parts[prng.below(3)] ?? vote]))
      if (prng.below(2) === 0) connection.send(random(prng, 1 + prng.below(3000)))
      if (prng.below(2) === 0) connection.close()
    }
    network.run(3000)
    expect(ensemble.isLedBy(3)).toBe(true)
    expect([1, 2, 3].map((sid) => stopsOf(ensemble.member(sid).replica))).toEqual([0, 0, 0])
    ensemble.kill(3)
    expect(network.runUntil(() => ensemble.isLedBy(2), 3000)).toBe(true)
  })

  it('of a message that ends too soon is seen', () => {
    const vote = encodeNotification('looking', { leader: 3, zxid: 5, peerEpoch: 7 }, 5, 'version=0')
    const lengths = [...vote.keys()].filter(
      (length) => typeof decodeNotification(vote.subarray(0, length)) === 'object',
    )
    // What 3.4 and those before it send.
    expect(lengths).toEqual([28, 40])
  })

  it('is no notification, or one that can be written again', () => {
    const prng = new Prng(11)
    for (let i = 0; i < 20_000; i += 1) {
      const bytes = random(prng, prng.below(60))
      if (prng.below(2) === 0) bytes.fill(0, 0, Math.min(bytes.length, 3 + prng.below(40)))
      const read = decodeNotification(bytes)
      if (typeof read === 'string') continue
      const again = encodeNotification(read.state, read.vote, read.round, '')
      expect(decodeNotification(again)).toEqual({ ...read, version: 2 })
    }
  })
})
