import type { LogFields, Logger } from '../../src/base/logger.ts'
import type { Id } from '../../src/data/records.ts'
import { Leader } from '../../src/quorum/leading/leader.ts'
import { defaultLeaderBounds, type LeaderBounds } from '../../src/quorum/leading/leader-bounds.ts'
import { Membership } from '../../src/quorum/membership/membership.ts'
import type { LinkId } from '../../src/quorum/ports/links.ts'
import type { Epochs } from '../../src/quorum/role/epochs.ts'
import type { QuorumSettings } from '../../src/quorum/role/quorum-settings.ts'
import { Standing } from '../../src/quorum/role/standing.ts'
import {
  encodePacket,
  PacketReader,
  PacketType,
  packetName,
  SNAP_SIGNATURE,
} from '../../src/quorum/wire/packets.ts'
import { makeServerMetrics, type ServerMetrics } from '../../src/server/stats/server-metrics.ts'
import { configurationOf, shortTimes } from './ensemble-shape.ts'
import { FakeLinks } from './fake-links.ts'
import { MemoryReplica, type ReplicaDisk } from './memory-replica.ts'
import { silentLogger } from './silent-logger.ts'

/** Epoch and counter. */
export const z = (epoch: number, counter: number): number => epoch * 2 ** 32 + counter

export interface EnsembleOptions {
  readonly self?: number
  readonly voters?: readonly number[]
  readonly observers?: readonly number[]
  readonly config?: { readonly text?: string; readonly version?: number }
  readonly settings?: Partial<QuorumSettings>
}

export function testMembership(options: EnsembleOptions = {}): Membership {
  const { self = 1, voters = [1, 2, 3], observers = [], config } = options
  const text = 'server.1=...\nversion=0'
  return new Membership(self, { ...configurationOf({ voters, observers }), text, ...config })
}

/** tickTime 1000, initLimit 10, syncLimit 5. */
export function testSettings(options: EnsembleOptions = {}): QuorumSettings {
  return {
    ...shortTimes,
    tickTimeMs: 1000,
    initLimitMs: 10_000,
    syncLimitMs: 5000,
    connectToLeaderLimitMs: 10_000,
    ...options.settings,
  }
}

export interface LeaderRigOptions extends EnsembleOptions {
  readonly disk?: Partial<ReplicaDisk>
  readonly bounds?: Partial<LeaderBounds>
  readonly replica?: MemoryReplica
  /** What the process has from earlier roles. */
  readonly standing?: Standing
  readonly now?: number
}

/** A leader on a replica in memory, with links in memory, and learners that a test plays. */
export class LeaderRig {
  readonly links: FakeLinks = new FakeLinks()
  readonly membership: Membership
  readonly replica: MemoryReplica
  readonly epochs: Epochs
  readonly standing: Standing
  readonly metrics: ServerMetrics = makeServerMetrics()
  readonly leader: Leader
  readonly ends: string[] = []
  readonly logs: string[] = []
  now = 1_000_000
  #lastLink = 0

  constructor(options: LeaderRigOptions = {}) {
    this.membership = testMembership(options)
    this.standing = options.standing ?? new Standing()
    this.now = options.now ?? this.now
    const { membership } = this
    const { sid } = membership.self
    this.replica =
      options.replica ??
      new MemoryReplica({ sid, membership, ...(options.disk && { disk: options.disk }) })
    const { acceptedEpoch, currentEpoch } = this.replica.disk
    this.epochs = { accepted: acceptedEpoch, current: currentEpoch }
    const log = (message: string, fields?: LogFields): void => {
      this.logs.push(`${message} ${JSON.stringify(fields ?? {})}`)
    }
    const logger: Logger = { ...silentLogger, info: log, warn: log, error: log }
    const { replica, links, epochs, standing, metrics } = this
    const settings = testSettings(options)
    this.leader = new Leader(
      { membership, settings, replica, links, epochs, standing, metrics, logger },
      this.now,
      (reason) => this.ends.push(reason),
      { ...defaultLeaderBounds, ...options.bounds },
    )
  }

  /** One turn of the member: the time, what happens, the end. */
  turn(happens: () => void = () => {}): void {
    this.leader.advance(this.now)
    happens()
    this.leader.flush()
  }

  /** The disk has written everything. */
  flush(): void {
    this.turn(() => this.replica.flush())
  }

  /** Time passes, with a turn every 50 ms. */
  pass(ms: number, each: () => void = () => {}): void {
    for (const end = this.now + ms; this.now < end; ) {
      this.now += Math.min(50, end - this.now)
      this.turn(each)
    }
  }

  connect(): ScriptedLearner {
    this.#lastLink += 1
    const link = this.#lastLink
    this.turn(() => this.leader.onLinkAccepted(link))
    return new ScriptedLearner(this, link)
  }

  /** Up to where the learner knows the epoch: LEADERINFO, if there is one already. */
  report(sid: number, acceptedEpoch = 0, type: JoinType = 'followerInfo'): ScriptedLearner {
    const learner = this.connect()
    learner.send(type, z(acceptedEpoch, 0), learnerInfo(sid))
    return learner
  }

  /** A learner that joins and acks everything; the leader must be able to take it at once. */
  join(sid: number, join: Join = {}): ScriptedLearner {
    const { acceptedEpoch = 0, currentEpoch = 0, zxid = 0, type = 'followerInfo' } = join
    const learner = this.report(sid, acceptedEpoch, type)
    this.flush()
    learner.ackEpoch(currentEpoch, zxid)
    this.flush()
    learner.ackNewLeader()
    this.flush()
    return learner
  }

  /** Leads with those followers. */
  static leading(
    sids: readonly number[],
    options: LeaderRigOptions = {},
  ): {
    readonly rig: LeaderRig
    readonly followers: readonly ScriptedLearner[]
  } {
    const rig = new LeaderRig(options)
    const followers = sids.map((sid) => rig.report(sid))
    rig.flush()
    const zxid = rig.replica.lastLoggedZxid
    for (const follower of followers) follower.ackEpoch(rig.replica.disk.currentEpoch, zxid)
    rig.flush()
    for (const follower of followers) follower.ackNewLeader()
    rig.flush()
    for (const follower of followers) follower.heard()
    return { rig, followers }
  }
}

type JoinType = 'followerInfo' | 'observerInfo'

export interface Join {
  readonly acceptedEpoch?: number
  readonly currentEpoch?: number
  readonly zxid?: number
  readonly type?: JoinType
}

/** Of 3.5 and later. */
export function learnerInfo(sid: number, configVersion = 0, bytes = 20): Buffer {
  const data = Buffer.alloc(20)
  data.writeBigInt64BE(BigInt(sid))
  data.writeInt32BE(0x10000, 8)
  data.writeBigInt64BE(BigInt(configVersion), 12)
  return data.subarray(0, bytes)
}

/** (sessionId:long, timeout:int)* */
export function touches(...sessions: readonly (readonly [bigint, number])[]): Buffer {
  const data = Buffer.alloc(12 * sessions.length)
  for (const [i, [id, timeoutMs]] of sessions.entries()) {
    data.writeBigInt64BE(id, 12 * i)
    data.writeInt32BE(timeoutMs, 12 * i + 8)
  }
  return data
}

/** The other end of a link, which a test plays packet by packet. */
export class ScriptedLearner {
  readonly link: LinkId
  readonly #rig: LeaderRig
  readonly #reader = new PacketReader()
  #isInSnapshot = false
  #snapshot: Buffer = Buffer.alloc(0)

  constructor(rig: LeaderRig, link: LinkId) {
    this.#rig = rig
    this.link = link
  }

  get isClosed(): boolean {
    return this.#rig.links.isClosed(this.link)
  }

  send(
    type: keyof typeof PacketType,
    zxid: number,
    data: Buffer | null = null,
    authinfo: readonly Id[] | null = null,
  ): void {
    this.sendBytes(encodePacket(PacketType[type], zxid, data, authinfo))
  }

  sendBytes(bytes: Buffer): void {
    this.#rig.turn(() => this.#rig.leader.onLinkBytes(this.link, bytes))
  }

  ackEpoch(currentEpoch: number, lastZxid: number): void {
    const data = Buffer.alloc(4)
    data.writeInt32BE(currentEpoch)
    this.send('ackEpoch', lastZxid, data)
  }

  ackNewLeader(): void {
    this.send('ack', z(this.#rig.leader.epoch, 0))
  }

  ack(zxid: number): void {
    this.send('ack', zxid)
  }

  answerPing(data: Buffer = Buffer.alloc(0)): void {
    this.send('ping', 0, data)
  }

  /** The connection breaks. */
  cut(): void {
    this.#rig.turn(() => this.#rig.leader.onLinkClosed(this.link))
  }

  clog(): void {
    this.#rig.links.clog(this.link)
  }

  /** Takes what waits for it; and goes on taking, if `open`. */
  drain(open = true): void {
    this.#rig.links.drain(this.link, open)
    this.#rig.turn(() => this.#rig.leader.onLinkDrained(this.link))
  }

  /** What was said to it since the last call, one line a packet; text of data where there is some. */
  heard(): string[] {
    this.#reader.push(this.#rig.links.take(this.link))
    const lines: string[] = []
    for (;;) {
      if (this.#isInSnapshot && !this.#readSnapshot(lines)) return lines
      const packet = this.#reader.next()
      if (packet === 'more') return lines
      if ('problem' in packet) throw new Error(packet.problem)
      const { type, zxid, data } = packet
      const name = packetName(type)
      this.#isInSnapshot = type === PacketType.snap
      lines.push(`${name} ${zxid.toString(16)}${data === null ? '' : ` ${textOf(type, data)}`}`)
    }
  }

  /** As heard, without PINGs. */
  told(): string[] {
    return this.heard().filter((line) => !line.startsWith('PING'))
  }

  #readSnapshot(lines: string[]): boolean {
    this.#snapshot = Buffer.concat([this.#snapshot, this.#reader.takeRest()])
    const at = this.#snapshot.indexOf(SNAP_SIGNATURE)
    if (at < 0) return false
    const rest = this.#snapshot.subarray(at + SNAP_SIGNATURE.length)
    lines.push(`stream of ${at - 4}`)
    this.#isInSnapshot = false
    this.#snapshot = Buffer.alloc(0)
    this.#reader.push(rest)
    return true
  }
}

function textOf(type: number, data: Buffer): string {
  const isText = type === PacketType.proposal || type === PacketType.inform
  return isText ? JSON.stringify(data.toString()) : data.toString('hex')
}
