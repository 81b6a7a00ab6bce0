import type { LinkId, LinkPort, Links, PeerAddress } from '../../src/quorum/ports/links.ts'

interface FakeLink {
  sent: Buffer[]
  /** Of those, bytes that the peer has not taken yet. */
  waiting: number
  isClogged: boolean
  isPaused: boolean
  isClosed: boolean
}

interface Dialed {
  readonly link: LinkId
  readonly port: LinkPort
  readonly addresses: readonly PeerAddress[]
}

/** Links in memory: a peer takes everything at once, unless it is clogged. */
export class FakeLinks implements Links {
  readonly dialed: Dialed[] = []
  /** In the order in which they were. */
  readonly closed: LinkId[] = []
  readonly #links = new Map<LinkId, FakeLink>()
  #lastDialed = 0

  dial(port: LinkPort, addresses: readonly PeerAddress[]): LinkId {
    this.#lastDialed -= 1
    this.dialed.push({ link: this.#lastDialed, port, addresses })
    return this.#lastDialed
  }

  send(link: LinkId, bytes: Buffer): void {
    const fake = this.#of(link)
    if (fake.isClosed) throw new Error(`sent on link ${link}, which is closed`)
    fake.sent.push(bytes)
    if (fake.isClogged) fake.waiting += bytes.length
  }

  close(link: LinkId): void {
    const fake = this.#of(link)
    if (fake.isClosed) throw new Error(`link ${link} closed twice`)
    fake.isClosed = true
    this.closed.push(link)
  }

  pause(link: LinkId, paused: boolean): void {
    this.#of(link).isPaused = paused
  }

  waitingBytes(link: LinkId): number {
    return this.#of(link).waiting
  }

  // ---- what the test does

  /** The peer takes nothing from now on. */
  clog(link: LinkId): void {
    this.#of(link).isClogged = true
  }

  /** The peer takes all that waits for it, and goes on taking if `open`. */
  drain(link: LinkId, open = true): void {
    const fake = this.#of(link)
    fake.waiting = 0
    fake.isClogged = !open
  }

  /** The peer takes so many bytes of what waits for it. */
  takeSome(link: LinkId, bytes: number): void {
    const fake = this.#of(link)
    fake.waiting = Math.max(0, fake.waiting - bytes)
  }

  /** So many bytes wait for the peer, whatever was sent. */
  hold(link: LinkId, bytes: number): void {
    this.#of(link).waiting = bytes
  }

  /** The last link that was dialed to that host and port, `host:port`. */
  dialTo(address: string): LinkId | undefined {
    return this.dialed.findLast(({ addresses }) =>
      addresses.some(({ host, port }) => `${host}:${port}` === address),
    )?.link
  }

  isClosed(link: LinkId): boolean {
    return this.#of(link).isClosed
  }

  isPaused(link: LinkId): boolean {
    return this.#of(link).isPaused
  }

  /** All that was sent since the last call. */
  take(link: LinkId): Buffer {
    return Buffer.concat(this.takeParts(link))
  }

  /** As take, in hex. */
  taken(link: LinkId): string {
    return this.take(link).toString('hex')
  }

  /** As take, each send by itself. */
  takeParts(link: LinkId): Buffer[] {
    const fake = this.#of(link)
    const { sent } = fake
    fake.sent = []
    return sent
  }

  #of(link: LinkId): FakeLink {
    const known = this.#links.get(link)
    if (known !== undefined) return known
    const fake = { sent: [], waiting: 0, isClogged: false, isPaused: false, isClosed: false }
    this.#links.set(link, fake)
    return fake
  }
}
