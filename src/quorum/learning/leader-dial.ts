import type { LinkId, Links, PeerAddress } from '../ports/links.ts'

/**
 * How often a learner tries to connect to its leader; as often as the original, and as far apart.
 * @bound tries: the member looks for a leader again
 */
const TRIES_MAX = 5
const TRY_AGAIN_MS = 100

/** The connection to a leader that may not be there yet: it has been elected just now, like us. */
export class LeaderDial {
  readonly #links: Links
  readonly #addresses: readonly PeerAddress[]
  readonly #endsAtMono: number
  #tries = 1
  /** When to try again; undefined: the link is there, or on its way. */
  #againAtMono: number | undefined = undefined
  /** The current try, if there is one. What is told of any other link is of no concern. */
  link: LinkId | undefined

  /** Dials at once, and gives up `limitMs` later, or when the last try has failed. */
  constructor(links: Links, addresses: readonly PeerAddress[], limitMs: number, nowMono: number) {
    this.#links = links
    this.#addresses = addresses
    this.#endsAtMono = nowMono + limitMs
    this.link = links.dial('quorum', addresses)
  }

  /** The link could not be opened. False: that is all. */
  tryAgain(nowMono: number): boolean {
    this.link = undefined
    const atMono = nowMono + TRY_AGAIN_MS
    if (this.#tries >= TRIES_MAX || atMono >= this.#endsAtMono) return false
    this.#againAtMono = atMono
    return true
  }

  /** To be called until the link is open. False: it takes too long. */
  advance(nowMono: number): boolean {
    if (nowMono >= this.#endsAtMono) return false
    if (this.#againAtMono === undefined || nowMono < this.#againAtMono) return true
    this.#againAtMono = undefined
    this.#tries += 1
    this.link = this.#links.dial('quorum', this.#addresses)
    return true
  }
}
