import type { LinkId, LinkPort, PeerAddress } from '../../src/quorum/ports/links.ts'
import type { Member } from '../../src/server/member.ts'
import type { SimNetwork, Socket, SocketEvents } from './network.ts'
import type { ProcessEyes } from './process-eyes.ts'

const ports = ['quorum', 'election'] as const

/** The connections of one process to its peers, by link id. */
export class ProcessLinks {
  readonly #host: string
  readonly #network: SimNetwork
  readonly #enter: (deliver: (member: Member) => void) => void
  readonly #sockets = new Map<LinkId, Socket>()
  readonly #ports = new Map<LinkId, LinkPort>()
  readonly #eyes: ProcessEyes
  readonly #trace: (line: () => string) => void
  #lastAccepted = 0

  constructor(
    host: string,
    network: SimNetwork,
    enter: (deliver: (member: Member) => void) => void,
    eyes: ProcessEyes,
    trace: (line: () => string) => void,
  ) {
    this.#trace = trace
    this.#eyes = eyes
    this.#host = host
    this.#network = network
    this.#enter = enter
  }

  listen(): void {
    for (const port of ports)
      this.#network.listen(this.#host, port, (socket) => this.#onAccepted(socket, port))
  }

  #onAccepted(socket: Socket, port: LinkPort): SocketEvents {
    this.#lastAccepted += 1
    const link = this.#lastAccepted
    this.#sockets.set(link, socket)
    this.#ports.set(link, port)
    this.#trace(() => `${this.#host} accepts link ${link} of ${socket.peerHost}: ${port}`)
    this.#enter((member) => member.onLinkAccepted(link, port))
    return this.#eventsOf(link)
  }

  /** What was closed by us meanwhile is told nothing more, also when it stands still in between. */
  #eventsOf(link: LinkId): SocketEvents {
    const tell = (deliver: (member: Member) => void): void =>
      this.#enter((member) => {
        if (this.#sockets.has(link)) deliver(member)
      })
    return {
      onOpened: () => tell((member) => member.onLinkOpened(link)),
      onBytes: (bytes) =>
        tell((member) => {
          if (this.#ports.get(link) === 'quorum') this.#eyes.links.onBytes(link, bytes)
          member.onLinkBytes(link, bytes)
        }),
      onDrained: () => tell((member) => member.onLinkDrained(link)),
      onClosed: () =>
        tell((member) => {
          this.#forget(link)
          this.#trace(() => `${this.#host} loses link ${link}`)
          member.onLinkClosed(link)
        }),
    }
  }

  dial(link: LinkId, port: LinkPort, addresses: readonly PeerAddress[]): void {
    const host = addresses[0]?.host ?? ''
    this.#trace(() => `${this.#host} dials link ${link} to ${host}: ${port}`)
    this.#ports.set(link, port)
    this.#sockets.set(link, this.#network.dial(this.#host, host, port, this.#eventsOf(link)))
  }

  #forget(link: LinkId): void {
    this.#sockets.delete(link)
    this.#ports.delete(link)
    this.#eyes.onLinkGone(link)
  }

  write(link: LinkId, bytes: Buffer): number {
    this.#eyes.onLinkWrite(link, this.#ports.get(link), bytes)
    return this.#sockets.get(link)?.send(bytes) ?? 0
  }

  close(link: LinkId): void {
    this.#trace(() => `${this.#host} closes link ${link}`)
    this.#sockets.get(link)?.close()
    this.#forget(link)
  }

  /** Where the link goes. */
  peerOf(link: LinkId): string | undefined {
    return this.#sockets.get(link)?.peerHost
  }

  pause(link: LinkId, paused: boolean): void {
    this.#eyes.onLinkPaused(paused)
    this.#sockets.get(link)?.pause(paused)
  }
}
