import type { PeerAddress } from './links.ts'

/** What four-letter words and the admin server tell of one learner. */
export interface LearnerView {
  readonly sid: number
  readonly role: 'participant' | 'observer'
  /** Where its `server.N` line has it; undefined for one that has none. */
  readonly address: PeerAddress | undefined
  /** It serves, and was heard of within syncLimit. */
  readonly synced: boolean
  /** A SNAP or the like is on its way to it. */
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

/** Sizes of proposals in bytes; -1 as long as there was none. */
export class ProposalSizes {
  last = -1
  min = -1
  max = -1

  add(bytes: number): void {
    this.last = bytes
    if (this.min < 0 || bytes < this.min) this.min = bytes
    if (bytes > this.max) this.max = bytes
  }

  /** `crst` and `srst` of the original's clients. */
  reset(): void {
    this.last = -1
    this.min = -1
    this.max = -1
  }
}
