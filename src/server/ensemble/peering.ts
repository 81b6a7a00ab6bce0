import type { Logger } from '../../base/logger.ts'
import type { TurnClock } from '../../base/turn-clock.ts'
import type { DiskReader } from '../../persistence/disk.ts'
import { QuorumPeer } from '../../quorum/election/quorum-peer.ts'
import { CommittedLog } from '../../quorum/leading/committed-log.ts'
import { Leader, type LeaderRole } from '../../quorum/leading/leader.ts'
import { Learner } from '../../quorum/learning/learner.ts'
import { StoreBackOff } from '../../quorum/learning/store-back-off.ts'
import type { Membership } from '../../quorum/membership/membership.ts'
import type { LinkEvents, LinkId, LinkPort } from '../../quorum/ports/links.ts'
import type { Entry } from '../../quorum/ports/replica.ts'
import type { Epochs } from '../../quorum/role/epochs.ts'
import type { QuorumSettings } from '../../quorum/role/quorum-settings.ts'
import type { RoleParts } from '../../quorum/role/role.ts'
import { Standing } from '../../quorum/role/standing.ts'
import type { MemberBounds } from '../bounds/member-bounds.ts'
import type { ServerMetrics } from '../stats/server-metrics.ts'
import type { DiskLane } from '../storage/disk-lane.ts'
import { LogWatch } from '../storage/log-watch.ts'
import { PeerLinks } from './peer-links.ts'
import type { MemberReplica } from './replica.ts'

/** What a member of an ensemble has, and a standalone server has not. */
export interface EnsemblePorts {
  readonly membership: Membership
  readonly settings: QuorumSettings
  /** As the epoch files have them. */
  readonly epochs: Epochs
  /** For what only the files hold: history for a learner, and the state after a TRUNC. */
  readonly disk: DiskReader
  /** How this member leads, if not as ours do: for ensembles that are simulated. */
  readonly lead?: (parts: RoleParts, nowMono: number, onEnd: (reason: string) => void) => LeaderRole
}

interface PeeringParts {
  readonly lane: DiskLane
  readonly clock: TurnClock
  readonly metrics: ServerMetrics
  readonly logger: Logger
}

/** The newest entries that recovery has found, so that a learner which misses a few need no snapshot. */
export function committedLogOf(
  bytesMax: number,
  entriesMax: number,
  lastZxid: number,
  recent: Iterable<Entry>,
): CommittedLog {
  const log = new CommittedLog(entriesMax, lastZxid, bytesMax)
  for (const entry of recent) log.add(entry)
  return log
}

/** A member's side towards its ensemble: who leads, what is said to the others, and by which links. */
export class Peering implements LinkEvents {
  readonly links: PeerLinks = new PeerLinks()
  readonly peer: QuorumPeer
  readonly membership: Membership
  readonly replica: MemberReplica
  readonly standing: Standing = new Standing()
  readonly #logWatch: LogWatch
  #leader: LeaderRole | undefined = undefined

  constructor(
    ports: EnsemblePorts,
    replica: MemberReplica,
    bounds: MemberBounds,
    parts: PeeringParts,
  ) {
    const { membership, settings, epochs } = ports
    this.membership = membership
    this.replica = replica
    const { logger, clock, metrics } = parts
    const { syncLimitMs } = settings
    this.#logWatch = new LogWatch(parts.lane, syncLimitMs, bounds.leaderLogBytesMax, clock.mono)
    const roleParts: RoleParts = {
      membership,
      settings,
      replica,
      links: this.links,
      epochs,
      standing: this.standing,
      metrics,
      logger,
    }
    const backOff = new StoreBackOff()
    this.peer = new QuorumPeer(roleParts, clock.mono, {
      lead: (role, nowMono, onEnd) => {
        this.#leader =
          ports.lead?.(role, nowMono, onEnd) ?? new Leader(role, nowMono, onEnd, bounds.leader)
        return this.#leader
      },
      learn: (role, leader, kind, nowMono, onEnd) =>
        new Learner(role, leader, kind, nowMono, onEnd, bounds.learner, backOff),
    })
  }

  /** Undefined unless this member leads. */
  get leader(): LeaderRole | undefined {
    return this.peer.state === 'leading' ? this.#leader : undefined
  }

  /** Begins to look for a leader. */
  start(): void {
    this.peer.start()
  }

  /** Leaves the ensemble, so that the others need not find out by our silence. */
  close(): void {
    this.peer.close()
  }

  advance(nowMono: number): void {
    const problem = this.#logWatch.look(nowMono)
    if (problem !== undefined && this.leader?.isServing === true) this.leader.giveUp(problem)
    this.peer.advance(nowMono)
  }

  /** This process has stood still for so long, until now. */
  onPaused(nowMono: number, pausedMs: number): void {
    this.peer.onPaused(nowMono, pausedMs)
  }

  /** At the end of a turn: what a leader has sent is delivered, as far as the turn has room for it. */
  goOn(): void {
    this.peer.goOn()
  }

  get isLearnerBehind(): boolean {
    return this.peer.isBehind
  }

  /** At the end of a turn: a role may have to end, and what was gathered for learners is to leave. */
  flush(): void {
    this.peer.settle()
    this.leader?.flush()
  }

  onLinkAccepted(link: LinkId, port: LinkPort): void {
    this.peer.onLinkAccepted(link, port)
  }

  onLinkOpened(link: LinkId): void {
    this.peer.onLinkOpened(link)
  }

  onLinkBytes(link: LinkId, bytes: Buffer): void {
    this.peer.onLinkBytes(link, bytes)
  }

  onLinkClosed(link: LinkId): void {
    this.links.onNothingWaits(link)
    this.peer.onLinkClosed(link)
  }

  onLinkDrained(link: LinkId): void {
    this.links.onNothingWaits(link)
    this.peer.onLinkDrained(link)
  }
}
