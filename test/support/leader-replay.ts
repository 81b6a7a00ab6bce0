import type { QuorumPacket } from '../../src/data/records.ts'
import { epochOf } from '../../src/data/zxid.ts'
import type { LinkId } from '../../src/quorum/ports/links.ts'
import type { Entry } from '../../src/quorum/ports/replica.ts'
import {
  encodePacket,
  PacketReader,
  PacketType,
  packetName,
  SNAP_SIGNATURE,
} from '../../src/quorum/wire/packets.ts'
import { LeaderRig } from './leader-rig.ts'
import type { MemoryReplica } from './memory-replica.ts'
import { type RecordedDirection, readRecordedEvents } from './quorum-recordings.ts'

/** What a side said on a link: a packet, or all of a snapshot's stream with its signature. */
export type Said =
  | { readonly kind: 'packet'; readonly packet: QuorumPacket }
  | { readonly kind: 'stream'; readonly bytes: Buffer }

const SIGNATURE = Buffer.concat([Buffer.of(0, 0, 0, 10), Buffer.from(SNAP_SIGNATURE)])

/** Cuts one direction of a link into what was said, in own memory. */
export class SaidReader {
  readonly #reader = new PacketReader()
  #stream: Buffer | undefined = undefined

  push(bytes: Buffer): Said[] {
    this.#reader.push(bytes)
    const all: Said[] = []
    for (;;) {
      if (this.#stream !== undefined) {
        this.#stream = Buffer.concat([this.#stream, this.#reader.takeRest()])
        const at = this.#stream.indexOf(SIGNATURE)
        if (at < 0) return all
        const end = at + SIGNATURE.length
        all.push({ kind: 'stream', bytes: this.#stream.subarray(0, end) })
        this.#reader.push(this.#stream.subarray(end))
        this.#stream = undefined
      }
      const packet = this.#reader.next()
      if (packet === 'more') return all
      if ('problem' in packet) throw new Error(packet.problem)
      const data = packet.data === null ? null : Buffer.from(packet.data)
      all.push({ kind: 'packet', packet: { ...packet, data } })
      if (packet.type === PacketType.snap) this.#stream = Buffer.alloc(0)
    }
  }
}

/** For comparing: name, zxid and all bytes. */
export function sayingText(said: Said): string {
  if (said.kind === 'stream') return `stream ${said.bytes.toString('hex')}`
  const { type, zxid, data, authinfo } = said.packet
  const bytes = data === null ? 'null' : data.toString('hex')
  return `${packetName(type)} ${zxid.toString(16)} ${bytes} ${JSON.stringify(authinfo)}`
}

const isPing = (said: Said): boolean =>
  said.kind === 'packet' && said.packet.type === PacketType.ping

interface RecordedSaying {
  readonly conn: number
  readonly dir: RecordedDirection | 'open' | 'eof'
  readonly atMs: number
  readonly said: Said | undefined
}

/** All that was said to that leader, and by it, in that epoch, as the proxy saw it. */
function readSayings(name: string, leader: number, conns: readonly number[]): RecordedSaying[] {
  const readers = new Map<string, SaidReader>()
  const all: RecordedSaying[] = []
  for (const event of readRecordedEvents(name)) {
    if (!conns.includes(event.conn) || !event.link.endsWith(`>${leader}`)) continue
    const { conn, atMs } = event
    if (event.kind !== 'chunk') {
      all.push({ conn, atMs, dir: event.kind, said: undefined })
      continue
    }
    const key = `${conn} ${event.dir}`
    const reader = readers.get(key) ?? new SaidReader()
    readers.set(key, reader)
    for (const said of reader.push(event.bytes)) all.push({ conn, atMs, dir: event.dir, said })
  }
  return all
}

export interface ReplayOptions {
  readonly recording: string
  readonly leader: number
  /** Those of the recording that belong to this leadership. */
  readonly conns: readonly number[]
  readonly observers: readonly number[]
  /** What the leader has when it begins. */
  readonly log: readonly Entry[]
  readonly acceptedEpoch: number
  readonly currentEpoch: number
  /** Sessions that were alive when somebody asked. */
  readonly sessions?: readonly bigint[]
  /** What was allowed to be read from the log files. */
  readonly history?: (committed: readonly Entry[]) => readonly Entry[] | undefined
}

export interface Replayed {
  readonly recorded: ReadonlyMap<number, readonly string[]>
  readonly ours: ReadonlyMap<number, readonly string[]>
  /** Everything committed in the end, the log that it began with included. */
  readonly committed: readonly Entry[]
  readonly rig: LeaderRig
}

/**
 * Plays the recorded learners to our leader, in the same order, and lets it propose and commit what
 * the recorded leader did, when it did. PINGs are left out: they depend on the clock.
 */
export function replayLeader(options: ReplayOptions): Replayed {
  const { conns, leader, log, acceptedEpoch, currentEpoch } = options
  const sayings = readSayings(options.recording, leader, conns)
  const streams = new Map<number, Buffer>()
  const recorded = new Map<number, string[]>(conns.map((conn) => [conn, []]))
  const ours = new Map<number, string[]>(conns.map((conn) => [conn, []]))
  let configText = ''
  for (const { conn, dir, said } of sayings) {
    if (dir !== 's2c' || said === undefined || isPing(said)) continue
    recorded.get(conn)?.push(sayingText(said))
    if (said.kind === 'stream') streams.set(conn, said.bytes)
    else if (said.packet.type === PacketType.newLeader)
      configText = said.packet.data?.toString() ?? configText
  }
  const rig = new LeaderRig({
    self: leader,
    observers: options.observers,
    config: { text: configText },
    disk: { log, acceptedEpoch, currentEpoch },
  })
  for (const session of options.sessions ?? []) rig.replica.sessions.add(session)
  const readers = new Map(conns.map((conn) => [conn, new SaidReader()]))
  const unanswered = new Map<number, number>(conns.map((conn) => [conn, 0]))
  const start = rig.now - (sayings[0]?.atMs ?? 0)
  const collect = (): void => {
    for (const [conn, reader] of readers)
      for (const said of reader.push(rig.links.take(conn)))
        if (isPing(said)) unanswered.set(conn, (unanswered.get(conn) ?? 0) + 1)
        else ours.get(conn)?.push(sayingText(said))
  }
  for (const saying of sayings) {
    rig.now = start + saying.atMs
    const stream = streams.get(saying.conn)
    if (saying.dir === 'open' && stream !== undefined)
      rig.replica.feedSlices = [stream.subarray(0, stream.length - SIGNATURE.length)]
    rig.replica.history = options.history?.([...rig.replica.state.values()])
    rig.turn(() => play(rig, saying, unanswered))
    if (!rig.leader.isServing) rig.flush()
    collect()
  }
  return { recorded, ours, committed: [...rig.replica.state.values()], rig }
}

function play(rig: LeaderRig, saying: RecordedSaying, unanswered: Map<number, number>): void {
  const { conn, dir, said } = saying
  if (dir === 'open') rig.leader.onLinkAccepted(conn)
  else if (dir === 'eof') rig.leader.onLinkClosed(conn)
  else if (said?.kind !== 'packet') return
  else if (dir === 's2c') follow(rig.replica, rig, conn, said.packet)
  else {
    const { type, zxid, data, authinfo } = said.packet
    const pings = unanswered.get(conn) ?? 0
    if (isPing(said)) {
      // The recorded one was asked at other times.
      if (pings === 0) return
      unanswered.set(conn, pings - 1)
    }
    const known = Object.values(PacketType).find((value) => value === type)
    if (known === undefined) throw new Error(`packet of type ${type}`)
    rig.leader.onLinkBytes(conn, encodePacket(known, zxid, data, authinfo))
  }
}

/** What the recorded leader said shows what its own server had decided. */
function follow(replica: MemoryReplica, rig: LeaderRig, conn: LinkId, packet: QuorumPacket): void {
  const { type, zxid, data } = packet
  if (epochOf(zxid) !== rig.leader.epoch && type !== PacketType.sync) return
  if (type === PacketType.proposal && zxid > replica.lastLoggedZxid && data !== null)
    replica.propose({ zxid, bytes: data })
  if (type === PacketType.commit || type === PacketType.inform)
    while (replica.lastProcessedZxid < zxid && replica.flushOne());
  if (type === PacketType.sync) rig.leader.sendSync(conn)
}
