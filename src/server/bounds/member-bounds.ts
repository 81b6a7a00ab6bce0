import { COMMITTED_LOG_BYTES_MAX } from '../../quorum/leading/committed-log.ts'
import { defaultLeaderBounds, type LeaderBounds } from '../../quorum/leading/leader-bounds.ts'
import { defaultLearnerLimits, type LearnerLimits } from '../../quorum/learning/learner-history.ts'

/**
 * Bounds of a member beside those of its clients (base/limits.ts). No configuration sets them; they
 * are arguments because tiny ones reach in seconds what these never do.
 */
export interface MemberBounds {
  /** While it leads. */
  readonly leader: LeaderBounds
  /** While it learns. */
  readonly learner: LearnerLimits
  /**
   * Of a snapshot, to the disk or to a learner, in one go: small enough that a slice costs a
   * millisecond or two of a turn, large enough that a large snapshot takes a few hundred.
   */
  readonly sliceBytes: number
  readonly committedLogBytesMax: number
  /**
   * Bytes that wait for a leader's own log, above which it leads no more. More than all members admit
   * at a time: what is beyond that the others have committed without us.
   */
  readonly leaderLogBytesMax: number
}

export const defaultMemberBounds: MemberBounds = {
  leader: defaultLeaderBounds,
  learner: defaultLearnerLimits,
  sliceBytes: 256 * 1024,
  committedLogBytesMax: COMMITTED_LOG_BYTES_MAX,
  leaderLogBytesMax: 256 * 1024 * 1024,
}
