import { assert } from '../../base/assert.ts'
import { SizeStats } from '../../base/sizes.ts'
import { ThrottledLog } from '../../base/throttled-log.ts'
import { formatZxid, makeZxid } from '../../data/zxid.ts'
import type { LinkId } from '../ports/links.ts'
import type { Entry, Learners } from '../ports/replica.ts'
import type { RoleParts } from '../role/role.ts'
import { encodePacket, PacketType, packetBytes, putPacket } from '../wire/packets.ts'
import { Confirmation } from './confirmation.ts'
import { EpochAgreement } from './epoch-agreement.ts'
import { Forwarding } from './forwarding.ts'
import { checkLeaderBounds, defaultLeaderBounds, type LeaderBounds } from './leader-bounds.ts'
import { LearnerGate } from './learner-gate.ts'
import { LearnerHandler, type LearnerHost } from './learner-handler.ts'
import {
  countLearners,
  isParticipant,
  type LearnerCounts,
  type LearnerView,
  viewLearner,
} from './learner-list.ts'
import type { HistoryLimits } from './sync-stream.ts'

/** How long an elected leader may be without a quorum of connections, before it serves. */
const ALONE_TICKS = 2
const ALONE_MS_MIN = 2000

/** Leads one epoch: from having been elected until `onEnd` is called, or close(). */
export class Leader implements Learners {
  readonly sizes: SizeStats = new SizeStats()
  readonly #parts: RoleParts
  readonly #bounds: LeaderBounds
  readonly #onEnd: (reason: string) => void
  readonly #host: LearnerHost
  readonly #history: HistoryLimits
  readonly #agreement: EpochAgreement
  readonly #gate: LearnerGate
  readonly #learners = new Map<LinkId, LearnerHandler>()
  readonly #forwarding: Forwarding
  readonly #confirmation: Confirmation
  #hasEnded = false
  /** When a quorum was last connected, before we serve. */
  #lastQuorumMono: number
  /** What strangers can bring about: whoever reaches the port is a learner until it says more. */
  readonly #throttledLog: ThrottledLog
  #nowMono: number
  #lastProposedZxid = 0
  #lastCommittedZxid = 0
  #nextPingMono = 0
  #isHalfTick = false
  #namelessSid = 0

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
    this.#nowMono = nowMono
    this.#lastQuorumMono = nowMono
    this.#history = { endZxid: parts.replica.lastLoggedZxid, floorZxid: 0 }
    this.#forwarding = new Forwarding(parts.links, bounds.learnerBytesMax, (learner) => {
      this.#drop(learner, 'it does not take what it is sent')
    })
    this.#confirmation = new Confirmation(parts.ensemble.self.sid, parts.ensemble.verifier)
    this.#gate = new LearnerGate(parts)
    this.#host = this.#makeHost()
    const host = this.#host
    this.#throttledLog = new ThrottledLog(parts.logger, {
      get mono() {
        return host.nowMono
      },
    })
    this.#agreement = new EpochAgreement(parts, nowMono, {
      onEpoch: () => {
        for (const learner of this.#inState('epoch')) learner.sendLeaderInfo()
      },
      onElected: () => {
        for (const learner of this.#inState('election')) learner.startSync()
      },
      onAgreed: () => this.#startServing(),
    })
    this.#agreement.start()
  }

  // ---- what the shell tells

  /** At the beginning of every turn, and at least every 50 ms. */
  advance(nowMono: number): void {
    this.#nowMono = nowMono
    this.#throttledLog.advance()
    this.#agreement.advance(nowMono)
    if (this.#hasEnded) return
    for (const learner of this.#learners.values()) {
      const problem = learner.overdue()
      if (problem !== undefined) this.#drop(learner, problem)
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
    this.#nowMono = nowMono
    this.#agreement.advance(nowMono)
    this.#lastQuorumMono += pausedMs
    if (pausedMs >= this.#parts.ensemble.syncLimitMs) return
    for (const learner of this.#learners.values()) learner.onPaused(pausedMs)
  }

  /**
   * Whoever was elected is connected to at once, however long it then takes to synchronise. A leader
   * that has no quorum of connections lost the election without having heard so, or its followers
   * have left; to wait for initLimit, as the original does, would keep everybody waiting.
   */
  #endIfAlone(): void {
    if (this.#hasQuorumThere()) this.#lastQuorumMono = this.#nowMono
    const aloneMs = Math.max(ALONE_TICKS * this.#parts.ensemble.tickTimeMs, ALONE_MS_MIN)
    if (this.#nowMono - this.#lastQuorumMono > aloneMs)
      this.#end('a quorum has not come, or has left')
  }

  #hasQuorumThere(): boolean {
    const { verifier, self } = this.#parts.ensemble
    const there = new Set(this.#joined().map((learner) => this.#voterOf(learner)))
    return verifier.containsQuorum((sid) => sid === self.sid || there.has(sid))
  }

  onLinkAccepted(link: LinkId): void {
    if (this.#hasEnded) return
    if (this.#learners.size >= this.#bounds.learnersMax) {
      this.#throttledLog.warn('a learner too many is closed', { link })
      this.#parts.links.close(link)
      return
    }
    this.#learners.set(link, new LearnerHandler(link, this.#host))
    const strangers = this.#inState('info')
    const [oldest] = strangers
    if (oldest !== undefined && strangers.length > this.#bounds.strangersMax)
      this.#drop(oldest, 'too many connections do not say who they are')
  }

  /** `bytes` are borrowed. */
  onLinkBytes(link: LinkId, bytes: Buffer): void {
    this.#learners.get(link)?.onBytes(bytes)
  }

  onLinkClosed(link: LinkId): void {
    const learner = this.#learners.get(link)
    if (learner !== undefined) this.#forget(learner, 'closed by the learner')
  }

  onLinkDrained(link: LinkId): void {
    this.#learners.get(link)?.pumpSync()
  }

  /**
   * At the end of every turn: what was proposed and committed in it leaves, and what a learner that
   * synchronises would take by now.
   */
  flush(): void {
    if (this.#hasEnded) return
    this.#sendRound()
    this.#forwarding.cut()
    for (const learner of this.#learners.values()) learner.pumpSync()
  }

  /** Somebody synchronises who would take more at once: let the next turn come without an event. */
  get wantsTurn(): boolean {
    for (const learner of this.#learners.values()) if (learner.wantsTurn) return true
    return false
  }

  /** The member wants it to end: all learners are cut off, and `onEnd` is not called. */
  close(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#agreement.close()
    for (const learner of this.#learners.values()) {
      this.#forget(learner, 'the leader ends')
      this.#parts.links.close(learner.link)
    }
  }

  // ---- what the replica asks for

  propose(entry: Entry): void {
    if (this.#hasEnded) return
    this.#lastProposedZxid = entry.zxid
    this.sizes.add(entry.bytes.length)
    this.#forwarding.propose(entry)
  }

  commit(entry: Entry): void {
    if (this.#hasEnded) return
    assert(
      entry.zxid > this.#lastCommittedZxid && entry.zxid <= this.#lastProposedZxid,
      `commit ${formatZxid(entry.zxid)} after ${formatZxid(this.#lastCommittedZxid)}`,
    )
    this.#lastCommittedZxid = entry.zxid
    this.#forwarding.commit(entry)
  }

  confirm(): number {
    return this.#confirmation.want()
  }

  sendSync(link: LinkId): void {
    const learner = this.#learners.get(link)
    if (learner === undefined) return
    if (learner.syncsPending > 0) learner.syncsPending -= 1
    this.#sendAlone(learner, encodePacket(PacketType.sync, 0))
  }

  sendRevalidated(link: LinkId, sessionId: bigint, isValid: boolean): void {
    this.#learners.get(link)?.sendRevalidated(sessionId, isValid)
  }

  giveUp(reason: string): void {
    this.#end(reason)
  }

  // ---- what is told of it

  /** The established one; 0 before. */
  get epoch(): number {
    return this.#agreement.epoch
  }

  get isServing(): boolean {
    return this.#agreement.phase === 'agreed' && !this.#hasEnded
  }

  /** When it began to serve, once it does; on the clock of advance(). */
  get servingSinceMono(): number {
    return this.#agreement.phaseMono
  }

  get lastProposedZxid(): number {
    return this.#lastProposedZxid
  }

  learners(): readonly LearnerView[] {
    const { ensemble, links } = this.#parts
    return this.#joined().map((learner) => viewLearner(learner, ensemble, links))
  }

  /** Sids of members that must stay out, because what they have is beyond the epoch that we lead. */
  outsiders(): readonly number[] {
    return this.#gate.outsiders(this.#nowMono)
  }

  counts(): LearnerCounts {
    return countLearners(this.#joined(), this.#parts.ensemble)
  }

  /** Those that have said who they are. */
  #joined(): LearnerHandler[] {
    return [...this.#learners.values()].filter(({ state }) => state !== 'info')
  }

  // ---- discovery

  #makeHost(): LearnerHost {
    const self = this
    return {
      parts: this.#parts,
      bounds: this.#bounds,
      history: this.#history,
      get nowMono() {
        return self.#nowMono
      },
      get epoch() {
        return self.#agreement.epoch
      },
      get lastProposedZxid() {
        return self.#lastProposedZxid
      },
      get lastCommittedZxid() {
        return self.#lastCommittedZxid
      },
      takeNamelessSid: () => {
        self.#namelessSid -= 1
        return self.#namelessSid
      },
      onReported: (learner) => self.#onReported(learner),
      onEpochAcked: (learner, currentEpoch) => self.#onEpochAcked(learner, currentEpoch),
      admitsSync: (learner, kind) => self.#admitsSync(learner, kind),
      onCaughtUp: (learner) => self.#onCaughtUp(learner),
      onNewLeaderAcked: (learner) => self.#onNewLeaderAcked(learner),
      onPingAnswered: (learner) => self.#onPingAnswered(learner),
      sendAlone: (learner, bytes) => self.#sendAlone(learner, bytes),
      drop: (learner, problem) => self.#drop(learner, problem),
    }
  }

  #inState(state: LearnerHandler['state']): LearnerHandler[] {
    return [...this.#learners.values()].filter((learner) => learner.state === state)
  }

  #onReported(learner: LearnerHandler): void {
    const { sid, role, acceptedEpoch } = learner
    this.#parts.logger.info('a learner joins', { sid, role, acceptedEpoch })
    const refusal = this.#gate.refusalOf(learner)
    if (refusal !== undefined) return this.#drop(learner, refusal)
    const agreement = this.#agreement
    const wasOpen = agreement.phase === 'discovery' || agreement.phase === 'epoch'
    if (wasOpen && this.#gate.heeds(sid))
      return agreement.onReported(acceptedEpoch, this.#voterOf(learner))
    if (wasOpen) return
    if (this.isServing && acceptedEpoch > this.epoch) this.#makeRoom(learner)
    learner.sendLeaderInfo()
  }

  /**
   * It has promised never to follow an earlier epoch, and will keep that: in the original such a member
   * stays out for as long as the leader stays. The next epoch takes it in. We make the promise our own,
   * because others may lead next: with each of them that has made it fewer quorums are without it.
   */
  #makeRoom(learner: LearnerHandler): void {
    const { sid, acceptedEpoch } = learner
    const voter = this.#voterOf(learner)
    if (voter === undefined) return
    // Who follows has promised no more than our epoch; so this one is somebody else, or an old link
    // of its is not known to be broken yet, and it will ask again.
    if (this.#inState('serving').some((other) => other.sid === sid)) return
    if (!this.#gate.makesRoom(voter, this.epoch, this.#nowMono)) return
    const { epochs, replica } = this.#parts
    epochs.accepted = acceptedEpoch
    replica.writeEpoch('acceptedEpoch', acceptedEpoch)
    this.#end(`member ${sid} has accepted epoch ${acceptedEpoch}`)
  }

  /** One that votes here, and has come to follow. */
  #voterOf({ sid, role }: LearnerHandler): number | undefined {
    return role === 'participant' && isParticipant(this.#parts.ensemble, sid) ? sid : undefined
  }

  #onEpochAcked(learner: LearnerHandler, currentEpoch: number): void {
    const agreement = this.#agreement
    if (agreement.phase !== 'election') {
      if (this.#gate.isOutside(learner, currentEpoch, this.epoch, this.#nowMono))
        return this.#drop(learner, 'its history is beyond our epoch')
      learner.startSync()
      return
    }
    // -1: it had accepted the epoch before, and says nothing of what it has.
    if (currentEpoch === -1) return
    const voter = this.#voterOf(learner)
    const isAhead = agreement.isAhead(currentEpoch, learner.peerZxid)
    if (voter === undefined) {
      // What is on a quorum is with us, else we had not been elected. So what others have does not
      // count, and must not stop the ensemble.
      if (isAhead) this.#drop(learner, 'ahead of the leader')
    } else if (isAhead) this.#end(`member ${voter} is ahead of us`)
    else agreement.onEpochAcked(voter)
  }

  // ---- synchronisation

  /** Participants are let in whatever the number, as in the original: without them nothing commits. */
  #admitsSync(learner: LearnerHandler, kind: 'snap' | 'diff'): boolean {
    const { concurrentSnapSyncsMax, concurrentDiffSyncsMax } = this.#parts.ensemble
    const max = kind === 'snap' ? concurrentSnapSyncsMax : concurrentDiffSyncsMax
    let syncs = 0
    for (const other of this.#learners.values()) if (other.syncKind === kind) syncs += 1
    if (learner.role === 'observer' && syncs >= max) return false
    this.#supersede(learner)
    return true
  }

  /**
   * The member has only this connection now. What its old one may still bring must not count: acks of
   * what it is about to cut off, for one.
   */
  #supersede(learner: LearnerHandler): void {
    if (!this.#parts.ensemble.members.has(learner.sid)) return
    for (const other of this.#learners.values())
      if (other !== learner && other.sid === learner.sid && other.state !== 'info')
        this.#drop(other, 'the learner has come back on another connection')
  }

  #onCaughtUp(learner: LearnerHandler): void {
    const { replica, links } = this.#parts
    this.#forwarding.cut()
    if (this.isServing && learner.role === 'participant') {
      const above = learner.syncCursor
      for (const entry of replica.outstanding()) {
        if (entry.zxid <= above) continue
        const bytes = Buffer.allocUnsafe(packetBytes(entry.bytes))
        putPacket(bytes, 0, PacketType.proposal, entry.zxid, entry.bytes)
        links.send(learner.link, bytes)
      }
    }
    learner.sendNewLeader()
    this.#forwarding.add(learner)
  }

  #onNewLeaderAcked(learner: LearnerHandler): void {
    if (this.isServing) {
      learner.sendUpToDate()
      return
    }
    const voter = this.#voterOf(learner)
    if (voter !== undefined) this.#agreement.onNewLeaderAcked(voter)
  }

  #startServing(): void {
    const { replica, ensemble, logger } = this.#parts
    const { epoch } = this
    this.#parts.standing.stayingOut = undefined
    this.#lastProposedZxid = makeZxid(epoch, 0)
    this.#lastCommittedZxid = this.#lastProposedZxid
    this.#nextPingMono = this.#nowMono + ensemble.tickTimeMs / 2
    logger.info('a quorum has synchronised, we lead', { epoch })
    replica.startLeading(epoch, this)
    for (const learner of this.#inState('start')) learner.sendUpToDate()
  }

  // ---- broadcast

  #sendAlone(learner: LearnerHandler, bytes: Buffer): void {
    this.#forwarding.cut()
    if (learner.state !== 'closed') this.#parts.links.send(learner.link, bytes)
  }

  /** Every half tick a PING; every tick a look at whether a quorum is still there. */
  #tick(): void {
    const { tickTimeMs } = this.#parts.ensemble
    if (this.#nowMono < this.#nextPingMono) return
    this.#nextPingMono = this.#nowMono + tickTimeMs / 2
    this.#isHalfTick = !this.#isHalfTick
    if (!this.#isHalfTick) {
      if (!this.#hasQuorumThere()) {
        this.#end('a quorum does not follow any more')
        return
      }
    }
    this.#forwarding.cut()
    const ping = encodePacket(PacketType.ping, this.#lastProposedZxid)
    const { owed } = this.#confirmation
    for (const learner of this.#inState('serving'))
      if (owed === undefined) learner.sendPing(ping)
      else learner.sendRoundPing(ping, owed)
  }

  // ---- confirmation

  #sendRound(): void {
    const round = this.#confirmation.begin()
    if (round === undefined) return
    this.#forwarding.cut()
    const ping = encodePacket(PacketType.ping, this.#lastProposedZxid)
    for (const learner of this.#forwarding.followers)
      if (learner.state === 'serving') learner.sendRoundPing(ping, round)
    this.#tryConfirm(round)
  }

  #onPingAnswered(learner: LearnerHandler): void {
    const owed = learner.pings.takeOwedRound()
    if (owed !== undefined) {
      this.#forwarding.cut()
      learner.sendRoundPing(encodePacket(PacketType.ping, this.#lastProposedZxid), owed)
    }
    this.#tryConfirm(learner.pings.confirmedRound)
  }

  #tryConfirm(round: number): void {
    const confirmed = this.#confirmation.confirm(round, this.#forwarding.followers)
    if (confirmed !== undefined) this.#parts.replica.onConfirmed(confirmed)
  }

  // ---- ends

  /** Of a learner, because of what it did or did not do. */
  #drop(learner: LearnerHandler, problem: string): void {
    if (learner.state === 'closed') return
    this.#forget(learner, problem)
    this.#parts.links.close(learner.link)
  }

  #forget(learner: LearnerHandler, reason: string): void {
    const { sid, link, state } = learner
    this.#throttledLog.warn('a learner is gone', { sid, link, state, reason }, `${sid} ${reason}`)
    learner.close()
    this.#learners.delete(learner.link)
    this.#forwarding.delete(learner)
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
