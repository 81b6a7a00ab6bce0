/** Timing and limits of the ensemble, fixed while a member runs. All times in milliseconds. */
export interface QuorumSettings {
  readonly tickTimeMs: number
  /** initLimit times tickTime: to connect to a leader and to synchronise with it. */
  readonly initLimitMs: number
  /** syncLimit times tickTime: how long a member may be silent. */
  readonly syncLimitMs: number
  /** connectToLearnerMasterLimit times tickTime; initLimitMs unless set. */
  readonly connectToLeaderLimitMs: number
  /** fastleader.minNotificationInterval and maxNotificationInterval: 200 and 60,000 unless set. */
  readonly notificationIntervalMsMin: number
  readonly notificationIntervalMsMax: number
  /** How long an election waits for a better vote once a quorum agrees: 200. */
  readonly finalizeWaitMs: number
  /** snapshotSizeFactor: 0.33 unless set; negative: never DIFF from the log files; 0: no limit. */
  readonly snapshotSizeFactor: number
  /** forceSnapshotSync: every learner gets a SNAP. */
  readonly forceSnapshotSync: boolean
  /** maxConcurrentSnapSyncs and maxConcurrentDiffSyncs, 10 and 100. */
  readonly concurrentSnapSyncsMax: number
  readonly concurrentDiffSyncsMax: number
  /** syncEnabled: an observer logs what it is told, true unless set. */
  readonly observerLogs: boolean
}
