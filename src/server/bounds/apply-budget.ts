import type { WorkBudget } from './work-budget.ts'

/** What any txn costs, its reply included, though it changes nothing; and a part of a multi. */
const TXN_STEPS = 40
/** A connection ends, with all that is kept for it and for its session. */
const CLOSING_STEPS = 400

/**
 * How much of what has committed is applied in one turn, in the steps of WorkBudget: txns, the nodes
 * that they change, the events that they send and the reads that waited for them. What is left has the
 * next turns, in the same order; one txn a turn is always applied, whatever it costs.
 */
export class ApplyBudget {
  readonly #work: WorkBudget
  readonly #stepsMax: number
  #steps = 0
  #workBefore = 0

  constructor(work: WorkBudget, stepsMax: number) {
    this.#work = work
    this.#stepsMax = stepsMax
  }

  get allows(): boolean {
    return this.#steps < this.#stepsMax
  }

  /** Once a turn, as it ends. */
  refill(): void {
    this.#steps = 0
  }

  /** A txn is about to be applied. */
  begin(): void {
    this.#work.meter.steps = 0
    this.#workBefore = this.#work.steps
  }

  /** The tree has it. What is answered from here on counts in the budgets of those who have asked. */
  onChanged(): void {
    this.#steps += this.#work.meter.steps
    this.#work.meter.steps = 0
  }

  /** All that follows from it is done. */
  end(parts: number, isClosing: boolean): void {
    this.#steps += parts * TXN_STEPS + this.#work.steps - this.#workBefore
    if (isClosing) this.#steps += CLOSING_STEPS
  }
}
