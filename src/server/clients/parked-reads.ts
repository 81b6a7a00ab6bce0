import { JuteReader } from 'jute-ts'
import { opClassOf } from '../../data/op-class.ts'
import { OpCode } from '../../data/op-code.ts'
import type { WorkBudget } from '../bounds/work-budget.ts'
import type { Answers } from './answers.ts'
import { type Cnxn, REQUEST_HEADER_BYTES } from './cnxn.ts'
import type { PendingRequests } from './pending.ts'

/**
 * Reads that had to wait for the writes of their session before them, and refused writes, which have
 * their errors at once and in the same order (docs/decisions/002).
 */
export class ParkedReads {
  readonly #pending: PendingRequests
  readonly #answers: Answers
  readonly #budget: WorkBudget
  /** Of its own: these are answered while a reader of requests may be in the middle of a frame. */
  readonly #reader = new JuteReader()

  constructor(pending: PendingRequests, answers: Answers, budget: WorkBudget) {
    this.#pending = pending
    this.#answers = answers
    this.#budget = budget
  }

  /** Some wait for the budget of the next turn, and for nothing else. */
  get hasOwed(): boolean {
    return this.#pending.owed.size > 0
  }

  /** Once a turn. */
  answerOwed(): void {
    const { owed } = this.#pending
    for (const cnxn of [...owed]) {
      owed.delete(cnxn)
      this.answer(cnxn)
    }
  }

  /** The connection's next write is about to be applied: reads before it must not see it. */
  beforeApply(cnxn: Cnxn): void {
    const { owed } = this.#pending
    if (owed.size > 0 && owed.delete(cnxn)) this.answer(cnxn, true)
  }

  /** Answers those at the head of the queue, so many; `isDue`: whatever they cost. */
  answer(cnxn: Cnxn, isDue = false): number {
    let answered = 0
    for (let head = cnxn.pending.peek(); head !== undefined; head = cnxn.pending.peek()) {
      if (cnxn.state === 'closing' || head.frame === undefined || head.op === OpCode.sync) break
      if (!isDue && !this.#budget.allows(cnxn)) {
        this.#pending.owed.add(cnxn)
        break
      }
      this.#pending.unpark(head)
      const { xid, op, arrivedMono, frame } = head
      const r = this.#reader.reset(frame, REQUEST_HEADER_BYTES, frame.length)
      if (opClassOf(op) === 'write') this.#answers.refused(cnxn, xid, op, r.readInt(), arrivedMono)
      else this.#answers.read(cnxn, xid, op, r, arrivedMono)
      this.#budget.spend(cnxn, frame.length)
      answered += 1
    }
    return answered
  }
}
