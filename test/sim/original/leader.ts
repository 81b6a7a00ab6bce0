import { JuteReader, JuteWriter } from 'jute-ts'
import { SizeStats } from '../../../src/base/sizes.ts'
import { Err } from '../../../src/data/error-code.ts'
import { OpCode } from '../../../src/data/op-code.ts'
import { type QuorumPacket, readTxnHeader, writeTxnHeader } from '../../../src/data/records.ts'
import { writeTxn } from '../../../src/data/txn.ts'
import { counterOf, epochOf, makeZxid } from '../../../src/data/zxid.ts'
import type { LeaderRole } from '../../../src/quorum/leading/leader.ts'
import type { LearnerCounts, LearnerView } from '../../../src/quorum/leading/learner-list.ts'
import type { LinkId } from '../../../src/quorum/ports/links.ts'
import type { Entry } from '../../../src/quorum/ports/replica.ts'
import type { RoleParts } from '../../../src/quorum/role/role.ts'
import {
  forEachTouch,
  parseLearnerInfo,
  parseLearnerRequest,
  parseRevalidate,
  revalidated,
} from '../../../src/quorum/wire/learner-info.ts'
import {
  encodePacket,
  NO_ZXID,
  PacketType,
  PROTOCOL_VERSION,
  SNAP_SIGNATURE,
} from '../../../src/quorum/wire/packets.ts'
import type { Chance } from '../chance.ts'
import type { Cover } from '../coverage.ts'
import { LearnerLink } from './learner-link.ts'
import { planAsOriginal } from './sync.ts'

/** What the seed and the machine decide about it. */
export interface OriginalPorts {
  readonly chance: Chance
  readonly cover: Cover
  /** It may shut down by itself now. */
  readonly mayEnd: () => boolean
  /** The end of that session is under way. */
  readonly isClosing: (sessionId: bigint) => boolean
}

type Phase = 'discovery' | 'epoch' | 'election' | 'synchronisation' | 'agreed'

/** Shares of 1: how often a txn is followed by its echo, and a half tick by a shutdown. */
const ECHO_SHARE = 0.02
const SHUTDOWN_SHARE = 0.01
const SHUTDOWN_MS_MAX = 100
/** Before the stream of a SNAP begins, and before NEWLEADER. */
const WAITS_MS = [0, 0, 5, 50]
const ACCEPTED_BEFORE = -1

/**
 * A leader that says what one of Apache's says, in its order and at its moments, where those differ
 * from ours (docs/testing.md). It knows nothing of src/quorum/leading: what it has in common with ours
 * is the replica behind it, which decides what becomes of writes, and the encoding of packets.
 */
export class OriginalLeader implements LeaderRole {
  readonly sizes: SizeStats = new SizeStats()
  readonly #parts: RoleParts
  readonly #ports: OriginalPorts
  readonly #onEnd: (reason: string) => void
  readonly #learners = new Map<LinkId, LearnerLink>()
  readonly #reported = new Set<number>()
  readonly #electors = new Set<number>()
  readonly #synced = new Set<number>()
  readonly #ownEpoch: number
  readonly #ownZxid: number
  #phase: Phase = 'discovery'
  #phaseMono: number
  #nowMono: number
  #epochMin: number
  epoch = 0
  lastProposedZxid = 0
  #hasEnded = false
  #shutdownMono = Infinity
  #nextPingMono = 0
  #isHalfTick = false
  /** Of confirm(): the newest that was asked for, and the newest that PINGs have left for. */
  #roundWanted = 0
  #roundSent = 0
  #roundConfirmed = 0
  /** REVALIDATEs that were answered before the replica had its say. */
  readonly #answered = new Set<string>()

  constructor(
    parts: RoleParts,
    nowMono: number,
    onEnd: (reason: string) => void,
    ports: OriginalPorts,
  ) {
    this.#parts = parts
    this.#ports = ports
    this.#onEnd = onEnd
    this.#nowMono = nowMono
    this.#phaseMono = nowMono
    const { epochs, replica, membership } = parts
    this.#ownEpoch = epochs.current
    this.#ownZxid = Math.max(replica.lastLoggedZxid, replica.lastProcessedZxid)
    this.#epochMin = epochs.accepted + 1
    this.#reported.add(membership.self.sid)
  }

  // ---- the machine

  advance(nowMono: number): void {
    this.#nowMono = nowMono
    if (this.#hasEnded) return
    const { initLimitMs } = this.#parts.settings
    if (nowMono >= this.#shutdownMono) this.#end('shut down')
    else if (this.isServing) this.#tick()
    else if (nowMono - this.#phaseMono > initLimitMs) this.#end(`no quorum in ${this.#phase}`)
    for (const learner of [...this.#learners.values()])
      if (this.#isLate(learner)) this.#drop(learner, 'it is late')
  }

  onPaused(nowMono: number, pausedMs: number): void {
    this.#nowMono = nowMono
    this.#phaseMono += pausedMs
    for (const learner of this.#learners.values()) {
      learner.heardMono += pausedMs
      learner.unacked = learner.unacked.map(({ zxid, atMono }) => ({
        zxid,
        atMono: atMono + pausedMs,
      }))
    }
  }

  #isLate(learner: LearnerLink): boolean {
    const { initLimitMs, syncLimitMs } = this.#parts.settings
    const limitMs = learner.state === 'serving' ? syncLimitMs : initLimitMs
    const unackedMs = this.#nowMono - (learner.unacked[0]?.atMono ?? this.#nowMono)
    return (
      this.#nowMono - learner.heardMono > limitMs ||
      (learner.state === 'serving' && unackedMs > syncLimitMs)
    )
  }

  onLinkAccepted(link: LinkId): void {
    this.#learners.set(link, new LearnerLink(link, this.#parts.links, this.#nowMono))
  }

  onLinkBytes(link: LinkId, bytes: Buffer): void {
    const learner = this.#learners.get(link)
    if (learner === undefined) return
    learner.heardMono = this.#nowMono
    learner.reader.push(bytes)
    while (this.#learners.get(link) === learner) {
      const packet = learner.reader.next()
      if (packet === 'more') return
      const problem = 'problem' in packet ? packet.problem : this.#onPacket(learner, packet)
      if (problem !== undefined) this.#drop(learner, problem)
    }
  }

  onLinkClosed(link: LinkId): void {
    this.#learners.get(link)?.close()
    this.#learners.delete(link)
  }

  onLinkDrained(): void {
    // Its queues have no bound.
  }

  flush(): void {
    if (this.#hasEnded) return
    if (this.#phase === 'discovery') this.#tryEpoch()
    for (const learner of this.#learners.values()) this.#goOn(learner)
    if (this.#roundWanted > this.#roundSent) this.#sendRound()
  }

  get wantsTurn(): boolean {
    return [...this.#learners.values()].some((learner) => this.#isDue(learner))
  }

  close(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    for (const learner of [...this.#learners.values()]) this.#drop(learner, undefined)
  }

  #drop(learner: LearnerLink, reason: string | undefined): void {
    const { links, logger } = this.#parts
    if (reason !== undefined)
      logger.info('the original drops a learner', { sid: learner.sid, reason })
    learner.close()
    if (this.#learners.delete(learner.link)) links.close(learner.link)
  }

  #end(reason: string): void {
    if (this.#hasEnded) return
    this.#parts.logger.info('the original leads no more', { epoch: this.epoch, reason })
    this.close()
    this.#onEnd(reason)
  }

  // ---- agreement

  #isQuorum(sids: ReadonlySet<number>): boolean {
    return this.#parts.membership.quorum.containsQuorum((sid) => sids.has(sid))
  }

  #isVoter({ sid, isObserver }: LearnerLink): boolean {
    return !isObserver && this.#parts.membership.isVoter(sid)
  }

  #enter(phase: Phase): void {
    this.#phase = phase
    this.#phaseMono = this.#nowMono
  }

  #inState(state: LearnerLink['state']): readonly LearnerLink[] {
    return [...this.#learners.values()].filter((learner) => learner.state === state)
  }

  #tryEpoch(): void {
    if (!this.#isQuorum(this.#reported)) return
    const { epochs, replica, membership } = this.#parts
    this.epoch = this.#epochMin
    epochs.accepted = this.epoch
    replica.writeEpoch('acceptedEpoch', this.epoch)
    this.#enter('epoch')
    replica.whenDurable(() => {
      if (this.#hasEnded) return
      this.#enter('election')
      this.#electors.add(membership.self.sid)
      for (const learner of this.#inState('epoch')) this.#sendLeaderInfo(learner)
    })
  }

  #sendLeaderInfo(learner: LearnerLink): void {
    const version = Buffer.alloc(4)
    version.writeInt32BE(PROTOCOL_VERSION)
    learner.state = 'ackEpoch'
    learner.send(encodePacket(PacketType.leaderInfo, makeZxid(this.epoch, 0), version))
  }

  #onInfo(learner: LearnerLink, { type, zxid, data }: QuorumPacket): string | undefined {
    if (type !== PacketType.followerInfo && type !== PacketType.observerInfo)
      return 'FOLLOWERINFO was awaited'
    const info = parseLearnerInfo(data)
    if ('problem' in info) return info.problem
    learner.sid = info.sid ?? -1
    learner.isObserver = type === PacketType.observerInfo
    learner.acceptedEpoch = epochOf(zxid)
    learner.state = 'epoch'
    if (this.#phase === 'discovery') {
      this.#epochMin = Math.max(this.#epochMin, learner.acceptedEpoch + 1)
      if (this.#isVoter(learner)) this.#reported.add(learner.sid)
    } else if (this.#phase !== 'epoch') this.#onLateInfo(learner)
    return undefined
  }

  /** The original lets a member that has promised more stay out for as long as it leads: not this one. */
  #onLateInfo(learner: LearnerLink): void {
    const { epochs, replica } = this.#parts
    if (learner.acceptedEpoch <= this.epoch || !this.isServing || !this.#isVoter(learner))
      return this.#sendLeaderInfo(learner)
    epochs.accepted = learner.acceptedEpoch
    replica.writeEpoch('acceptedEpoch', learner.acceptedEpoch)
    this.#end(`member ${learner.sid} has promised epoch ${learner.acceptedEpoch}`)
  }

  #onAckEpoch(learner: LearnerLink, { type, zxid, data }: QuorumPacket): string | undefined {
    if (type !== PacketType.ackEpoch || data === null) return 'ACKEPOCH was awaited'
    const currentEpoch = data.readInt32BE(0)
    learner.peerZxid = zxid
    learner.state = 'election'
    if (this.#phase !== 'election') {
      this.#startSync(learner)
      return undefined
    }
    if (currentEpoch === ACCEPTED_BEFORE) return undefined
    const isLater = currentEpoch === this.#ownEpoch ? zxid > this.#ownZxid : undefined
    if (isLater ?? currentEpoch > this.#ownEpoch) this.#end(`${learner.sid} is ahead`)
    else if (this.#isVoter(learner)) this.#electors.add(learner.sid)
    if (!this.#hasEnded && this.#isQuorum(this.#electors)) this.#onElected()
    return undefined
  }

  #onElected(): void {
    const { epochs, replica, membership } = this.#parts
    epochs.current = this.epoch
    replica.writeEpoch('currentEpoch', this.epoch)
    this.#enter('synchronisation')
    replica.whenDurable(() => {
      this.#synced.add(membership.self.sid)
      this.#tryAgreed()
    })
    for (const learner of this.#inState('election')) this.#startSync(learner)
  }

  #tryAgreed(): void {
    const { replica, standing, logger, membership } = this.#parts
    if (this.#hasEnded || this.#phase !== 'synchronisation') return
    if (!this.#synced.has(membership.self.sid) || !this.#isQuorum(this.#synced)) return
    this.#enter('agreed')
    standing.stayingOut = undefined
    this.lastProposedZxid = makeZxid(this.epoch, 0)
    logger.info('a quorum has synchronised, we lead', { epoch: this.epoch, as: 'the original' })
    this.#ports.cover('the original leads')
    replica.startLeading(this.epoch, this)
    for (const learner of this.#inState('start')) this.#sendUpToDate(learner)
  }

  // ---- synchronisation

  /** It is told of what is proposed from now on, in front of NEWLEADER, too. */
  #startSync(learner: LearnerLink): void {
    const { replica, settings } = this.#parts
    for (const other of [...this.#learners.values()])
      if (other !== learner && other.sid === learner.sid && other.state !== 'info')
        this.#drop(other, 'it has come back')
    const plan = planAsOriginal(learner.peerZxid, replica, settings)
    const { kind, zxid, cursor } = plan
    if (kind === 'trunc' && epochOf(zxid) !== epochOf(learner.peerZxid))
      this.#ports.cover('TRUNC across epochs')
    learner.isSnapDue = kind === 'snap'
    learner.cursor = cursor
    if (kind !== 'snap') {
      const type = kind === 'diff' ? PacketType.diff : PacketType.trunc
      learner.send(encodePacket(type, zxid))
    }
    for (const entry of plan.entries) this.#sendCommitted(learner, entry)
    if (this.isServing && !learner.isObserver) {
      replica.withdrawAcks(learner.sid, cursor)
      for (const entry of replica.outstanding())
        if (entry.zxid > cursor) this.#sendProposal(learner, entry)
    }
    learner.isForwarding = true
    learner.state = 'sync'
    learner.waitsUntilMono = this.#nowMono + this.#ports.chance.pick(WAITS_MS)
  }

  #sendCommitted(learner: LearnerLink, entry: Entry): void {
    learner.send(encodePacket(PacketType.proposal, entry.zxid, entry.bytes))
    learner.send(encodePacket(PacketType.commit, entry.zxid))
  }

  #isDue({ state, waitsUntilMono }: LearnerLink): boolean {
    return state === 'sync' && this.#nowMono >= waitsUntilMono
  }

  /** Each step of a synchronisation takes its time, since a thread of its own does it. */
  #goOn(learner: LearnerLink): void {
    if (!this.#isDue(learner)) return
    if (learner.isSnapDue) return this.#sendSlice(learner)
    const { text } = this.#parts.membership.newest
    learner.send(encodePacket(PacketType.newLeader, makeZxid(this.epoch, 0), Buffer.from(text)))
    learner.state = 'ackNewLeader'
  }

  #sendSlice(learner: LearnerLink): void {
    if (learner.feed === undefined) {
      learner.feed = this.#parts.replica.feedSnapshot()
      if (learner.feed.zxid > learner.cursor) this.#ports.cover('SNAP of what is proposed again')
      learner.sendNow(encodePacket(PacketType.snap, learner.feed.zxid))
      return
    }
    const slice = learner.feed.next()
    if (slice !== undefined) return learner.sendNow(slice)
    const w = new JuteWriter()
    w.writeString(SNAP_SIGNATURE)
    learner.sendNow(w.copy())
    learner.onSnapSent()
    learner.waitsUntilMono = this.#nowMono + this.#ports.chance.pick(WAITS_MS)
  }

  #sendUpToDate(learner: LearnerLink): void {
    learner.state = 'serving'
    learner.heardMono = this.#nowMono
    learner.send(encodePacket(PacketType.upToDate, NO_ZXID))
  }

  // ---- broadcast

  propose(entry: Entry): void {
    if (this.#hasEnded) return
    this.lastProposedZxid = entry.zxid
    this.sizes.add(entry.bytes.length)
    const isEchoed = this.#ports.chance.chance(ECHO_SHARE)
    for (const learner of this.#learners.values()) {
      if (!learner.isForwarding || learner.isObserver) continue
      this.#sendProposal(learner, entry)
      if (!isEchoed) continue
      this.#ports.cover('error txn under the zxid of the one before')
      learner.send(encodePacket(PacketType.proposal, entry.zxid, echoOf(entry)))
    }
  }

  #sendProposal(learner: LearnerLink, entry: Entry): void {
    learner.send(encodePacket(PacketType.proposal, entry.zxid, entry.bytes))
    learner.unacked.push({ zxid: entry.zxid, atMono: this.#nowMono })
  }

  commit(entry: Entry): void {
    if (this.#hasEnded) return
    for (const learner of this.#learners.values()) {
      if (!learner.isForwarding) continue
      if (learner.state !== 'serving') this.#ports.cover('COMMIT before UPTODATE')
      // As in its synchronisation, until it serves.
      if (!learner.isObserver) learner.send(encodePacket(PacketType.commit, entry.zxid))
      else learner.send(encodePacket(PacketType.inform, entry.zxid, entry.bytes))
    }
  }

  /** The original asks nobody when a client wants a sync: this one does, or the checkers would be right. */
  confirm(): number {
    this.#roundWanted = this.#roundSent + 1
    return this.#roundWanted
  }

  #sendRound(): void {
    this.#roundSent = this.#roundWanted
    this.#sendPings()
    this.#tryConfirm()
  }

  #sendPings(): void {
    const ping = encodePacket(PacketType.ping, this.lastProposedZxid)
    for (const learner of this.#learners.values()) {
      if (learner.state === 'serving') learner.pings.push(this.#roundSent)
      else if (learner.state === 'ackNewLeader' || learner.state === 'start')
        this.#ports.cover('PING before UPTODATE')
      else continue
      learner.send(ping)
    }
  }

  #tryConfirm(): void {
    const confirmed = new Set([this.#parts.membership.self.sid])
    for (const learner of this.#inState('serving'))
      if (learner.confirmedRound >= this.#roundSent) confirmed.add(learner.sid)
    if (this.#roundSent === this.#roundConfirmed || !this.#isQuorum(confirmed)) return
    this.#roundConfirmed = this.#roundSent
    this.#parts.replica.onConfirmed(this.#roundSent)
  }

  sendSync(link: LinkId): void {
    this.#learners.get(link)?.send(encodePacket(PacketType.sync, 0))
  }

  giveUp(reason: string): void {
    this.#end(reason)
  }

  /** Every half tick a PING; every tick a look at whether a quorum is still there. */
  #tick(): void {
    const { membership, settings } = this.#parts
    if (this.#nowMono < this.#nextPingMono) return
    this.#nextPingMono = this.#nowMono + settings.tickTimeMs / 2
    this.#isHalfTick = !this.#isHalfTick
    const there = new Set([membership.self.sid])
    for (const learner of this.#learners.values())
      if (learner.state === 'serving' || learner.state === 'start') there.add(learner.sid)
    const { chance, mayEnd } = this.#ports
    if (!this.#isHalfTick && !this.#isQuorum(there)) return this.#end('no quorum follows')
    if (chance.chance(SHUTDOWN_SHARE) && mayEnd())
      this.#shutdownMono = Math.min(
        this.#shutdownMono,
        this.#nowMono + chance.below(SHUTDOWN_MS_MAX),
      )
    this.#sendPings()
  }

  // ---- what learners say

  /** A string says why it is dropped. */
  #onPacket(learner: LearnerLink, packet: QuorumPacket): string | undefined {
    if (learner.state === 'info') return this.#onInfo(learner, packet)
    if (learner.state === 'ackEpoch') return this.#onAckEpoch(learner, packet)
    if (packet.type === PacketType.ack) return this.#onAck(learner, packet.zxid)
    if (learner.state !== 'serving') return `type ${packet.type} in ${learner.state}`
    switch (packet.type) {
      case PacketType.ping:
        return this.#onPing(learner, packet.data)
      case PacketType.request:
        return this.#onRequest(learner, packet)
      case PacketType.revalidate:
        return this.#onRevalidate(learner, packet.data)
      default:
        return `type ${packet.type}`
    }
  }

  #onAck(learner: LearnerLink, zxid: number): string | undefined {
    if (counterOf(zxid) === 0) {
      if (learner.state === 'ackNewLeader') this.#onNewLeaderAcked(learner)
      return undefined
    }
    learner.unacked = learner.unacked.filter((one) => one.zxid > zxid)
    learner.ackedZxid = Math.max(learner.ackedZxid, zxid)
    if (this.#isVoter(learner) && zxid <= this.lastProposedZxid)
      this.#parts.replica.onAck(learner.sid, zxid)
    return undefined
  }

  #onNewLeaderAcked(learner: LearnerLink): void {
    learner.state = 'start'
    if (this.isServing) return this.#sendUpToDate(learner)
    if (this.#isVoter(learner)) this.#synced.add(learner.sid)
    this.#tryAgreed()
  }

  #onPing(learner: LearnerLink, data: Buffer | null): string | undefined {
    learner.confirmedRound = learner.pings.shift() ?? learner.confirmedRound
    const { replica } = this.#parts
    forEachTouch(data, (sessionId, timeoutMs) => replica.onTouched(sessionId, timeoutMs))
    this.#tryConfirm()
    return undefined
  }

  #onRequest({ link }: LearnerLink, { data, authinfo }: QuorumPacket): string | undefined {
    const request = parseLearnerRequest(data)
    if ('problem' in request) return request.problem
    if (this.#shutdownMono < Infinity) this.#ports.cover('forwarded request dropped')
    else this.#parts.replica.onForwarded({ ...request, link, ids: authinfo ?? [] })
    return undefined
  }

  /** At once, from another thread than the one that proposes: ahead of what is under way. */
  #onRevalidate(learner: LearnerLink, data: Buffer | null): string | undefined {
    const asked = parseRevalidate(data)
    if ('problem' in asked) return asked.problem
    const { sessionId, timeoutMs } = asked
    const isValid = this.#parts.replica.revalidate(learner.link, sessionId, timeoutMs)
    if (isValid !== undefined) this.#sendAnswer(learner, sessionId, isValid)
    else if (!this.#ports.isClosing(sessionId)) {
      this.#ports.cover('REVALIDATE answered ahead of proposals')
      this.#answered.add(`${learner.link} ${sessionId}`)
      this.#sendAnswer(learner, sessionId, true)
    }
    return undefined
  }

  sendRevalidated(link: LinkId, sessionId: bigint, isValid: boolean): void {
    const learner = this.#learners.get(link)
    const isAnswered = this.#answered.delete(`${link} ${sessionId}`)
    if (learner !== undefined && !(isAnswered && isValid))
      this.#sendAnswer(learner, sessionId, isValid)
  }

  #sendAnswer(learner: LearnerLink, sessionId: bigint, isValid: boolean): void {
    const answer = revalidated(sessionId, isValid)
    learner.send(encodePacket(PacketType.revalidate, NO_ZXID, answer))
  }

  // ---- what is told of it

  get isServing(): boolean {
    return this.#phase === 'agreed' && !this.#hasEnded
  }

  get servingSinceMono(): number {
    return this.#phaseMono
  }

  learners(): readonly LearnerView[] {
    return [...this.#learners.values()]
      .filter(({ state }) => state !== 'info')
      .map(({ sid, isObserver, state, ackedZxid, heardMono }) => ({
        sid,
        role: isObserver ? 'observer' : 'participant',
        address: undefined,
        synced: state === 'serving',
        syncing: state === 'sync',
        lastAckedZxid: ackedZxid,
        lastHeardMono: heardMono,
        // Its queues have no bound.
        waitingBytes: 0,
      }))
  }

  outsiders(): readonly number[] {
    return []
  }

  counts(): LearnerCounts {
    const of = (isObserver: boolean, state?: LearnerLink['state']): number =>
      [...this.#learners.values()].filter(
        (one) => one.isObserver === isObserver && (state ?? one.state) === one.state,
      ).length
    return {
      followers: of(false),
      syncedFollowers: of(false, 'serving'),
      observers: of(true),
      syncedObservers: of(true, 'serving'),
      nonVotingFollowers: 0,
      pendingSyncs: 0,
    }
  }
}

/** What 3.9.5 makes of a write that it cannot decode: an error, under the zxid of the txn before it. */
function echoOf(entry: Entry): Buffer {
  const header = readTxnHeader(new JuteReader(entry.bytes))
  const w = new JuteWriter()
  writeTxnHeader(w, { ...header, cxid: header.cxid + 1, type: OpCode.error })
  writeTxn(w, { type: OpCode.error, err: Err.marshallingError })
  return w.copy()
}
