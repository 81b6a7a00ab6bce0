import { Err } from '../data/error-code.ts'
import type { SessionId } from '../data/session-id.ts'
import type { SessionGate } from './prep.ts'
import type { SessionTracker } from './session-tracker.ts'

/** What prep may know of sessions: whether one may still write, and that one is ending. */
export class SessionGatekeeper implements SessionGate {
  readonly #sessions: SessionTracker

  constructor(sessions: SessionTracker) {
    this.#sessions = sessions
  }

  check(id: SessionId): Err {
    const session = this.#sessions.get(id)
    return session === undefined || session.closing ? Err.sessionExpired : Err.ok
  }

  setClosing(id: SessionId): void {
    this.#sessions.setClosing(id)
  }
}
