import type { LinkId, Links } from '../ports/links.ts'
import type { RoleParts } from '../role/role.ts'
import { LeaderChannel } from './leader-channel.ts'
import { LeaderDial } from './leader-dial.ts'
import { LeaderStream, type LeaderStreamEvents } from './leader-stream.ts'

/** The connection to the leader: being dialed, or open, and then there are both its directions. */
export class LeaderLink {
  readonly #parts: RoleParts
  readonly #links: Links
  readonly #leaderSid: number
  readonly #events: LeaderStreamEvents
  #dial: LeaderDial
  #stream: LeaderStream | undefined = undefined
  #channel: LeaderChannel | undefined = undefined

  /** Dials at once, and for connectToLearnerMasterLimit at most. */
  constructor(parts: RoleParts, leaderSid: number, nowMono: number, events: LeaderStreamEvents) {
    this.#parts = parts
    this.#links = parts.links
    this.#leaderSid = leaderSid
    this.#events = events
    this.#dial = this.#dialLeader(nowMono)
  }

  #dialLeader(nowMono: number): LeaderDial {
    const { links, membership, settings } = this.#parts
    const addresses = membership.addressesOf(this.#leaderSid, 'quorum')
    return new LeaderDial(links, addresses, settings.connectToLeaderLimitMs, nowMono)
  }

  owns(link: LinkId): boolean {
    return link === this.#dial.link
  }

  /** What we say. Undefined before the first connection is open; nothing is said by one that is closed. */
  get channel(): LeaderChannel | undefined {
    return this.#channel
  }

  /** What the leader says. Undefined before the first connection is open. */
  get stream(): LeaderStream | undefined {
    return this.#stream
  }

  /** To be called until the link is open. False: it takes too long. */
  advance(nowMono: number): boolean {
    return this.#dial.advance(nowMono)
  }

  onOpened(link: LinkId): void {
    this.#stream = new LeaderStream(this.#links, link, this.#events)
    this.#channel = new LeaderChannel(this.#links, link)
  }

  /** The peer has closed it, or it could not be opened. */
  onClosed(): void {
    this.#channel?.onClosed()
  }

  /** It could not be opened. False: that was the last try. */
  tryAgain(nowMono: number): boolean {
    return this.#dial.tryAgain(nowMono)
  }

  /** Another connection in place of this one. */
  reconnect(nowMono: number): void {
    this.#closeOpen()
    this.#dial = this.#dialLeader(nowMono)
  }

  /** Nothing is said or told any more. `isConnecting`: what was dialed last is not open yet. */
  close(isConnecting: boolean): void {
    this.#closeOpen()
    if (isConnecting && this.#dial.link !== undefined) this.#links.close(this.#dial.link)
  }

  #closeOpen(): void {
    this.#stream?.close()
    this.#channel?.close()
  }
}
