import type { PeerState } from '../quorum/role.ts'
import type { SizeStats } from './server-stats.ts'

/** What operators are told of a member's part in its ensemble. A standalone server has none. */
export interface EnsembleView {
  readonly state: PeerState
  /** Between UPTODATE, or a quorum of acks of NEWLEADER, and the end of the role. */
  readonly isServing: boolean
  /** Whom it follows, or itself; undefined while it is looking. */
  readonly leaderSid: number | undefined
  /** Of a leader that serves. */
  readonly leading: LeadingView | undefined
}

/** What only a leader knows. */
export interface LeadingView {
  /** Connected to it in whatever state, the leader itself not counted. */
  readonly learners: number
  /** Synchronised and heard of, and the leader itself is one of them, as in the original. */
  readonly syncedFollowers: number
  /** Of those, the ones that are no voters. */
  readonly syncedNonVotingFollowers: number
  readonly syncedObservers: number
  /** Learners' and own `sync` that wait for a commit. */
  readonly pendingSyncs: number
  /** Monotonic milliseconds: when it began to serve. */
  readonly sinceMono: number
  /** In bytes, of the entries it has proposed. */
  readonly proposalSizes: SizeStats
}
