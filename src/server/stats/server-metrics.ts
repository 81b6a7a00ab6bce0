import {
  type AdvancedSummary,
  type Counter,
  MetricRegistry,
  type MetricSet,
  type MetricSink,
  type Summary,
} from '../../base/metrics.ts'

/**
 * Every metric of a ZooKeeper 3.9 server that is not a gauge (spec 06 §8), under the original's
 * name, because dashboards and alert rules are written against those. Times are in milliseconds.
 * Where our stages differ from the original's processors the nearest stage is meant; a metric that
 * has no such stage stays at nothing, as it does there on a server that never gets to it.
 */
export class ServerMetrics {
  readonly #registry: MetricRegistry = new MetricRegistry()

  // Connections.
  readonly connectionRequestCount: Counter = this.#registry.counter('connection_request_count')
  readonly connectionRejected: Counter = this.#registry.counter('connection_rejected')
  readonly connectionTokenDeficit: Summary = this.#registry.summary('connection_token_deficit')
  readonly connectionDropCount: Counter = this.#registry.counter('connection_drop_count')
  readonly connectionRevalidateCount: Counter = this.#registry.counter(
    'connection_revalidate_count',
  )
  readonly sessionlessConnectionsExpired: Counter = this.#registry.counter(
    'sessionless_connections_expired',
  )
  readonly staleSessionsExpired: Counter = this.#registry.counter('stale_sessions_expired')
  readonly cnxnClosedWithoutZkServerRunning: Counter = this.#registry.counter(
    'cnxn_closed_without_zk_server_running',
  )
  readonly tlsHandshakeExceeded: Counter = this.#registry.counter('tls_handshake_exceeded')
  readonly unsuccessfulHandshake: Counter = this.#registry.counter('unsuccessful_handshake')
  readonly insecureAdminCount: Counter = this.#registry.counter('insecure_admin_count')
  readonly nettyQueuedBufferCapacity: Summary = this.#registry.summary(
    'netty_queued_buffer_capacity',
  )
  readonly socketClosingTime: Summary = this.#registry.summary('socket_closing_time')

  // Requests and replies. Latencies are from arrival to reply, in milliseconds.
  readonly bytesReceivedCount: Counter = this.#registry.counter('bytes_received_count')
  readonly responseBytes: Counter = this.#registry.counter('response_bytes')
  readonly watchBytes: Counter = this.#registry.counter('watch_bytes')
  readonly readLatencyMs: AdvancedSummary = this.#registry.advancedSummary('readlatency')
  readonly updateLatencyMs: AdvancedSummary = this.#registry.advancedSummary('updatelatency')
  readonly staleRequests: Counter = this.#registry.counter('stale_requests')
  readonly staleRequestsDropped: Counter = this.#registry.counter('stale_requests_dropped')
  readonly staleReplies: Counter = this.#registry.counter('stale_replies')
  readonly requestThrottleWaitCount: Counter = this.#registry.counter('request_throttle_wait_count')
  readonly requestThrottleQueueTimeMs: AdvancedSummary = this.#registry.advancedSummary(
    'request_throttle_queue_time_ms',
  )
  readonly throttledOps: Counter = this.#registry.counter('throttled_ops')
  readonly largeRequestsRejected: Counter = this.#registry.counter('large_requests_rejected')
  readonly unrecoverableErrorCount: Counter = this.#registry.counter('unrecoverable_error_count')
  readonly writePerNamespace: MetricSet<Summary> = this.#registry.summarySet('write_per_namespace')
  readonly readPerNamespace: MetricSet<Summary> = this.#registry.summarySet('read_per_namespace')
  readonly quotaExceededErrorPerNamespace: MetricSet<Counter> = this.#registry.counterSet(
    'quota_exceeded_error_per_namespace',
  )
  readonly responsePacketCacheHits: Counter = this.#registry.counter('response_packet_cache_hits')
  readonly responsePacketCacheMisses: Counter = this.#registry.counter(
    'response_packet_cache_misses',
  )
  readonly responsePacketGetChildrenCacheHits: Counter = this.#registry.counter(
    'response_packet_get_children_cache_hits',
  )
  readonly responsePacketGetChildrenCacheMisses: Counter = this.#registry.counter(
    'response_packet_get_children_cache_misses',
  )

  // Watches: how many were told of one change.
  readonly nodeCreatedWatchCount: Summary = this.#registry.summary('node_created_watch_count')
  readonly nodeDeletedWatchCount: Summary = this.#registry.summary('node_deleted_watch_count')
  readonly nodeChangedWatchCount: Summary = this.#registry.summary('node_changed_watch_count')
  readonly nodeChildrenWatchCount: Summary = this.#registry.summary('node_children_watch_count')
  readonly addDeadWatcherStallTime: Counter = this.#registry.counter('add_dead_watcher_stall_time')
  readonly deadWatchersQueued: Counter = this.#registry.counter('dead_watchers_queued')
  readonly deadWatchersCleared: Counter = this.#registry.counter('dead_watchers_cleared')
  readonly deadWatchersCleanerLatency: AdvancedSummary = this.#registry.advancedSummary(
    'dead_watchers_cleaner_latency',
  )

  // The disk: the log, snapshots, and what was read at start.
  readonly fsyncTimeMs: Summary = this.#registry.summary('fsynctime')
  /** Ours, by reason, and shown only once there was one: writes of clients that were refused. */
  readonly writesRefused: MetricSet<Counter> = this.#registry.counterSet('writes_refused')
  /** Ours likewise: watches that were refused. */
  readonly watchesRefused: MetricSet<Counter> = this.#registry.counterSet('watches_refused')
  readonly snapshotTimeMs: Summary = this.#registry.summary('snapshottime')
  readonly snapshotErrorCount: Counter = this.#registry.counter('snapshot_error_count')
  readonly snapshotRateLimitedCount: Counter = this.#registry.counter('snapshot_rate_limited_count')
  readonly restoreTime: Summary = this.#registry.summary('restore_time')
  readonly restoreErrorCount: Counter = this.#registry.counter('restore_error_count')
  readonly restoreRateLimitedCount: Counter = this.#registry.counter('restore_rate_limited_count')
  readonly dbInitTimeMs: Summary = this.#registry.summary('dbinittime')
  readonly startupTxnsLoaded: Summary = this.#registry.summary('startup_txns_loaded')
  readonly startupTxnsLoadTime: Summary = this.#registry.summary('startup_txns_load_time')
  readonly startupSnapLoadTime: Summary = this.#registry.summary('startup_snap_load_time')
  readonly digestMismatchesCount: Counter = this.#registry.counter('digest_mismatches_count')

  // From a request to a txn.
  readonly prepProcessorQueueTimeMs: AdvancedSummary = this.#registry.advancedSummary(
    'prep_processor_queue_time_ms',
  )
  readonly prepProcessorQueueSize: Summary = this.#registry.summary('prep_processor_queue_size')
  readonly prepProcessorRequestQueued: Counter = this.#registry.counter(
    'prep_processor_request_queued',
  )
  readonly prepProcessTime: Summary = this.#registry.summary('prep_process_time')
  readonly closeSessionPrepTime: AdvancedSummary =
    this.#registry.advancedSummary('close_session_prep_time')
  readonly outstandingChangesQueued: Counter = this.#registry.counter('outstanding_changes_queued')
  readonly outstandingChangesRemoved: Counter = this.#registry.counter(
    'outstanding_changes_removed',
  )
  readonly proposalProcessTime: Summary = this.#registry.summary('proposal_process_time')

  // From a txn to stable storage.
  readonly syncProcessorQueueAndFlushTimeMs: AdvancedSummary = this.#registry.advancedSummary(
    'sync_processor_queue_and_flush_time_ms',
  )
  readonly syncProcessorQueueSize: Summary = this.#registry.summary('sync_processor_queue_size')
  readonly syncProcessorRequestQueued: Counter = this.#registry.counter(
    'sync_processor_request_queued',
  )
  readonly syncProcessorQueueTimeMs: AdvancedSummary = this.#registry.advancedSummary(
    'sync_processor_queue_time_ms',
  )
  readonly syncProcessorQueueFlushTimeMs: AdvancedSummary = this.#registry.advancedSummary(
    'sync_processor_queue_flush_time_ms',
  )
  readonly syncProcessTime: Summary = this.#registry.summary('sync_process_time')
  readonly syncProcessorBatchSize: Summary = this.#registry.summary('sync_processor_batch_size')

  // From commit to reply.
  readonly propagationLatency: AdvancedSummary =
    this.#registry.advancedSummary('propagation_latency')
  readonly readFinalProcTimeMs: AdvancedSummary =
    this.#registry.advancedSummary('read_final_proc_time_ms')
  readonly writeFinalProcTimeMs: AdvancedSummary = this.#registry.advancedSummary(
    'write_final_proc_time_ms',
  )
  readonly commitProcessTime: Summary = this.#registry.summary('commit_process_time')
  readonly requestsInSessionQueue: Summary = this.#registry.summary('requests_in_session_queue')
  readonly pendingSessionQueueSize: Summary = this.#registry.summary('pending_session_queue_size')
  readonly readsAfterWriteInSessionQueue: Summary = this.#registry.summary(
    'reads_after_write_in_session_queue',
  )
  readonly readsIssuedFromSessionQueue: Summary = this.#registry.summary(
    'reads_issued_from_session_queue',
  )
  readonly sessionQueuesDrained: Summary = this.#registry.summary('session_queues_drained')
  readonly timeWaitingEmptyPoolInCommitProcessorReadMs: Summary = this.#registry.summary(
    'time_waiting_empty_pool_in_commit_processor_read_ms',
  )
  readonly writeBatchTimeInCommitProcessor: Summary = this.#registry.summary(
    'write_batch_time_in_commit_processor',
  )
  readonly concurrentRequestProcessingInCommitProcessor: Summary = this.#registry.summary(
    'concurrent_request_processing_in_commit_processor',
  )
  readonly readCommitProcReqQueued: Summary = this.#registry.summary('read_commit_proc_req_queued')
  readonly writeCommitProcReqQueued: Summary = this.#registry.summary(
    'write_commit_proc_req_queued',
  )
  readonly commitCommitProcReqQueued: Summary = this.#registry.summary(
    'commit_commit_proc_req_queued',
  )
  readonly requestCommitQueued: Counter = this.#registry.counter('request_commit_queued')
  readonly readCommitProcIssued: Summary = this.#registry.summary('read_commit_proc_issued')
  readonly writeCommitProcIssued: Summary = this.#registry.summary('write_commit_proc_issued')
  readonly readCommitprocTimeMs: AdvancedSummary =
    this.#registry.advancedSummary('read_commitproc_time_ms')
  readonly writeCommitprocTimeMs: AdvancedSummary = this.#registry.advancedSummary(
    'write_commitproc_time_ms',
  )
  readonly localWriteCommittedTimeMs: AdvancedSummary = this.#registry.advancedSummary(
    'local_write_committed_time_ms',
  )
  readonly serverWriteCommittedTimeMs: AdvancedSummary = this.#registry.advancedSummary(
    'server_write_committed_time_ms',
  )
  readonly requestsNotForwardedToCommitProcessor: Counter = this.#registry.counter(
    'requests_not_forwarded_to_commit_processor',
  )

  // The ensemble: nothing here moves on a standalone server.
  readonly electionTimeMs: Summary = this.#registry.summary('election_time')
  readonly lookingCount: Counter = this.#registry.counter('looking_count')
  readonly unavailableTime: Summary = this.#registry.summary('unavailable_time')
  readonly leaderUnavailableTime: Summary = this.#registry.summary('leader_unavailable_time')
  readonly quitLeadingDueToDisloyalVoter: Counter = this.#registry.counter(
    'quit_leading_due_to_disloyal_voter',
  )
  readonly followerSyncTime: Summary = this.#registry.summary('follower_sync_time')
  readonly observerSyncTime: Summary = this.#registry.summary('observer_sync_time')
  readonly diffCount: Counter = this.#registry.counter('diff_count')
  readonly snapCount: Counter = this.#registry.counter('snap_count')
  readonly inflightDiffCount: Summary = this.#registry.summary('inflight_diff_count')
  readonly inflightSnapCount: Summary = this.#registry.summary('inflight_snap_count')
  readonly proposalCount: Counter = this.#registry.counter('proposal_count')
  readonly commitCount: Counter = this.#registry.counter('commit_count')
  readonly proposalLatency: AdvancedSummary = this.#registry.advancedSummary('proposal_latency')
  readonly proposalAckCreationLatency: AdvancedSummary = this.#registry.advancedSummary(
    'proposal_ack_creation_latency',
  )
  readonly quorumAckLatency: AdvancedSummary = this.#registry.advancedSummary('quorum_ack_latency')
  readonly ackLatency: MetricSet<AdvancedSummary> = this.#registry.advancedSummarySet('ack_latency')
  readonly commitPropagationLatency: AdvancedSummary = this.#registry.advancedSummary(
    'commit_propagation_latency',
  )
  readonly learnerProposalReceivedCount: Counter = this.#registry.counter(
    'learner_proposal_received_count',
  )
  readonly learnerCommitReceivedCount: Counter = this.#registry.counter(
    'learner_commit_received_count',
  )
  readonly learnerHandlerQpSize: MetricSet<Summary> =
    this.#registry.summarySet('learner_handler_qp_size')
  readonly learnerHandlerQpTimeMs: MetricSet<AdvancedSummary> = this.#registry.advancedSummarySet(
    'learner_handler_qp_time_ms',
  )
  readonly learnerRequestProcessorQueueSize: Summary = this.#registry.summary(
    'learner_request_processor_queue_size',
  )
  readonly omProposalProcessTimeMs: AdvancedSummary = this.#registry.advancedSummary(
    'om_proposal_process_time_ms',
  )
  readonly omCommitProcessTimeMs: AdvancedSummary = this.#registry.advancedSummary(
    'om_commit_process_time_ms',
  )
  readonly revalidateCount: Counter = this.#registry.counter('revalidate_count')
  readonly skipLearnerRequestToNextProcessorCount: Counter = this.#registry.counter(
    'skip_learner_request_to_next_processor_count',
  )
  readonly ensembleAuthSuccess: Counter = this.#registry.counter('ensemble_auth_success')
  readonly ensembleAuthFail: Counter = this.#registry.counter('ensemble_auth_fail')
  readonly ensembleAuthSkip: Counter = this.#registry.counter('ensemble_auth_skip')

  // The runtime: pauses of the event loop stand for those of a garbage collector.
  readonly jvmPauseTimeMs: AdvancedSummary = this.#registry.advancedSummary('jvm_pause_time_ms')

  /** All values, kind by kind, under the names `mntr` prints after `zk_`. */
  dump(sink: MetricSink): void {
    this.#registry.dump(sink)
  }

  /** What `srst` forgets. */
  reset(): void {
    this.#registry.reset()
  }
}
