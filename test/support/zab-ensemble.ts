import type { LogFields, Logger } from '../../src/base/logger.ts'
import { formatZxid } from '../../src/data/zxid.ts'
import { QuorumPeer } from '../../src/quorum/election/quorum-peer.ts'
import { Leader } from '../../src/quorum/leading/leader.ts'
import { Learner } from '../../src/quorum/learning/learner.ts'
import type { LinkId, LinkPort, Links } from '../../src/quorum/ports/links.ts'
import type { Entry } from '../../src/quorum/ports/replica.ts'
import { Standing } from '../../src/quorum/role/standing.ts'
import { makeServerMetrics, type ServerMetrics } from '../../src/server/stats/server-metrics.ts'
import { type EnsembleShape, type LoggedLine, membershipOf, shortTimes } from './ensemble-shape.ts'
import { MemoryNetwork, type NetworkPeer, type NetworkTimes } from './memory-network.ts'
import { MemoryReplica, type ReplicaDisk } from './memory-replica.ts'
import { silentLogger } from './silent-logger.ts'

const DISK_MS = 1

/** A process: a member over a replica in memory, whose disk takes a millisecond. */
export class ZabProcess implements NetworkPeer {
  readonly peer: QuorumPeer
  readonly replica: MemoryReplica
  readonly standing: Standing = new Standing()
  readonly metrics: ServerMetrics = makeServerMetrics()
  readonly #network: MemoryNetwork
  #leader: Leader | undefined
  #isAlive = true
  #isTurnDue = false

  constructor(
    network: MemoryNetwork,
    sid: number,
    shape: EnsembleShape,
    replica: MemoryReplica,
    links: Links,
    logger: Logger,
  ) {
    this.#network = network
    this.replica = replica
    const { acceptedEpoch, currentEpoch } = replica.disk
    const parts = {
      membership: membershipOf(sid, shape),
      settings: shortTimes,
      replica,
      links,
      epochs: { accepted: acceptedEpoch, current: currentEpoch },
      standing: this.standing,
      metrics: this.metrics,
      logger,
    }
    this.peer = new QuorumPeer(parts, network.now, {
      lead: (role, nowMono, onEnd) => {
        this.#leader = new Leader(role, nowMono, onEnd)
        return this.#leader
      },
      learn: (role, leader, kind, nowMono, onEnd) =>
        new Learner(role, leader, kind, nowMono, onEnd),
    })
  }

  get leader(): Leader | undefined {
    return this.#leader
  }

  get isServing(): boolean {
    return this.replica.learners !== undefined || this.replica.leader !== undefined
  }

  start(): void {
    this.turn(() => this.peer.start())
  }

  /** What is not on the disk is lost. */
  crash(): MemoryReplica {
    this.#isAlive = false
    return this.replica.crashed()
  }

  /** One turn, as the loop of a machine has it. */
  turn(deliver: () => void): void {
    if (!this.#isAlive) return
    this.peer.advance(this.#network.now)
    deliver()
    this.peer.settle()
    if (this.peer.state === 'leading') this.#leader?.flush()
    const wantsTurn = this.peer.state === 'leading' && this.#leader?.wantsTurn === true
    if ((this.replica.unflushed === 0 && !wantsTurn) || this.#isTurnDue) return
    this.#isTurnDue = true
    this.#network.after(DISK_MS, () => {
      this.#isTurnDue = false
      this.turn(() => {
        if (this.#isAlive) this.replica.flush()
      })
    })
  }

  advance(): void {
    this.turn(() => {})
  }

  onLinkAccepted(link: LinkId, port: LinkPort): void {
    this.turn(() => this.peer.onLinkAccepted(link, port))
  }

  onLinkOpened(link: LinkId): void {
    this.turn(() => this.peer.onLinkOpened(link))
  }

  onLinkBytes(link: LinkId, bytes: Buffer): void {
    this.turn(() => this.peer.onLinkBytes(link, bytes))
  }

  onLinkClosed(link: LinkId): void {
    this.turn(() => this.peer.onLinkClosed(link))
  }

  onLinkDrained(link: LinkId): void {
    this.turn(() => this.peer.onLinkDrained(link))
  }
}

/** Members with elections, leaders and learners as they are, over a network and disks in memory. */
export class ZabEnsemble {
  readonly network: MemoryNetwork
  readonly lines: (LoggedLine & { readonly sid: number })[] = []
  readonly #shape: EnsembleShape
  readonly #up = new Map<number, ZabProcess>()
  readonly #disks = new Map<number, MemoryReplica>()

  constructor(shape: EnsembleShape, seed = 1, times: Partial<NetworkTimes> = {}) {
    this.#shape = shape
    this.network = new MemoryNetwork(seed, times)
    for (const sid of this.sids) {
      this.network.plug(sid)
      const membership = membershipOf(sid, shape)
      this.#disks.set(sid, new MemoryReplica({ sid, membership }))
    }
  }

  get sids(): readonly number[] {
    return [...this.#shape.voters, ...(this.#shape.observers ?? [])]
  }

  /** The leader of that process, of now or before. */
  leaderOf(sid: number): Leader | undefined {
    return this.process(sid).leader
  }

  isUp(sid: number): boolean {
    return this.#up.has(sid)
  }

  process(sid: number): ZabProcess {
    const found = this.#up.get(sid)
    if (found === undefined) throw new Error(`member ${sid} is down`)
    return found
  }

  start(...sids: readonly number[]): void {
    for (const sid of sids) {
      const replica = this.#disks.get(sid)
      if (replica === undefined) throw new Error(`member ${sid} is up`)
      this.#disks.delete(sid)
      this.network.add(sid, (links) => {
        const logger = this.#loggerOf(sid)
        const made = new ZabProcess(this.network, sid, this.#shape, replica, links, logger)
        this.#up.set(sid, made)
        return made
      })
      this.process(sid).start()
    }
  }

  /** The process and what its disk had not written are gone. */
  kill(sid: number): void {
    this.#disks.set(sid, this.process(sid).crash())
    this.#up.delete(sid)
    this.network.kill(sid)
  }

  /** Puts another disk into a member that is down; nothing said: an empty one. */
  replaceDisk(sid: number, disk: Partial<ReplicaDisk> = {}): void {
    if (!this.#disks.has(sid)) throw new Error(`member ${sid} is up`)
    const membership = membershipOf(sid, this.#shape)
    this.#disks.set(sid, new MemoryReplica({ sid, membership, disk }))
  }

  /** Who leads and serves. */
  leaders(): readonly number[] {
    return [...this.#up].filter(([, up]) => up.replica.learners !== undefined).map(([sid]) => sid)
  }

  /** Lets that leader propose so many writes in a turn. */
  write(leader: number, texts: readonly string[]): readonly Entry[] {
    const written: Entry[] = []
    const { replica } = this.process(leader)
    this.process(leader).turn(() => {
      for (const text of replica.learners === undefined ? [] : texts)
        written.push(replica.write(text))
    })
    return written
  }

  /** The text of what that member has applied, in order. */
  applied(sid: number): readonly string[] {
    const { state } = this.process(sid).replica
    return [...state.values()]
      .sort((a, b) => a.zxid - b.zxid)
      .map(({ zxid, bytes }) => `${formatZxid(zxid)} ${bytes}`)
  }

  /** One serves as leader, all that are up serve under it and have applied all that it proposed. */
  isSettled(): boolean {
    const [leader, ...others] = this.leaders()
    if (leader === undefined || others.length > 0) return false
    const { replica } = this.process(leader)
    if (replica.outstanding().length > 0) return false
    const isThere = ([sid, { peer, isServing, replica: own }]: [number, ZabProcess]): boolean =>
      isServing &&
      peer.leaderSid === leader &&
      own.state.size === replica.state.size &&
      (sid === leader || own.lastProcessedZxid >= (replica.log.at(-1)?.zxid ?? 0))
    if (![...this.#up].every(isThere)) return false
    const expected = this.applied(leader).join()
    return [...this.#up.keys()].every((sid) => this.applied(sid).join() === expected)
  }

  states(): string {
    return [...this.#up]
      .map(([sid, { peer, replica, isServing }]) => {
        const serves = isServing ? ' serves' : ''
        const last = formatZxid(replica.lastLoggedZxid)
        return `${sid}:${peer.state}(${peer.leaderSid ?? ''})${serves} ${last}`
      })
      .join(', ')
  }

  #loggerOf(sid: number): Logger {
    const log = (message: string, fields: LogFields = {}): void => {
      this.lines.push({ sid, at: this.network.now, message, fields })
    }
    return { ...silentLogger, info: log, warn: log, error: log }
  }
}
