import { assert } from '../../base/assert.ts'
import type { Membership } from '../membership/membership.ts'
import type { LearnerHandler } from './learner-handler.ts'

/**
 * Asks the followers whether they still follow: a round is confirmed when a quorum, ourselves
 * included, has answered a PING that was sent since it was asked for.
 */
export class Confirmation {
  readonly #membership: Membership
  #round = 0
  #isWanted = false
  #confirmed = 0

  constructor(membership: Membership) {
    this.#membership = membership
  }

  /** The round that the end of this turn will ask for. */
  want(): number {
    this.#isWanted = true
    return this.#round + 1
  }

  /** The round that is to be asked for now; undefined if nobody wants one. */
  begin(): number | undefined {
    if (!this.#isWanted) return undefined
    this.#isWanted = false
    this.#round += 1
    return this.#round
  }

  /**
   * The newest round that was asked for and is not confirmed. Whoever was asked may be gone, so every
   * later PING asks again; else a sync could wait for ever, and all that is behind it.
   */
  get owed(): number | undefined {
    return this.#round > this.#confirmed ? this.#round : undefined
  }

  /** The newest round up to `round` that a quorum has confirmed, if it was not known before. */
  confirm(round: number, followers: readonly LearnerHandler[]): number | undefined {
    if (round <= this.#confirmed) return undefined
    const { self, quorum } = this.#membership
    const rounds = new Map<number, number>([[self.sid, this.#round]])
    for (const { sid, pings } of followers) rounds.set(sid, pings.confirmedRound)
    const candidates = [...rounds.values()].filter((r) => r <= round && r > this.#confirmed)
    for (const candidate of candidates.sort((a, b) => b - a)) {
      const has = (sid: number): boolean => (rounds.get(sid) ?? 0) >= candidate
      if (!quorum.containsQuorum(has)) continue
      assert(candidate <= this.#round, 'a round is confirmed that nobody asked for')
      this.#confirmed = candidate
      return candidate
    }
    return undefined
  }
}
