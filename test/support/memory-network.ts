import type {
  LinkEvents,
  LinkId,
  LinkPort,
  Links,
  PeerAddress,
} from '../../src/quorum/ports/links.ts'
import { Chance } from '../sim/chance.ts'
import { EventHeap } from '../sim/event-heap.ts'
import { SimNetwork, type Socket, type SocketEvents } from '../sim/network.ts'

/** What stands behind the ports of a machine in this network. */
export interface NetworkPeer extends LinkEvents {
  advance(nowMono: number): void
}

/** How long things take, in milliseconds of simulated time. */
export interface NetworkTimes {
  /** One way. */
  readonly latencyMs: number
  /** How often every peer is called even when nothing happens. */
  readonly tickMs: number
}

const defaultTimes: NetworkTimes = { latencyMs: 1, tickMs: 50 }
/** Half of all deliveries end in the middle of what was sent. */
const CUT_SHARE = 0.5

export const ports: { readonly quorum: number; readonly election: number } = {
  quorum: 2888,
  election: 3888,
}
const portNames = ['quorum', 'election'] as const

export const addressOf = (sid: number, port: LinkPort): PeerAddress => ({
  host: hostOf(sid),
  port: ports[port],
})

const hostOf = (sid: number): string => `member-${sid}`
const sidOf = (host: string): string => host.replace('member-', '')

/**
 * The simulator's network, with members at their ports of Zab and a clock that only moves when the
 * test says so. The same seed gives the same run.
 */
export class MemoryNetwork {
  readonly times: NetworkTimes
  readonly #heap = new EventHeap()
  readonly #network: SimNetwork
  readonly #hosts = new Map<number, Host>()

  constructor(seed = 1, times: Partial<NetworkTimes> = {}) {
    this.times = { ...defaultTimes, ...times }
    this.#network = new SimNetwork(this.#heap, new Chance(seed, 'network'), {
      latencyMs: this.times.latencyMs,
      jitterMs: 0,
      cutShare: CUT_SHARE,
      windowBytes: 0,
    })
  }

  get now(): number {
    return this.#heap.now
  }

  /** Makes a machine known that is still off. */
  plug(sid: number): void {
    const host = this.#host(sid)
    if (!host.isUp) host.unlisten()
  }

  /** Puts a machine into the network, and switches it on. */
  add(sid: number, make: (links: Links) => NetworkPeer): void {
    const host = this.#host(sid)
    const peer = make(host)
    host.start(peer)
    this.#tick(host, peer)
  }

  /** The process is gone, and its machine tells the others so. */
  kill(sid: number): void {
    this.#host(sid).stop()
  }

  /** Its ports are closed; its connections are not. */
  stopListening(sid: number): void {
    this.#host(sid).unlisten()
  }

  isUp(sid: number): boolean {
    return this.#hosts.get(sid)?.isUp ?? false
  }

  /** Holds back what is sent from one to the other, until `heal`. */
  block(from: number, to: number): void {
    this.#network.setBlocked(hostOf(from), hostOf(to), true)
  }

  /** Cuts those off from all others, both ways. */
  isolate(sids: readonly number[]): void {
    for (const a of this.#hosts.keys())
      for (const b of sids)
        if (!sids.includes(a)) {
          this.block(a, b)
          this.block(b, a)
        }
  }

  heal(): void {
    this.#network.healAll()
  }

  /** Lets so much time pass. */
  run(ms: number): void {
    this.#heap.runUntil(this.now + ms)
  }

  /** Until the condition holds; false if it did not within so many milliseconds. */
  runUntil(isDone: () => boolean, msMax: number): boolean {
    const end = this.now + msMax
    while (!isDone()) {
      if (this.#heap.nextTime > end) {
        this.#heap.runUntil(end)
        return isDone()
      }
      this.#heap.step()
    }
    return true
  }

  /** Runs `fn` after so many milliseconds. */
  after(ms: number, fn: () => void): void {
    this.#heap.after(ms, fn)
  }

  /** Connects to a port as somebody from outside, who may say anything. */
  connect(to: number, port: LinkPort): RawConnection {
    return new RawConnection((events) => this.#network.dial('outsider', hostOf(to), port, events))
  }

  /** Who has dialed whom, sorted, of the connections that are open: `3>1` from 3 to 1. */
  openLinks(): readonly string[] {
    return this.#network
      .connections()
      .map(({ host, peerHost }) => `${sidOf(host)}>${sidOf(peerHost)}`)
      .sort()
  }

  #host(sid: number): Host {
    const found = this.#hosts.get(sid)
    if (found !== undefined) return found
    const host = new Host(hostOf(sid), this.#network)
    this.#hosts.set(sid, host)
    return host
  }

  #tick(host: Host, peer: NetworkPeer): void {
    this.after(this.times.tickMs, () => {
      if (!host.runs(peer)) return
      peer.advance(this.now)
      this.#tick(host, peer)
    })
  }
}

/** A machine, and the connections of the process that it runs. */
class Host implements Links {
  readonly #name: string
  readonly #network: SimNetwork
  readonly #sockets = new Map<LinkId, Socket>()
  #peer: NetworkPeer | undefined = undefined
  #lastAccepted = 0
  #lastDialed = 0

  constructor(name: string, network: SimNetwork) {
    this.#name = name
    this.#network = network
  }

  get isUp(): boolean {
    return this.#peer !== undefined
  }

  runs(peer: NetworkPeer): boolean {
    return this.#peer === peer
  }

  start(peer: NetworkPeer): void {
    this.#peer = peer
    for (const port of portNames)
      this.#network.listen(this.#name, port, (socket) => this.#onAccepted(socket, port))
  }

  stop(): void {
    this.#peer = undefined
    this.#sockets.clear()
    this.#network.dropHost(this.#name, true)
  }

  unlisten(): void {
    for (const port of portNames) {
      this.#network.listen(this.#name, port, () => {
        throw new Error('nobody listens')
      })
      this.#network.unlisten(this.#name, port)
    }
  }

  dial(port: LinkPort, addresses: readonly PeerAddress[]): LinkId {
    this.#lastDialed -= 1
    const link = this.#lastDialed
    const to = addresses.find((address) => address.port === ports[port])
    const socket = this.#network.dial(this.#name, to?.host ?? '', port, this.#eventsOf(link))
    this.#sockets.set(link, socket)
    return link
  }

  send(link: LinkId, bytes: Buffer): void {
    if (bytes.length > 0) this.#sockets.get(link)?.send(bytes)
  }

  close(link: LinkId): void {
    this.#sockets.get(link)?.close()
    this.#sockets.delete(link)
  }

  pause(link: LinkId, paused: boolean): void {
    this.#sockets.get(link)?.pause(paused)
  }

  waitingBytes(link: LinkId): number {
    return this.#sockets.get(link)?.waitingBytes ?? 0
  }

  #onAccepted(socket: Socket, port: LinkPort): SocketEvents {
    this.#lastAccepted += 1
    const link = this.#lastAccepted
    this.#sockets.set(link, socket)
    this.#tell(link, (peer) => peer.onLinkAccepted(link, port))
    return this.#eventsOf(link)
  }

  #eventsOf(link: LinkId): SocketEvents {
    return {
      onOpened: () => this.#tell(link, (peer) => peer.onLinkOpened(link)),
      onBytes: (bytes) => this.#tell(link, (peer) => peer.onLinkBytes(link, bytes)),
      onDrained: () => this.#tell(link, (peer) => peer.onLinkDrained(link)),
      onClosed: () =>
        this.#tell(link, (peer) => {
          this.#sockets.delete(link)
          peer.onLinkClosed(link)
        }),
    }
  }

  /** Of a link that was closed here nothing more is told. */
  #tell(link: LinkId, deliver: (peer: NetworkPeer) => void): void {
    if (this.#peer === undefined) return
    this.#peer.advance(this.#network.heap.now)
    if (this.#sockets.has(link)) deliver(this.#peer)
  }
}

/** A connection that no member of ours is behind. */
export class RawConnection {
  readonly received: Buffer[] = []
  isOpen = false
  isClosed = false
  readonly #socket: Socket

  constructor(dial: (events: SocketEvents) => Socket) {
    this.#socket = dial({
      onOpened: () => {
        this.isOpen = true
      },
      onBytes: (bytes) => {
        this.received.push(Buffer.from(bytes))
      },
      onDrained: () => {},
      onClosed: () => {
        this.isClosed = true
      },
    })
  }

  get bytes(): Buffer {
    return Buffer.concat(this.received)
  }

  send(bytes: Buffer): void {
    this.#socket.send(bytes)
  }

  close(): void {
    this.#socket.close()
  }
}
