import type { SizeStats } from '../../base/sizes.ts'
import { ThrottledLog } from '../../base/throttled-log.ts'
import type { LinkId } from '../ports/links.ts'
import type { Entry, Learners } from '../ports/replica.ts'
import type { RoleParts } from '../role/role.ts'
import { Broadcast } from './broadcast.ts'
import { Discovery } from './discovery.ts'
import { EpochAgreement } from './epoch-agreement.ts'
import { checkLeaderBounds, defaultLeaderBounds, type LeaderBounds } from './leader-bounds.ts'
import { Leadership } from './leadership.ts'
import { LearnerHandler, type LearnerHost } from './learner-handler.ts'
import { countLearners, type LearnerCounts, type LearnerView, viewLearner } from './learner-list.ts'
import { LearnerSet } from './learner-set.ts'
import { Synchronisation } from './synchronisation.ts'

/** How long an elected leader may be without a quorum of connections, before it serves. */
const ALONE_TICKS = 2
const ALONE_MS_MIN = 2000

/**
 * Leads one epoch: from having been elected until `onEnd` is called, or close(). What it does goes by
 * phases (discovery, synchronisation, broadcast); here are its beginning, its end, and time.
 */
export class Leader implements Learners {
  readonly #parts: RoleParts
  readonly #bounds: LeaderBounds
  readonly #onEnd: (reason: string) => void
  readonly #leadership: Leadership
  readonly #throttledLog: ThrottledLog
  readonly #learners: LearnerSet
  readonly #agreement: EpochAgreement
  readonly #discovery: Discovery
  readonly #broadcast: Broadcast
  readonly #host: LearnerHost
  #hasEnded = false
  /** When a quorum was last connected, before we serve. */
  #lastQuorumMono: number
  #nextPingMono = 0
  #isHalfTick = false

  /**
   * `onEnd` is called once, with the reason, and never within this constructor; the leader is closed
   * then. It is not called for close().
   */
  constructor(
    parts: RoleParts,
    nowMono: number,
    onEnd: (reason: string) => void,
    bounds: LeaderBounds = defaultLeaderBounds,
  ) {
    checkLeaderBounds(bounds)
    this.#parts = parts
    this.#bounds = bounds
    this.#onEnd = onEnd
    this.#lastQuorumMono = nowMono
    const { membership, links, logger, replica } = parts
    const leadership = new Leadership(nowMono)
    this.#leadership = leadership
    this.#throttledLog = new ThrottledLog(logger, leadership)
    const learners = new LearnerSet(membership, links, bounds.learnerBytesMax, this.#throttledLog)
    this.#learners = learners
    const agreement = new EpochAgreement(parts, leadership, {
      onEpoch: () => {
        for (const learner of learners.inState('epoch')) learner.sendLeaderInfo()
      },
      onElected: () => {
        for (const learner of learners.inState('election')) learner.startSync()
      },
      onAgreed: () => this.#startServing(),
    })
    this.#agreement = agreement
    this.#discovery = new Discovery(parts, leadership, learners, agreement, (why) => this.#end(why))
    this.#broadcast = new Broadcast(parts, leadership, learners)
    this.#host = {
      parts,
      bounds,
      history: { endZxid: replica.lastLoggedZxid, floorZxid: 0 },
      leadership,
      learners,
      discovery: this.#discovery,
      synchronisation: new Synchronisation(parts, learners, agreement),
      broadcast: this.#broadcast,
    }
    agreement.start()
  }

  // ---- time

  /** At the beginning of every turn, and at least every 50 ms. */
  advance(nowMono: number): void {
    this.#leadership.mono = nowMono
    this.#throttledLog.advance()
    if (this.#hasEnded) return
    for (const learner of this.#learners.all()) {
      const problem = learner.overdue()
      if (problem !== undefined) this.#learners.drop(learner, problem)
    }
    if (this.isServing) this.#tick()
    else if (this.#agreement.isOverdue)
      this.#end(`no quorum for the ${this.#agreement.phase} within initLimit`)
    else this.#endIfAlone()
  }

  /**
   * Learners answer us, so while we stood still they had nothing to say. After a pause of syncLimit
   * they have given us up, and those that have not say so when their input is read.
   */
  onPaused(nowMono: number, pausedMs: number): void {
    this.#leadership.mono = nowMono
    this.#lastQuorumMono += pausedMs
    if (pausedMs >= this.#parts.settings.syncLimitMs) return
    for (const learner of this.#learners.all()) learner.onPaused(pausedMs)
  }

  /**
   * Whoever was elected is connected to at once, however long it then takes to synchronise. A leader
   * that has no quorum of connections lost the election without having heard so, or its followers
   * have left; to wait for initLimit, as the original does, would keep everybody waiting.
   */
  #endIfAlone(): void {
    const { mono } = this.#leadership
    if (this.#learners.hasQuorum()) this.#lastQuorumMono = mono
    const aloneMs = Math.max(ALONE_TICKS * this.#parts.settings.tickTimeMs, ALONE_MS_MIN)
    if (mono - this.#lastQuorumMono <= aloneMs) return
    this.#parts.metrics.quitLeadingDueToDisloyalVoter.add(1)
    this.#end('a quorum has not come, or has left')
  }

  /** Every half tick a PING; every tick a look at whether a quorum is still there. */
  #tick(): void {
    const { mono } = this.#leadership
    if (mono < this.#nextPingMono) return
    this.#nextPingMono = mono + this.#parts.settings.tickTimeMs / 2
    this.#isHalfTick = !this.#isHalfTick
    if (!this.#isHalfTick && !this.#learners.hasQuorum()) {
      this.#end('a quorum does not follow any more')
      return
    }
    this.#broadcast.sendPings()
  }

  /**
   * At the end of every turn: what was proposed and committed in it leaves, and what a learner that
   * synchronises would take by now.
   */
  flush(): void {
    if (this.#hasEnded) return
    this.#broadcast.flush()
    for (const learner of this.#learners.all()) learner.pumpSync()
  }

  /** Somebody synchronises who would take more at once: let the next turn come without an event. */
  get wantsTurn(): boolean {
    for (const learner of this.#learners.all()) if (learner.wantsTurn) return true
    return false
  }

  // ---- links

  onLinkAccepted(link: LinkId): void {
    if (this.#hasEnded) return
    const learners = this.#learners
    if (learners.size >= this.#bounds.learnersMax) {
      this.#throttledLog.warn('a learner too many is closed', { link })
      this.#parts.links.close(link)
      return
    }
    learners.add(new LearnerHandler(link, this.#host))
    const strangers = learners.inState('info')
    const [oldest] = strangers
    if (oldest !== undefined && strangers.length > this.#bounds.strangersMax)
      learners.drop(oldest, 'too many connections do not say who they are')
  }

  /** `bytes` are borrowed. */
  onLinkBytes(link: LinkId, bytes: Buffer): void {
    this.#learners.get(link)?.onBytes(bytes)
  }

  onLinkClosed(link: LinkId): void {
    const learner = this.#learners.get(link)
    if (learner !== undefined) this.#learners.forget(learner, 'closed by the learner')
  }

  onLinkDrained(link: LinkId): void {
    this.#learners.get(link)?.pumpSync()
  }

  // ---- what the replica asks for

  propose(entry: Entry): void {
    if (!this.#hasEnded) this.#broadcast.propose(entry)
  }

  commit(entry: Entry): void {
    if (!this.#hasEnded) this.#broadcast.commit(entry)
  }

  confirm(): number {
    return this.#broadcast.confirm()
  }

  sendSync(link: LinkId): void {
    this.#broadcast.sendSync(link)
  }

  sendRevalidated(link: LinkId, sessionId: bigint, isValid: boolean): void {
    this.#learners.get(link)?.sendRevalidated(sessionId, isValid)
  }

  giveUp(reason: string): void {
    this.#end(reason)
  }

  // ---- what is told of it

  /** Of the entries it has proposed. */
  get sizes(): SizeStats {
    return this.#broadcast.sizes
  }

  /** The established one; 0 before. */
  get epoch(): number {
    return this.#leadership.epoch
  }

  get isServing(): boolean {
    return this.#agreement.phase === 'agreed' && !this.#hasEnded
  }

  /** When it began to serve, once it does; on the clock of advance(). */
  get servingSinceMono(): number {
    return this.#agreement.phaseMono
  }

  learners(): readonly LearnerView[] {
    const { membership, links } = this.#parts
    return this.#learners.joined().map((learner) => viewLearner(learner, membership, links))
  }

  /** Sids of members that must stay out, because what they have is beyond the epoch that we lead. */
  outsiders(): readonly number[] {
    return this.#discovery.outsiders()
  }

  counts(): LearnerCounts {
    return countLearners(this.#learners.joined(), this.#parts.membership)
  }

  // ---- beginning and end

  #startServing(): void {
    const { replica, settings, logger, standing } = this.#parts
    const { epoch, mono } = this.#leadership
    standing.stayingOut = undefined
    this.#leadership.begin()
    this.#nextPingMono = mono + settings.tickTimeMs / 2
    logger.info('a quorum has synchronised, we lead', { epoch })
    replica.startLeading(epoch, this)
    for (const learner of this.#learners.inState('start')) learner.sendUpToDate()
  }

  /** The member wants it to end: all learners are cut off, and `onEnd` is not called. */
  close(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#agreement.close()
    this.#learners.dropAll('the leader ends')
  }

  #end(reason: string): void {
    if (this.#hasEnded) return
    this.#parts.logger.warn('we lead no more', { epoch: this.epoch, reason })
    this.close()
    this.#onEnd(reason)
  }
}

/** What the other parts of a member know of its leader. */
export type LeaderRole = Pick<Leader, keyof Leader>
