import {
  type Limits,
  LONG_WORDS_MAX,
  WORD_SLICE_CHARS,
  WORD_STALL_MS_MAX,
} from '../../base/limits.ts'
import type { TurnClock } from '../../base/turn-clock.ts'
import type { ServerMetrics } from '../stats/server-metrics.ts'
import type { Cnxn } from './cnxn.ts'
import type { Connections } from './connections.ts'
import type { Outbox } from './outbox.ts'

interface WordAnswersParts {
  readonly connections: Connections
  readonly outbox: Outbox
  readonly clock: TurnClock
  readonly limits: Limits
  readonly metrics: ServerMetrics
}

interface Answer {
  readonly cnxn: Cnxn
  readonly pieces: Iterator<string>
  /** When its client was last able to take something. */
  heardMono: number
}

/** Of the characters of a turn, what a piece costs that is empty or nearly so. */
const PIECE_CHARS_MIN = 16

/**
 * The answers to four-letter words that grow with the number of clients, sessions and watches: one
 * asked on a full server would hold up everybody for seconds. A slice of each leaves in a turn, and
 * no more than its client takes.
 */
export class WordAnswers {
  readonly #parts: WordAnswersParts
  /** In the order of arrival; work goes on at the first few. Bounded by the number of connections. */
  #answers: Answer[] = []

  constructor(parts: WordAnswersParts) {
    this.#parts = parts
  }

  begin(cnxn: Cnxn, pieces: Iterable<string>): void {
    cnxn.state = 'answering'
    const heardMono = this.#parts.clock.mono
    this.#answers.push({ cnxn, pieces: pieces[Symbol.iterator](), heardMono })
  }

  /** Once a turn. */
  run(): void {
    if (this.#answers.length === 0) return
    const current = this.#answers.slice(0, LONG_WORDS_MAX)
    let isOver = false
    for (const answer of current) {
      this.#goOn(answer, WORD_SLICE_CHARS / current.length)
      if (answer.cnxn.state === 'closing') isOver = true
    }
    if (isOver) this.#answers = this.#answers.filter(({ cnxn }) => cnxn.state !== 'closing')
    // Those that come up now have not kept their clients waiting for nothing.
    for (const answer of this.#answers.slice(current.length))
      answer.heardMono = this.#parts.clock.mono
  }

  /** Whether the next turn could go on with one of them. */
  get hasReady(): boolean {
    const end = Math.min(this.#answers.length, LONG_WORDS_MAX)
    for (let i = 0; i < end; i += 1) {
      const answer = this.#answers[i]
      if (answer !== undefined && this.#mayWrite(answer.cnxn)) return true
    }
    return false
  }

  #mayWrite(cnxn: Cnxn): boolean {
    const { outbox, limits } = this.#parts
    return outbox.pendingBytes(cnxn) + cnxn.unsentBytes <= limits.replyBytesPause
  }

  #goOn(answer: Answer, charsMax: number): void {
    const { cnxn, pieces } = answer
    const { connections, clock, outbox, metrics } = this.#parts
    if (cnxn.state === 'closing') return
    if (!this.#mayWrite(cnxn)) {
      if (clock.mono - answer.heardMono < WORD_STALL_MS_MAX) return
      metrics.connectionDropCount.add(1)
      return connections.close(cnxn, true)
    }
    answer.heardMono = clock.mono
    let text = ''
    for (let left = charsMax; left > 0; ) {
      const next = pieces.next()
      if (next.done === true) {
        outbox.begin(cnxn).writeBytes(Buffer.from(text))
        return connections.close(cnxn)
      }
      text += next.value
      left -= Math.max(next.value.length, PIECE_CHARS_MIN)
    }
    outbox.begin(cnxn).writeBytes(Buffer.from(text))
  }
}
