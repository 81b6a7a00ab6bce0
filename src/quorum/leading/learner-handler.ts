import { unreachable } from '../../base/assert.ts'
import { OpCode } from '../../data/op-code.ts'
import type { QuorumPacket } from '../../data/records.ts'
import { counterOf, EPOCH_MAX, epochOf, formatZxid, makeZxid } from '../../data/zxid.ts'
import type { LinkId } from '../ports/links.ts'
import type { HistoryScan } from '../ports/replica.ts'
import { AckWatch } from '../role/ack-watch.ts'
import type { RoleParts } from '../role/role.ts'
import {
  forEachTouch,
  parseLearnerInfo,
  parseLearnerRequest,
  parseRevalidate,
  revalidated,
} from '../wire/learner-info.ts'
import {
  encodePacket,
  NO_ZXID,
  PacketReader,
  PacketType,
  PROTOCOL_VERSION,
  packetName,
} from '../wire/packets.ts'
import type { LeaderBounds } from './leader-bounds.ts'
import { PingCount } from './ping-count.ts'
import { planSync } from './sync-plan.ts'
import { type HistoryLimits, SyncStream } from './sync-stream.ts'

/** What a learner's handler asks of the leader. */
export interface LearnerHost {
  readonly parts: RoleParts
  readonly bounds: LeaderBounds
  readonly history: HistoryLimits
  readonly nowMono: number
  /** The established one; 0 before. */
  readonly epoch: number
  readonly lastProposedZxid: number
  readonly lastCommittedZxid: number
  /** Sid for a learner that has told none: below 0, a new one each time. */
  takeNamelessSid(): number
  /** It has reported; the leader answers with sendLeaderInfo once there is an epoch. */
  onReported(learner: LearnerHandler): void
  /** Its end of the history is known; the leader answers with startSync after the election. */
  onEpochAcked(learner: LearnerHandler, currentEpoch: number): void
  /** False: too many learners synchronise in that way already (maxConcurrentSnapSyncs). */
  admitsSync(learner: LearnerHandler, kind: 'snap' | 'diff'): boolean
  /** Nothing separates it from the others: the leader sends what is outstanding, and NEWLEADER. */
  onCaughtUp(learner: LearnerHandler): void
  /** NEWLEADER is acked; the leader answers with sendUpToDate once it serves. */
  onNewLeaderAcked(learner: LearnerHandler): void
  onPingAnswered(learner: LearnerHandler): void
  /** Behind everything that all learners have been sent. */
  sendAlone(learner: LearnerHandler, bytes: Buffer): void
  drop(learner: LearnerHandler, problem: string): void
}

/**
 * What the leader is waiting for, in the order in which it comes. `epoch`, `election` and `start` are
 * for the leader itself and others to end; the rest is for this learner.
 */
type LearnerState =
  | 'info'
  | 'epoch'
  | 'ackEpoch'
  | 'election'
  | 'sync'
  | 'ackNewLeader'
  | 'start'
  | 'serving'
  | 'closed'

/** The leader's view of one learner: a state and what follows from each of its packets. */
export class LearnerHandler {
  readonly link: LinkId
  readonly pings: PingCount
  sid = 0
  /** Of what it is: an observer has sent OBSERVERINFO. */
  role: 'participant' | 'observer' = 'participant'
  /** Of its FOLLOWERINFO; it may be above ours. */
  acceptedEpoch = 0
  /** Of its log, as of ACKEPOCH. */
  peerZxid = 0
  protocolVersion = 0
  /** The newest zxid that it has acked. */
  lastAckedZxid = 0
  /** Sync requests of its clients that were not answered by SYNC yet. */
  syncsPending = 0
  lastHeardMono: number
  readonly #host: LearnerHost
  readonly #reader: PacketReader
  #state: LearnerState = 'info'
  #sync: SyncStream | undefined = undefined
  #scan: HistoryScan | undefined = undefined
  /** While something is on its way to a learner that has nothing to say: when it last moved. */
  #movedMono: number
  #waitingBytes = 0
  /** An ack that was faster than that of NEWLEADER. */
  #earlyAckZxid = 0
  readonly #acks = new AckWatch()
  /** When lastAckedZxid grew. */
  #ackedMono = 0

  constructor(link: LinkId, host: LearnerHost) {
    this.link = link
    this.#host = host
    this.#reader = new PacketReader(host.bounds.strangerPacketBytesMax)
    this.pings = new PingCount(host.bounds.pingsInFlightMax)
    this.lastHeardMono = host.nowMono
    this.#movedMono = host.nowMono
  }

  get state(): LearnerState {
    return this.#state
  }

  /** How it synchronises; undefined when it does not. */
  get syncKind(): 'snap' | 'diff' | undefined {
    if (this.#sync === undefined) return undefined
    return this.#sync.kind === 'snap' ? 'snap' : 'diff'
  }

  /** What it has, or will have when it has read what it was sent. */
  get syncCursor(): number {
    return this.#sync?.cursor ?? 0
  }

  /** `bytes` are borrowed. */
  onBytes(bytes: Buffer): void {
    this.lastHeardMono = this.#host.nowMono
    this.#reader.push(bytes)
    while (this.#state !== 'closed') {
      const packet = this.#reader.next()
      if (packet === 'more') return
      const problem = 'problem' in packet ? packet.problem : this.#onPacket(packet)
      if (problem === undefined) continue
      this.#host.drop(this, problem)
      return
    }
  }

  /** The link is gone, or the leader has ended: what is held for it is let go. */
  close(): void {
    this.#state = 'closed'
    this.#sync?.close()
    this.#sync = undefined
  }

  // ---- discovery

  /** The epoch is established and durable. */
  sendLeaderInfo(): void {
    if (this.#state !== 'epoch') return
    if (this.protocolVersion < PROTOCOL_VERSION) {
      // It knows of no ACKEPOCH: FOLLOWERINFO has brought its last zxid (spec 04 §3).
      this.#becomeElector(epochOf(this.peerZxid))
      return
    }
    const version = Buffer.alloc(4)
    version.writeInt32BE(PROTOCOL_VERSION)
    this.#state = 'ackEpoch'
    this.lastHeardMono = this.#host.nowMono
    this.#send(encodePacket(PacketType.leaderInfo, makeZxid(this.#host.epoch, 0), version))
  }

  #becomeElector(currentEpoch: number): void {
    this.#state = 'election'
    this.#host.onEpochAcked(this, currentEpoch)
  }

  // ---- synchronisation

  /** The election is over. Drops the learner if too many synchronise. */
  startSync(): void {
    if (this.#state !== 'election') return
    this.#state = 'sync'
    this.#planSync()
  }

  /** Again in the next turn, as long as the log files are not looked through. */
  #planSync(): void {
    const { parts, history } = this.#host
    const { replica, links, ensemble } = parts
    const { peerZxid } = this
    const plan = planSync({
      peerZxid,
      lastProcessedZxid: replica.lastProcessedZxid,
      historyEndZxid: history.endZxid,
      committedLog: replica.committedLog,
      forceSnapshot: ensemble.forceSnapshotSync,
      readHistory: (from) => {
        if (from < history.floorZxid) return undefined
        this.#scan ??= replica.readHistory(from, false)
        return this.#scan?.step()
      },
    })
    this.#onMoved()
    if (plan === 'later') return
    this.#scan = undefined
    if (!this.#host.admitsSync(this, plan.kind === 'snap' ? 'snap' : 'diff')) {
      this.#host.drop(this, 'too many learners synchronise')
      return
    }
    this.#sync = new SyncStream(this.link, plan, {
      replica,
      links,
      bounds: this.#host.bounds,
      history,
    })
    // Only a serving leader has proposals that could have been acked.
    if (this.role === 'participant' && this.#host.lastProposedZxid > 0)
      replica.withdrawAcks(this.sid, this.#sync.cursor)
    parts.logger.info('a learner synchronises', {
      sid: this.sid,
      kind: plan.kind,
      from: formatZxid(peerZxid),
      cursor: formatZxid(this.#sync.cursor),
    })
    this.#onMoved()
    this.pumpSync()
  }

  /** True: there is something to send that the learner would take now. */
  get wantsTurn(): boolean {
    return this.#state === 'sync' && (this.#sync === undefined || this.#sync.canPump)
  }

  /** Sends a slice of what it lacks, if it has taken the last one. */
  pumpSync(): void {
    const sync = this.#sync
    if (this.#state !== 'sync') return
    if (sync === undefined) return this.#planSync()
    if (!sync.canPump) return
    const progress = sync.pump()
    this.#onMoved()
    if (progress === 'waiting') return
    if (progress === 'caughtUp') this.#host.onCaughtUp(this)
    else this.#host.drop(this, progress.problem)
  }

  /** It has caught up, and what was outstanding is sent: from now on it gets what all get. */
  sendNewLeader(): void {
    const { epoch, parts } = this.#host
    const config =
      this.protocolVersion < PROTOCOL_VERSION ? null : Buffer.from(parts.ensemble.configText)
    this.#state = 'ackNewLeader'
    this.#send(encodePacket(PacketType.newLeader, makeZxid(epoch, 0), config))
    this.#onMoved()
  }

  /** The leader serves, so the learner may. */
  sendUpToDate(): void {
    if (this.#state !== 'start') return
    this.#state = 'serving'
    this.lastHeardMono = this.#host.nowMono
    this.#sync?.close()
    this.#sync = undefined
    this.#host.sendAlone(this, encodePacket(PacketType.upToDate, NO_ZXID))
    if (this.#earlyAckZxid > 0) this.#onProposalAck(this.#earlyAckZxid)
  }

  // ---- broadcast

  /** PROPOSALs up to that zxid have been sent. */
  onForwarded(zxid: number): void {
    if (this.#state === 'serving') this.#acks.onSent(zxid, this.#host.nowMono)
  }

  /** Sends `ping`, which is the same for all learners. */
  sendPing(ping: Buffer): void {
    if (this.pings.onPing()) this.#send(ping)
  }

  /** As sendPing; the answer confirms that round. */
  sendRoundPing(ping: Buffer, round: number): void {
    if (this.pings.onRoundPing(round)) this.#send(ping)
  }

  // ---- time

  /** The leader has stood still for so long: that is no time the learner has had. */
  onPaused(ms: number): void {
    this.lastHeardMono += ms
    this.#movedMono += ms
    this.#acks.postpone(ms)
  }

  /** Why the learner has had time enough; undefined while it has some left. */
  overdue(): string | undefined {
    const { nowMono, parts } = this.#host
    const { initLimitMs, syncLimitMs } = parts.ensemble
    switch (this.#state) {
      case 'info':
      case 'ackEpoch':
        return nowMono - this.lastHeardMono > initLimitMs ? 'silent before it joined' : undefined
      case 'sync':
      case 'ackNewLeader':
        return this.#overdueInSync(initLimitMs)
      case 'serving':
        return this.#overdueServing(syncLimitMs)
      case 'epoch':
      case 'election':
      case 'start':
      case 'closed':
        return undefined
      default:
        return unreachable(this.#state)
    }
  }

  /**
   * Answers to PINGs, and acks, come behind all that waits for the learner. As long as it gets on with
   * that it is not late: what large writes make of a slow link or disk must not end a leadership.
   */
  #overdueServing(syncLimitMs: number): string | undefined {
    const { nowMono } = this.#host
    this.#watchWaiting()
    const stillMs = nowMono - this.#movedMono
    if (Math.min(nowMono - this.lastHeardMono, stillMs) > syncLimitMs) return 'silent'
    const unackedMs = Math.min(this.#acks.waitedMs(nowMono), nowMono - this.#ackedMono)
    return Math.min(unackedMs, stillMs) > syncLimitMs ? 'a PROPOSAL is not acked' : undefined
  }

  /** A learner that takes what it is sent is not late, however long that lasts. */
  #overdueInSync(initLimitMs: number): string | undefined {
    this.#watchWaiting()
    this.#sync?.unstall(this.#host.nowMono)
    const still = this.#host.nowMono - Math.max(this.#movedMono, this.lastHeardMono)
    return still > initLimitMs ? 'stuck while it synchronised' : undefined
  }

  #watchWaiting(): void {
    const waiting = this.#host.parts.links.waitingBytes(this.link)
    if (waiting < this.#waitingBytes) this.#movedMono = this.#host.nowMono
    this.#waitingBytes = waiting
  }

  #onMoved(): void {
    this.#movedMono = this.#host.nowMono
    this.#waitingBytes = this.#host.parts.links.waitingBytes(this.link)
  }

  // ---- packets

  /** A string says why the link must be closed. */
  #onPacket(packet: QuorumPacket): string | undefined {
    switch (this.#state) {
      case 'info':
        return this.#onInfo(packet)
      case 'ackEpoch':
        return this.#onAckEpoch(packet)
      case 'ackNewLeader':
      case 'start':
        if (packet.type === PacketType.ack) return this.#onAck(packet.zxid)
        break
      case 'serving':
        return this.#onServed(packet)
      case 'epoch':
      case 'election':
      case 'sync':
      case 'closed':
        break
      default:
        return unreachable(this.#state)
    }
    return `${packetName(packet.type)} while the leader waits for ${this.#state}`
  }

  #onInfo({ type, zxid, data }: QuorumPacket): string | undefined {
    if (type !== PacketType.followerInfo && type !== PacketType.observerInfo)
      return `${packetName(type)} instead of FOLLOWERINFO`
    const info = parseLearnerInfo(data)
    if ('problem' in info) return info.problem
    if (info.configVersion > BigInt(this.#host.parts.ensemble.configVersion))
      return 'its configuration is newer than ours'
    // The next epoch must be one that a zxid has room for.
    if (zxid < 0 || epochOf(zxid) >= EPOCH_MAX) return 'an epoch out of range'
    this.sid = info.sid ?? this.#host.takeNamelessSid()
    this.role = type === PacketType.observerInfo ? 'observer' : 'participant'
    this.protocolVersion = info.protocolVersion
    this.acceptedEpoch = epochOf(zxid)
    this.peerZxid = zxid
    this.#state = 'epoch'
    this.#reader.setBytesMax(this.#host.bounds.packetBytesMax)
    this.#host.onReported(this)
    return undefined
  }

  #onAckEpoch({ type, zxid, data }: QuorumPacket): string | undefined {
    if (type !== PacketType.ackEpoch) return `${packetName(type)} instead of ACKEPOCH`
    if (data === null || data.length < 4) return 'ACKEPOCH without an epoch'
    if (zxid < NO_ZXID) return 'ACKEPOCH with a zxid below 0'
    // -1 of a learner that has never logged anything.
    this.peerZxid = Math.max(zxid, 0)
    this.#becomeElector(data.readInt32BE(0))
    return undefined
  }

  #onServed({ type, zxid, data, authinfo }: QuorumPacket): string | undefined {
    switch (type) {
      case PacketType.ack:
        return this.#onAck(zxid)
      case PacketType.ping:
        return this.#onPing(data)
      case PacketType.request:
        return this.#onRequest(data, authinfo)
      case PacketType.revalidate:
        return this.#onRevalidate(data)
      default:
        return `${packetName(type)} is not for a leader`
    }
  }

  /**
   * Of NEWLEADER, of UPTODATE (the same once more), or of a PROPOSAL. Learners of 3.8 ack what they
   * were sent as committed, too; such acks say nothing new (spec 04 §5).
   */
  #onAck(zxid: number): string | undefined {
    if (counterOf(zxid) !== 0) {
      if (this.#state === 'serving') this.#onProposalAck(zxid)
      else this.#earlyAckZxid = Math.max(this.#earlyAckZxid, zxid)
      return undefined
    }
    if (this.#state !== 'ackNewLeader') return undefined
    if (zxid !== makeZxid(this.#host.epoch, 0)) return 'NEWLEADER acked for another epoch'
    this.#state = 'start'
    this.#sync?.close()
    this.#sync = undefined
    this.#host.onNewLeaderAcked(this)
    return undefined
  }

  #onProposalAck(zxid: number): void {
    if (this.role === 'observer' || zxid > this.#host.lastProposedZxid) return
    if (zxid > this.lastAckedZxid) {
      this.lastAckedZxid = zxid
      this.#ackedMono = this.#host.nowMono
    }
    this.#acks.onAck(zxid)
    if (zxid > this.#host.lastCommittedZxid) this.#host.parts.replica.onAck(this.sid, zxid)
  }

  #onPing(data: Buffer | null): string | undefined {
    if (!this.pings.onAnswer()) return 'PING that answers none of ours'
    const { replica } = this.#host.parts
    const isWhole = forEachTouch(data, (sessionId, timeoutMs) => {
      replica.onTouched(sessionId, timeoutMs)
    })
    if (!isWhole) return 'PING cut short'
    this.#host.onPingAnswered(this)
    return undefined
  }

  #onRequest(data: Buffer | null, ids: QuorumPacket['authinfo']): string | undefined {
    const request = parseLearnerRequest(data)
    if ('problem' in request) return request.problem
    if (request.op === OpCode.sync) this.syncsPending += 1
    this.#host.parts.replica.onForwarded({ ...request, link: this.link, ids: ids ?? [] })
    return undefined
  }

  #onRevalidate(data: Buffer | null): string | undefined {
    const asked = parseRevalidate(data)
    if ('problem' in asked) return asked.problem
    const { sessionId, timeoutMs } = asked
    const isValid = this.#host.parts.replica.revalidate(this.link, sessionId, timeoutMs)
    if (isValid !== undefined) this.sendRevalidated(sessionId, isValid)
    return undefined
  }

  sendRevalidated(sessionId: bigint, isValid: boolean): void {
    const answer = encodePacket(PacketType.revalidate, NO_ZXID, revalidated(sessionId, isValid))
    this.#host.sendAlone(this, answer)
  }

  #send(bytes: Buffer): void {
    this.#host.parts.links.send(this.link, bytes)
  }
}
