import type { LinkId, Links } from '../ports/links.ts'
import { AckWatch } from '../role/ack-watch.ts'
import type { Leadership } from './leadership.ts'

/** How long a leader waits for one learner: for what it says, what it acks, and what it takes. */
export class LearnerPatience {
  lastHeardMono: number
  readonly #link: LinkId
  readonly #links: Links
  readonly #leadership: Leadership
  /** While something is on its way to a learner that has nothing to say: when it last moved. */
  #movedMono: number
  #waitingBytes = 0
  readonly #acks = new AckWatch()
  /** When nothing waited for it the last time that something was sent. */
  #clearMono = 0
  /** When it acked something that it had not acked before. */
  #ackedMono = 0

  constructor(link: LinkId, links: Links, leadership: Leadership) {
    this.#link = link
    this.#links = links
    this.#leadership = leadership
    this.lastHeardMono = leadership.mono
    this.#movedMono = leadership.mono
    this.#clearMono = leadership.mono
  }

  /** It has said something, or is asked something for the first time. */
  onHeard(): void {
    this.lastHeardMono = this.#leadership.mono
  }

  /** More was sent to it, or looked for to be sent. */
  onMoved(): void {
    this.#movedMono = this.#leadership.mono
    this.#waitingBytes = this.#links.waitingBytes(this.#link)
  }

  /** PROPOSALs up to that zxid have been sent. */
  onProposed(zxid: number): void {
    this.#acks.onSent(zxid, this.#leadership.mono)
  }

  /** How long the oldest PROPOSAL has waited for its ack, if this is one; in milliseconds. */
  onAck(zxid: number, isNew: boolean): number | undefined {
    const { mono } = this.#leadership
    if (isNew) this.#ackedMono = mono
    const waitedMs = this.#acks.waitedMs(mono)
    return this.#acks.onAck(zxid) ? waitedMs : undefined
  }

  /** Something is about to be sent to it: how long it has not taken all that was sent before. */
  onSending(): number {
    const { mono } = this.#leadership
    if (this.#links.waitingBytes(this.#link) === 0) this.#clearMono = mono
    return mono - this.#clearMono
  }

  /** The leader has stood still for so long: that is no time the learner has had. */
  onPaused(ms: number): void {
    this.lastHeardMono += ms
    this.#movedMono += ms
    this.#acks.postpone(ms)
  }

  overdueBefore(initLimitMs: number): string | undefined {
    const silentMs = this.#leadership.mono - this.lastHeardMono
    return silentMs > initLimitMs ? 'silent before it joined' : undefined
  }

  /** A learner that takes what it is sent is not late, however long that lasts. */
  overdueInSync(initLimitMs: number): string | undefined {
    this.#watchWaiting()
    const still = this.#leadership.mono - Math.max(this.#movedMono, this.lastHeardMono)
    return still > initLimitMs ? 'stuck while it synchronised' : undefined
  }

  /**
   * Answers to PINGs, and acks, come behind all that waits for the learner. As long as it gets on with
   * that it is not late: what large writes make of a slow link or disk must not end a leadership.
   */
  overdueServing(syncLimitMs: number): string | undefined {
    const { mono } = this.#leadership
    this.#watchWaiting()
    const stillMs = mono - this.#movedMono
    if (Math.min(mono - this.lastHeardMono, stillMs) > syncLimitMs) return 'silent'
    const unackedMs = Math.min(this.#acks.waitedMs(mono), mono - this.#ackedMono)
    return Math.min(unackedMs, stillMs) > syncLimitMs ? 'a PROPOSAL is not acked' : undefined
  }

  #watchWaiting(): void {
    const waiting = this.#links.waitingBytes(this.#link)
    if (waiting < this.#waitingBytes) this.#movedMono = this.#leadership.mono
    this.#waitingBytes = waiting
  }
}
