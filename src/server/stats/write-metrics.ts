export const decisionMetrics = {
  prepProcessTime: [
    'summary',
    'prep_process_time',
    'to decide about a write; one write in 17 is timed',
    'ms',
  ],
  closeSessionPrepTime: [
    'advanced',
    'close_session_prep_time',
    'to find out what ends with a session; each is timed',
    'ms',
  ],
  proposalProcessTime: [
    'summary',
    'proposal_process_time',
    'to encode and propose it; of the same writes as prep_process_time',
    'ms',
  ],
  outstandingChangesQueued: [
    'counter',
    'outstanding_changes_queued',
    'changes of nodes that were decided, and not applied yet',
  ],
  outstandingChangesRemoved: [
    'counter',
    'outstanding_changes_removed',
    'of these, those that have been applied since',
  ],
} as const

/** All that is handed to the log within a turn, or during a flush, is written and flushed together. */
export const logMetrics = {
  syncProcessorRequestQueued: ['counter', 'sync_processor_request_queued', 'txns for the log'],
  syncProcessorQueueSize: ['summary', 'sync_processor_queue_size', 'txns that a flush begins with'],
  syncProcessorBatchSize: ['summary', 'sync_processor_batch_size', 'txns that one flush has done'],
  syncProcessorQueueTimeMs: [
    'advanced',
    'sync_processor_queue_time_ms',
    'how long the oldest txn of a flush had waited for it',
    'ms',
  ],
  syncProcessorQueueFlushTimeMs: [
    'advanced',
    'sync_processor_queue_flush_time_ms',
    'from the end of the turn to when the flush is known to be done',
    'ms',
  ],
  syncProcessorQueueAndFlushTimeMs: [
    'advanced',
    'sync_processor_queue_and_flush_time_ms',
    'both together',
    'ms',
  ],
  syncProcessTime: [
    'summary',
    'sync_process_time',
    'the same as sync_processor_queue_flush_time_ms: here a txn has no flush of its own',
    'ms',
  ],
  fsyncTimeMs: ['summary', 'fsynctime', 'one synchronous write of the log, by itself', 'ms'],
} as const

export const commitMetrics = {
  propagationLatency: [
    'advanced',
    'propagation_latency',
    'from the time in a txn, which is that of the leader, to when it is applied here',
    'ms',
  ],
  commitProcessTime: [
    'summary',
    'commit_process_time',
    'to apply what is committed together, with replies and events',
    'ms',
  ],
  writeFinalProcTimeMs: [
    'advanced',
    'write_final_proc_time_ms',
    'to apply one txn and to answer it; one txn in 17 is timed',
    'ms',
  ],
  localWriteCommittedTimeMs: [
    'advanced',
    'local_write_committed_time_ms',
    'from a commit to the txn being applied, of clients here; within one turn 0',
    'ms',
  ],
  serverWriteCommittedTimeMs: [
    'advanced',
    'server_write_committed_time_ms',
    'the same of clients of other members',
    'ms',
  ],
} as const
