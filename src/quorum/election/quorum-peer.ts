import { assert } from '../../base/assert.ts'
import type { EnsembleMember } from '../membership/configuration.ts'
import type { LinkEvents, LinkId, LinkPort } from '../ports/links.ts'
import type { AcceptedEntry } from '../ports/replica.ts'
import type { PeerState } from '../role/peer-state.ts'
import type { RoleParts } from '../role/role.ts'
import { NO_ZXID } from '../wire/packets.ts'
import { ElectionLinks } from './election-links.ts'
import { FastLeaderElection, type Haste } from './fast-leader-election.ts'
import { decodeNotification } from './notification.ts'

/** What a member is while there is a leader; it begins when it is made. */
export interface Role {
  advance(nowMono: number): void
  /** This process has stood still for so long, until now; what has arrived meanwhile was not read. */
  onPaused?(nowMono: number, pausedMs: number): void
  /** Of links that peers have opened: a leader's. */
  onLinkAccepted?(link: LinkId): void
  /** Of links that it has dialed itself: a learner's. */
  onLinkOpened?(link: LinkId): void
  onLinkBytes(link: LinkId, bytes: Buffer): void
  onLinkClosed(link: LinkId): void
  onLinkDrained(link: LinkId): void
  /** Clients are served. */
  readonly isServing?: boolean
  /** At the end of every turn: to go on with what has come and had to wait. */
  goOn?(): void
  /** Something of that is left. */
  readonly isBehind?: boolean
  /** Of a learner: what is in the log and was not delivered, oldest first. */
  readonly undelivered?: readonly AcceptedEntry[]
  /** Ends its links, and calls nothing back. */
  close(): void
}

/** Makes the roles. `onEnd` is called when one cannot go on, with why. */
export interface Roles {
  lead(parts: RoleParts, nowMono: number, onEnd: (reason: string) => void): Role
  learn(
    parts: RoleParts,
    leader: EnsembleMember,
    role: 'following' | 'observing',
    nowMono: number,
    onEnd: (reason: string) => void,
  ): Role
}

/**
 * A learner that heard of its leader before the leader itself did: its connection waits here, with
 * what it has said, until our own election is over. Else it would have to begin again.
 */
interface EarlyLearner {
  bytes: Buffer
}

/**
 * Learners that connect to us before our own election is over.
 * @bound connections: the oldest is closed
 */
const EARLY_LEARNERS_MAX = 64
/**
 * What such a learner may have said: all that it says before it is answered is one packet of some
 * sixty bytes.
 * @bound bytes: the connection is closed
 */
const EARLY_BYTES_MAX = 4096
/**
 * A role that lasted less did not work out. The next election then waits for better votes as the
 * original does, so that members which cannot agree do not elect as fast as they can.
 */
const HURRY_AFTER_MS = 2000
/**
 * After two such roles in a row the next one begins no sooner than so long after the last: a leader
 * that turns us away each time shall not be asked as fast as it can answer.
 */
const PAUSE_MS = 200
const NOTHING: Buffer = Buffer.alloc(0)

/**
 * A member of an ensemble among its peers: looks for a leader, then leads or learns until that ends,
 * and looks again.
 *
 * A role never ends while it is being called: what it asks for with `onEnd` happens in `settle`,
 * which every call in here ends with. Whoever calls roles by another way (a replica that has
 * something durable, say) calls `settle` when the turn is over.
 */
export class QuorumPeer implements LinkEvents {
  readonly #parts: RoleParts
  readonly #roles: Roles
  readonly #links: ElectionLinks
  readonly #election: FastLeaderElection
  readonly #early = new Map<LinkId, EarlyLearner>()
  #now: number
  #isRunning = false
  #role: Role | undefined
  /** Counts roles: what one says after it has ended does not concern the next. */
  #roleNumber = 0
  #roleSince = 0
  #lookingSince = 0
  /** Since when nobody is served here; undefined while somebody is. */
  #unavailableSince: number | undefined
  /** Roles in a row that did not work out. */
  #shortRoles = 0
  #beginAt = 0
  /** Elected, and the role not begun yet. */
  #elected: number | undefined
  #leaderSid: number | undefined
  /** How we are to look for a leader, once what the last role has begun on our disk is over. */
  #haste: Haste | undefined
  /** Why the role wants to end. */
  #ended: string | undefined

  constructor(parts: RoleParts, nowMono: number, roles: Roles) {
    this.#parts = parts
    this.#roles = roles
    this.#now = nowMono
    this.#links = new ElectionLinks(parts, nowMono, {
      onMessage: (sid, payload) => this.#onMessage(sid, payload),
      onUnreachable: () => this.#election.onUnreachable(this.#now),
    })
    this.#election = new FastLeaderElection(parts, this.#links, (leader) => {
      this.#elected = leader
      parts.metrics.electionTime.add(this.#now - this.#lookingSince)
    })
  }

  get state(): PeerState {
    return this.#election.state
  }

  /** Undefined while there is none. */
  get leaderSid(): number | undefined {
    return this.#leaderSid
  }

  start(): void {
    this.#isRunning = true
    this.#look('hurried')
    this.settle()
  }

  /**
   * Gives all up at once: the others see their connections break and elect without us. For a stop
   * that is meant, too: it hands over sooner than anything that is only noticed by its silence.
   */
  close(): void {
    if (!this.#isRunning) return
    this.#isRunning = false
    this.#endRole()
    this.#dropEarlyLearners()
    this.#links.close()
  }

  advance(nowMono: number): void {
    this.#now = nowMono
    if (!this.#isRunning) return
    this.#links.advance(nowMono)
    this.#election.advance(nowMono)
    this.#role?.advance(nowMono)
    this.settle()
  }

  /** As advance, but no deadline is looked at: what others have sent meanwhile was not read yet. */
  onPaused(nowMono: number, pausedMs: number): void {
    this.#now = nowMono
    this.#role?.onPaused?.(nowMono, pausedMs)
  }

  goOn(): void {
    this.#role?.goOn?.()
    this.settle()
  }

  /** What a leader has said is not worked off, and no event will ask for that. */
  get isBehind(): boolean {
    return this.#role?.isBehind === true
  }

  onLinkAccepted(link: LinkId, port: LinkPort): void {
    if (!this.#isRunning) this.#parts.links.close(link)
    else if (port === 'election') this.#links.onLinkAccepted(link)
    else this.#onLearner(link)
    this.settle()
  }

  onLinkOpened(link: LinkId): void {
    if (this.#links.owns(link)) this.#links.onLinkOpened(link)
    else this.#role?.onLinkOpened?.(link)
    this.settle()
  }

  onLinkBytes(link: LinkId, bytes: Buffer): void {
    const early = this.#early.get(link)
    if (this.#links.owns(link)) this.#links.onLinkBytes(link, bytes)
    else if (early !== undefined) this.#onEarlyBytes(link, early, bytes)
    else this.#role?.onLinkBytes(link, bytes)
    this.settle()
  }

  onLinkClosed(link: LinkId): void {
    if (this.#links.owns(link)) this.#links.onLinkClosed(link)
    else if (!this.#early.delete(link)) this.#role?.onLinkClosed(link)
    this.settle()
  }

  onLinkDrained(link: LinkId): void {
    if (this.#links.owns(link)) this.#links.onLinkDrained(link)
    else if (!this.#early.has(link)) this.#role?.onLinkDrained(link)
    this.settle()
  }

  /** Changes roles if that is due. Not to be called by a role, nor by what a role has called. */
  settle(): void {
    if (this.#role?.isServing === true) this.#onServing()
    while (this.#isRunning) {
      if (this.#ended !== undefined) {
        const reason = this.#ended
        this.#parts.logger.info('role ended', { state: this.state, reason })
        const isShort = this.#now - this.#roleSince < HURRY_AFTER_MS
        this.#shortRoles = isShort ? this.#shortRoles + 1 : 0
        if (this.#shortRoles > 1) this.#beginAt = this.#now + PAUSE_MS
        this.#endRole()
        this.#haste = isShort ? 'patient' : 'hurried'
      } else if (this.#haste !== undefined && this.#parts.replica.isSettled) {
        this.#look(this.#haste)
        this.#haste = undefined
      } else if (this.#elected !== undefined && this.#now >= this.#beginAt)
        this.#begin(this.#elected)
      else return
    }
  }

  #onServing(): void {
    if (this.#unavailableSince === undefined) return
    const { metrics } = this.#parts
    const ms = this.#now - this.#unavailableSince
    this.#unavailableSince = undefined
    metrics.unavailableTime.add(ms)
    if (this.state === 'leading') metrics.leaderUnavailableTime.add(ms)
  }

  #look(haste: Haste): void {
    const { membership, replica, epochs } = this.#parts
    assert(this.#role === undefined, 'nobody looks for a leader who has a role')
    assert(epochs.accepted >= epochs.current, 'an epoch is accepted before it is entered')
    this.#leaderSid = undefined
    this.#lookingSince = this.#now
    this.#unavailableSince ??= this.#now
    this.#parts.metrics.lookingCount.add(1)
    const vote = {
      leader: membership.self.sid,
      zxid: replica.hasLostState ? NO_ZXID : replica.lastLoggedZxid,
      peerEpoch: epochs.current,
    }
    this.#election.lookForLeader(vote, haste, this.#now)
  }

  #begin(leaderSid: number): void {
    const { membership, logger } = this.#parts
    const { state } = this
    this.#elected = undefined
    this.#leaderSid = leaderSid
    this.#roleSince = this.#now
    logger.info('role begins', { state, leader: leaderSid })
    const number = this.#roleNumber
    const onEnd = (reason: string): void => {
      if (number === this.#roleNumber) this.#ended ??= reason
    }
    if (state === 'leading') {
      assert(!this.#parts.replica.hasLostState, 'nobody leads who has lost its state')
      assert(membership.isVoter(membership.self.sid), 'nobody leads who has no vote')
      this.#role = this.#roles.lead(this.#parts, this.#now, onEnd)
      this.#admitEarlyLearners(this.#role)
      return
    }
    this.#dropEarlyLearners()
    const leader = membership.memberOf(leaderSid)
    if (leader === undefined || state === 'looking') {
      this.#ended = 'a leader that is not in the configuration'
      return
    }
    this.#role = this.#roles.learn(this.#parts, leader, state, this.#now, onEnd)
  }

  #endRole(): void {
    const role = this.#role
    this.#role = undefined
    this.#roleNumber += 1
    this.#ended = undefined
    this.#elected = undefined
    if (role === undefined) return
    role.close()
    this.#parts.replica.stop(role.undelivered ?? [])
  }

  #onMessage(sid: number, payload: Buffer): void {
    const notification = decodeNotification(payload)
    if (typeof notification !== 'string') {
      const { state, vote } = notification
      const { membership, standing } = this.#parts
      if (state === 'looking' && vote !== undefined && membership.isVoter(sid))
        standing.onVote(sid, vote)
      this.#election.onNotification(sid, notification, this.#now)
    }
    // As the original, which lets a member of some other version go on talking (spec 03 §2).
    else
      this.#parts.logger.warn('ignoring a notification', {
        peer: sid,
        reason: notification,
        bytes: payload.length,
      })
  }

  #onLearner(link: LinkId): void {
    if (this.#haste !== undefined) {
      // Our role has ended, and we may not look for another one yet: it would wait for nothing.
      this.#parts.links.close(link)
      return
    }
    if (this.state === 'leading' && this.#role !== undefined) {
      this.#role.onLinkAccepted?.(link)
      return
    }
    if (this.state !== 'looking' && this.state !== 'leading') {
      this.#parts.links.close(link)
      return
    }
    const [oldest] = this.#early.keys()
    if (oldest !== undefined && this.#early.size >= EARLY_LEARNERS_MAX) this.#dropEarly(oldest)
    this.#early.set(link, { bytes: NOTHING })
  }

  #onEarlyBytes(link: LinkId, early: EarlyLearner, bytes: Buffer): void {
    if (early.bytes.length + bytes.length > EARLY_BYTES_MAX) this.#dropEarly(link)
    else early.bytes = Buffer.concat([early.bytes, bytes])
  }

  #admitEarlyLearners(leader: Role): void {
    const early = [...this.#early]
    this.#early.clear()
    for (const [link, { bytes }] of early) {
      leader.onLinkAccepted?.(link)
      if (bytes.length > 0) leader.onLinkBytes(link, bytes)
    }
  }

  #dropEarlyLearners(): void {
    for (const link of [...this.#early.keys()]) this.#dropEarly(link)
  }

  #dropEarly(link: LinkId): void {
    this.#early.delete(link)
    this.#parts.links.close(link)
  }
}
