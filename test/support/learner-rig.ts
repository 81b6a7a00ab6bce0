import { JuteWriter } from 'jute-ts'
import type { LogFields, Logger } from '../../src/base/logger.ts'
import { type QuorumPacket, writeQuorumPacket } from '../../src/data/records.ts'
import type { Ensemble, EnsembleMember } from '../../src/quorum/ensemble.ts'
import { Learner } from '../../src/quorum/learner.ts'
import { defaultLearnerLimits, type LearnerLimits } from '../../src/quorum/learner-history.ts'
import type { LinkId } from '../../src/quorum/links.ts'
import {
  encodePacket,
  PacketReader,
  PacketType,
  packetName,
  SNAP_SIGNATURE,
} from '../../src/quorum/packets.ts'
import { MajorityQuorum } from '../../src/quorum/quorum-verifier.ts'
import type { Entry } from '../../src/quorum/replica.ts'
import type { Epochs, RoleParts } from '../../src/quorum/role.ts'
import { FakeLinks } from './fake-links.ts'
import { type MemoryDisk, MemoryReplica } from './memory-replica.ts'

/** Epoch and counter. */
export const z = (epoch: number, counter: number): number => epoch * 2 ** 32 + counter

const member = (sid: number, role: EnsembleMember['role']): EnsembleMember => ({
  sid,
  role,
  quorumAddresses: [{ host: `host${sid}`, port: 2888 }],
  electionAddresses: [{ host: `host${sid}`, port: 3888 }],
})

/** tickTime 1000, initLimit 10, syncLimit 5; connectToLearnerMasterLimit 3. */
function ensembleOf(
  sid: number,
  role: 'following' | 'observing',
  over: Partial<Ensemble>,
): Ensemble {
  const self = member(sid, role === 'observing' ? 'observer' : 'participant')
  const members = [1, 2, 3].map((voter) => member(voter, 'participant'))
  return {
    self,
    members: new Map([...members, self].map((m) => [m.sid, m])),
    verifier: new MajorityQuorum([1, 2, 3]),
    configText: 'version=0',
    configVersion: 0,
    tickTimeMs: 1000,
    initLimitMs: 10_000,
    syncLimitMs: 5000,
    cnxTimeoutMs: 5000,
    connectToLeaderLimitMs: 3000,
    notificationIntervalMsMin: 200,
    notificationIntervalMsMax: 60_000,
    finalizeWaitMs: 200,
    snapshotSizeFactor: 0.33,
    forceSnapshotSync: false,
    concurrentSnapSyncsMax: 10,
    concurrentDiffSyncsMax: 100,
    observerLogs: true,
    ...over,
  }
}

export interface LearnerRigOptions {
  readonly sid?: number
  readonly role?: 'following' | 'observing'
  readonly disk?: Partial<MemoryDisk>
  readonly replica?: MemoryReplica
  readonly epochs?: Epochs
  readonly over?: Partial<Ensemble>
  readonly limits?: Partial<LearnerLimits>
  readonly entryProblem?: RoleParts['entryProblem']
  /** What the leader says arrives in pieces of so many bytes. */
  readonly pieceBytes?: number
}

/** A learner on a replica in memory, whose leader a test plays. */
export class LearnerRig {
  readonly links: FakeLinks = new FakeLinks()
  readonly replica: MemoryReplica
  readonly epochs: Epochs
  readonly learner: Learner
  readonly ends: string[] = []
  readonly logs: string[] = []
  nowMono = 1000
  readonly #pieceBytes: number
  #heard = new PacketReader()

  constructor(options: LearnerRigOptions = {}) {
    const { sid = 1, role = 'following', over = {}, limits = {}, disk = {} } = options
    this.replica = options.replica ?? new MemoryReplica({ sid, disk })
    this.epochs = options.epochs ?? {
      accepted: this.replica.disk.acceptedEpoch,
      current: this.replica.disk.currentEpoch,
    }
    this.#pieceBytes = options.pieceBytes ?? Infinity
    const note = (message: string, fields: LogFields = {}): void => {
      this.logs.push(`${message} ${JSON.stringify(fields)}`)
    }
    const logger: Logger = { debug: note, info: note, warn: note, error: note }
    const parts: RoleParts = {
      ensemble: ensembleOf(sid, role, over),
      replica: this.replica,
      links: this.links,
      epochs: this.epochs,
      logger,
      ...(options.entryProblem && { entryProblem: options.entryProblem }),
    }
    const onEnd = (reason: string): void => {
      this.ends.push(reason)
    }
    const allLimits = { ...defaultLearnerLimits, ...limits }
    this.learner = new Learner(
      parts,
      member(3, 'participant'),
      role,
      this.nowMono,
      onEnd,
      allLimits,
    )
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
