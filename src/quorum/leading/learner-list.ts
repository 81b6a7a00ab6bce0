import type { Membership } from '../membership/membership.ts'
import type { Links, PeerAddress } from '../ports/links.ts'
import type { LearnerHandler } from './learner-handler.ts'

/** What four-letter words tell of one learner. */
export interface LearnerView {
  readonly sid: number
  readonly role: 'participant' | 'observer'
  /** Where its `server.N` line has it; undefined for one that has none. */
  readonly address: PeerAddress | undefined
  /** It serves. A learner that is silent for syncLimit is closed. */
  readonly synced: boolean
  /** It is being sent a SNAP, DIFF or TRUNC. */
  readonly syncing: boolean
  readonly lastAckedZxid: number
  /** When it last said something, on the leader's monotonic clock. */
  readonly lastHeardMono: number
  /** Bytes that wait for it. */
  readonly waitingBytes: number
}

export interface LearnerCounts {
  /** Learners that asked to follow, in the ensemble's configuration or not. */
  readonly followers: number
  readonly syncedFollowers: number
  readonly observers: number
  readonly syncedObservers: number
  /** Followers that are no participants of the ensemble. */
  readonly nonVotingFollowers: number
  /** Syncs of learners' clients that wait for what was proposed before them. */
  readonly pendingSyncs: number
}

export function viewLearner(
  learner: LearnerHandler,
  membership: Membership,
  links: Links,
): LearnerView {
  return {
    sid: learner.sid,
    role: learner.role,
    address: membership.memberOf(learner.sid)?.quorumAddresses[0],
    synced: learner.state === 'serving',
    syncing: learner.syncKind !== undefined,
    lastAckedZxid: learner.lastAckedZxid,
    lastHeardMono: learner.lastHeardMono,
    waitingBytes: links.waitingBytes(learner.link),
  }
}

export function countLearners(
  learners: readonly LearnerHandler[],
  membership: Membership,
): LearnerCounts {
  const followers = learners.filter(({ role }) => role === 'participant')
  const observers = learners.filter(({ role }) => role === 'observer')
  const isServing = ({ state }: LearnerHandler): boolean => state === 'serving'
  return {
    followers: followers.length,
    syncedFollowers: followers.filter(isServing).length,
    observers: observers.length,
    syncedObservers: observers.filter(isServing).length,
    nonVotingFollowers: followers.filter(({ sid }) => !membership.isVoter(sid)).length,
    pendingSyncs: learners.reduce((sum, { clients }) => sum + clients.syncsPending, 0),
  }
}
