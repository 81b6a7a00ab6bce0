import type { LinkId, LinkPort, Links, PeerAddress } from '../../quorum/ports/links.ts'

interface LinkDial {
  readonly link: LinkId
  readonly port: LinkPort
  readonly addresses: readonly PeerAddress[]
}

interface LinkWrite {
  readonly link: LinkId
  readonly bytes: Buffer
}

/**
 * What Zab wants done to connections, gathered until the end of the turn, so that all that one turn
 * says to a peer is one write. What waits for a slow peer is bounded by those who send: they look at
 * `waitingBytes` and cut it off.
 */
export class PeerLinks implements Links {
  #lastDialed = 0
  readonly #waiting = new Map<LinkId, number>()
  readonly #outgoing = new Map<LinkId, Buffer[]>()
  #dials: LinkDial[] = []
  #closes: LinkId[] = []
  #pauses: { readonly link: LinkId; readonly paused: boolean }[] = []

  dial(port: LinkPort, addresses: readonly PeerAddress[]): LinkId {
    this.#lastDialed -= 1
    this.#dials.push({ link: this.#lastDialed, port, addresses })
    return this.#lastDialed
  }

  send(link: LinkId, bytes: Buffer): void {
    const pieces = this.#outgoing.get(link)
    if (pieces === undefined) this.#outgoing.set(link, [bytes])
    else pieces.push(bytes)
    this.#waiting.set(link, this.waitingBytes(link) + bytes.length)
  }

  close(link: LinkId): void {
    this.#closes.push(link)
    this.#waiting.delete(link)
  }

  pause(link: LinkId, paused: boolean): void {
    this.#pauses.push({ link, paused })
  }

  waitingBytes(link: LinkId): number {
    return this.#waiting.get(link) ?? 0
  }

  takeDials(): readonly LinkDial[] {
    if (this.#dials.length === 0) return none
    const dials = this.#dials
    this.#dials = []
    return dials
  }

  takeWrites(): readonly LinkWrite[] {
    if (this.#outgoing.size === 0) return none
    const writes: LinkWrite[] = []
    for (const [link, pieces] of this.#outgoing) {
      const [only] = pieces
      if (only !== undefined && pieces.length === 1) writes.push({ link, bytes: only })
      else writes.push({ link, bytes: Buffer.concat(pieces) })
    }
    this.#outgoing.clear()
    return writes
  }

  takePauses(): readonly { readonly link: LinkId; readonly paused: boolean }[] {
    if (this.#pauses.length === 0) return none
    const pauses = this.#pauses
    this.#pauses = []
    return pauses
  }

  /** After the writes: what was said last shall still leave. */
  takeCloses(): readonly LinkId[] {
    if (this.#closes.length === 0) return none
    const closes = this.#closes
    this.#closes = []
    return closes
  }

  /** So many bytes wait in the socket. */
  onWritten(link: LinkId, waitingBytes: number): void {
    if (waitingBytes === 0) this.#waiting.delete(link)
    else this.#waiting.set(link, waitingBytes)
  }

  /** The link is gone, or has taken everything. */
  onNothingWaits(link: LinkId): void {
    if (!this.#outgoing.has(link)) this.#waiting.delete(link)
  }
}

const none: readonly never[] = []
