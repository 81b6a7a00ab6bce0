import { JuteReader } from 'jute-ts'
import { type QuorumPacket, readRevalidateResponse } from '../../data/records.ts'
import { epochOf, formatZxid, makeZxid } from '../../data/zxid.ts'
import { BEYOND_ADVICE } from '../leading/learner-gate.ts'
import type { EnsembleMember } from '../membership/ensemble.ts'
import type { LinkId } from '../ports/links.ts'
import type { AcceptedEntry } from '../ports/replica.ts'
import type { RoleParts } from '../role/role.ts'
import { isBeyond } from '../role/standing.ts'
import { isKnownPacket, NO_ZXID, PacketType, packetName } from '../wire/packets.ts'
import { LeaderChannel } from './leader-channel.ts'
import { LeaderDial } from './leader-dial.ts'
import { LeaderStream } from './leader-stream.ts'
import { defaultLearnerLimits, LearnerHistory, type LearnerLimits } from './learner-history.ts'
import { StoreBackOff } from './store-back-off.ts'

/** What comes next, in this order (spec 04 §3). */
type Step =
  /** The connection to the leader. */
  | 'connection'
  /** Time to pass since the last SNAP that our disk did not take; then FOLLOWERINFO leaves. */
  | 'pause'
  /** LEADERINFO, in answer to our FOLLOWERINFO or OBSERVERINFO. */
  | 'LEADERINFO'
  /** The accepted epoch on our disk; then ACKEPOCH leaves. */
  | 'acceptedEpoch'
  /** DIFF, TRUNC or SNAP; or our log has been cut, or the stream of a SNAP has ended. */
  | 'sync mode'
  /** What we lack, up to NEWLEADER. */
  | 'NEWLEADER'
  /** All that came before NEWLEADER on our disk; then its ACK leaves. */
  | 'currentEpoch'
  | 'UPTODATE'
  /** Whatever the leader proposes and commits. */
  | 'broadcast'
  | 'end'

/** A string says what of the leader's makes no sense; the role ends with it. */
type Problem = string | undefined

/** Instead of our current epoch: this one was accepted before, and must not be counted twice. */
const ACCEPTED_BEFORE = -1
const SUGGESTED_LEADER_BYTES = 8

/**
 * Follows or observes one leader: connects, agrees on the epoch, takes over its history, and is told
 * of what it proposes and commits until one of them goes (spec 04 §3, §5, §6). What is promised to
 * the leader, be it an epoch, its history or a proposal, is durable before the packet leaves.
 */
export class Learner {
  readonly #parts: RoleParts
  readonly #leader: EnsembleMember
  readonly #role: 'following' | 'observing'
  readonly #onEnd: (reason: string) => void
  readonly #backOff: StoreBackOff
  #dial: LeaderDial
  readonly #history: LearnerHistory
  #stream: LeaderStream | undefined = undefined
  #channel: LeaderChannel | undefined = undefined
  #step: Step = 'connection'
  #now: number
  /** When we began to wait for what the leader says next. */
  #waitsSinceMono: number
  #epoch = 0
  /** From before Zab 1.0: NEWLEADER is its first packet, and UPTODATE stands for the second one. */
  #isOldLeader = false
  #isSnapshot = false
  /** DIFF and TRUNC are of no use here: this role, and no other, has found that it needs a SNAP. */
  #needsSnapshot: boolean

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
    this.#leader = leader
    this.#role = role
    this.#onEnd = onEnd
    this.#backOff = backOff
    this.#now = nowMono
    this.#waitsSinceMono = nowMono
    this.#needsSnapshot = parts.replica.hasLostState
    this.#dial = this.#dialLeader()
    this.#history = new LearnerHistory(parts, role === 'observing', limits, {
      onDurable: (zxids) => this.#channel?.sendAcks(zxids),
      onBacklog: (isLarge) => {
        this.#waitsSinceMono = this.#now
        this.#stream?.setBacklog(isLarge)
      },
    })
  }

  #dialLeader(): LeaderDial {
    const { links, ensemble } = this.#parts
    return new LeaderDial(
      links,
      this.#leader.quorumAddresses,
      ensemble.connectToLeaderLimitMs,
      this.#now,
    )
  }

  advance(nowMono: number): void {
    this.#now = nowMono
    switch (this.#step) {
      case 'connection':
        if (!this.#dial.advance(nowMono)) this.#end('the leader cannot be connected to')
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
    const { syncLimitMs } = this.#parts.ensemble
    if (this.#history.logWaitedMs(this.#now) >= syncLimitMs)
      this.#end(`our log is behind by ${syncLimitMs} ms`)
  }

  /** A leader that is alive has said so meanwhile, and that is read before anybody asks. */
  onPaused(nowMono: number): void {
    this.#now = nowMono
  }

  #endIfSilent(): void {
    const { initLimitMs, syncLimitMs } = this.#parts.ensemble
    const limitMs = this.#step === 'broadcast' ? syncLimitMs : initLimitMs
    if (this.#stream?.isPaused === true || this.#now - this.#waitsSinceMono < limitMs) return
    this.#end(`the leader has said nothing for ${limitMs} ms`)
  }

  get undelivered(): readonly AcceptedEntry[] {
    return this.#history.undelivered
  }

  /** The role is over: the link is closed, and nothing is sent or called back any more. */
  close(): void {
    const isConnecting = this.#step === 'connection'
    this.#step = 'end'
    this.#stream?.close()
    this.#channel?.close()
    if (isConnecting && this.#dial.link !== undefined) this.#parts.links.close(this.#dial.link)
  }

  #end(reason: string): void {
    if (this.#step === 'end') return
    const waitedFor = this.#step
    this.close()
    const { logger } = this.#parts
    logger.warn('learning ends', { leader: this.#leader.sid, reason, waitedFor })
    this.#onEnd(reason)
  }

  // ---- the link

  onLinkOpened(link: LinkId): void {
    if (this.#step !== 'connection' || link !== this.#dial.link) return
    const { links } = this.#parts
    this.#stream = new LeaderStream(links, link, {
      onPacket: (packet) => this.#onPacket(packet),
      onSnapshot: () => this.#onSnapshot(),
      onPieceEnd: () => this.#history.setMark(this.#now),
      onProblem: (problem) => this.#end(problem),
    })
    this.#channel = new LeaderChannel(links, link)
    // Connected all the same: if the leader goes, the election must not wait for us.
    this.#waitFor('pause')
    this.#joinIfDue()
  }

  #joinIfDue(): void {
    if (!this.#backOff.isOver(this.#now)) return
    this.#waitFor('LEADERINFO')
    const { ensemble, epochs } = this.#parts
    const { self, configVersion } = ensemble
    this.#channel?.sendInfo(this.#role, self.sid, epochs.accepted, configVersion)
  }

  onLinkBytes(link: LinkId, bytes: Buffer): void {
    if (this.#step === 'end' || link !== this.#dial.link) return
    this.#waitsSinceMono = this.#now
    this.#stream?.push(bytes)
  }

  onLinkClosed(link: LinkId): void {
    if (this.#step === 'end' || link !== this.#dial.link) return
    this.#channel?.onClosed()
    // A leader that is a moment behind us refuses the connection, or lets it wait while it looks.
    // One that takes it and ends it follows somebody else.
    const isOpen = this.#step !== 'connection'
    if (!isOpen && this.#dial.tryAgain(this.#now)) this.#waitFor('connection')
    else this.#end('the connection to the leader is broken')
  }

  onLinkDrained(_link: LinkId): void {
    // Nothing waits for that: what we send is bounded by what the leader and our clients ask.
  }

  #waitFor(step: Step): void {
    this.#step = step
    this.#waitsSinceMono = this.#now
  }

  #onPacket(packet: QuorumPacket): Problem {
    switch (this.#step) {
      case 'LEADERINFO':
        return this.#onFirst(packet)
      case 'sync mode':
        return this.#onSyncMode(packet)
      case 'NEWLEADER':
      case 'currentEpoch':
      case 'UPTODATE':
        return this.#onSyncing(packet)
      case 'broadcast':
        return this.#onBroadcast(packet)
      default:
        return this.#outOfPlace(packet)
    }
  }

  #outOfPlace(packet: QuorumPacket): string {
    const zxid = packet.zxid < 0 ? '' : ` of ${formatZxid(packet.zxid)}`
    return `${packetName(packet.type)}${zxid} where ${this.#step} was awaited`
  }

  // ---- the epoch

  #onFirst(packet: QuorumPacket): Problem {
    const { replica, epochs } = this.#parts
    this.#isOldLeader = packet.type === PacketType.newLeader
    if (packet.type !== PacketType.leaderInfo && !this.#isOldLeader) return this.#outOfPlace(packet)
    const epoch = epochOf(packet.zxid)
    if (packet.zxid >= 0 && isBeyond(epoch, epochs.current, this.#lastZxid))
      return this.#stayOut(epoch)
    if (epoch < epochs.accepted)
      return `epoch ${epoch} of the leader is below the accepted epoch ${epochs.accepted}`
    this.#epoch = epoch
    if (epoch === epochs.accepted) {
      this.#sendAckEpoch(ACCEPTED_BEFORE)
      return undefined
    }
    this.#waitFor('acceptedEpoch')
    epochs.accepted = epoch
    replica.writeEpoch('acceptedEpoch', epoch)
    if (this.#isOldLeader) {
      this.#waitFor('sync mode')
      return undefined
    }
    replica.whenDurable(() => {
      if (this.#step === 'acceptedEpoch') this.#sendAckEpoch(epochs.current)
    })
    return undefined
  }

  /** What we have is of an epoch that this leader has never seen, and is not for it to overwrite. */
  #stayOut(leaderEpoch: number): string {
    const { standing, epochs, logger } = this.#parts
    const leader = this.#leader.sid
    const before = standing.stayingOut
    const isKnown = before?.leader === leader && before.leaderEpoch === leaderEpoch
    const { current: currentEpoch } = epochs
    const lastZxid = this.#lastZxid
    standing.stayingOut = { leader, leaderEpoch, currentEpoch, lastZxid }
    if (!isKnown)
      logger.error('we stay out: our history is beyond the epoch of the leader', {
        leader,
        leaderEpoch,
        currentEpoch,
        lastZxid: formatZxid(lastZxid),
        advice: BEYOND_ADVICE,
      })
    return `our history is beyond epoch ${leaderEpoch} of the leader`
  }

  /**
   * A leader counts on those who tell it their epoch and zxid: that none of them has more than itself
   * is why it may lead. Who needs a SNAP tells neither, and so is not counted on: it would have to
   * say less than it has acked.
   */
  #sendAckEpoch(currentEpoch: number): void {
    this.#waitFor('sync mode')
    if (this.#isOldLeader) return
    if (this.#needsSnapshot) this.#channel?.sendAckEpoch(NO_ZXID, ACCEPTED_BEFORE)
    else this.#channel?.sendAckEpoch(this.#lastZxid, currentEpoch)
  }

  /** An observer that does not log is as far as its state is, which the log knows nothing of. */
  get #lastZxid(): number {
    const { replica, ensemble } = this.#parts
    const isLogged = this.#role === 'following' || ensemble.observerLogs
    return isLogged
      ? replica.lastLoggedZxid
      : Math.max(replica.lastLoggedZxid, replica.lastProcessedZxid)
  }

  // ---- synchronisation

  #onSyncMode(packet: QuorumPacket): Problem {
    const { replica, logger } = this.#parts
    const { type, zxid } = packet
    const isSnapshot = type === PacketType.snap
    if (!isSnapshot && type !== PacketType.diff && type !== PacketType.trunc)
      return this.#outOfPlace(packet)
    if (zxid < 0) return `${packetName(type)} of a negative zxid`
    logger.info('synchronising with the leader', {
      leader: this.#leader.sid,
      mode: packetName(type),
      zxid: formatZxid(zxid),
      lastZxid: formatZxid(this.#lastZxid),
    })
    if (!isSnapshot && this.#needsSnapshot) return 'a SNAP was asked for'
    if (type === PacketType.trunc) return this.#truncate(zxid)
    this.#isSnapshot = isSnapshot
    this.#history.begin(isSnapshot ? zxid : this.#lastZxid, isSnapshot)
    if (isSnapshot) this.#stream?.takeSnapshot(replica.receiveSnapshot(zxid))
    else this.#waitFor('NEWLEADER')
    return undefined
  }

  #onSnapshot(): void {
    this.#waitFor('NEWLEADER')
  }

  #truncate(zxid: number): Problem {
    const { replica } = this.#parts
    if (zxid > replica.lastLoggedZxid) {
      this.#askForSnapshot(zxid, 'that is beyond the end of the log')
      return undefined
    }
    this.#stream?.hold()
    replica.truncate(zxid, (problem) => {
      if (this.#step !== 'sync mode') return
      if (problem !== undefined) {
        this.#askForSnapshot(zxid, problem)
        return
      }
      this.#history.begin(zxid, false)
      this.#waitFor('NEWLEADER')
      this.#stream?.release()
    })
    return undefined
  }

  /**
   * On another connection to the same leader, since this one can bring nothing else. It has heard the
   * truth of what we have, so it may count us among those that elected it; whoever leads next must
   * hear it again. So this is forgotten with the role, and not told before.
   */
  #askForSnapshot(zxid: number, problem: string): void {
    const { logger } = this.#parts
    logger.warn('the log cannot be cut, asking for a SNAP', {
      leader: this.#leader.sid,
      zxid: formatZxid(zxid),
      problem,
    })
    this.#needsSnapshot = true
    this.#stream?.close()
    this.#channel?.close()
    this.#waitFor('connection')
    this.#dial = this.#dialLeader()
  }

  #onSyncing(packet: QuorumPacket): Problem {
    switch (packet.type) {
      case PacketType.newLeader:
        return this.#onNewLeader(packet)
      case PacketType.upToDate:
        if (this.#step === 'NEWLEADER' && this.#isOldLeader) this.#makeDurable()
        else if (this.#step === 'UPTODATE') this.#startBroadcast()
        else return this.#outOfPlace(packet)
        return undefined
      case PacketType.ping:
        // To be answered once we are synchronised: the leader takes nothing but an ACK before.
        return undefined
      default:
        return this.#onHistory(packet)
    }
  }

  #onNewLeader(packet: QuorumPacket): Problem {
    if (this.#step !== 'NEWLEADER' || this.#isOldLeader) return this.#outOfPlace(packet)
    if (packet.zxid !== makeZxid(this.#epoch, 0))
      return `NEWLEADER of ${formatZxid(packet.zxid)} in epoch ${this.#epoch}`
    this.#makeDurable()
    return undefined
  }

  /** All that came before NEWLEADER; the lane of the disk keeps the order (ZOOKEEPER-4643). */
  #makeDurable(): void {
    this.#waitFor('currentEpoch')
    if (!this.#isSnapshot) {
      this.#acceptLeader()
      return
    }
    this.#stream?.hold()
    this.#parts.replica.installSnapshot((problem) => {
      if (this.#step !== 'currentEpoch') return
      if (problem !== undefined) {
        this.#backOff.onFailed(this.#now)
        this.#end(`the snapshot cannot be written: ${problem}`)
        return
      }
      this.#backOff.onStored()
      this.#history.onSnapshotInstalled()
      this.#acceptLeader()
      this.#stream?.release()
    })
  }

  #acceptLeader(): void {
    const { replica, epochs } = this.#parts
    epochs.current = this.#epoch
    replica.writeEpoch('currentEpoch', this.#epoch)
    const uncommitted = this.#history.startAcking()
    replica.whenDurable(() => {
      if (this.#step !== 'currentEpoch') return
      this.#waitFor('UPTODATE')
      if (this.#isOldLeader) this.#startBroadcast()
      else this.#channel?.sendAcks([makeZxid(this.#epoch, 0)])
      if (uncommitted.length > 0) this.#channel?.sendAcks(uncommitted)
    })
  }

  #startBroadcast(): void {
    const { replica, logger } = this.#parts
    this.#waitFor('broadcast')
    const channel = this.#channel
    if (channel === undefined) return
    this.#parts.standing.stayingOut = undefined
    channel.sendAcks([makeZxid(this.#epoch, 0)])
    logger.info(this.#role, { leader: this.#leader.sid, epoch: this.#epoch })
    replica.startLearning(this.#role, this.#epoch, channel)
  }

  // ---- broadcast

  #onBroadcast(packet: QuorumPacket): Problem {
    const { replica, logger } = this.#parts
    switch (packet.type) {
      case PacketType.ping:
        this.#channel?.sendPing(packet.zxid, replica.takeTouched(), packet.authinfo)
        return undefined
      case PacketType.sync:
        replica.onSynced()
        return undefined
      case PacketType.revalidate:
        return this.#onRevalidated(packet)
      case PacketType.upToDate:
        logger.warn('UPTODATE has come again', { leader: this.#leader.sid })
        return undefined
      default:
        if (isKnownPacket(packet.type)) return this.#onHistory(packet)
        // As in the original: a newer leader may have more to say.
        logger.warn('a packet of the leader is not known', { type: packet.type })
        return undefined
    }
  }

  #onRevalidated(packet: QuorumPacket): Problem {
    const reader = new JuteReader(packet.data ?? undefined)
    const { sessionId, valid } = readRevalidateResponse(reader)
    if (!reader.ok) return 'REVALIDATE is cut short'
    this.#parts.replica.onRevalidated(sessionId, valid)
    return undefined
  }

  /** While synchronising and afterwards. */
  #onHistory(packet: QuorumPacket): Problem {
    const { type, zxid, data } = packet
    switch (type) {
      case PacketType.proposal:
        return this.#history.onProposal(zxid, data)
      case PacketType.commit:
      case PacketType.commitAndActivate:
        return this.#history.onCommit(zxid)
      case PacketType.inform:
      case PacketType.informAndActivate: {
        if (this.#role !== 'observing') return this.#outOfPlace(packet)
        const at = type === PacketType.inform ? 0 : SUGGESTED_LEADER_BYTES
        return this.#history.onInform(zxid, data?.subarray(at) ?? null)
      }
      default:
        return this.#outOfPlace(packet)
    }
  }
}
