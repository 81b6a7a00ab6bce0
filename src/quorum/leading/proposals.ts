import { assert } from '../../base/assert.ts'
import { Deque } from '../../base/deque.ts'
import type { QuorumSource, QuorumVerifier } from '../membership/quorum-verifier.ts'

interface Proposal<T> {
  /** A barrier has the zxid of the proposal before it: it asks for no ack of its own. */
  readonly zxid: number
  /** A barrier waits until the leader has been confirmed in this round; 0 for proposals. */
  readonly round: number
  /** As it was when this was made: of both configurations while a reconfiguration was under way. */
  readonly quorum: QuorumVerifier
  readonly payload: T
}

/**
 * What the leader has proposed and not yet committed, oldest first. Each voter acks in zxid order,
 * so one zxid per voter says it all; the head commits when a quorum has reached it, and nothing
 * commits before the head (spec 04 §6). Zab does not know what a payload means. What has committed
 * stays here until it is asked for. Bounded by the requests that admission lets through, on each member,
 * and by what the leader asks for itself (sessions that end, nodes that are over).
 */
export class Proposals<T> {
  readonly #membership: QuorumSource
  readonly #acked = new Map<number, number>()
  readonly #outstanding = new Deque<Proposal<T>>()
  #lastProposed: number
  #lastCommitted: number
  #confirmedRound = 0
  #headZxid = 0

  constructor(membership: QuorumSource, lastZxid: number) {
    this.#membership = membership
    this.#lastProposed = lastZxid
    this.#lastCommitted = lastZxid
  }

  get lastProposed(): number {
    return this.#lastProposed
  }

  get length(): number {
    return this.#outstanding.length
  }

  propose(zxid: number, payload: T): void {
    assert(zxid > this.#lastProposed, `proposal ${zxid} after ${this.#lastProposed}`)
    this.#lastProposed = zxid
    this.#outstanding.push({ zxid, round: 0, quorum: this.#membership.quorum, payload })
  }

  /**
   * Comes out behind everything proposed so far, before everything proposed later, and not before
   * `onConfirmed` of that round.
   */
  barrier(payload: T, round = 0): void {
    const { quorum } = this.#membership
    this.#outstanding.push({ zxid: this.#lastProposed, round, quorum, payload })
  }

  /** `sid` has everything up to `zxid` on disk. */
  onAck(sid: number, zxid: number): void {
    const before = this.#acked.get(sid) ?? 0
    if (zxid > before) this.#acked.set(sid, zxid)
  }

  /** A quorum has said that it still follows, since the round was begun. Rounds grow. */
  onConfirmed(round: number): void {
    if (round > this.#confirmedRound) this.#confirmedRound = round
  }

  /** What `sid` has above `zxid` is gone, or will be: it must ack that again. */
  withdrawAcks(sid: number, zxid: number): void {
    if ((this.#acked.get(sid) ?? 0) > zxid) this.#acked.set(sid, zxid)
  }

  /** There is something that nextCommitted would give. */
  get hasCommitted(): boolean {
    const head = this.#outstanding.peek()
    if (head === undefined || head.round > this.#confirmedRound) return false
    if (head.zxid <= this.#lastCommitted) return true
    this.#headZxid = head.zxid
    return head.quorum.containsQuorum(this.#hasAckedHead)
  }

  /** The next payload in order that a quorum has made durable; undefined when there is none yet. */
  nextCommitted(): T | undefined {
    if (!this.hasCommitted) return undefined
    const head = this.#outstanding.shift()
    assert(head !== undefined, 'a queue that was looked into is not empty')
    this.#lastCommitted = head.zxid
    return head.payload
  }

  /** What is left when the leadership ends, committed or not, oldest first. */
  *drain(): IterableIterator<T> {
    for (let head = this.#outstanding.shift(); head; head = this.#outstanding.shift())
      yield head.payload
  }

  /** What waits for its quorum, oldest first. */
  outstanding(): readonly T[] {
    return [...this.#outstanding].map(({ payload }) => payload)
  }

  readonly #hasAckedHead = (sid: number): boolean => (this.#acked.get(sid) ?? 0) >= this.#headZxid
}
