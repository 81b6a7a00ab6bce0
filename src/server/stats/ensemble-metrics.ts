export const electionMetrics = {
  lookingCount: ['counter', 'looking_count', 'elections that this member took part in'],
  electionTime: ['summary', 'election_time', 'from looking for a leader to its election', 'ms'],
  unavailableTime: [
    'summary',
    'unavailable_time',
    'from looking for a leader to serving again',
    'ms',
  ],
  leaderUnavailableTime: [
    'summary',
    'leader_unavailable_time',
    'of these, those as a leader',
    'ms',
  ],
  quitLeadingDueToDisloyalVoter: [
    'counter',
    'quit_leading_due_to_disloyal_voter',
    'times that it was elected, and its voters did not come',
  ],
} as const

export const synchronisationMetrics = {
  followerSyncTime: ['summary', 'follower_sync_time', 'to synchronise, as a follower', 'ms'],
  observerSyncTime: ['summary', 'observer_sync_time', 'to synchronise, as an observer', 'ms'],
  diffCount: ['counter', 'diff_count', 'learners that were sent a DIFF or TRUNC'],
  snapCount: ['counter', 'snap_count', 'learners that were sent a SNAP'],
  inflightDiffCount: [
    'summary',
    'inflight_diff_count',
    'learners that a DIFF goes to, at each begin',
  ],
  inflightSnapCount: [
    'summary',
    'inflight_snap_count',
    'learners that a SNAP goes to, at each begin',
  ],
} as const

export const leaderMetrics = {
  proposalCount: ['counter', 'proposal_count', 'PROPOSALs that it made'],
  commitCount: ['counter', 'commit_count', 'of these, those that it committed'],
  quorumAckLatency: [
    'advanced',
    'quorum_ack_latency',
    'from a proposal to when a quorum has it on disk',
    'ms',
  ],
  ackLatency: [
    'advancedSet',
    'ack_latency',
    'from sending proposals to the ack of the oldest, by member; of itself, from its log',
    'ms',
  ],
  learnerHandlerQpSize: [
    'summarySet',
    'learner_handler_qp_size',
    'packets that leave for a learner together, by learner',
  ],
  learnerHandlerQpTimeMs: [
    'advancedSet',
    'learner_handler_qp_time_ms',
    'how long bytes for it have waited when more leave; 0 while it takes all, by learner',
    'ms',
  ],
  revalidateCount: ['counter', 'revalidate_count', 'sessions that learners asked after'],
} as const

export const learnerMetrics = {
  learnerProposalReceivedCount: [
    'counter',
    'learner_proposal_received_count',
    'PROPOSALs that came',
  ],
  learnerCommitReceivedCount: [
    'counter',
    'learner_commit_received_count',
    'COMMITs that came; of an observer, INFORMs',
  ],
  proposalLatency: [
    'advanced',
    'proposal_latency',
    'from the time in a txn, which is that of the leader, to when it comes',
    'ms',
  ],
  proposalAckCreationLatency: [
    'advanced',
    'proposal_ack_creation_latency',
    'from when a proposal is here to its own ack, of a leader too',
    'ms',
  ],
  commitPropagationLatency: [
    'advanced',
    'commit_propagation_latency',
    'from the time in a txn, which is that of the leader, to its COMMIT',
    'ms',
  ],
  socketClosingTime: [
    'summary',
    'socket_closing_time',
    'from closing a connection to a member to when it is gone',
    'ms',
  ],
} as const
