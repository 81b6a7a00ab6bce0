import { WorkMeter } from './work-meter.ts'

/** What any request costs, though it looks at nothing. */
const REQUEST_STEPS = 20
/** Its bytes are read, at so many a step. */
const BYTES_PER_STEP_BITS = 4
/**
 * What one turn does for all connections together, in budgets of one (workStepsPerTurn).
 * @bound budgets: the rest waits for the next turn
 */
const BUDGETS_PER_TURN = 4

/** What is remembered of the work that was done for a connection. */
export interface Worker {
  /** Which filling of the budget `workSteps` were taken from. */
  workFilling: number
  workSteps: number
}

/**
 * How much is done for one connection in a turn, and for all. Whoever has used up the budget goes on in
 * the next turn, behind those who have not been served: so a pipeline of requests that are cheap to send
 * and expensive to answer holds nobody up. One request a turn is always served, whatever it costs.
 */
export class WorkBudget {
  readonly meter: WorkMeter = new WorkMeter()
  readonly #stepsMax: number
  #filling = 1
  /** In this turn. */
  #steps = 0

  constructor(stepsMax: number) {
    this.#stepsMax = stepsMax
  }

  /** Done in this turn, for all connections. */
  get steps(): number {
    return this.#steps
  }

  /** Once a turn, as it ends. */
  refill(): void {
    this.#filling += 1
    this.#steps = 0
  }

  allows(worker: Worker): boolean {
    if (worker.workFilling !== this.#filling) return true
    return worker.workSteps < this.#stepsMax && this.#steps < BUDGETS_PER_TURN * this.#stepsMax
  }

  /** A request of so many bytes was served; the meter has counted what it took. */
  spend(worker: Worker, requestBytes: number): void {
    const steps = REQUEST_STEPS + (requestBytes >> BYTES_PER_STEP_BITS) + this.meter.steps
    this.meter.steps = 0
    this.#steps += steps
    if (worker.workFilling === this.#filling) worker.workSteps += steps
    else {
      worker.workFilling = this.#filling
      worker.workSteps = steps
    }
  }
}
