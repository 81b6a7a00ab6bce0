import { type History, Violation } from '../history.ts'
import type { Story } from './replay.ts'

const CHECKER = 'timeliness'

export interface ServingBound {
  /** How long a member may go on serving after its leader has dropped it. */
  readonly limitMs: number
}

/** A member that serves in the name of a leader, as somebody sees it who looks at both. */
export interface SeenLearner {
  readonly host: string
  /** It serves clients as a follower or observer. */
  readonly serves: boolean
  /** The leader that it has leads, and has it among its learners. */
  readonly isKnown: boolean
  readonly standsStill: boolean
  /** By how much the network may have delayed what its leader has sent: it cannot know how old that is. */
  readonly lateMs: number
}

/** No member serves for long after its leader has dropped it. Looked at again and again. */
export class ServingWatch {
  readonly #limitMs: number
  readonly #droppedSince = new Map<string, number>()

  constructor({ limitMs }: ServingBound) {
    this.#limitMs = limitMs
  }

  look(learners: Iterable<SeenLearner>, now: number): void {
    for (const { host, serves, isKnown, standsStill, lateMs } of learners) {
      // Who stands still tells nobody anything.
      if (!serves || isKnown || standsStill) {
        this.#droppedSince.delete(host)
        continue
      }
      const since = this.#droppedSince.get(host) ?? now
      this.#droppedSince.set(host, since)
      if (now - since > this.#limitMs + lateMs)
        throw new Violation(
          CHECKER,
          `${host} serves at ${now}, and its leader has dropped it at ${since}`,
        )
    }
  }
}

/**
 * A client whose session has ended is told so within its timeout and twice syncLimit: what it asks
 * later is not answered as if nothing had happened. `slackMs` is for machines that stood still.
 */
export function checkTold(
  history: History,
  story: Story,
  committedAt: (zxid: number) => number,
  syncLimitMs: number,
  slackMs: number,
): void {
  for (const session of history.sessions) {
    const closed = story.closed.get(session.id)
    if (closed === undefined) continue
    const endedAt = committedAt(closed.zxid)
    const due = endedAt + session.timeoutMs + 2 * syncLimitMs + slackMs
    const late = session.ops.find(({ invokedAt, reply }) => invokedAt > due && reply !== undefined)
    if (late !== undefined)
      throw new Violation(
        CHECKER,
        `session 0x${session.id.toString(16)} of client ${session.client} ended at ${endedAt}, and was answered what it asked at ${late.invokedAt}`,
      )
  }
}
