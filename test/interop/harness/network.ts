import { connect, createServer, type Server, type Socket } from 'node:net'
import { freePorts } from '../../support/ports.ts'
import { OpeningRewriter, type Sync, SyncWatcher } from './quorum-bytes.ts'

/** How a connection dies that a partition cuts: held until it heals, or reset at once. */
export type Cut = 'held' | 'reset'

export type Port = 'quorum' | 'election'

/** What the network must know of a member. */
export interface Endpoint {
  readonly sid: number
  readonly quorumPort: number
  readonly electionPort: number
}

const DIAL_MS = 1000
const DIAL_AGAIN_MS = 20

interface Wire {
  readonly from: number
  readonly to: number
  readonly near: Socket
  far: Socket | undefined
}

/**
 * The network between the members of an ensemble: one proxy for each ordered pair and port. Each
 * member is configured with the proxies as its peers' addresses, and with its own true address.
 */
export class Network {
  /** In the order in which they were seen. */
  readonly syncs: Sync[] = []
  readonly #servers: Server[] = []
  readonly #ports: Map<string, number> = new Map()
  readonly #wires: Set<Wire> = new Set()
  /** `from>to`: bytes of that direction do not pass. */
  readonly #cut: Map<string, Cut> = new Map()

  static async create(endpoints: readonly Endpoint[]): Promise<Network> {
    const network = new Network()
    const count = endpoints.length * (endpoints.length - 1) * 2
    let port = await freePorts(count)
    for (const from of endpoints)
      for (const to of endpoints) {
        if (from === to) continue
        for (const name of ['quorum', 'election'] as const) {
          network.#ports.set(`${from.sid}>${to.sid} ${name}`, port)
          await network.#listen(from, to, name, port)
          port += 1
        }
      }
    return network
  }

  /** Where `from` finds that port of `to`. */
  port(from: number, to: number, name: Port): number {
    return this.#ports.get(`${from}>${to} ${name}`) ?? 0
  }

  /** Nothing passes between the groups any more; members of no group are alone. */
  partition(groups: readonly (readonly number[])[], cut: Cut = 'held'): void {
    const groupOf = (sid: number): number => groups.findIndex((group) => group.includes(sid))
    for (const [from, to] of this.#pairs()) {
      const isTogether = groupOf(from) === groupOf(to) && groupOf(from) >= 0
      if (isTogether) this.#cut.delete(`${from}>${to}`)
      else this.#cut.set(`${from}>${to}`, cut)
    }
    this.#enforce()
  }

  /** Nothing passes from `from` to `to`; the other way it does. */
  cutOneWay(from: number, to: number, cut: Cut = 'held'): void {
    this.#cut.set(`${from}>${to}`, cut)
    this.#enforce()
  }

  /** What was held is delivered. */
  heal(): void {
    this.#cut.clear()
    this.#enforce()
  }

  /** Forgets what was held instead: the connections end. */
  dropHeld(): void {
    for (const wire of this.#wires)
      if (this.#cutOf(wire.from, wire.to) !== undefined) this.#destroy(wire)
  }

  async close(): Promise<void> {
    for (const wire of this.#wires) this.#destroy(wire)
    await Promise.all(
      this.#servers.map((server) => new Promise((resolve) => server.close(resolve))),
    )
  }

  #pairs(): [number, number][] {
    const names = [...this.#ports.keys()].filter((key) => key.endsWith(' quorum'))
    return names.map((key) => {
      const [from = '', to = ''] = key.replace(' quorum', '').split('>')
      return [Number(from), Number(to)]
    })
  }

  /** Of a connection: a TCP connection does not live with one direction reset. */
  #cutOf(from: number, to: number): Cut | undefined {
    return this.#cut.get(`${from}>${to}`) ?? this.#cut.get(`${to}>${from}`)
  }

  async #listen(from: Endpoint, to: Endpoint, name: Port, port: number): Promise<void> {
    const target = name === 'quorum' ? to.quorumPort : to.electionPort
    const server = createServer({ noDelay: true, pauseOnConnect: true }, (near) => {
      const wire: Wire = { from: from.sid, to: to.sid, near, far: undefined }
      this.#wires.add(wire)
      near.on('error', () => this.#destroy(wire))
      near.on('close', () => this.#onHalfClosed(wire, wire.far))
      near.once('dial', () => this.#dial(wire, name, target))
      this.#enforceOn(wire)
    })
    this.#servers.push(server)
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '127.0.0.1', resolve)
    })
  }

  /**
   * A proxy has accepted before it knows whether the target does: a learner whose leader does not
   * listen yet would find itself connected and then dropped, and not try again. So the proxy tries.
   */
  #dial(wire: Wire, name: Port, target: number, deadline = performance.now() + DIAL_MS): void {
    if (wire.near.destroyed) return
    const far = connect({ port: target, host: '127.0.0.1', noDelay: true })
    far.once('error', () => {
      if (performance.now() > deadline) this.#destroy(wire)
      else setTimeout(() => this.#dial(wire, name, target, deadline), DIAL_AGAIN_MS)
    })
    far.once('connect', () => {
      far.removeAllListeners('error')
      if (wire.near.destroyed) far.destroy()
      else this.#join(wire, name, far)
    })
  }

  #join(wire: Wire, name: Port, far: Socket): void {
    wire.far = far
    const { near, from, to } = wire
    far.on('error', () => this.#destroy(wire))
    far.on('close', () => this.#onHalfClosed(wire, near))
    if (name === 'election') {
      // Who answers to the address in the opening message would go round the proxy.
      const opening = new OpeningRewriter(`127.0.0.1:${this.port(to, from, 'election')}`)
      near.on('data', (chunk: Buffer) => far.write(opening.push(chunk)))
      far.on('data', (chunk: Buffer) => near.write(chunk))
    } else {
      const watcher = new SyncWatcher((mode) =>
        this.syncs.push({ leader: to, learner: from, mode }),
      )
      near.on('data', (chunk: Buffer) => far.write(chunk))
      far.on('data', (chunk: Buffer) => {
        watcher.push(chunk)
        near.write(chunk)
      })
    }
    this.#enforceOn(wire)
  }

  #enforce(): void {
    for (const wire of this.#wires) this.#enforceOn(wire)
  }

  #enforceOn(wire: Wire): void {
    const { from, to, near, far } = wire
    const cut = this.#cutOf(from, to)
    if (cut === 'reset') return this.#destroy(wire)
    // Without both directions there is no handshake, so nothing is dialed.
    if (far === undefined && cut === undefined) near.emit('dial')
    if (far === undefined) return
    if (this.#cut.has(`${from}>${to}`)) near.pause()
    else near.resume()
    if (this.#cut.has(`${to}>${from}`)) far.pause()
    else far.resume()
  }

  /** One side is gone; the other still gets what was on its way. */
  #onHalfClosed(wire: Wire, other: Socket | undefined): void {
    if (other === undefined || other.destroyed) this.#wires.delete(wire)
    else other.end()
  }

  #destroy(wire: Wire): void {
    this.#wires.delete(wire)
    wire.near.destroy()
    wire.far?.destroy()
  }
}
