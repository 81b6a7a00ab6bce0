export const storageMetrics = {
  snapshotTimeMs: ['summary', 'snapshottime', 'to write a snapshot, beside all else', 'ms'],
  snapshotErrorCount: ['counter', 'snapshot_error_count', 'snapshots that could not be written'],
  restoreTime: ['summary', 'restore_time', 'to replace the database by a backup', 'ms'],
  restoreErrorCount: ['counter', 'restore_error_count', 'backups that could not be restored'],
  dbInitTimeMs: [
    'summary',
    'dbinittime',
    'from the start of the process to a loaded database',
    'ms',
  ],
  startupSnapLoadTime: ['summary', 'startup_snap_load_time', 'to load the snapshot at start', 'ms'],
  startupTxnsLoadTime: ['summary', 'startup_txns_load_time', 'to replay the log at start', 'ms'],
  startupTxnsLoaded: ['summary', 'startup_txns_loaded', 'txns that were replayed at start'],
  digestMismatchesCount: [
    'counter',
    'digest_mismatches_count',
    'txns after which the tree is not what the leader foresaw',
  ],
  unrecoverableErrorCount: [
    'counter',
    'unrecoverable_error_count',
    'faults of the disk that took this member its state',
  ],
} as const

export const runtimeMetrics = {
  jvmPauseTimeMs: [
    'advanced',
    'jvm_pause_time_ms',
    'pauses of the event loop of half a second and more',
    'ms',
  ],
} as const
