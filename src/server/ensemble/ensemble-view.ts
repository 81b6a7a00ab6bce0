import type { Sizes } from '../../base/sizes.ts'
import type { LeaderRole } from '../../quorum/leading/leader.ts'
import type { Membership } from '../../quorum/membership/membership.ts'
import type { PeerState } from '../../quorum/role/peer-state.ts'
import type { Standing, StayingOut } from '../../quorum/role/standing.ts'

/** What operators are told of a member's part in its ensemble. A standalone server has none. */
export interface EnsembleView {
  /** Who belongs to it now. */
  readonly membership: Membership
  readonly state: PeerState
  /** Clients are served: between UPTODATE, or a quorum of ACKs of NEWLEADER, and the end of the role. */
  readonly isServing: boolean
  /** Whom it follows, or itself; undefined while it is looking. */
  readonly leaderSid: number | undefined
  /** This member has a history beyond the leader's epoch, and is not taken in by itself. */
  readonly stayingOut: StayingOut | undefined
  /** Of a leader that serves. */
  readonly leading: LeadingView | undefined
}

/** What only a leader knows. */
export interface LeadingView {
  /** Followers and observers, whether synchronised or not; the leader itself is none. */
  readonly learners: number
  readonly syncedFollowers: number
  /** Of the followers, those that are no voters. */
  readonly syncedNonVotingFollowers: number
  readonly syncedObservers: number
  /** `sync` of the clients of learners that wait for a commit. */
  readonly pendingSyncs: number
  /** Monotonic milliseconds: when it began to serve. */
  readonly sinceMono: number
  /** Of the entries it has proposed. */
  readonly proposalSizes: Sizes
  /** Sids of members that were kept out lately: their history is beyond this leader's epoch. */
  readonly outsiders: readonly number[]
}

/** Where the parts of a view come from. */
interface EnsembleViewParts {
  readonly membership: Membership
  readonly peer: { readonly state: PeerState; readonly leaderSid: number | undefined }
  /** Undefined unless this member leads. */
  readonly leader: LeaderRole | undefined
  readonly standing: Standing
}

/** A view that is computed when somebody looks; a role may have ended by the next time. */
export function ensembleViewOf(
  parts: EnsembleViewParts,
  serving: { readonly isServing: boolean },
): EnsembleView {
  return {
    membership: parts.membership,
    get state() {
      return parts.peer.state
    },
    get isServing() {
      return serving.isServing
    },
    get leaderSid() {
      return parts.peer.leaderSid
    },
    get stayingOut() {
      return parts.standing.stayingOut
    },
    get leading() {
      return parts.leader?.isServing === true ? leadingViewOf(parts.leader) : undefined
    },
  }
}

function leadingViewOf(leader: LeaderRole): LeadingView {
  const counts = leader.counts()
  return {
    learners: counts.followers + counts.observers,
    syncedFollowers: counts.syncedFollowers,
    syncedNonVotingFollowers: counts.nonVotingFollowers,
    syncedObservers: counts.syncedObservers,
    pendingSyncs: counts.pendingSyncs,
    sinceMono: leader.servingSinceMono,
    proposalSizes: leader.sizes,
    outsiders: leader.outsiders(),
  }
}
