import { assert } from '../../base/assert.ts'
import { formatZxid, makeZxid } from '../../data/zxid.ts'

/**
 * How far a leader has come: one epoch, and in it the proposals without a gap, which commit in the
 * order in which they were made (spec 04 §6). All parts of a leader look at it.
 */
export class Leadership {
  /** Monotonic milliseconds: the present turn. */
  mono: number
  #epoch = 0
  #lastProposedZxid = 0
  #lastCommittedZxid = 0

  constructor(mono: number) {
    this.mono = mono
  }

  /** The established one; 0 before. */
  get epoch(): number {
    return this.#epoch
  }

  /** 0 before the leader serves; then the zxid with which its epoch begins. */
  get lastProposedZxid(): number {
    return this.#lastProposedZxid
  }

  get lastCommittedZxid(): number {
    return this.#lastCommittedZxid
  }

  /** A quorum has reported: there is an epoch, though nobody has been told of it. */
  establish(epoch: number): void {
    assert(this.#epoch === 0, 'a leader leads one epoch')
    assert(epoch > 0, 'the first epoch is 1')
    this.#epoch = epoch
  }

  /** A quorum has synchronised: from now on there are proposals. */
  begin(): void {
    assert(this.#epoch > 0, 'nobody serves without an epoch')
    assert(this.#lastProposedZxid === 0, 'a leader begins to serve once')
    this.#lastProposedZxid = makeZxid(this.#epoch, 0)
    this.#lastCommittedZxid = this.#lastProposedZxid
  }

  onProposed(zxid: number): void {
    const last = this.#lastProposedZxid
    assert(last > 0, 'nothing is proposed before a quorum has synchronised')
    assert(zxid === last + 1, `proposal ${formatZxid(zxid)} after ${formatZxid(last)}`)
    this.#lastProposedZxid = zxid
  }

  onCommitted(zxid: number): void {
    const last = this.#lastCommittedZxid
    assert(zxid <= this.#lastProposedZxid, `commit ${formatZxid(zxid)} was never proposed`)
    assert(zxid === last + 1, `commit ${formatZxid(zxid)} after ${formatZxid(last)}`)
    this.#lastCommittedZxid = zxid
  }
}
