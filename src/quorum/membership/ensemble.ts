import type { PeerAddress } from '../ports/links.ts'
import type { QuorumVerifier } from './quorum-verifier.ts'

/** A `server.N` line (spec 06 §5.2); several addresses where there is a `|`. */
export interface EnsembleMember {
  readonly sid: number
  readonly role: 'participant' | 'observer'
  readonly quorumAddresses: readonly PeerAddress[]
  readonly electionAddresses: readonly PeerAddress[]
}

/** What a member knows of its ensemble, fixed while it runs. All times in milliseconds. */
export interface Ensemble {
  readonly self: EnsembleMember
  /** By sid, self included. */
  readonly members: ReadonlyMap<number, EnsembleMember>
  /** Over the participants: majority, or weights and groups. */
  readonly verifier: QuorumVerifier
  /** `server.N=...` lines ascending and `version=<hex>`, as NEWLEADER and notifications carry it. */
  readonly configText: string
  /** Of that text; 0 while nobody has reconfigured. */
  readonly configVersion: number
  readonly tickTimeMs: number
  /** initLimit times tickTime: to connect to a leader and to synchronise with it. */
  readonly initLimitMs: number
  /** syncLimit times tickTime: how long a member may be silent. */
  readonly syncLimitMs: number
  /** cnxTimeout, 5000 unless set. */
  readonly cnxTimeoutMs: number
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
  /** learner.asyncSending has no meaning here; maxConcurrentSnapSyncs and maxConcurrentDiffSyncs, 10 and 100. */
  readonly concurrentSnapSyncsMax: number
  readonly concurrentDiffSyncsMax: number
  /** syncEnabled: an observer logs what it is told, true unless set. */
  readonly observerLogs: boolean
}
