import type { LogFields, Logger } from '../../src/base/logger.ts'
import { QuorumPeer } from '../../src/quorum/election/quorum-peer.ts'
import type { Links } from '../../src/quorum/ports/links.ts'
import type { Epochs } from '../../src/quorum/role/epochs.ts'
import { Standing } from '../../src/quorum/role/standing.ts'
import { makeServerMetrics } from '../../src/server/stats/server-metrics.ts'
import { type EnsembleShape, type LoggedLine, membershipOf, shortTimes } from './ensemble-shape.ts'
import { fakeRoles, replicaUpTo, servesAs } from './fake-roles.ts'
import { MemoryNetwork, type NetworkTimes } from './memory-network.ts'
import type { MemoryReplica } from './memory-replica.ts'
import { silentLogger } from './silent-logger.ts'

/** What survives the process: epochs and log. And the process, while there is one. */
export interface ElectionMember {
  readonly sid: number
  readonly epochs: Epochs
  replica: MemoryReplica
  readonly lines: LoggedLine[]
  peer: QuorumPeer
}

/** Members in a memory network, whose leaders and learners are the fake ones. */
export class ElectionEnsemble {
  readonly network: MemoryNetwork
  readonly members: ReadonlyMap<number, ElectionMember>
  readonly #shape: EnsembleShape

  constructor(shape: EnsembleShape, seed = 1, times: Partial<NetworkTimes> = {}) {
    this.#shape = shape
    this.network = new MemoryNetwork(seed, times)
    const sids = [...shape.voters, ...(shape.observers ?? [])]
    this.members = new Map(sids.map((sid) => [sid, this.#newMember(sid)]))
  }

  member(sid: number): ElectionMember {
    const member = this.members.get(sid)
    if (member === undefined) throw new Error(`no member ${sid}`)
    return member
  }

  start(...sids: readonly number[]): void {
    for (const sid of sids) {
      const member = this.member(sid)
      this.network.add(sid, (links) => {
        member.peer = this.#newPeer(member, links)
        return member.peer
      })
      member.peer.start()
    }
  }

  kill(sid: number): void {
    const member = this.member(sid)
    member.replica = replicaUpTo(member.replica.lastLoggedZxid)
    this.network.kill(sid)
  }

  /** `1:following(3)`, and so on, of those that are up. */
  states(): string {
    return [...this.members.values()]
      .filter(({ sid }) => this.network.isUp(sid))
      .map(({ sid, peer }) => `${sid}:${peer.state}${peer.leaderSid ? `(${peer.leaderSid})` : ''}`)
      .join(' ')
  }

  /** Whether all that are up serve under that one, in an epoch that they agree on. */
  isLedBy(leader: number): boolean {
    const up = [...this.members.values()].filter(({ sid }) => this.network.isUp(sid))
    const epoch = this.member(leader).epochs.current
    return up.every(
      ({ peer, epochs, replica }) =>
        peer.leaderSid === leader && servesAs(replica) === peer.state && epochs.current === epoch,
    )
  }

  #newMember(sid: number): ElectionMember {
    this.network.plug(sid)
    const parts = {
      sid,
      epochs: { accepted: 0, current: 0 },
      standing: new Standing(),
      replica: replicaUpTo(0),
      lines: [],
    }
    const links = {
      dial: (): number => -1,
      send: (): void => {},
      close: (): void => {},
      pause: (): void => {},
      waitingBytes: (): number => 0,
    }
    const membership = membershipOf(sid, this.#shape)
    // Off, until start makes the one that counts.
    const metrics = makeServerMetrics()
    const shown = { membership, settings: shortTimes, metrics, logger: silentLogger }
    const off = { ...parts, ...shown, links }
    return { ...parts, peer: new QuorumPeer(off, 0, fakeRoles) }
  }

  #newPeer(member: ElectionMember, links: Links): QuorumPeer {
    const { sid, epochs, replica } = member
    const parts = {
      membership: membershipOf(sid, this.#shape),
      settings: shortTimes,
      replica,
      links,
      epochs,
      standing: new Standing(),
      metrics: makeServerMetrics(),
      logger: this.#loggerOf(member),
    }
    return new QuorumPeer(parts, this.network.now, fakeRoles)
  }

  #loggerOf({ lines }: ElectionMember): Logger {
    const log = (message: string, fields: LogFields = {}): void => {
      lines.push({ at: this.network.now, message, fields })
    }
    return { debug: () => {}, info: log, warn: log, error: log }
  }
}
