import type { Question } from '../auth/provider.ts'
import type { Cnxn } from './cnxn.ts'

/** Never used twice. */
export type QuestionId = number

/** What the shell is to find out, beside the turns of the member. */
export interface AskedQuestion {
  readonly id: QuestionId
  readonly question: Question
}

/** Who waits for an answer, and for which of its requests. */
interface Asking {
  readonly cnxn: Cnxn
  readonly xid: number
  readonly question: Question
}

/**
 * Questions that the member cannot answer in a turn: the shell takes them at its end, and brings each
 * answer in a later one. A connection has one at most, as its requests behind that wait. One whose
 * connection has gone counts until it is answered: a client that comes and goes could else ask for any
 * amount of work.
 */
export class Questions {
  readonly #max: number
  #lastId: QuestionId = 0
  #toAsk: AskedQuestion[] = []
  /** Undefined: its connection has gone, and nobody waits. */
  readonly #asked = new Map<QuestionId, Asking | undefined>()
  readonly #idOf = new Map<Cnxn, QuestionId>()

  constructor(questionsMax: number) {
    this.#max = questionsMax
  }

  /** Connections that wait for an answer. */
  get waiting(): IterableIterator<Cnxn> {
    return this.#idOf.keys()
  }

  /** False: so many are under way that this one is not asked. */
  ask(cnxn: Cnxn, xid: number, question: Question): boolean {
    if (this.#asked.size >= this.#max) return false
    this.#lastId += 1
    const id = this.#lastId
    this.#asked.set(id, { cnxn, xid, question })
    this.#idOf.set(cnxn, id)
    this.#toAsk.push({ id, question })
    return true
  }

  /** Those that were asked since the last call, and are to be answered, all of them, some time. */
  take(): readonly AskedQuestion[] {
    if (this.#toAsk.length === 0) return none
    const asked = this.#toAsk
    this.#toAsk = []
    return asked
  }

  /** The connection is gone. What the shell has not taken yet it need not find out. */
  forget(cnxn: Cnxn): void {
    const id = this.#idOf.get(cnxn)
    if (id === undefined) return
    this.#idOf.delete(cnxn)
    const left = this.#toAsk.filter((asked) => asked.id !== id)
    if (left.length < this.#toAsk.length) this.#asked.delete(id)
    else this.#asked.set(id, undefined)
    this.#toAsk = left
  }

  /** The answer is there. Undefined: nobody waits for it any more. */
  settle(id: QuestionId): Asking | undefined {
    const asking = this.#asked.get(id)
    this.#asked.delete(id)
    if (asking !== undefined) this.#idOf.delete(asking.cnxn)
    return asking
  }
}

const none: readonly AskedQuestion[] = []
