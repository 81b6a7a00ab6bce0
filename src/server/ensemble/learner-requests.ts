import { JuteReader } from 'jute-ts'
import type { TurnClock } from '../../base/turn-clock.ts'
import { Err } from '../../data/error-code.ts'
import { OpCode } from '../../data/op-code.ts'
import type { LinkId } from '../../quorum/ports/links.ts'
import type { ForwardedRequest } from '../../quorum/ports/replica.ts'
import { type FreeSpace, needsRoom } from '../bounds/free-space.ts'
import type { SessionTracker } from '../sessions/session-tracker.ts'
import type { ServerMetrics } from '../stats/server-metrics.ts'
import type { Serving } from '../writes/serving.ts'
import type { WritePath } from '../writes/write-path.ts'

export interface RequestParts {
  readonly sessions: SessionTracker
  readonly serving: Serving
  readonly writePath: WritePath
  readonly space: FreeSpace
  readonly metrics: ServerMetrics
  readonly clock: TurnClock
}

/** What a leader is asked by learners, on behalf of their clients. */
export class LearnerRequests {
  readonly #parts: RequestParts

  constructor(parts: RequestParts) {
    this.#parts = parts
  }

  onForwarded(request: ForwardedRequest): void {
    const { writePath, clock, space, metrics } = this.#parts
    const { link, sessionId, cxid, op, ids } = request
    if (op === OpCode.sync) return writePath.syncOf(link)
    const write = { sessionId, cxid, op, ids, owner: link }
    // As for a client of our own; but one that is connected to another member waits for a txn.
    if (space.isLow && needsRoom(op)) {
      metrics.writesRefused.add('low_space', 1)
      return writePath.refuse(write, Err.systemError, clock.wall)
    }
    writePath.submit(write, new JuteReader(request.body), clock.wall, undefined)
  }

  onTouched(sessionId: bigint): void {
    const { sessions, clock } = this.#parts
    const session = sessions.get(sessionId)
    if (session !== undefined) sessions.touch(session, clock.mono)
  }

  revalidate(link: LinkId, sessionId: bigint, timeoutMs: number): boolean | undefined {
    const { sessions, serving, writePath } = this.#parts
    const isValid = serving.claim(sessionId, timeoutMs, link)
    if (isValid === true) return writePath.revalidatedOf(link, sessionId) ? true : undefined
    // Its closeSession is under way: whoever applies that has the answer.
    if (isValid === undefined) sessions.get(sessionId)?.addAsker(link)
    return isValid
  }
}
