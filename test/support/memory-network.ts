import { Prng } from '../../src/base/prng.ts'
import type {
  LinkEvents,
  LinkId,
  LinkPort,
  Links,
  PeerAddress,
} from '../../src/quorum/ports/links.ts'

/** What stands behind the ports of a machine in this network. */
export interface NetworkPeer extends LinkEvents {
  advance(nowMono: number): void
}

/** How long things take, in milliseconds of simulated time. */
export interface NetworkTimes {
  /** One way. */
  readonly latencyMs: number
  /** How long a connection to one who does not answer is tried. */
  readonly cnxTimeoutMs: number
  /** How often every peer is called even when nothing happens. */
  readonly tickMs: number
}

const defaultTimes: NetworkTimes = { latencyMs: 1, cnxTimeoutMs: 5000, tickMs: 50 }

export const ports: { readonly quorum: number; readonly election: number } = {
  quorum: 2888,
  election: 3888,
}

export const addressOf = (sid: number, port: LinkPort): PeerAddress => ({
  host: `member-${sid}`,
  port: ports[port],
})

/** One end of a connection. */
interface End {
  readonly host: Host
  readonly id: LinkId
  peer: End | undefined
  isOpen: boolean
  isPaused: boolean
  /** Bytes on their way to this end, and what arrived while it was paused or cut off. */
  readonly inbox: (Buffer | 'end')[]
  waitingBytes: number
}

interface Host {
  readonly sid: number
  peer: NetworkPeer | undefined
  isListening: boolean
  readonly ends: Map<LinkId, End>
  nextAccepted: LinkId
  nextDialed: LinkId
}

interface Due {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

/**
 * Connections between members in one process, under a clock that only moves when the test says so:
 * ordered bytes, cut at random places, that arrive after a while, or later if the way is blocked.
 * The same seed gives the same run.
 */
export class MemoryNetwork {
  now = 0
  readonly times: NetworkTimes
  readonly #prng: Prng
  readonly #hosts = new Map<number, Host>()
  /** `from>to`: what is sent there waits, as in TCP, until the way is free again. */
  readonly #blocked = new Set<string>()
  #due: Due[] = []
  #order = 0

  constructor(seed = 1, times: Partial<NetworkTimes> = {}) {
    this.#prng = new Prng(seed)
    this.times = { ...defaultTimes, ...times }
  }

  /** Makes a machine known that is still off. */
  plug(sid: number): void {
    if (!this.#hosts.has(sid)) this.#newHost(sid)
  }

  /** Puts a machine into the network, and switches it on. */
  add(sid: number, make: (links: Links) => NetworkPeer): void {
    const host = this.#hosts.get(sid) ?? this.#newHost(sid)
    host.peer = make(this.#linksOf(host))
    host.isListening = true
    this.#tick(host, host.peer)
  }

  /** The process is gone, and its machine tells the others so. */
  kill(sid: number): void {
    const host = this.#host(sid)
    host.peer = undefined
    for (const end of [...host.ends.values()]) this.#closeEnd(end)
  }

  /** Its ports are closed; its connections are not. */
  stopListening(sid: number): void {
    this.#host(sid).isListening = false
  }

  isUp(sid: number): boolean {
    return this.#hosts.get(sid)?.peer !== undefined
  }

  /** Holds back what is sent from one to the other, until `heal`. */
  block(from: number, to: number): void {
    this.#blocked.add(`${from}>${to}`)
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
    this.#blocked.clear()
    for (const host of this.#hosts.values()) for (const end of host.ends.values()) this.#poke(end)
  }

  /** Lets so much time pass. */
  run(ms: number): void {
    this.runUntil(() => false, ms)
  }

  /** Until the condition holds; false if it did not within so many milliseconds. */
  runUntil(isDone: () => boolean, msMax: number): boolean {
    const end = this.now + msMax
    for (;;) {
      if (isDone()) return true
      const next = this.#takeDue(end)
      if (next === undefined) {
        this.now = end
        return isDone()
      }
      this.now = next.at
      next.run()
    }
  }

  /** Runs `fn` after so many milliseconds. */
  after(ms: number, fn: () => void): void {
    this.#due.push({ at: this.now + ms, order: this.#order, run: fn })
    this.#order += 1
  }

  /** Connects to a port as somebody from outside, who may say anything. */
  connect(to: number, port: LinkPort): RawConnection {
    const outsider = this.#newHost(-1 - this.#hosts.size)
    const connection = new RawConnection()
    outsider.peer = connection
    const links = this.#linksOf(outsider)
    const id = links.dial(port, [addressOf(to, port)])
    connection.attach(
      (bytes) => links.send(id, bytes),
      () => links.close(id),
    )
    return connection
  }

  /** Who has dialed whom, sorted, of the connections that are open: `3>1` from 3 to 1. */
  openLinks(): readonly string[] {
    const open: string[] = []
    for (const host of this.#hosts.values())
      for (const end of host.ends.values())
        if (end.isOpen && end.id < 0 && end.peer !== undefined)
          open.push(`${host.sid}>${end.peer.host.sid}`)
    return open.sort()
  }

  #takeDue(end: number): Due | undefined {
    let best = -1
    for (const [i, due] of this.#due.entries()) {
      const first = this.#due[best]
      if (due.at <= end && (first === undefined || isBefore(due, first))) best = i
    }
    return best < 0 ? undefined : this.#due.splice(best, 1)[0]
  }

  #newHost(sid: number): Host {
    const host: Host = {
      sid,
      peer: undefined,
      isListening: false,
      ends: new Map(),
      nextAccepted: 1,
      nextDialed: -1,
    }
    this.#hosts.set(sid, host)
    return host
  }

  #host(sid: number): Host {
    const host = this.#hosts.get(sid)
    if (host === undefined) throw new Error(`no host ${sid}`)
    return host
  }

  #tick(host: Host, peer: NetworkPeer): void {
    this.after(this.times.tickMs, () => {
      if (host.peer !== peer) return
      peer.advance(this.now)
      this.#tick(host, peer)
    })
  }

  #linksOf(host: Host): Links {
    return {
      dial: (port, addresses) => this.#dial(host, port, addresses),
      send: (link, bytes) => this.#send(host, link, bytes),
      close: (link) => {
        const end = host.ends.get(link)
        if (end !== undefined) this.#closeEnd(end)
      },
      pause: (link, paused) => {
        const end = host.ends.get(link)
        if (end === undefined) return
        end.isPaused = paused
        this.#poke(end)
      },
      waitingBytes: (link) => host.ends.get(link)?.waitingBytes ?? 0,
    }
  }

  #newEnd(host: Host, id: LinkId): End {
    const end: End = {
      host,
      id,
      peer: undefined,
      isOpen: false,
      isPaused: false,
      inbox: [],
      waitingBytes: 0,
    }
    host.ends.set(id, end)
    return end
  }

  #dial(host: Host, port: LinkPort, addresses: readonly PeerAddress[]): LinkId {
    const end = this.#newEnd(host, host.nextDialed)
    host.nextDialed -= 1
    const targets = addresses.map((address) => this.#listener(address, port))
    const target = targets.find((found) => found !== undefined)
    const isBlocked = (): boolean =>
      target !== undefined &&
      (this.#isBlocked(host.sid, target.sid) || this.#isBlocked(target.sid, host.sid))
    const wait = isBlocked() ? this.times.cnxTimeoutMs : this.times.latencyMs * 2
    this.after(wait, () => {
      if (!host.ends.has(end.id)) return
      const listener = target?.peer
      if (!target?.isListening || listener === undefined || isBlocked()) {
        this.#tell(end, 'closed')
        return
      }
      const accepted = this.#newEnd(target, target.nextAccepted)
      target.nextAccepted += 1
      end.peer = accepted
      accepted.peer = end
      accepted.isOpen = true
      end.isOpen = true
      listener.advance(this.now)
      listener.onLinkAccepted(accepted.id, port)
      this.#tell(end, 'opened')
    })
    return end.id
  }

  #listener(address: PeerAddress, port: LinkPort): Host | undefined {
    const sid = Number(/^member-([0-9]+)$/.exec(address.host)?.[1])
    return address.port === ports[port] ? this.#hosts.get(sid) : undefined
  }

  #isBlocked(from: number, to: number): boolean {
    return this.#blocked.has(`${from}>${to}`)
  }

  #send(host: Host, link: LinkId, bytes: Buffer): void {
    const end = host.ends.get(link)
    const peer = end?.peer
    if (end === undefined || peer === undefined || bytes.length === 0) return
    end.waitingBytes += bytes.length
    const cut = this.#prng.below(bytes.length)
    for (const part of [bytes.subarray(0, cut), bytes.subarray(cut)])
      if (part.length > 0) this.#pass(peer, Buffer.from(part))
  }

  #pass(to: End, item: Buffer | 'end'): void {
    this.after(this.times.latencyMs, () => {
      to.inbox.push(item)
      this.#poke(to)
    })
  }

  /** Delivers what has arrived, if it may be read. */
  #poke(end: End): void {
    const from = end.peer
    while (end.inbox.length > 0 && end.isOpen && !end.isPaused) {
      if (from !== undefined && this.#isBlocked(from.host.sid, end.host.sid)) return
      const item = end.inbox.shift()
      if (item === undefined) return
      if (item === 'end') {
        this.#tell(end, 'closed')
        return
      }
      const peer = end.host.peer
      if (peer === undefined) return
      peer.advance(this.now)
      if (end.isOpen) peer.onLinkBytes(end.id, item)
      if (from !== undefined) this.#onTaken(from, item.length)
    }
  }

  #onTaken(end: End, bytes: number): void {
    end.waitingBytes -= bytes
    const peer = end.host.peer
    if (end.waitingBytes > 0 || !end.isOpen || peer === undefined) return
    peer.advance(this.now)
    if (end.isOpen) peer.onLinkDrained(end.id)
  }

  #tell(end: End, what: 'opened' | 'closed'): void {
    const peer = end.host.peer
    if (what === 'closed') {
      end.isOpen = false
      end.host.ends.delete(end.id)
    }
    if (peer === undefined) return
    peer.advance(this.now)
    if (what === 'opened') {
      if (end.isOpen) peer.onLinkOpened(end.id)
    } else peer.onLinkClosed(end.id)
  }

  /** Closed by its own side, which is told nothing any more. */
  #closeEnd(end: End): void {
    end.host.ends.delete(end.id)
    const wasOpen = end.isOpen
    end.isOpen = false
    if (wasOpen && end.peer !== undefined) this.#pass(end.peer, 'end')
  }
}

const isBefore = (a: Due, b: Due): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)

/** A connection that no member of ours is behind. */
export class RawConnection implements NetworkPeer {
  readonly received: Buffer[] = []
  isOpen = false
  isClosed = false
  #send: (bytes: Buffer) => void = () => {}
  #close: () => void = () => {}

  attach(send: (bytes: Buffer) => void, close: () => void): void {
    this.#send = send
    this.#close = close
  }

  get bytes(): Buffer {
    return Buffer.concat(this.received)
  }

  send(bytes: Buffer): void {
    this.#send(bytes)
  }

  close(): void {
    this.#close()
  }

  advance(): void {}
  onLinkAccepted(): void {}
  onLinkDrained(): void {}

  onLinkOpened(): void {
    this.isOpen = true
  }

  onLinkBytes(_link: LinkId, bytes: Buffer): void {
    this.received.push(Buffer.from(bytes))
  }

  onLinkClosed(): void {
    this.isClosed = true
  }
}
