import { counterOf, epochOf } from '../../../src/data/zxid.ts'
import type { DiskOp } from '../../../src/persistence/disk.ts'
import { hex, Violation } from '../history.ts'
import { Seen, type SeenPacket, type SeenVote } from '../quorum-tap.ts'

const CHECKER = 'no amnesia'
/** In ACKEPOCH: it counts for nothing, and says nothing of the history. */
const COUNTS_NOT = -1
const NO_ZXID = -1

/**
 * What one disk has promised: acks that members have sent, by what stood on it. No member with that
 * disk may say less of itself later, unless a leader has told it to cut its log, or the disk is another.
 */
export class DiskMemory {
  readonly #name: string
  readonly #sid: number
  #ackedZxid = 0
  #ackedEpoch = 0

  constructor(name: string, sid: number) {
    this.#name = name
    this.#sid = sid
  }

  /** The disk was replaced by an empty one. */
  forget(): void {
    this.#ackedZxid = 0
    this.#ackedEpoch = 0
  }

  /** Its logs are gone, and its epochs are not. */
  forgetLog(): void {
    this.#ackedZxid = 0
  }

  /** A leader counts itself. */
  onLed(epoch: number): void {
    this.#ackedEpoch = Math.max(this.#ackedEpoch, epoch)
  }

  onCounted(zxid: number): void {
    this.#ackedZxid = Math.max(this.#ackedZxid, zxid)
  }

  onDiskOp(op: DiskOp): void {
    if (op.kind === 'truncateAfter' || op.kind === 'forgetHistory')
      this.#ackedZxid = Math.min(this.#ackedZxid, op.zxid)
  }

  /** Of what the member sends on the quorum's port. Throws a Violation. */
  onPacket({ type, zxid, data }: SeenPacket): void {
    if (type === Seen.ack && counterOf(zxid) > 0) this.onCounted(zxid)
    else if (type === Seen.ack) this.onLed(epochOf(zxid))
    else if (type === Seen.followerInfo) this.#judge('FOLLOWERINFO', undefined, epochOf(zxid))
    else if (type === Seen.ackEpoch && data.length >= 4 && data.readInt32BE(0) !== COUNTS_NOT)
      this.#judge('ACKEPOCH', zxid, data.readInt32BE(0))
  }

  /**
   * A vote for itself says what the member has; one for another says what it was told. With no zxid at
   * all it says that its state was lost, and nobody counts it.
   */
  onVote({ leader, zxid, peerEpoch }: SeenVote): void {
    if (leader === this.#sid && zxid !== NO_ZXID) this.#judge('a vote', zxid, peerEpoch)
  }

  #judge(what: string, zxid: number | undefined, epoch: number): void {
    if (zxid !== undefined && zxid < this.#ackedZxid)
      throw new Violation(
        CHECKER,
        `${what} of ${this.#name} says ${hex(zxid)}, and its disk has acked ${hex(this.#ackedZxid)}`,
      )
    if (epoch < this.#ackedEpoch)
      throw new Violation(
        CHECKER,
        `${what} of ${this.#name} says epoch ${epoch}, and its disk has acked ${this.#ackedEpoch}`,
      )
  }
}
