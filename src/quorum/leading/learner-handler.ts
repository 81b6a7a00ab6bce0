import { assert, unreachable } from '../../base/assert.ts'
import type { QuorumPacket } from '../../data/records.ts'
import { counterOf, epochOf, makeZxid } from '../../data/zxid.ts'
import type { LinkId } from '../ports/links.ts'
import type { RoleParts } from '../role/role.ts'
import { revalidated } from '../wire/learner-info.ts'
import {
  encodePacket,
  NO_ZXID,
  PacketReader,
  PacketType,
  PROTOCOL_VERSION,
  packetName,
} from '../wire/packets.ts'
import type { LeaderBounds } from './leader-bounds.ts'
import type { Leadership } from './leadership.ts'
import { LearnerClients } from './learner-clients.ts'
import { identityOf } from './learner-identity.ts'
import { LearnerPatience } from './learner-patience.ts'
import { LearnerSync } from './learner-sync.ts'
import { PingCount } from './ping-count.ts'
import type { HistoryLimits } from './sync-stream.ts'

/** What a learner's handler works with: what it needs of its leader, phase by phase. */
export interface LearnerHost {
  readonly parts: RoleParts
  readonly bounds: LeaderBounds
  readonly history: HistoryLimits
  readonly leadership: Leadership
  readonly discovery: {
    takeNamelessSid(): number
    /** Answered with sendLeaderInfo once there is an epoch. */
    onReported(learner: LearnerHandler): void
    /** Answered with startSync after the election. */
    onEpochAcked(learner: LearnerHandler, currentEpoch: number): void
  }
  readonly synchronisation: {
    admits(learner: LearnerHandler, kind: 'snap' | 'diff'): boolean
    /** Answered with what is outstanding, and sendNewLeader. */
    onCaughtUp(learner: LearnerHandler): void
    /** Answered with sendUpToDate once the leader serves. */
    onNewLeaderAcked(learner: LearnerHandler): void
  }
  readonly broadcast: {
    onPingAnswered(learner: LearnerHandler): void
    sendAlone(learner: LearnerHandler, bytes: Buffer): void
  }
  readonly learners: {
    drop(learner: LearnerHandler, problem: string): void
  }
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
  readonly clients: LearnerClients
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
  readonly #host: LearnerHost
  readonly #reader: PacketReader
  #state: LearnerState = 'info'
  /** Its sid, as a key of metrics. */
  #name = ''
  readonly #patience: LearnerPatience
  /** From the end of the election until NEWLEADER is acked. */
  #sync: LearnerSync | undefined = undefined
  /** An ack that was faster than that of NEWLEADER. */
  #earlyAckZxid = 0

  constructor(link: LinkId, host: LearnerHost) {
    this.link = link
    this.#host = host
    this.#reader = new PacketReader(host.bounds.strangerPacketBytesMax)
    this.pings = new PingCount(host.bounds.pingsInFlightMax)
    this.clients = new LearnerClients(link, host.parts.replica)
    this.#patience = new LearnerPatience(link, host.parts.links, host.leadership)
  }

  get state(): LearnerState {
    return this.#state
  }

  /** How it synchronises; undefined when it does not. */
  get syncKind(): 'snap' | 'diff' | undefined {
    return this.#sync?.kind
  }

  /** What it has, or will have when it has read what it was sent. */
  get syncCursor(): number {
    return this.#sync?.cursor ?? 0
  }

  get lastHeardMono(): number {
    return this.#patience.lastHeardMono
  }

  /** `bytes` are borrowed. */
  onBytes(bytes: Buffer): void {
    this.#patience.onHeard()
    this.#reader.push(bytes)
    while (this.#state !== 'closed') {
      const packet = this.#reader.next()
      if (packet === 'more') return
      const problem = 'problem' in packet ? packet.problem : this.#onPacket(packet)
      if (problem === undefined) continue
      this.#host.learners.drop(this, problem)
      return
    }
  }

  /** The link is gone, or the leader has ended: what is held for it is let go. */
  close(): void {
    this.#state = 'closed'
    this.#endSync()
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
    this.#patience.onHeard()
    const { epoch } = this.#host.leadership
    this.#send(encodePacket(PacketType.leaderInfo, makeZxid(epoch, 0), version))
  }

  #becomeElector(currentEpoch: number): void {
    this.#state = 'election'
    this.#host.discovery.onEpochAcked(this, currentEpoch)
  }

  // ---- synchronisation

  /** The election is over. Drops the learner if too many synchronise. */
  startSync(): void {
    if (this.#state !== 'election') return
    this.#state = 'sync'
    this.#sync = new LearnerSync(this, this.#host, (kind) =>
      this.#host.synchronisation.admits(this, kind),
    )
    this.pumpSync()
  }

  /** True: there is something to send that the learner would take now. */
  get wantsTurn(): boolean {
    return this.#state === 'sync' && this.#sync?.canPump === true
  }

  /** Sends a slice of what it lacks, if it has taken the last one. */
  pumpSync(): void {
    const sync = this.#sync
    if (this.#state !== 'sync' || sync?.canPump !== true) return
    const progress = sync.pump()
    this.#patience.onMoved()
    if (progress === 'waiting') return
    if (progress === 'caughtUp') this.#host.synchronisation.onCaughtUp(this)
    else this.#host.learners.drop(this, progress.problem)
  }

  #endSync(): void {
    this.#sync?.close()
    this.#sync = undefined
  }

  /** It has caught up, and what was outstanding is sent: from now on it gets what all get. */
  sendNewLeader(): void {
    const { leadership, parts } = this.#host
    assert(this.#state === 'sync', 'NEWLEADER comes when a learner has caught up')
    const config =
      this.protocolVersion < PROTOCOL_VERSION ? null : Buffer.from(parts.membership.newest.text)
    this.#state = 'ackNewLeader'
    this.#send(encodePacket(PacketType.newLeader, makeZxid(leadership.epoch, 0), config))
    this.#patience.onMoved()
  }

  /** The leader serves, so the learner may. */
  sendUpToDate(): void {
    if (this.#state !== 'start') return
    assert(this.#host.leadership.lastProposedZxid > 0, 'UPTODATE comes from a leader that serves')
    this.#state = 'serving'
    this.#patience.onHeard()
    this.#endSync()
    this.#host.broadcast.sendAlone(this, encodePacket(PacketType.upToDate, NO_ZXID))
    if (this.#earlyAckZxid > 0) this.#onProposalAck(this.#earlyAckZxid)
  }

  // ---- broadcast

  /** So many packets, which all learners get, are about to be sent. */
  onForwarding(packets: number): void {
    const { metrics } = this.#host.parts
    metrics.learnerHandlerQpSize.add(this.#name, packets)
    metrics.learnerHandlerQpTimeMs.add(this.#name, this.#patience.onSending())
  }

  /** PROPOSALs up to that zxid have been sent. */
  onForwarded(zxid: number): void {
    if (this.#state === 'serving') this.#patience.onProposed(zxid)
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
    this.#patience.onPaused(ms)
  }

  /** Why the learner has had time enough; undefined while it has some left. */
  overdue(): string | undefined {
    const { initLimitMs, syncLimitMs } = this.#host.parts.settings
    switch (this.#state) {
      case 'info':
      case 'ackEpoch':
        return this.#patience.overdueBefore(initLimitMs)
      case 'sync':
      case 'ackNewLeader':
        this.#sync?.unstall(this.#host.leadership.mono)
        return this.#patience.overdueInSync(initLimitMs)
      case 'serving':
        return this.#patience.overdueServing(syncLimitMs)
      case 'epoch':
      case 'election':
      case 'start':
      case 'closed':
        return undefined
      default:
        return unreachable(this.#state)
    }
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

  #onInfo(packet: QuorumPacket): string | undefined {
    const { parts, bounds, discovery } = this.#host
    const identity = identityOf(packet, parts.membership.current.version)
    if (typeof identity === 'string') return identity
    this.sid = identity.sid ?? discovery.takeNamelessSid()
    this.#name = String(this.sid)
    this.role = identity.role
    this.protocolVersion = identity.protocolVersion
    this.acceptedEpoch = identity.acceptedEpoch
    this.peerZxid = identity.zxid
    this.#state = 'epoch'
    this.#reader.setBytesMax(bounds.packetBytesMax)
    discovery.onReported(this)
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
        return this.clients.onRequest(data, authinfo)
      case PacketType.revalidate:
        this.#host.parts.metrics.revalidateCount.add(1)
        return this.clients.onRevalidate(data, (sessionId, isValid) => {
          this.sendRevalidated(sessionId, isValid)
        })
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
    if (zxid !== makeZxid(this.#host.leadership.epoch, 0))
      return 'NEWLEADER acked for another epoch'
    this.#state = 'start'
    this.#endSync()
    this.#host.synchronisation.onNewLeaderAcked(this)
    return undefined
  }

  #onProposalAck(zxid: number): void {
    const { lastProposedZxid, lastCommittedZxid } = this.#host.leadership
    if (this.role === 'observer' || zxid > lastProposedZxid) return
    const waitedMs = this.#patience.onAck(zxid, zxid > this.lastAckedZxid)
    if (waitedMs !== undefined) this.#host.parts.metrics.ackLatency.add(this.#name, waitedMs)
    if (zxid > this.lastAckedZxid) this.lastAckedZxid = zxid
    if (zxid > lastCommittedZxid) this.#host.parts.replica.onAck(this.sid, zxid)
  }

  #onPing(data: Buffer | null): string | undefined {
    if (!this.pings.onAnswer()) return 'PING that answers none of ours'
    const problem = this.clients.onTouched(data)
    if (problem === undefined) this.#host.broadcast.onPingAnswered(this)
    return problem
  }

  /** The answer to a REVALIDATE. */
  sendRevalidated(sessionId: bigint, isValid: boolean): void {
    const answer = encodePacket(PacketType.revalidate, NO_ZXID, revalidated(sessionId, isValid))
    this.#host.broadcast.sendAlone(this, answer)
  }

  #send(bytes: Buffer): void {
    this.#host.parts.links.send(this.link, bytes)
  }
}
