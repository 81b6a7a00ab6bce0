import type { LinkId, LinkPort, Links, PeerAddress } from '../../src/quorum/ports/links.ts'

/** Links that lead nowhere, and remember what was asked of them. */
export class RecordingLinks implements Links {
  readonly dials: { link: LinkId; port: LinkPort; addresses: readonly PeerAddress[] }[] = []
  readonly closed: LinkId[] = []
  /** What the peer has not taken, by link, as the test says. */
  readonly waiting: Map<LinkId, number> = new Map()
  readonly #sent = new Map<LinkId, Buffer[]>()

  dial(port: LinkPort, addresses: readonly PeerAddress[]): LinkId {
    const link = -1 - this.dials.length
    this.dials.push({ link, port, addresses })
    return link
  }

  send(link: LinkId, bytes: Buffer): void {
    const sent = this.#sent.get(link) ?? []
    sent.push(Buffer.from(bytes))
    this.#sent.set(link, sent)
  }

  close(link: LinkId): void {
    this.closed.push(link)
  }

  pause(): void {}

  waitingBytes(link: LinkId): number {
    return this.waiting.get(link) ?? 0
  }

  /** All that was sent on that link since it was last asked for, in hex. */
  taken(link: LinkId): string {
    const sent = this.#sent.get(link) ?? []
    this.#sent.delete(link)
    return Buffer.concat(sent).toString('hex')
  }

  /** The last link that was dialed to that host and port, `host:port`. */
  dialTo(address: string): LinkId | undefined {
    return this.dials.findLast(({ addresses }) =>
      addresses.some(({ host, port }) => `${host}:${port}` === address),
    )?.link
  }
}
