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
   * Bytes of a snapshot, to the disk or to a learner, that are made in one go: few enough that a
   * slice costs a millisecond or two of a turn, enough that a large snapshot takes a few hundred.
   * @bound bytes: the rest has the next turns
   */
  readonly sliceBytes: number
  /**
   * Bytes of the committed entries that are kept in memory.
   * @bound bytes: the oldest entries go
   */
  readonly committedLogBytesMax: number
  /**
   * What of that which has committed is applied in one turn, in steps of some tens of nanoseconds
   * (server/bounds/apply-budget.ts). More than all that one member admits at a time, if that is small
   * writes: those that share a flush are answered together.
   * @bound steps: the rest has the next turns, in the same order
   */
  readonly applyStepsPerTurn: number
  /**
   * Bytes that wait for the log of a leader. They grow while the others commit without it, so this
   * is more than all members admit at a time.
   * @bound bytes: it leads no more; nor after syncLimit without progress
   */
  readonly leaderLogBytesMax: number
}

export const defaultMemberBounds: MemberBounds = {
  leader: defaultLeaderBounds,
  learner: defaultLearnerLimits,
  sliceBytes: 256 * 1024,
  committedLogBytesMax: COMMITTED_LOG_BYTES_MAX,
  applyStepsPerTurn: 120_000,
  leaderLogBytesMax: 256 * 1024 * 1024,
}
