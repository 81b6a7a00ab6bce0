import { Violation } from '../history.ts'

/**
 * With so many a calm ensemble must get by: one that begins, a promise that it makes room for, and an
 * election that was won by two.
 */
const LEADERSHIPS_MAX = 4

/**
 * While nothing is done to anybody, whoever leads goes on: one leadership after the other is no progress,
 * though in each of them some writes may get through.
 */
export class Steadiness {
  /** Since nothing is done to anybody, in simulated ms; undefined: something is. */
  #calmSince: number | undefined = undefined
  #begun: string[] = []

  /** From now on nothing is done to anybody. */
  onCalm(now: number): void {
    this.#calmSince ??= now
  }

  /** The last one has ended for a reason of its own: the counter of its epoch was used up. */
  onUsedUp(): void {
    this.#begun.pop()
  }

  /** A quorum has synchronised with that member. */
  onLeadership(host: string, epoch: number, now: number): void {
    if (this.#calmSince === undefined) return
    this.#begun.push(`${host} in epoch ${epoch} at ${now.toFixed(0)}`)
    if (this.#begun.length > LEADERSHIPS_MAX)
      throw new Violation(
        'steady leadership',
        `all has been calm since ${this.#calmSince}, and these have led: ${this.#begun.join(', ')}`,
      )
  }
}
