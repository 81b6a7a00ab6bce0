/** Metrics of the original that have no counterpart here, each with the reason why. */
const absent: readonly (readonly [reason: string, names: readonly string[]])[] = [
  [
    'a request is served in the call that reads it: there is no throttler, nor a queue in front of one',
    [
      'connection_token_deficit',
      'request_throttle_wait_count',
      'request_throttle_queue_time_ms',
      'stale_requests',
      'stale_requests_dropped',
      'throttled_ops',
      'large_requests_rejected',
    ],
  ],
  [
    'a write is decided, and handed to the log or to the leader, in the call that reads it: nothing queues',
    [
      'prep_processor_queue_time_ms',
      'prep_processor_queue_size',
      'prep_processor_request_queued',
      'learner_request_processor_queue_size',
      'skip_learner_request_to_next_processor_count',
      'requests_not_forwarded_to_commit_processor',
    ],
  ],
  [
    'there are no threads for reads and commits to pass between, and no queues between those',
    [
      'time_waiting_empty_pool_in_commit_processor_read_ms',
      'write_batch_time_in_commit_processor',
      'concurrent_request_processing_in_commit_processor',
      'read_commit_proc_req_queued',
      'write_commit_proc_req_queued',
      'commit_commit_proc_req_queued',
      'request_commit_queued',
      'read_commit_proc_issued',
      'write_commit_proc_issued',
      'read_commitproc_time_ms',
      'write_commitproc_time_ms',
    ],
  ],
  [
    'reads that wait for a write are answered together with it, and not in rounds of their own',
    ['reads_issued_from_session_queue', 'session_queues_drained'],
  ],
  [
    'replies are written straight from the tree: no cache of them is needed',
    [
      'response_packet_cache_hits',
      'response_packet_cache_misses',
      'response_packet_get_children_cache_hits',
      'response_packet_get_children_cache_misses',
    ],
  ],
  [
    'watches of clients that are gone are cleared away by the turn, and nobody waits for that',
    [
      'add_dead_watcher_stall_time',
      'dead_watchers_queued',
      'dead_watchers_cleared',
      'dead_watchers_cleaner_latency',
    ],
  ],
  ['sockets are those of Node.js', ['netty_queued_buffer_capacity']],
  ['not built yet: TLS', ['tls_handshake_exceeded', 'unsuccessful_handshake']],
  [
    'not built yet: the HTTP admin server',
    ['insecure_admin_count', 'snapshot_rate_limited_count', 'restore_rate_limited_count'],
  ],
  [
    'not built yet: observers that learn from a follower',
    ['om_proposal_process_time_ms', 'om_commit_process_time_ms'],
  ],
  ['not built yet: every reconfig is refused', ['op_count_reconfig']],
  ['a check stands in a multi only', ['op_count_check']],
]

/** By name: why it is not there. Nobody prints them: a 0 that never moves would say something else. */
export const absentMetrics: ReadonlyMap<string, string> = new Map(
  absent.flatMap(([reason, names]) => names.map((name) => [name, reason] as const)),
)
