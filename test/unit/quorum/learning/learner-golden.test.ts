import { JuteReader } from 'jute-ts'
import { describe, expect, it } from 'vitest'
import { type QuorumPacket, readLearnerRequest } from '../../../../src/data/records.ts'
import { PacketReader, PacketType, packetName } from '../../../../src/quorum/wire/packets.ts'
import { LearnerRig, packetsOf, packetWire } from '../../../support/learner-rig.ts'
import {
  bytesOf,
  type RecordedLink,
  readLearnerRecording,
} from '../../../support/quorum-recordings.ts'
import { TreeReplica } from '../../../support/tree-replica.ts'

/** A step of a recording: what the leader said, or what the learner wanted of it. */
type Turn =
  | { readonly kind: 'leader'; readonly bytes: Buffer }
  | { readonly kind: 'client'; readonly packet: QuorumPacket }

interface Situation {
  readonly link: RecordedLink
  readonly said: readonly QuorumPacket[]
  /** What the leader said, as far as it is packets. */
  readonly told: readonly QuorumPacket[]
  readonly turns: readonly Turn[]
}

/** REQUEST and REVALIDATE come from clients, which the recording alone knows. */
const fromClients: ReadonlySet<number> = new Set([PacketType.request, PacketType.revalidate])

function situationOf(link: RecordedLink): Situation {
  const reader = new PacketReader()
  const turns = link.chunks.flatMap(({ dir, bytes }): Turn[] => {
    if (dir === 's2c') return [{ kind: 'leader', bytes }]
    const packets = packetsOf(bytes, reader).filter(({ type }) => fromClients.has(type))
    return packets.map((packet) => ({ kind: 'client', packet }))
  })
  return { link, said: packetsOf(bytesOf(link, 'c2s')), told: toldBy(link), turns }
}

/** The packets of the leader; a SNAP's stream is skipped up to its signature. */
function toldBy(link: RecordedLink): QuorumPacket[] {
  const reader = new PacketReader()
  const told: QuorumPacket[] = []
  reader.push(bytesOf(link, 's2c'))
  for (let p = reader.next(); p !== 'more'; p = reader.next()) {
    if ('problem' in p) throw new Error(p.problem)
    told.push(p)
    if (p.type !== PacketType.snap) continue
    const rest = reader.takeRest()
    reader.push(rest.subarray(rest.indexOf('BenWasHere') + 10))
  }
  return told
}

/** Says of the touched sessions what the recorded learner said. */
class GoldenReplica extends TreeReplica {
  readonly touchedLater: Buffer[] = []

  override takeTouched(): Buffer {
    return this.touchedLater.shift() ?? Buffer.from('not recorded')
  }
}

/** Plays the leader's half to a learner that begins as the recorded one did. */
function replay({ said, turns, link }: Situation, pieceBytes: number): LearnerRig {
  const hello = said.find(({ type }) => type === PacketType.ackEpoch)
  const info = said[0]
  if (hello === undefined || info === undefined) throw new Error('a learner said too little')
  const acceptedEpoch = Math.floor(info.zxid / 2 ** 32)
  const replica = new GoldenReplica({
    disk: {
      snapshot: { zxid: hello.zxid, entries: [] },
      acceptedEpoch,
      currentEpoch: Math.max(hello.data?.readInt32BE(0) ?? 0, 0),
    },
  })
  for (const { type, data } of said)
    if (type === PacketType.ping && data !== null) replica.touchedLater.push(data)
  const sid = Number(info.data?.readBigInt64BE(0))
  const role = info.type === PacketType.observerInfo ? 'observing' : 'following'
  const rig = new LearnerRig({ sid, role, replica, pieceBytes }).open()
  for (const turn of turns) {
    if (turn.kind === 'leader') rig.bytes(turn.bytes)
    else clientAsks(rig, turn.packet)
    replica.flush()
  }
  if (rig.ends.length > 0) throw new Error(`${link.link}: ${rig.ends.join()}`)
  return rig
}

function clientAsks(rig: LearnerRig, { type, data, authinfo }: QuorumPacket): void {
  const bytes = data ?? Buffer.alloc(0)
  if (type === PacketType.revalidate) {
    rig.replica.leader?.revalidate(bytes.readBigInt64BE(0), bytes.readInt32BE(8))
    return
  }
  const reader = new JuteReader(bytes)
  const request = readLearnerRequest(reader)
  const body = bytes.subarray(reader.at)
  rig.replica.leader?.forward(request.sessionId, request.cxid, request.type, body, authinfo)
}

/** 3.8 acks each proposal of a DIFF by itself, 3.9.3 and we do not (spec 04 §5). */
function withoutAcksOfTheDiff(said: readonly QuorumPacket[], { told }: Situation): QuorumPacket[] {
  const end = told.findIndex(({ type }) => type === PacketType.newLeader)
  const proposals = told.slice(0, end).filter(({ type }) => type === PacketType.proposal)
  const before = new Set(proposals.map(({ zxid }) => zxid))
  return said.filter(({ type, zxid }) => type !== PacketType.ack || !before.has(zxid))
}

/** By type, since the threads of the original do not keep the order of an ACK and a PING. */
function byType(packets: readonly QuorumPacket[]): Record<string, string[]> {
  const groups: Record<string, string[]> = {}
  for (const packet of packets) {
    const name = packetName(packet.type)
    groups[name] = [...(groups[name] ?? []), packetWire(packet).toString('hex')]
  }
  return groups
}

function recording(name: string): readonly (readonly [string, Situation])[] {
  return readLearnerRecording(name)
    .filter((link) => bytesOf(link, 'c2s').length > 0)
    .map((link) => [`#${link.conn} ${link.link}`, situationOf(link)])
}

describe.each([1, 7, Infinity])('in the situations of run 1, in pieces of %d bytes', (piece) => {
  it.each(recording('run1-learner'))('%s: a learner says the same', (_name, situation) => {
    const rig = replay(situation, piece)
    const ours = packetsOf(rig.links.take(rig.link))
    const theirs = withoutAcksOfTheDiff(situation.said, situation)
    // FOLLOWERINFO, ACKEPOCH, and the ACK of NEWLEADER.
    expect(ours.slice(0, 3).map(packetWire)).toEqual(theirs.slice(0, 3).map(packetWire))
    const oursByType = byType(ours)
    const theirsByType = byType(theirs)
    expect(Object.keys(oursByType).sort()).toEqual(Object.keys(theirsByType).sort())
    for (const [type, packets] of Object.entries(theirsByType)) {
      const all = oursByType[type] ?? []
      expect(all.slice(0, packets.length)).toEqual(packets)
      // A frozen or killed process did not get to its last ACKs, or its last PING.
      expect(all.length - packets.length).toBeLessThanOrEqual(2)
    }
  })
})

describe.each([1, 7, Infinity])('in the situation of run 4, in pieces of %d bytes', (piece) => {
  it.each(recording('run4-fake-leader-learner'))(
    '%s: all bytes are the same',
    (_name, situation) => {
      const rig = replay(situation, piece)
      expect(packetsOf(rig.links.take(rig.link))).toEqual(situation.said)
      expect(rig.replica.calls.filter(({ call }) => call === 'onSynced')).toHaveLength(1)
      const calls = rig.replica.calls.map(({ call }) => call)
      expect(calls.indexOf('installSnapshot')).toBeGreaterThan(calls.indexOf('deliver'))
      expect(calls.indexOf('append')).toBeGreaterThan(calls.indexOf('installSnapshot'))
      const { replica } = rig
      expect(replica instanceof GoldenReplica && replica.tree.nodeCount).toBe(56)
    },
  )
})
