import type { QuorumPacket } from '../../data/records.ts'
import type { EnsembleMember } from '../membership/configuration.ts'
import type { LinkId } from '../ports/links.ts'
import type { AcceptedEntry } from '../ports/replica.ts'
import type { RoleParts } from '../role/role.ts'
import { Broadcast } from './broadcast.ts'
import { Discovery } from './discovery.ts'
import { LeaderLink } from './leader-link.ts'
import { defaultLearnerLimits, LearnerHistory, type LearnerLimits } from './learner-history.ts'
import { Progress } from './progress.ts'
import { StoreBackOff } from './store-back-off.ts'
import { Synchronisation } from './synchronisation.ts'

/**
 * Follows or observes one leader: connects, agrees on the epoch, takes over its history, and is told
 * of what it proposes and commits until one of them goes (spec 04 §3, §5, §6). What is promised to
 * the leader, be it an epoch, its history or a proposal, is durable before the packet leaves. What is
 * said goes by phases (discovery, synchronisation, broadcast); here are beginning, end and time.
 */
export class Learner {
  readonly #parts: RoleParts
  readonly #leaderSid: number
  readonly #onEnd: (reason: string) => void
  readonly #backOff: StoreBackOff
  readonly #progress: Progress
  readonly #link: LeaderLink
  readonly #history: LearnerHistory
  readonly #discovery: Discovery
  readonly #synchronisation: Synchronisation
  readonly #broadcast: Broadcast

  /** Dials at once. `onEnd` is called once, unless close() was called before. */
  constructor(
    parts: RoleParts,
    leader: EnsembleMember,
    role: 'following' | 'observing',
    nowMono: number,
    onEnd: (reason: string) => void,
    limits: LearnerLimits = defaultLearnerLimits,
    backOff: StoreBackOff = new StoreBackOff(),
  ) {
    this.#parts = parts
    this.#leaderSid = leader.sid
    this.#onEnd = onEnd
    this.#backOff = backOff
    const progress = new Progress(nowMono, parts.replica.hasLostState)
    this.#progress = progress
    const link = new LeaderLink(parts, leader.sid, nowMono, {
      onPacket: (packet) => this.#onPacket(packet),
      onSnapshot: () => this.#synchronisation.onSnapshot(),
      onPieceEnd: () => this.#history.setMark(progress.mono),
      mayGoOn: () => parts.replica.mayDeliver,
      onProblem: (problem) => this.#end(problem),
    })
    this.#link = link
    const history = new LearnerHistory(parts, role === 'observing', limits, {
      onDurable: (zxids, cameMono) => {
        parts.metrics.proposalAckCreationLatency.add(progress.mono - cameMono)
        link.channel?.sendAcks(zxids)
      },
      onBacklog: (isLarge) => {
        progress.waitsSinceMono = progress.mono
        link.stream?.setBacklog(isLarge)
      },
    })
    this.#history = history
    this.#discovery = new Discovery(parts, leader.sid, role, progress, link, history)
    const broadcast = new Broadcast(parts, leader.sid, role, progress, link, history)
    this.#broadcast = broadcast
    const host = { parts, leaderSid: leader.sid, progress, link, history, backOff, broadcast }
    this.#synchronisation = new Synchronisation(host, (reason) => this.#end(reason))
  }

  get isServing(): boolean {
    return this.#progress.step === 'broadcast'
  }

  // ---- time

  advance(nowMono: number): void {
    this.#progress.mono = nowMono
    switch (this.#progress.step) {
      case 'connection':
        if (!this.#link.advance(nowMono)) this.#end('the leader cannot be connected to')
        return
      case 'pause':
        this.#joinIfDue()
        return
      case 'acceptedEpoch':
      case 'currentEpoch':
      case 'end':
        // It is not the leader that is waited for, but our disk.
        return
      case 'broadcast':
        this.#endIfLogIsStuck()
        this.#endIfSilent()
        return
      default:
        this.#endIfSilent()
    }
  }

  /**
   * While our log has too much to take the leader is not read, and neither its silence nor its end
   * would be noticed: clients would be served what is older and older. Nor has one that is read
   * much use for a member that acks nothing.
   */
  #endIfLogIsStuck(): void {
    const { syncLimitMs } = this.#parts.settings
    if (this.#history.logWaitedMs(this.#progress.mono) >= syncLimitMs)
      this.#end(`our log is behind by ${syncLimitMs} ms`)
  }

  /** A leader that is alive has said so meanwhile, and that is read before anybody asks. */
  onPaused(nowMono: number): void {
    this.#progress.mono = nowMono
  }

  #endIfSilent(): void {
    const { initLimitMs, syncLimitMs } = this.#parts.settings
    const { step, mono, waitsSinceMono } = this.#progress
    const limitMs = step === 'broadcast' ? syncLimitMs : initLimitMs
    if (this.#link.stream?.isPaused === true || mono - waitsSinceMono < limitMs) return
    this.#end(`the leader has said nothing for ${limitMs} ms`)
  }

  // ---- the link

  onLinkOpened(link: LinkId): void {
    if (this.#progress.step !== 'connection' || !this.#link.owns(link)) return
    this.#link.onOpened(link)
    // Connected all the same: if the leader goes, the election must not wait for us.
    this.#progress.waitFor('pause')
    this.#joinIfDue()
  }

  #joinIfDue(): void {
    if (this.#backOff.isOver(this.#progress.mono)) this.#discovery.join()
  }

  onLinkBytes(link: LinkId, bytes: Buffer): void {
    const progress = this.#progress
    if (progress.step === 'end' || !this.#link.owns(link)) return
    progress.waitsSinceMono = progress.mono
    this.#link.stream?.push(bytes)
  }

  onLinkClosed(link: LinkId): void {
    const { step, mono } = this.#progress
    if (step === 'end' || !this.#link.owns(link)) return
    this.#link.onClosed()
    // A leader that is a moment behind us refuses the connection, or lets it wait while it looks.
    // One that takes it and ends it follows somebody else.
    const isOpen = step !== 'connection'
    if (!isOpen && this.#link.tryAgain(mono)) this.#progress.waitFor('connection')
    else this.#end('the connection to the leader is broken')
  }

  onLinkDrained(_link: LinkId): void {
    // Nothing waits for that: what we send is bounded by what the leader and our clients ask.
  }

  /**
   * At the end of every turn: what the leader has said and this one had no room for. It was here, so
   * the leader was not silent meanwhile.
   */
  goOn(): void {
    if (!this.isBehind) return
    this.#progress.waitsSinceMono = this.#progress.mono
    this.#link.stream?.goOn()
  }

  /** More is here of what the leader has said than one turn has room for. */
  get isBehind(): boolean {
    return this.#link.stream?.isSated === true
  }

  /** A string says what makes no sense. */
  #onPacket(packet: QuorumPacket): string | undefined {
    switch (this.#progress.step) {
      case 'LEADERINFO':
        return this.#discovery.onFirst(packet)
      case 'sync mode':
        return this.#synchronisation.onSyncMode(packet)
      case 'NEWLEADER':
      case 'currentEpoch':
      case 'UPTODATE':
        return this.#synchronisation.onPacket(packet)
      case 'broadcast':
        return this.#broadcast.onPacket(packet)
      default:
        return this.#progress.outOfPlace(packet)
    }
  }

  // ---- the end

  get undelivered(): readonly AcceptedEntry[] {
    return this.#history.undelivered
  }

  /** The role is over: the link is closed, and nothing is sent or called back any more. */
  close(): void {
    const isConnecting = this.#progress.step === 'connection'
    this.#progress.end()
    this.#link.close(isConnecting)
  }

  #end(reason: string): void {
    const { step: waitedFor } = this.#progress
    if (waitedFor === 'end') return
    this.close()
    const { logger } = this.#parts
    logger.warn('learning ends', { leader: this.#leaderSid, reason, waitedFor })
    this.#onEnd(reason)
  }
}
