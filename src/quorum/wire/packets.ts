import { JuteReader, JuteWriter } from 'jute-ts'
import { assert } from '../../base/assert.ts'
import {
  type Id,
  type QuorumPacket,
  readQuorumPacket,
  writeQuorumPacket,
} from '../../data/records.ts'

/** What leader and learners say to each other (spec 04 §2). */
export const PacketType = {
  request: 1,
  proposal: 2,
  ack: 3,
  commit: 4,
  ping: 5,
  revalidate: 6,
  sync: 7,
  inform: 8,
  commitAndActivate: 9,
  newLeader: 10,
  followerInfo: 11,
  upToDate: 12,
  diff: 13,
  trunc: 14,
  snap: 15,
  observerInfo: 16,
  leaderInfo: 17,
  ackEpoch: 18,
  informAndActivate: 19,
} as const

export type PacketType = (typeof PacketType)[keyof typeof PacketType]

const packetNames: ReadonlyMap<number, string> = new Map(
  Object.entries(PacketType).map(([name, type]) => [type, name.toUpperCase()]),
)

/** As the field calls it, NEWLEADER for one; for logs. */
export const packetName = (type: number): string => packetNames.get(type) ?? `type ${type}`

export const isKnownPacket = (type: number): boolean => packetNames.has(type)

/** What both sides say of the protocol since 3.4: LEADERINFO and ACKEPOCH exist. */
export const PROTOCOL_VERSION = 0x10000

/** Zxid of the packets that have none. */
export const NO_ZXID = -1

/** Closes the stream of a SNAP, as a ustring. */
export const SNAP_SIGNATURE = 'BenWasHere'

/**
 * The largest packet that is taken from a peer. A closeSession names every ephemeral of the session
 * and a PING every session touched, so this is far above the largest request of a client.
 * @bound bytes: the connection is closed
 */
export const PACKET_BYTES_MAX: number = 64 * 1024 * 1024

export interface PacketRefusal {
  readonly problem: string
}

/** type:int, zxid:long, length of data:int, count of authinfo:int. */
const BARE_BYTES = 20
const DATA_LENGTH_AT = 12
const INT_BYTES = 4
const HELD_BYTES_MIN = 256
const EMPTY: Buffer = Buffer.alloc(0)

/** On the wire, without authinfo. */
export const packetBytes = (data: Buffer | null): number =>
  data === null ? BARE_BYTES : BARE_BYTES + data.length

/** Writes a packet without authinfo at `at`, where packetBytes(data) must fit; returns its end. */
export function putPacket(
  target: Buffer,
  at: number,
  type: PacketType,
  zxid: number,
  data: Buffer | null,
): number {
  target.writeInt32BE(type, at)
  target.writeInt32BE(Math.floor(zxid / 2 ** 32), at + 4)
  target.writeInt32BE(zxid | 0, at + 8)
  target.writeInt32BE(data === null ? -1 : data.length, at + DATA_LENGTH_AT)
  let end = at + DATA_LENGTH_AT + INT_BYTES
  if (data !== null) end += data.copy(target, end)
  return target.writeInt32BE(-1, end)
}

/** In own memory. */
export function encodePacket(
  type: PacketType,
  zxid: number,
  data: Buffer | null = null,
  authinfo: readonly Id[] | null = null,
): Buffer {
  if (authinfo === null) {
    const bytes = Buffer.allocUnsafe(packetBytes(data))
    putPacket(bytes, 0, type, zxid, data)
    return bytes
  }
  const w = new JuteWriter(packetBytes(data) + authinfo.length * 64)
  writeQuorumPacket(w, { type, zxid, data, authinfo })
  return w.copy()
}

/**
 * Cuts the stream of a link into packets, which follow each other without a length in front. Pull
 * style:
 *
 *     reader.push(bytes)
 *     for (let p = reader.next(); p !== 'more'; p = reader.next()) { refusal in p, or a packet }
 *
 * The bytes pushed are borrowed until next() says 'more', a packet's data until the next push. Time
 * and memory are linear in the bytes that came, however they are cut and whatever lengths they claim.
 * Where something else than packets follows (the stream of a SNAP), takeRest() gives out what came
 * behind the last packet, and push() takes back what belongs to packets again.
 */
export class PacketReader {
  #bytesMax: number
  readonly #reader = new JuteReader()
  #bytes: Buffer = EMPTY
  #at = 0
  #end = 0
  /** False: #bytes are the caller's. */
  #isOwn = false
  #refusal: PacketRefusal | undefined = undefined
  /** From the start of the packet: up to there all lengths in it are known. */
  #measured = DATA_LENGTH_AT
  /** Lengths still to be read: undefined until the count of ids is known. */
  #stringsLeft: number | undefined = undefined
  #isDataMeasured = false

  constructor(packetBytesMax: number = PACKET_BYTES_MAX) {
    this.#bytesMax = packetBytesMax
  }

  /** For the packets that follow. */
  setBytesMax(packetBytesMax: number): void {
    this.#bytesMax = packetBytesMax
  }

  /** Bytes behind the last packet. */
  get heldBytes(): number {
    return this.#end - this.#at
  }

  push(bytes: Buffer): void {
    if (this.#at < this.#end) {
      this.#append(bytes)
      return
    }
    this.#bytes = bytes
    this.#at = 0
    this.#end = bytes.length
    this.#isOwn = false
  }

  /** The next packet; 'more' when it is not whole yet; a refusal, from then on always the same. */
  next(): QuorumPacket | 'more' | PacketRefusal {
    if (this.#refusal !== undefined) return this.#refusal
    const isWhole = this.#measure()
    if (typeof isWhole !== 'boolean') return this.#refuse(isWhole.problem)
    if (!isWhole) {
      this.#hold()
      return 'more'
    }
    const end = this.#at + this.#measured
    const packet = readQuorumPacket(this.#reader.reset(this.#bytes, this.#at, end))
    if (!this.#reader.ok || this.#reader.at !== end) return this.#refuse('undecodable packet')
    this.#at = end
    this.#startPacket()
    return packet
  }

  /**
   * What came behind the last packet, borrowed until the next push; the reader then holds nothing.
   * Only where no packet has been begun: before next() has said 'more'.
   */
  takeRest(): Buffer {
    assert(this.#measured === DATA_LENGTH_AT, 'a packet was begun where a raw stream follows')
    const rest = this.#bytes.subarray(this.#at, this.#end)
    this.#bytes = EMPTY
    this.#at = 0
    this.#end = 0
    return rest
  }

  #refuse(problem: string): PacketRefusal {
    this.#refusal = { problem }
    this.#bytes = EMPTY
    this.#at = 0
    this.#end = 0
    return this.#refusal
  }

  #startPacket(): void {
    this.#measured = DATA_LENGTH_AT
    this.#stringsLeft = undefined
    this.#isDataMeasured = false
  }

  /** Goes on where it had to stop for want of bytes. True: the packet ends at #measured. */
  #measure(): boolean | PacketRefusal {
    while (this.#stringsLeft !== 0) {
      const at = this.#at + this.#measured
      if (at + INT_BYTES > this.#end) return false
      const length = this.#bytes.readInt32BE(at)
      if (length < -1) return { problem: 'negative length in a packet' }
      this.#measured += INT_BYTES
      const isCount = this.#isDataMeasured && this.#stringsLeft === undefined
      if (isCount) this.#stringsLeft = 2 * Math.max(length, 0)
      else this.#measured += Math.max(length, 0)
      if (!this.#isDataMeasured) this.#isDataMeasured = true
      else if (!isCount && this.#stringsLeft !== undefined) this.#stringsLeft -= 1
      const bytesMin = this.#measured + INT_BYTES * (this.#stringsLeft ?? 1)
      if (bytesMin > this.#bytesMax) return { problem: 'packet too large' }
    }
    return this.#at + this.#measured <= this.#end
  }

  /** Copies what is left of the caller's bytes. */
  #hold(): void {
    if (this.#isOwn || this.#at === this.#end) return
    const rest = this.#bytes.subarray(this.#at, this.#end)
    this.#bytes = Buffer.allocUnsafe(Math.max(HELD_BYTES_MIN, rest.length * 2))
    rest.copy(this.#bytes)
    this.#at = 0
    this.#end = rest.length
    this.#isOwn = true
  }

  /** Room grows twofold with what has come; never with a length that is only claimed. */
  #append(bytes: Buffer): void {
    if (!this.#isOwn || this.#end + bytes.length > this.#bytes.length) {
      const held = this.#bytes.subarray(this.#at, this.#end)
      const target = Buffer.allocUnsafe(Math.max(HELD_BYTES_MIN, (held.length + bytes.length) * 2))
      held.copy(target)
      this.#bytes = target
      this.#at = 0
      this.#end = held.length
      this.#isOwn = true
    }
    bytes.copy(this.#bytes, this.#end)
    this.#end += bytes.length
  }
}
