import type { SessionId } from '../../data/session-id.ts'

/** Who knows whether a session lives: this member, or the leader that it follows. */
export interface SessionAuthority {
  /** False: this member has no part in a quorum, and no client must be let in. */
  readonly isServing: boolean
  /** Too many wait for the leader's word already: revalidate must not be called. */
  readonly isBusy: boolean
  /** The client has come back. Undefined: the leader is asked, and Handshake.onRevalidated tells. */
  revalidate(session: SessionId, timeoutMs: number): boolean | undefined
}
