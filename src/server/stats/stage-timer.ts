/** A clock that goes on within a turn, in milliseconds; it may give fractions. */
export type Stopwatch = () => number

/** What a time is added to. */
interface Timed {
  add(ms: number): void
}

/**
 * To read a clock costs as much as an eighth of a read, so of what happens often one in so many is
 * timed: a prime, lest the rhythm of a load be in step with it.
 */
export const ONE_IN = 17
/** Instead of a time. */
export const NOT_TIMED = -1

/**
 * Times stages within a turn, in which the clock of the turn stands still. Whole milliseconds are told
 * apart, as the original does: short stages are mostly 0 and now and then 1, and the average is right.
 */
export class StageTimer {
  readonly #now: Stopwatch
  /** Until the next that is timed. */
  #left = 1

  constructor(now: Stopwatch) {
    this.#now = now
  }

  /** A stage begins; what it answers is for `end`. */
  begin(): number {
    this.#left -= 1
    if (this.#left > 0) return NOT_TIMED
    this.#left = ONE_IN
    return this.beginTimed()
  }

  /** As `begin`, of what is rare enough to be timed each time. */
  beginTimed(): number {
    return Math.floor(this.#now())
  }

  /** A stage is over, and the next may begin. */
  end(began: number, metric: Timed): number {
    if (began === NOT_TIMED) return NOT_TIMED
    const now = Math.floor(this.#now())
    metric.add(now - began)
    return now
  }
}
