import { JuteWriter } from 'jute-ts'
import type { LogFields, Logger } from '../../src/base/logger.ts'
import { type QuorumPacket, writeQuorumPacket } from '../../src/data/records.ts'
import { Learner } from '../../src/quorum/learning/learner.ts'
import {
  defaultLearnerLimits,
  type LearnerLimits,
} from '../../src/quorum/learning/learner-history.ts'
import type { StoreBackOff } from '../../src/quorum/learning/store-back-off.ts'
import type { Membership } from '../../src/quorum/membership/membership.ts'
import type { LinkId } from '../../src/quorum/ports/links.ts'
import type { Entry } from '../../src/quorum/ports/replica.ts'
import type { Epochs } from '../../src/quorum/role/epochs.ts'
import type { RoleParts } from '../../src/quorum/role/role.ts'
import { Standing } from '../../src/quorum/role/standing.ts'
import {
  encodePacket,
  PacketReader,
  PacketType,
  packetName,
  SNAP_SIGNATURE,
} from '../../src/quorum/wire/packets.ts'
import { makeServerMetrics, type ServerMetrics } from '../../src/server/stats/server-metrics.ts'
import { FakeLinks } from './fake-links.ts'
import { type EnsembleOptions, testMembership, testSettings, z } from './leader-rig.ts'
import { MemoryReplica, type ReplicaDisk } from './memory-replica.ts'

export interface LearnerRigOptions extends Pick<EnsembleOptions, 'config' | 'settings'> {
  readonly sid?: number
  readonly role?: 'following' | 'observing'
  readonly disk?: Partial<ReplicaDisk>
  readonly replica?: MemoryReplica
  readonly epochs?: Epochs
  readonly standing?: Standing
  readonly limits?: Partial<LearnerLimits>
  readonly backOff?: StoreBackOff
  readonly nowMono?: number
  readonly entryProblem?: MemoryReplica['entryProblem']
  /** What the leader says arrives in pieces of so many bytes. */
  readonly pieceBytes?: number
}

/** A learner on a replica in memory, whose leader a test plays. */
export class LearnerRig {
  readonly links: FakeLinks = new FakeLinks()
  readonly membership: Membership
  readonly replica: MemoryReplica
  readonly epochs: Epochs
  readonly metrics: ServerMetrics = makeServerMetrics()
  readonly standing: Standing
  readonly learner: Learner
  readonly ends: string[] = []
  readonly logs: string[] = []
  nowMono: number
  readonly #pieceBytes: number
  #heard = new PacketReader()

  constructor(options: LearnerRigOptions = {}) {
    const { sid = 1, role = 'following', limits = {}, disk = {} } = options
    this.replica = options.replica ?? new MemoryReplica({ sid, disk })
    if (options.entryProblem !== undefined) this.replica.entryProblem = options.entryProblem
    this.standing = options.standing ?? new Standing()
    this.epochs = options.epochs ?? {
      accepted: this.replica.disk.acceptedEpoch,
      current: this.replica.disk.currentEpoch,
    }
    this.nowMono = options.nowMono ?? 1000
    this.#pieceBytes = options.pieceBytes ?? Infinity
    const note = (message: string, fields: LogFields = {}): void => {
      this.logs.push(`${message} ${JSON.stringify(fields)}`)
    }
    const logger: Logger = { debug: note, info: note, warn: note, error: note }
    const { config, settings } = options
    const observers = role === 'observing' ? [sid] : []
    this.membership = testMembership({ self: sid, observers, ...(config && { config }) })
    const leader = this.membership.memberOf(3)
    if (leader === undefined) throw new Error('server 3 leads')
    const parts: RoleParts = {
      membership: this.membership,
      // connectToLearnerMasterLimit 3.
      settings: testSettings({ settings: { connectToLeaderLimitMs: 3000, ...settings } }),
      replica: this.replica,
      links: this.links,
      epochs: this.epochs,
      standing: this.standing,
      metrics: this.metrics,
      logger,
    }
    const onEnd = (reason: string): void => {
      this.ends.push(reason)
    }
    const allLimits = { ...defaultLearnerLimits, ...limits }
    this.learner = new Learner(parts, leader, role, this.nowMono, onEnd, allLimits, options.backOff)
  }

  /** What was dialed last. */
  get link(): LinkId {
    return this.links.dialed.at(-1)?.link ?? 0
  }

  open(): this {
    this.learner.onLinkOpened(this.link)
    return this
  }

  advance(ms: number): void {
    this.nowMono += ms
    this.learner.advance(this.nowMono)
  }

  /** Bytes that the leader says; they are written over once they have been told. */
  bytes(bytes: Buffer): this {
    for (let at = 0; at < bytes.length; at += this.#pieceBytes) {
      const lent = Buffer.from(bytes.subarray(at, at + this.#pieceBytes))
      this.learner.onLinkBytes(this.link, lent)
      lent.fill(0xee)
    }
    return this
  }

  /** Packets that the leader says, in one piece unless the options cut it. */
  say(...packets: readonly Buffer[]): this {
    return this.bytes(Buffer.concat(packets))
  }

  /** What the learner has said since the last call, as `ACK 0x100000000`. */
  said(): string[] {
    return packetsOf(this.links.take(this.link), this.#heard).map(packetText)
  }

  /** Up to the first packet of the synchronisation, with all that is promised durable. */
  discover(epoch: number): this {
    this.open().say(leaderInfo(epoch))
    this.replica.flush()
    this.said()
    return this
  }

  /** A learner that has nothing to catch up with, in broadcast. */
  follow(epoch: number): this {
    this.discover(epoch).say(diff(0), newLeader(epoch))
    this.replica.flush()
    this.say(upToDate())
    this.said()
    return this
  }
}

/** All packets in the bytes, which end with one. */
export function packetsOf(
  bytes: Buffer,
  reader: PacketReader = new PacketReader(),
): QuorumPacket[] {
  const packets: QuorumPacket[] = []
  reader.push(bytes)
  for (let p = reader.next(); p !== 'more'; p = reader.next()) {
    if ('problem' in p) throw new Error(p.problem)
    packets.push({ ...p, data: p.data === null ? null : Buffer.from(p.data) })
  }
  if (reader.heldBytes > 0) throw new Error('half a packet')
  return packets
}

/** As on the wire. */
export function packetWire(packet: QuorumPacket): Buffer {
  const w = new JuteWriter()
  writeQuorumPacket(w, packet)
  return w.copy()
}

function packetText({ type, zxid, data }: QuorumPacket): string {
  const hex = data === null ? '' : ` ${data.toString('hex')}`
  return `${packetName(type)} ${zxid < 0 ? zxid : `0x${zxid.toString(16)}`}${hex}`
}

// ---- what a leader says

export function leaderInfo(epoch: number): Buffer {
  return encodePacket(PacketType.leaderInfo, z(epoch, 0), Buffer.from('00010000', 'hex'))
}
export const diff = (zxid: number): Buffer => encodePacket(PacketType.diff, zxid)
export const trunc = (zxid: number): Buffer => encodePacket(PacketType.trunc, zxid)
export const newLeader = (epoch: number): Buffer =>
  encodePacket(PacketType.newLeader, z(epoch, 0), Buffer.from('version=0'))
export const upToDate = (): Buffer => encodePacket(PacketType.upToDate, -1)
export const proposal = ({ zxid, bytes }: Entry): Buffer =>
  encodePacket(PacketType.proposal, zxid, bytes)
export const commit = ({ zxid }: Entry): Buffer => encodePacket(PacketType.commit, zxid)
export const inform = ({ zxid, bytes }: Entry): Buffer =>
  encodePacket(PacketType.inform, zxid, bytes)
export const ping = (zxid: number): Buffer => encodePacket(PacketType.ping, zxid)

/** SNAP and its stream, as a replica in memory dumps it. */
export function snap(
  zxid: number,
  entries: readonly Entry[],
  signature: string = SNAP_SIGNATURE,
): Buffer {
  const disk = { snapshot: { zxid, entries } }
  const feed = new MemoryReplica({ disk }).feedSnapshot()
  const slices: Buffer[] = []
  for (let slice = feed.next(); slice !== undefined; slice = feed.next()) slices.push(slice)
  const length = Buffer.alloc(4)
  length.writeInt32BE(signature.length)
  return Buffer.concat([
    encodePacket(PacketType.snap, zxid),
    ...slices,
    length,
    Buffer.from(signature),
  ])
}
