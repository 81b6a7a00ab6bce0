import { JuteWriter } from 'jute-ts'
import { type Id, writeId, writeLearnerInfo } from '../../data/records.ts'
import { makeZxid } from '../../data/zxid.ts'
import type { LinkId, Links } from '../ports/links.ts'
import type { LeaderLine } from '../ports/replica.ts'
import {
  encodePacket,
  NO_ZXID,
  PacketType,
  PROTOCOL_VERSION,
  packetBytes,
  putPacket,
} from '../wire/packets.ts'

const LEARNER_INFO_BYTES = 20
const REVALIDATE_BYTES = 12
/** sessionId, cxid and op, in front of the body of a REQUEST. */
const REQUEST_HEAD_BYTES = 16
/** Enough for most; the writer grows. */
const ID_BYTES = 64

/** What a learner says to its leader. Once it is closed nothing is said any more, however late. */
export class LeaderChannel implements LeaderLine {
  readonly #links: Links
  readonly #link: LinkId
  #isOpen = true

  constructor(links: Links, link: LinkId) {
    this.#links = links
    this.#link = link
  }

  /** Closes the link as well. */
  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#links.close(this.#link)
  }

  /** The peer has closed it. */
  onClosed(): void {
    this.#isOpen = false
  }

  sendInfo(
    role: 'following' | 'observing',
    sid: number,
    acceptedEpoch: number,
    configVersion: number,
  ): void {
    const w = new JuteWriter(LEARNER_INFO_BYTES)
    writeLearnerInfo(w, {
      serverid: BigInt(sid),
      protocolVersion: PROTOCOL_VERSION,
      configVersion: BigInt(configVersion),
    })
    const type = role === 'observing' ? PacketType.observerInfo : PacketType.followerInfo
    this.#send(encodePacket(type, makeZxid(acceptedEpoch, 0), w.bytes()))
  }

  /** `currentEpoch` -1: this epoch had been accepted before, so do not count this. */
  sendAckEpoch(lastZxid: number, currentEpoch: number): void {
    const data = Buffer.alloc(4)
    data.writeInt32BE(currentEpoch)
    this.#send(encodePacket(PacketType.ackEpoch, lastZxid, data))
  }

  /** One packet for each, in one piece. */
  sendAcks(zxids: readonly number[]): void {
    const size = packetBytes(null)
    const bytes = Buffer.allocUnsafe(size * zxids.length)
    let at = 0
    for (const zxid of zxids) at = putPacket(bytes, at, PacketType.ack, zxid, null)
    this.#send(bytes)
  }

  sendPing(zxid: number, touched: Buffer, authinfo: readonly Id[] | null): void {
    this.#send(encodePacket(PacketType.ping, zxid, touched, authinfo))
  }

  revalidate(sessionId: bigint, timeoutMs: number): void {
    const data = Buffer.alloc(REVALIDATE_BYTES)
    data.writeBigInt64BE(sessionId)
    data.writeInt32BE(timeoutMs, 8)
    this.#send(encodePacket(PacketType.revalidate, NO_ZXID, data))
  }

  /** Field by field, so that the body is copied once. */
  forward(
    sessionId: bigint,
    cxid: number,
    op: number,
    body: Buffer,
    ids: readonly Id[] | null,
  ): void {
    if (!this.#isOpen) return
    const dataBytes = REQUEST_HEAD_BYTES + body.length
    const w = new JuteWriter(packetBytes(null) + dataBytes + (ids?.length ?? 0) * ID_BYTES)
    w.writeInt(PacketType.request)
    w.writeNumber(NO_ZXID)
    w.writeInt(dataBytes)
    w.writeLong(sessionId)
    w.writeInt(cxid)
    w.writeInt(op)
    w.writeBytes(body)
    w.writeInt(ids === null ? -1 : ids.length)
    if (ids !== null) for (const id of ids) writeId(w, id)
    this.#send(w.bytes())
  }

  #send(bytes: Buffer): void {
    if (this.#isOpen) this.#links.send(this.#link, bytes)
  }
}
