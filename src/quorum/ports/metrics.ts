/** Something that is counted, or measured: in milliseconds where a time is meant. */
interface Tally {
  add(value: number): void
}

/** One for each of some keys: sids. */
interface TallySet {
  add(key: string, value: number): void
}

/** What elections, leaders and learners tell of themselves, under the original's names (spec 06 §8). */
export interface QuorumMetrics {
  readonly lookingCount: Tally
  readonly electionTime: Tally
  readonly unavailableTime: Tally
  readonly leaderUnavailableTime: Tally
  readonly quitLeadingDueToDisloyalVoter: Tally
  readonly followerSyncTime: Tally
  readonly observerSyncTime: Tally
  readonly diffCount: Tally
  readonly snapCount: Tally
  readonly inflightDiffCount: Tally
  readonly inflightSnapCount: Tally
  readonly proposalCount: Tally
  readonly commitCount: Tally
  readonly ackLatency: TallySet
  readonly learnerHandlerQpSize: TallySet
  readonly learnerHandlerQpTimeMs: TallySet
  readonly revalidateCount: Tally
  readonly learnerProposalReceivedCount: Tally
  readonly learnerCommitReceivedCount: Tally
  readonly proposalAckCreationLatency: Tally
}
