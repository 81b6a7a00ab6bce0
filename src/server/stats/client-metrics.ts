export const connectionMetrics = {
  connectionRequestCount: [
    'counter',
    'connection_request_count',
    'sessions that clients asked for',
  ],
  connectionRevalidateCount: [
    'counter',
    'connection_revalidate_count',
    'of these, sessions that were there before',
  ],
  connectionRejected: ['counter', 'connection_rejected', 'connections refused: there are too many'],
  connectionDropCount: [
    'counter',
    'connection_drop_count',
    'connections that the client, or a fault of it, ended without the end of its session',
  ],
  sessionlessConnectionsExpired: [
    'counter',
    'sessionless_connections_expired',
    'connections closed because no session was asked for in time',
  ],
  cnxnClosedWithoutZkServerRunning: [
    'counter',
    'cnxn_closed_without_zk_server_running',
    'connections closed because this member had no part in a quorum',
  ],
  staleSessionsExpired: [
    'counter',
    'stale_sessions_expired',
    'sessions that expired, where it decides',
  ],
  ensembleAuthSuccess: ['counter', 'ensemble_auth_success', 'clients that named this ensemble'],
  ensembleAuthFail: ['counter', 'ensemble_auth_fail', 'clients that named another one'],
  ensembleAuthSkip: [
    'counter',
    'ensemble_auth_skip',
    'clients that named one where none is asked for',
  ],
} as const

export const requestMetrics = {
  bytesReceivedCount: ['counter', 'bytes_received_count', 'requests, with their lengths', 'bytes'],
  responseBytes: ['counter', 'response_bytes', 'replies, with their lengths', 'bytes'],
  readLatencyMs: [
    'advanced',
    'readlatency',
    'from the turn that read a request to the turn that wrote its reply; within one turn 0',
    'ms',
  ],
  updateLatencyMs: ['advanced', 'updatelatency', 'the same of writes', 'ms'],
  readFinalProcTimeMs: [
    'advanced',
    'read_final_proc_time_ms',
    'to answer a read; one read in 17 is timed',
    'ms',
  ],
  requestsInSessionQueue: [
    'summary',
    'requests_in_session_queue',
    'of one connection, when another one has to wait',
  ],
  pendingSessionQueueSize: [
    'summary',
    'pending_session_queue_size',
    'connections with requests that wait, when a write is answered',
  ],
  readsAfterWriteInSessionQueue: [
    'summary',
    'reads_after_write_in_session_queue',
    'reads that waited for a write, when it is answered',
  ],
  staleReplies: ['counter', 'stale_replies', 'writes that are done when their client is gone'],
  readPerNamespace: [
    'summarySet',
    'read_per_namespace',
    'what a read takes from below one top-level node: path, data and Stat',
    'bytes',
  ],
  writePerNamespace: [
    'summarySet',
    'write_per_namespace',
    'what a change puts below one top-level node: path and data',
    'bytes',
  ],
  quotaExceededErrorPerNamespace: [
    'counterSet',
    'quota_exceeded_error_per_namespace',
    'writes refused for a quota',
  ],
  /** Ours, and shown only once there was one, as is the next. */
  writesRefused: [
    'counterSet',
    'writes_refused',
    'writes refused, by what there was too little of',
  ],
  watchesRefused: ['counterSet', 'watches_refused', 'watches refused, in the same way'],
} as const

export const watchMetrics = {
  watchBytes: ['counter', 'watch_bytes', 'events, with their lengths', 'bytes'],
  nodeCreatedWatchCount: ['summary', 'node_created_watch_count', 'clients told of one new node'],
  nodeDeletedWatchCount: [
    'summary',
    'node_deleted_watch_count',
    'clients told of one deleted node',
  ],
  nodeChangedWatchCount: [
    'summary',
    'node_changed_watch_count',
    'clients told of one change of data',
  ],
  nodeChildrenWatchCount: [
    'summary',
    'node_children_watch_count',
    'clients told of one change of the children of a node',
  ],
} as const

export const operationMetrics = {
  opCountTotal: [
    'counter',
    'op_count_total',
    'all that follow: reads that were answered, writes done',
  ],
  opCountAddWatch: ['counter', 'op_count_add_watch', 'addWatch'],
  opCountCheckWatches: ['counter', 'op_count_check_watches', 'checkWatches'],
  opCountCloseSession: ['counter', 'op_count_close_session', 'closeSession'],
  opCountCreate: ['counter', 'op_count_create', 'create, create2, createContainer and createTTL'],
  opCountCreateSession: ['counter', 'op_count_create_session', 'createSession'],
  opCountDelete: ['counter', 'op_count_delete', 'delete'],
  opCountExists: ['counter', 'op_count_exists', 'exists'],
  opCountGetAcl: ['counter', 'op_count_get_acl', 'getACL'],
  opCountGetAllChildrenNumber: [
    'counter',
    'op_count_get_all_children_number',
    'getAllChildrenNumber',
  ],
  opCountGetChildren: ['counter', 'op_count_get_children', 'getChildren and getChildren2'],
  opCountGetData: ['counter', 'op_count_get_data', 'getData'],
  opCountGetEphemerals: ['counter', 'op_count_get_ephemerals', 'getEphemerals'],
  opCountMulti: ['counter', 'op_count_multi', 'multi, refused ones too'],
  opCountMultiRead: ['counter', 'op_count_multi_read', 'multiRead'],
  opCountPing: ['counter', 'op_count_ping', 'ping'],
  opCountRemoveWatches: ['counter', 'op_count_remove_watches', 'removeWatches'],
  opCountSetAcl: ['counter', 'op_count_set_acl', 'setACL'],
  opCountSetData: ['counter', 'op_count_set_data', 'setData'],
  opCountSetWatches: ['counter', 'op_count_set_watches', 'setWatches and setWatches2'],
  opCountSync: ['counter', 'op_count_sync', 'sync'],
  opCountWhoAmI: ['counter', 'op_count_who_am_i', 'whoAmI'],
  ttlNodeCreatedCount: ['counter', 'ttl_node_created_count', 'nodes with a TTL that were created'],
  ttlNodeDeletedCount: ['counter', 'ttl_node_deleted_count', 'nodes with a TTL that were deleted'],
} as const
