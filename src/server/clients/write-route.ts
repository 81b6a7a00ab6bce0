import type { JuteReader } from 'jute-ts'
import type { Id } from '../../data/records.ts'
import type { SessionId } from '../../data/session-id.ts'
import type { LinkId } from '../../quorum/ports/links.ts'
import type { PendingRequest } from './cnxn.ts'

/** A write as it reaches the leader. The body is borrowed: what is kept of it is copied. */
export interface WriteRequest {
  readonly sessionId: SessionId
  readonly cxid: number
  readonly op: number
  readonly ids: readonly Id[]
  /** LOCAL_OWNER, or the link of the learner that has forwarded it. */
  readonly owner: LinkId
}

/** Where the writes of clients go in the role that this member has. */
export interface WriteRoute {
  /** To a leader: what comes back names the session and the cxid, and not the request. */
  readonly forwards: boolean
  /** `body` is borrowed. `time` in wall milliseconds. */
  submit(
    request: WriteRequest,
    body: JuteReader,
    time: number,
    origin: PendingRequest | undefined,
  ): void
  sync(origin: PendingRequest): void
}
