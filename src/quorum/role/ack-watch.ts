import { assert } from '../../base/assert.ts'
/**
 * How long the oldest PROPOSAL waits for its ack, as closely as it matters: of those behind the oldest
 * only the newest is remembered, so a learner is late at the earliest syncLimit after a proposal. A
 * learner's own log is watched in the same way, with numbers of its own.
 */
export class AckWatch {
  #awaitedZxid = 0
  #awaitedMono = 0
  #nextZxid = 0
  #nextMono = 0

  /** PROPOSALs up to that zxid have been sent. */
  onSent(zxid: number, nowMono: number): void {
    assert(zxid > this.#awaitedZxid, 'what waits for an ack is sent in order')
    if (this.#awaitedZxid === 0) {
      this.#awaitedZxid = zxid
      this.#awaitedMono = nowMono
    } else {
      this.#nextZxid = zxid
      this.#nextMono = nowMono
    }
  }

  /** True: the oldest that was awaited is acked. */
  onAck(zxid: number): boolean {
    if (this.#awaitedZxid === 0 || zxid < this.#awaitedZxid) return false
    this.#awaitedZxid = this.#nextZxid > zxid ? this.#nextZxid : 0
    this.#awaitedMono = this.#nextMono
    this.#nextZxid = 0
    return true
  }

  /** Gives what waits so much more time. */
  postpone(ms: number): void {
    this.#awaitedMono += ms
    this.#nextMono += ms
  }

  /** 0 as long as nothing waits. */
  waitedMs(nowMono: number): number {
    return this.#awaitedZxid === 0 ? 0 : nowMono - this.#awaitedMono
  }
}
