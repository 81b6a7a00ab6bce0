import { Err } from '../../data/error-code.ts'
import type { SessionId } from '../../data/session-id.ts'
import type { LinkId } from '../../quorum/ports/links.ts'
import type { SessionTracker } from './session-tracker.ts'

/** What prep asks of the sessions. */
export interface SessionGate {
  /** Err.ok, sessionExpired or sessionMoved. `owner` is LOCAL_OWNER or the link of a learner. */
  check(request: { readonly sessionId: SessionId; readonly owner: LinkId }): Err
  setClosing(session: SessionId): void
}

/** What prep may know of sessions: whether one may still write, and that one is ending. */
export class SessionGatekeeper implements SessionGate {
  readonly #sessions: SessionTracker

  constructor(sessions: SessionTracker) {
    this.#sessions = sessions
  }

  check(request: Parameters<SessionGate['check']>[0]): Err {
    const session = this.#sessions.get(request.sessionId)
    if (session === undefined || session.closing) return Err.sessionExpired
    session.owner ??= request.owner
    return session.owner === request.owner ? Err.ok : Err.sessionMoved
  }

  setClosing(id: SessionId): void {
    this.#sessions.setClosing(id)
  }
}
