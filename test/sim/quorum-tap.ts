import type { LinkId } from '../../src/quorum/ports/links.ts'

/** A packet of the quorum's port, as far as somebody who listens in cares. */
export interface SeenPacket {
  readonly type: number
  readonly zxid: number
  readonly data: Buffer
}

/** A notification of an election, by a member that looks for a leader. */
export interface SeenVote {
  readonly leader: number
  readonly zxid: number
  readonly round: number
  readonly peerEpoch: number
}

export interface TapEvents {
  onPacket(link: LinkId, packet: SeenPacket): void
  onVote(vote: SeenVote): void
  /** The stream of a SNAP has ended; it came in so many writes. */
  onSnapEnd(link: LinkId, writes: number): void
}

export const Seen = {
  proposal: 2,
  ack: 3,
  commit: 4,
  ping: 5,
  newLeader: 10,
  followerInfo: 11,
  upToDate: 12,
  diff: 13,
  trunc: 14,
  snap: 15,
  leaderInfo: 17,
  ackEpoch: 18,
} as const

const HEAD_BYTES = 16
/** version:long, sid:long, length:int. */
const OPENING_BYTES = 20
const LOOKING = 0
/** state:int, leader:long, zxid:long, round:long, peerEpoch:long. */
const VOTE_BYTES = 36
const SIGNATURE: Buffer = Buffer.from('\0\0\0\nBenWasHere', 'latin1')

/**
 * Listens to what a member says to others on the quorum's port, and reads it by itself: not with the
 * member's own decoder. A member hands over whole packets, so none is spread over two writes; the
 * stream between SNAP and its signature is passed over.
 */
export class QuorumTap {
  readonly #events: TapEvents
  /** Links in the middle of a SNAP, and in how many writes it has come so far. */
  readonly #snaps = new Map<LinkId, number>()

  constructor(events: TapEvents) {
    this.#events = events
  }

  isInSnap(link: LinkId): boolean {
    return this.#snaps.has(link)
  }

  /** The link is gone. */
  forget(link: LinkId): void {
    this.#snaps.delete(link)
  }

  /** On the port of elections: an opening message with a negative version, or frames of notifications. */
  onElectionWrite(bytes: Buffer): void {
    for (let at = 0; at + 4 <= bytes.length; ) {
      const length = bytes.readInt32BE(at)
      if (length < 0) {
        at += OPENING_BYTES + bytes.readInt32BE(at + OPENING_BYTES - 4)
        continue
      }
      if (length >= VOTE_BYTES && bytes.readInt32BE(at + 4) === LOOKING)
        this.#events.onVote({
          leader: Number(bytes.readBigInt64BE(at + 8)),
          zxid: Number(bytes.readBigInt64BE(at + 16)),
          round: Number(bytes.readBigInt64BE(at + 24)),
          peerEpoch: Number(bytes.readBigInt64BE(at + 32)),
        })
      at += 4 + length
    }
  }

  onWrite(link: LinkId, bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      const writes = this.#snaps.get(link)
      at =
        writes === undefined ? this.#packet(link, bytes, at) : this.#snap(link, bytes, at, writes)
    }
  }

  #snap(link: LinkId, bytes: Buffer, at: number, writes: number): number {
    const end = bytes.indexOf(SIGNATURE, at)
    if (end < 0) {
      this.#snaps.set(link, writes + 1)
      return bytes.length
    }
    this.#snaps.delete(link)
    this.#events.onSnapEnd(link, writes + 1)
    return end + SIGNATURE.length
  }

  #packet(link: LinkId, bytes: Buffer, from: number): number {
    const type = bytes.readInt32BE(from)
    const zxid = Number(bytes.readBigInt64BE(from + 4))
    const length = Math.max(0, bytes.readInt32BE(from + 12))
    let at = from + HEAD_BYTES + length
    const data = bytes.subarray(from + HEAD_BYTES, at)
    const ids = bytes.readInt32BE(at)
    at += 4
    // A scheme and an id each.
    for (let i = 0; i < 2 * ids; i += 1) at += 4 + Math.max(0, bytes.readInt32BE(at))
    if (type === Seen.snap) this.#snaps.set(link, 0)
    this.#events.onPacket(link, { type, zxid, data })
    return at
  }
}
