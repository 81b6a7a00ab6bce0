import type { Limits } from '../../src/base/limits.ts'
import type { DiskReader } from '../../src/persistence/disk.ts'
import type { EnsembleMember } from '../../src/quorum/membership/configuration.ts'
import { Membership } from '../../src/quorum/membership/membership.ts'
import { MajorityQuorum } from '../../src/quorum/membership/quorum-verifier.ts'
import type { LinkId, LinkPort, PeerAddress } from '../../src/quorum/ports/links.ts'
import type { QuorumSettings } from '../../src/quorum/role/quorum-settings.ts'
import { type MemoryEnsemblePorts, MemoryServer } from './memory-server.ts'

const TICK_MS = 2000
/** More than any election takes. */
const ELECTION_MS_MAX = 20_000

const nothingOnDisk: DiskReader = {
  listLogs: () => [],
  listSnapshots: () => [],
  listReceived: () => [],
  readLog: () => Buffer.alloc(0),
  readSnapshot: () => Buffer.alloc(0),
  gunzip: () => 'there is nothing',
}

/** One end of a link, and where the other one is. */
interface End {
  readonly sid: number
  readonly link: LinkId
  readonly port: LinkPort
  readonly peer: { readonly sid: number; readonly link: LinkId }
}

/** What one member tells another: bytes that are whole packets, unless a SNAP is among them. */
export interface Said {
  readonly from: number
  readonly to: number
  readonly port: LinkPort
  readonly bytes: Buffer
  /** Says something to `to` in the name of `from`, past the tap. */
  forward(bytes: Buffer): void
  /** Says something to `from` in the name of `to`. */
  reply(bytes: Buffer): void
}

const portNumbers = { quorum: 2888, election: 3888 } as const

const memberOf = (sid: number): EnsembleMember => ({
  sid,
  role: 'participant',
  quorumAddresses: [{ host: String(sid), port: portNumbers.quorum }],
  electionAddresses: [{ host: String(sid), port: portNumbers.election }],
})

/**
 * Several members in one process, with a network that never loses and never waits. For the stories of
 * the server; what a network can do to Zab is the simulator's business.
 */
export class MemoryEnsemble {
  readonly servers: Map<number, MemoryServer> = new Map()
  readonly #ends = new Map<string, End>()
  readonly #events: (() => void)[] = []
  readonly #settings: Readonly<Record<string, string>>
  readonly #limits: Partial<Limits>
  readonly #sids: readonly number[]
  /** The member that stands still, and what it has been sent meanwhile. */
  #still: number | undefined = undefined
  readonly #unread: (() => void)[] = []
  #lastAccepted = 0
  #isSettling = false
  /** Sees all that is said, and decides what is heard of it. */
  tap: ((said: Said) => Buffer) | undefined = undefined

  constructor(
    sids: readonly number[],
    settings: Readonly<Record<string, string>> = {},
    limits: Partial<Limits> = {},
  ) {
    this.#sids = sids
    this.#settings = settings
    this.#limits = limits
    for (const sid of sids) this.servers.set(sid, this.#makeServer(sid))
    for (const server of this.servers.values()) server.loop.enter((member) => member.start())
    this.settle()
  }

  #makeServer(sid: number): MemoryServer {
    const members = new Map(this.#sids.map((id) => [id, memberOf(id)]))
    const membership = new Membership(sid, {
      members,
      verifier: new MajorityQuorum(this.#sids),
      text: `${this.#sids.map((id) => `server.${id}=${id}:2888:3888:participant`).join('\n')}\nversion=0`,
      version: 0,
    })
    const settings: QuorumSettings = {
      tickTimeMs: TICK_MS,
      initLimitMs: 10 * TICK_MS,
      syncLimitMs: 5 * TICK_MS,
      connectToLeaderLimitMs: 10 * TICK_MS,
      notificationIntervalMsMin: 200,
      notificationIntervalMsMax: 60_000,
      finalizeWaitMs: 200,
      snapshotSizeFactor: 0.33,
      forceSnapshotSync: false,
      concurrentSnapSyncsMax: 10,
      concurrentDiffSyncsMax: 100,
      observerLogs: true,
    }
    const ports: MemoryEnsemblePorts = {
      membership,
      settings,
      epochs: { accepted: 0, current: 0 },
      disk: nothingOnDisk,
      settle: () => this.settle(),
      links: {
        dialLink: (link, port, addresses) => this.#dial(sid, link, port, addresses),
        writeLink: (link, bytes) => {
          this.#say(sid, link, this.#tapped(sid, link, Buffer.from(bytes)))
          return 0
        },
        closeLink: (link) => this.#close(sid, link),
        pauseLink: () => {},
      },
    }
    return new MemoryServer({ settings: this.#settings, limits: this.#limits, ensemble: ports })
  }

  #say(sid: number, link: LinkId, bytes: Buffer): void {
    if (bytes.length === 0) return
    this.#tellPeer(sid, link, (server, id) =>
      server.loop.enter((member) => member.onLinkBytes(id, bytes)),
    )
  }

  #tapped(from: number, link: LinkId, bytes: Buffer): Buffer {
    const end = this.#ends.get(keyOf(from, link))
    if (this.tap === undefined || end === undefined) return bytes
    const { port, peer } = end
    const reply = (answer: Buffer): void => this.#say(peer.sid, peer.link, answer)
    const forward = (said: Buffer): void => this.#say(from, link, said)
    return this.tap({ from, to: peer.sid, port, bytes, forward, reply })
  }

  #dial(from: number, link: LinkId, port: LinkPort, addresses: readonly PeerAddress[]): void {
    const to = Number(addresses[0]?.host)
    this.#events.push(() => {
      const target = this.servers.get(to)
      const dialer = this.servers.get(from)
      if (target === undefined) return dialer?.loop.enter((member) => member.onLinkClosed(link))
      this.#lastAccepted += 1
      const accepted = this.#lastAccepted
      const near = { sid: from, link }
      const far = { sid: to, link: accepted }
      this.#ends.set(keyOf(from, link), { ...near, port, peer: far })
      this.#ends.set(keyOf(to, accepted), { ...far, port, peer: near })
      target.loop.enter((member) => member.onLinkAccepted(accepted, port))
      dialer?.loop.enter((member) => member.onLinkOpened(link))
    })
  }

  #tellPeer(sid: number, link: LinkId, tell: (server: MemoryServer, link: LinkId) => void): void {
    const event = (): void => {
      const peer = this.#ends.get(keyOf(sid, link))?.peer
      if (peer !== undefined && peer.sid === this.#still) {
        this.#unread.push(event)
        return
      }
      const server = peer && this.servers.get(peer.sid)
      if (peer !== undefined && server !== undefined && this.#ends.has(keyOf(peer.sid, peer.link)))
        tell(server, peer.link)
    }
    this.#events.push(event)
  }

  #close(sid: number, link: LinkId): void {
    this.#tellPeer(sid, link, (server, id) => {
      server.loop.enter((member) => member.onLinkClosed(id))
    })
    this.#events.push(() => {
      const end = this.#ends.get(keyOf(sid, link))
      this.#ends.delete(keyOf(sid, link))
      if (end !== undefined) this.#ends.delete(keyOf(end.peer.sid, end.peer.link))
    })
  }

  /** The process is gone from one moment to the next. */
  kill(sid: number): void {
    for (const [key, end] of [...this.#ends]) {
      if (end.sid !== sid) continue
      this.#ends.delete(key)
      const { peer } = end
      this.#ends.delete(keyOf(peer.sid, peer.link))
      this.#events.push(() =>
        this.servers.get(peer.sid)?.loop.enter((member) => member.onLinkClosed(peer.link)),
      )
    }
    this.servers.delete(sid)
    this.settle()
  }

  settle(): void {
    if (this.#isSettling) return
    this.#isSettling = true
    for (let didWork = true; didWork; ) {
      didWork = false
      for (const [sid, server] of this.servers)
        if (sid !== this.#still && server.settleAlone()) didWork = true
      for (const event of this.#events.splice(0)) {
        event()
        didWork = true
      }
    }
    this.#isSettling = false
  }

  /** Time passes for all, in steps of the shell. */
  pass(ms: number): void {
    for (let left = ms; left > 0; left -= 50) {
      for (const [sid, server] of this.servers) {
        server.mono += 50
        server.wall += 50
        if (sid !== this.#still) server.loop.enter(() => {})
      }
      this.settle()
    }
  }

  /**
   * Time passes for all but the process of one member, which notices that first, and then has what the
   * others have sent it; `then` is what its clients have.
   */
  standStill(sid: number, ms: number, then: () => void = () => {}): void {
    this.#still = sid
    this.pass(ms)
    this.#still = undefined
    const server = this.server(sid)
    server.loop.enter(() => {})
    server.settleAlone()
    this.#events.push(...this.#unread.splice(0))
    then()
    this.settle()
  }

  server(sid: number): MemoryServer {
    const server = this.servers.get(sid)
    if (server === undefined) throw new Error(`member ${sid} is not running`)
    return server
  }

  /** Until all that run serve, one of them as the leader: its sid. */
  awaitLeader(): number {
    for (let waited = 0; waited < ELECTION_MS_MAX; waited += 50) {
      const roles = [...this.servers].map(([sid, { member }]) => [sid, member.role] as const)
      const leader = roles.find(([, role]) => role === 'leading')?.[0]
      if (leader !== undefined && roles.every(([, role]) => role !== 'none')) return leader
      this.pass(50)
    }
    throw new Error('no leader in time')
  }
}

const keyOf = (sid: number, link: LinkId): string => `${sid}/${link}`
