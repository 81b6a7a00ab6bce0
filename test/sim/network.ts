import type { Chance } from './chance.ts'
import type { EventHeap } from './event-heap.ts'

/** What happens to one end of a connection; the end that closes it is told nothing more. */
export interface SocketEvents {
  onOpened(): void
  /** `bytes` belong to the receiver. */
  onBytes(bytes: Buffer): void
  /** Ended by the peer, broken, or never opened. */
  onClosed(): void
  /** Nothing waits any more, after `send` had said that something does. */
  onDrained(): void
}

export type Accept = (socket: Socket) => SocketEvents

/** Of all that travels; milliseconds. */
export interface NetworkRates {
  readonly latencyMs: number
  /** Mean of what comes on top. */
  readonly jitterMs: number
  /** Share of deliveries that end in the middle of what was sent. */
  readonly cutShare: number
  /** What the system takes of a socket before `send` says that bytes wait. */
  readonly windowBytes: number
}

const DIAL_TIMEOUT_MS = 1500

type Item =
  | { readonly kind: 'bytes'; bytes: Buffer; due: number }
  | { readonly kind: 'open' | 'fin' | 'reset'; readonly due: number }

/**
 * Connections between hosts: ordered bytes, delivered in pieces that have nothing to do with those
 * that were sent, late, or never. A host is a name; what listens there is a process.
 */
export class SimNetwork {
  readonly heap: EventHeap
  readonly chance: Chance
  readonly rates: NetworkRates
  readonly #listeners = new Map<string, Map<string, Accept>>()
  readonly #blocked = new Set<string>()
  readonly #slow = new Map<string, number>()
  /** When a direction was last blocked or slow. */
  readonly #freedAt = new Map<string, number>()
  readonly #slowest = new Map<string, number>()
  readonly #stalled = new Map<string, number>()
  readonly #sockets = new Set<Socket>()
  /** Closed, with something under way that the system goes on to send. */
  readonly #lingering = new Set<Socket>()

  constructor(heap: EventHeap, chance: Chance, rates: NetworkRates) {
    this.heap = heap
    this.chance = chance
    this.rates = rates
  }

  listen(host: string, port: string, accept: Accept): void {
    const ports = this.#listeners.get(host) ?? new Map<string, Accept>()
    ports.set(port, accept)
    this.#listeners.set(host, ports)
  }

  unlisten(host: string, port: string): void {
    this.#listeners.get(host)?.delete(port)
  }

  /** `events` are told later, never within this call. */
  dial(from: string, to: string, port: string, events: SocketEvents): Socket {
    const socket = new Socket(this, from, to, events)
    const far = new Socket(this, to, from, undefined)
    socket.peer = far
    far.peer = socket
    this.#sockets.add(socket)
    this.heap.after(this.latency(from, to), () => this.#onSyn(socket, far, port))
    // Whatever became of it on the way: nobody waits longer for a connection.
    this.heap.after(DIAL_TIMEOUT_MS, () => {
      if (!socket.isOpen) socket.die()
    })
    return socket
  }

  #onSyn(socket: Socket, far: Socket, port: string): void {
    if (!socket.isAlive) return
    const { host: from } = socket
    const { host: to } = far
    const stalledUntil = this.stalledUntil(to)
    if (stalledUntil > this.heap.now)
      return this.heap.at(stalledUntil, () => this.#onSyn(socket, far, port))
    const ports = this.#listeners.get(to)
    if (this.isBlocked(from, to) || this.isBlocked(to, from) || ports === undefined) return
    const accept = ports.get(port)
    if (accept === undefined) {
      this.heap.after(this.latency(to, from), () => socket.die())
      return
    }
    this.#sockets.add(far)
    far.isOpen = true
    far.push({ kind: 'open', due: this.due(to, from) })
    far.handler = accept(far)
    far.peer.pump()
  }

  /** The process there ends. Told: its system closes the connections; else nobody hears of it. */
  dropHost(host: string, isTold: boolean): void {
    if (isTold) this.#listeners.set(host, new Map())
    else this.#listeners.delete(host)
    for (const socket of [...this.#sockets]) {
      if (socket.host !== host) continue
      if (isTold) socket.close()
      else socket.vanish()
    }
  }

  hasListeners(host: string): boolean {
    return this.#listeners.has(host)
  }

  isBlocked(from: string, to: string): boolean {
    return this.#blocked.has(`${from}>${to}`)
  }

  /** One way. What is under way waits, as TCP would send it again and again. */
  setBlocked(from: string, to: string, blocked: boolean): void {
    const key = `${from}>${to}`
    if (blocked) this.#blocked.add(key)
    else if (this.#blocked.delete(key)) {
      this.#freedAt.set(key, this.heap.now)
      this.#pumpFrom(from)
    }
  }

  heal(from: string, to: string): void {
    this.setSlow(from, to, 0)
    this.setBlocked(from, to, false)
  }

  healAll(): void {
    for (const key of [...this.#blocked, ...this.#slow.keys()])
      this.#freedAt.set(key, this.heap.now)
    this.#blocked.clear()
    this.#slow.clear()
    for (const socket of [...this.#sockets, ...this.#lingering]) socket.pump()
  }

  /** Everything from one to the other takes so much longer; 0: no longer. */
  setSlow(from: string, to: string, extraMs: number): void {
    const key = `${from}>${to}`
    if (extraMs > 0) {
      this.#slow.set(key, extraMs)
      this.#slowest.set(key, Math.max(extraMs, this.slowest(from, to)))
    }
    if (extraMs <= 0 && this.#slow.delete(key)) this.#freedAt.set(key, this.heap.now)
  }

  /** How much longer anything has ever taken from one to the other, in ms. */
  slowest(from: string, to: string): number {
    return this.#slowest.get(`${from}>${to}`) ?? 0
  }

  /** Neither blocked nor slow since then, in simulated ms; undefined: it is so now. */
  freeSince(from: string, to: string): number | undefined {
    const key = `${from}>${to}`
    if (this.#blocked.has(key) || this.#slow.has(key)) return undefined
    return this.#freedAt.get(key) ?? 0
  }

  /** Nothing is delivered there before that time. */
  stall(host: string, until: number): void {
    this.#stalled.set(host, Math.max(until, this.stalledUntil(host)))
  }

  stalledUntil(host: string): number {
    return this.#stalled.get(host) ?? 0
  }

  /** Both ends of open connections, each connection once. */
  connections(): readonly Socket[] {
    return [...this.#sockets].filter((socket) => socket.isOpen && socket.isDialer)
  }

  /** What has come to that host by now, and nobody there has read. */
  *unreadAt(host: string): IterableIterator<{ from: string; bytes: Buffer; since: number }> {
    for (const socket of this.#sockets)
      if (socket.peerHost === host && !this.isBlocked(socket.host, host)) yield* socket.arrived()
  }

  forget(socket: Socket): void {
    this.#sockets.delete(socket)
  }

  /** A closed socket: is anything of it still under way? */
  linger(socket: Socket, isUnderWay: boolean): void {
    if (isUnderWay) this.#lingering.add(socket)
    else this.#lingering.delete(socket)
  }

  latency(from: string, to: string): number {
    const { latencyMs, jitterMs } = this.rates
    const extra = this.#slow.get(`${from}>${to}`) ?? 0
    return latencyMs + this.chance.exponential(jitterMs) + extra
  }

  due(from: string, to: string): number {
    return this.heap.now + this.latency(from, to)
  }

  #pumpFrom(host: string): void {
    for (const socket of [...this.#sockets, ...this.#lingering])
      if (socket.host === host) socket.pump()
  }
}

/** One end. What it has sent and the other has not received is kept here. */
export class Socket {
  readonly host: string
  readonly peerHost: string
  readonly isDialer: boolean
  handler: SocketEvents | undefined
  isOpen = false
  isAlive = true
  readonly #network: SimNetwork
  readonly #items: Item[] = []
  #peer: Socket | undefined
  #pendingBytes = 0
  #isTold = false
  #isPaused = false
  #nextPump = Infinity

  constructor(
    network: SimNetwork,
    host: string,
    peerHost: string,
    handler: SocketEvents | undefined,
  ) {
    this.#network = network
    this.host = host
    this.peerHost = peerHost
    this.handler = handler
    this.isDialer = handler !== undefined
  }

  get peer(): Socket {
    if (this.#peer === undefined) throw new Error('a socket without a peer')
    return this.#peer
  }

  set peer(peer: Socket) {
    this.#peer = peer
  }

  /** Bytes that were sent and have not been delivered, above what the system takes of a socket. */
  get waitingBytes(): number {
    return Math.max(0, this.#pendingBytes - this.#network.rates.windowBytes)
  }

  /** Bytes that wait here. The bytes are copied. */
  send(bytes: Buffer): number {
    if (!this.isAlive) return 0
    this.push({ kind: 'bytes', bytes: Buffer.from(bytes), due: this.#due() })
    this.#pendingBytes += bytes.length
    if (this.waitingBytes > 0) this.#isTold = true
    return this.waitingBytes
  }

  /** After what was sent. */
  close(): void {
    if (!this.isAlive) return
    this.#end()
    this.#network.linger(this, true)
    this.push({ kind: 'fin', due: this.#due() })
  }

  /** Breaks it, and with it what is under way: this end hears of it, and the other one, if told. */
  reset(isPeerTold: boolean): void {
    const { handler, isAlive } = this
    this.#end()
    this.#items.length = 0
    if (isPeerTold) this.push({ kind: 'reset', due: this.#due() })
    if (isAlive) handler?.onClosed()
  }

  /** Gone without a word. */
  vanish(): void {
    this.#end()
    this.#items.length = 0
  }

  /** It could not be opened. */
  die(): void {
    if (!this.isAlive) return
    const { handler } = this
    this.#end()
    handler?.onClosed()
  }

  /** While true nothing is received; what was sent waits at the peer. */
  pause(paused: boolean): void {
    this.#isPaused = paused
    if (!paused) this.peer.pump()
  }

  #end(): void {
    this.isAlive = false
    this.isOpen = false
    this.handler = undefined
    this.#network.forget(this)
  }

  #due(): number {
    const last = this.#items.at(-1)?.due ?? 0
    return Math.max(last, this.#network.due(this.host, this.peerHost))
  }

  push(item: Item): void {
    this.#items.push(item)
    if (this.#items.length === 1) this.#pumpAt(item.due)
  }

  #pumpAt(time: number): void {
    if (time >= this.#nextPump) return
    this.#nextPump = time
    this.#network.heap.at(time, () => {
      if (this.#nextPump !== time) return
      this.#nextPump = Infinity
      this.pump()
    })
  }

  /** Delivers what is due, if anything can be delivered now. */
  pump(): void {
    const head = this.#items[0]
    if (head === undefined || this.#network.isBlocked(this.host, this.peerHost)) return
    const { now } = this.#network.heap
    const time = Math.max(head.due, this.#network.stalledUntil(this.peerHost))
    if (time > now) return this.#pumpAt(time)
    const { peer } = this
    if (!peer.isAlive) return this.#meetDead()
    if (head.kind === 'bytes') {
      // The opener has no ear before it has heard that it is open, and the order must stay.
      if (peer.#isPaused || !peer.isOpen) return
      this.#deliver(peer)
    } else {
      this.#items.shift()
      if (head.kind === 'open') {
        peer.isOpen = true
        peer.handler?.onOpened()
        peer.pump()
      } else peer.die()
    }
    this.#goOn()
  }

  #deliver(peer: Socket): void {
    const { heap, chance, rates } = this.#network
    const parts: Buffer[] = []
    for (let next = this.#items[0]; next?.kind === 'bytes'; next = this.#items[0]) {
      if (next.due > heap.now) break
      if (chance.chance(rates.cutShare) && next.bytes.length > 1) {
        const at = 1 + chance.below(next.bytes.length - 1)
        parts.push(next.bytes.subarray(0, at))
        next.bytes = next.bytes.subarray(at)
        next.due = this.#network.due(this.host, this.peerHost)
        break
      }
      parts.push(next.bytes)
      this.#items.shift()
    }
    const [only] = parts
    const bytes = parts.length === 1 && only !== undefined ? only : Buffer.concat(parts)
    this.#pendingBytes -= bytes.length
    if (this.#isTold && this.#pendingBytes <= rates.windowBytes) {
      this.#isTold = false
      heap.after(0, () => this.handler?.onDrained())
    }
    if (bytes.length > 0) peer.handler?.onBytes(bytes)
  }

  /** What waits at the peer, since it does not read. */
  *arrived(): IterableIterator<{ from: string; bytes: Buffer; since: number }> {
    if (!this.peer.isAlive) return
    for (const item of this.#items) {
      if (item.kind !== 'bytes' || item.due > this.#network.heap.now) return
      yield { from: this.host, bytes: item.bytes, since: item.due }
    }
  }

  #goOn(): void {
    const next = this.#items[0]
    if (next === undefined) this.#network.linger(this, false)
    if (next !== undefined) this.#pumpAt(Math.max(next.due, this.#network.heap.now))
  }

  /** The system there knows nothing of this connection, and says so, if it runs at all. */
  #meetDead(): void {
    this.#items.length = 0
    this.#network.linger(this, false)
    if (!this.isAlive || !this.#network.hasListeners(this.peerHost)) return
    const { heap } = this.#network
    heap.after(this.#network.latency(this.peerHost, this.host), () => {
      if (!this.#network.isBlocked(this.peerHost, this.host)) this.die()
    })
  }
}
