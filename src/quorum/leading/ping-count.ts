import { assert } from '../../base/assert.ts'
import { Deque } from '../../base/deque.ts'

interface RoundMark {
  readonly round: number
  /** The learner confirms the round when it has answered so many PINGs. */
  readonly ping: number
}

/**
 * PINGs and their answers on one link. Neither says which belong together, but a learner answers each
 * PING that it has, in order, and a link loses none: so they are counted. Only PINGs behind UPTODATE
 * are sent, since Apache's learners leave earlier ones unanswered.
 */
export class PingCount {
  readonly #inFlightMax: number
  readonly #marks = new Deque<RoundMark>()
  #sent = 0
  #answered = 0
  /** The newest round that the link could not be asked about, at the bound. */
  #owedRound = 0
  /** The newest round of confirm() that this learner has answered since. */
  confirmedRound = 0

  constructor(inFlightMax: number) {
    this.#inFlightMax = inFlightMax
  }

  /** True: send a PING. False: enough are under way. */
  onPing(): boolean {
    if (this.#sent - this.#answered >= this.#inFlightMax) return false
    this.#sent += 1
    return true
  }

  /** As onPing, with a PING whose answer confirms that round. */
  onRoundPing(round: number): boolean {
    if (!this.onPing()) {
      this.#owedRound = round
      return false
    }
    assert(round >= this.confirmedRound, 'rounds grow')
    this.#marks.push({ round, ping: this.#sent })
    return true
  }

  /** False: there was no PING to answer. */
  onAnswer(): boolean {
    if (this.#answered === this.#sent) return false
    this.#answered += 1
    for (;;) {
      const mark = this.#marks.peek()
      if (mark === undefined || mark.ping > this.#answered) return true
      this.confirmedRound = mark.round
      this.#marks.shift()
    }
  }

  /** A round that a PING should be sent for now; undefined: none. */
  takeOwedRound(): number | undefined {
    if (this.#owedRound === 0 || this.#sent - this.#answered >= this.#inFlightMax) return undefined
    const round = this.#owedRound
    this.#owedRound = 0
    return round
  }
}
