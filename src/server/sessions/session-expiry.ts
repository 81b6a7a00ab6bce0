import type { Logger } from '../../base/logger.ts'
import { formatSessionId, type SessionId } from '../../data/session-id.ts'
import type { DataTree } from '../../tree/data-tree.ts'
import type { ServerMetrics } from '../stats/server-metrics.ts'
import type { SessionTracker } from './session-tracker.ts'

/**
 * Sessions that expire in one turn.
 * @bound sessions: the rest have the next turns
 */
export const EXPIRIES_PER_TURN_MAX = 100
/**
 * Ephemeral nodes of those.
 * @bound znodes: the rest have the next turns
 */
export const EXPIRED_EPHEMERALS_PER_TURN_MAX = 1000
/**
 * Sessions that have expired and whose closeSession is not applied yet: nobody has asked for those,
 * so they have a bound of their own.
 * @bound sessions: no further one expires
 */
export const CLOSINGS_OUTSTANDING_MAX = 200

interface SessionExpiryParts {
  readonly tree: DataTree
  readonly sessions: SessionTracker
  readonly metrics: ServerMetrics
  readonly logger: Logger
}

/** Ends sessions that were not heard of for too long, in slices that nobody else has to wait for. */
export class SessionExpiry {
  readonly #parts: SessionExpiryParts
  readonly #closeSession: (id: SessionId) => void
  /** There may be more than one turn is to end. */
  hasMore = false

  constructor(parts: SessionExpiryParts, closeSession: (id: SessionId) => void) {
    this.#parts = parts
    this.#closeSession = closeSession
  }

  /** To be called when all has been read that had arrived: a client may have been heard just now. */
  run(nowMono: number): void {
    const { tree, sessions, metrics, logger } = this.#parts
    let ephemerals = 0
    this.hasMore = false
    for (let count = 0; sessions.mayHaveExpired(nowMono); count += 1) {
      this.hasMore = count >= EXPIRIES_PER_TURN_MAX || ephemerals >= EXPIRED_EPHEMERALS_PER_TURN_MAX
      if (this.hasMore || sessions.closingCount >= CLOSINGS_OUTSTANDING_MAX) return
      const [session] = sessions.takeExpired(nowMono, 1)
      if (session === undefined) return
      const { id, timeoutMs } = session
      logger.info('session expired', { session: formatSessionId(id), timeoutMs })
      metrics.staleSessionsExpired.add(1)
      ephemerals += tree.ephemeralsOf(id).size
      this.#closeSession(id)
    }
  }
}
