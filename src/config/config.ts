import type { SnapshotCompression } from '../persistence/snapshot-name.ts'
import type { ServerLine } from './servers.ts'

/**
 * The settings of a member, parsed once at its start and passed down (spec 06 §5). Times are in
 * milliseconds and sizes in bytes whatever unit the key has in zoo.cfg. The keys are in honoured-keys.ts;
 * those that this version does not act upon, and names in the log, in keys-without-effect.ts.
 */
export interface Config {
  /** The file this came from, for messages; '' when nothing was read. */
  readonly file: string
  readonly dataDir: string
  readonly dataLogDir: string
  /** Undefined: no plain client port. 0 lets the system choose (tests). */
  readonly clientPort: number | undefined
  /** Undefined: all addresses. */
  readonly clientPortAddress: string | undefined
  /** -1: the system's default. */
  readonly clientPortListenBacklog: number
  readonly tickTimeMs: number
  readonly minSessionTimeoutMs: number
  readonly maxSessionTimeoutMs: number
  /** 0: no limit, here and in maxCnxns. */
  readonly maxClientCnxns: number
  readonly maxCnxns: number
  readonly globalOutstandingLimit: number
  /** jute.maxbuffer. */
  readonly juteMaxBufferBytes: number
  /** Names, or '*' for every word. */
  readonly fourLetterWords: ReadonlySet<string> | '*'
  readonly clientTcpKeepAlive: boolean
  readonly sessionlessCnxnTimeoutMs: number

  /** `server.N` lines by N, ascending; empty on a standalone server. */
  readonly servers: ReadonlyMap<number, ServerLine>
  /** `group.N` and `weight.N`; undefined: every participant counts the same. */
  readonly groups: QuorumGroups | undefined
  /** Of the dynamic configuration file, in its name or in it; 0: nobody has reconfigured. */
  readonly configVersion: number
  /** From the file myid; the id of a standalone server is 1 for session ids and 0 for `conf`. */
  readonly myid: number | undefined
  /** In ticks, as the other limits of an ensemble. */
  readonly initLimit: number
  readonly syncLimit: number
  /** initLimit unless set. */
  readonly connectToLearnerMasterLimit: number
  /** cnxTimeout. */
  readonly cnxTimeoutMs: number
  /** Tries; 0: without end. */
  readonly electionPortBindRetry: number
  readonly quorumListenOnAllIPs: boolean
  /** tcpKeepAlive, between members. */
  readonly tcpKeepAlive: boolean
  readonly notificationIntervalMsMin: number
  readonly notificationIntervalMsMax: number
  /** 0: no limit; below 0: no DIFF from the log files. */
  readonly snapshotSizeFactor: number
  readonly forceSnapshotSync: boolean
  /** Committed entries that are kept in memory for those who come back. */
  readonly commitLogCount: number
  readonly concurrentSnapSyncsMax: number
  readonly concurrentDiffSyncsMax: number
  /** Whether a leader has clients of its own. */
  readonly leaderServes: boolean
  /** syncEnabled, observer.syncEnabled: an observer keeps a log. */
  readonly syncEnabled: boolean
  /** There is no reconfiguration: it decides with which error a client that asks for one is refused. */
  readonly reconfigEnabled: boolean

  readonly preAllocBytes: number
  readonly forceSync: boolean
  readonly fsyncWarningThresholdMs: number
  /** flushDelay: how long a write may wait for others to share its flush; 0: not at all. */
  readonly flushDelayMs: number
  /** Txns that end such a wait. */
  readonly maxBatchSize: number
  readonly txnLogSizeLimitBytes: number
  readonly snapCount: number
  /** 0: the size of the log begins no snapshot. */
  readonly snapSizeLimitBytes: number
  readonly snapshotCompression: SnapshotCompression
  readonly serializeLastProcessedZxid: boolean
  /** Our own key: below this much free space for the log, writes are refused; 0: never. */
  readonly freeSpaceMinBytes: number
  /** Our own key: above so much of the heap, in percent, nodes and watches are refused; 0: never. */
  readonly heapSoftLimitPercent: number
  readonly autopurgeSnapRetainCount: number
  /** 0: never. */
  readonly autopurgeIntervalMs: number
  readonly snapshotTrustEmpty: boolean
  readonly dataDirAutocreate: boolean
  readonly dbAutocreate: boolean

  readonly digestEnabled: boolean
  readonly closeSessionTxnEnabled: boolean
  readonly extendedTypesEnabled: boolean
  readonly emulate353TtlNodes: boolean
  readonly containerCheckIntervalMs: number
  readonly containerMaxPerMinute: number
  readonly containerMaxNeverUsedIntervalMs: number
  readonly enforceQuota: boolean
  readonly skipAcl: boolean
  /** In an ensemble: a write without permission is refused where it is received. */
  readonly enableEagerACLCheck: boolean

  /** DigestAuthenticationProvider.superDigest: `super:base64(hash("super:password"))`. */
  readonly superDigest: string | undefined
  /** As Crypto.hash spells it, e.g. 'sha1'. */
  readonly digestAuthAlgorithm: string
  /** Users of the JAAS section, for SASL DIGEST-MD5. Undefined: no login is configured. */
  readonly saslUsers: ReadonlyMap<string, string> | undefined
  /** zookeeper.superUser: SASL ids that are super. */
  readonly saslSuperUsers: ReadonlySet<string>
  readonly sessionRequireClientSaslAuth: boolean
  readonly allowSaslFailedClients: boolean
  readonly enforceAuthSchemes: ReadonlySet<string> | undefined
  /** An ACL id of scheme sasl that every SASL user matches. */
  readonly letAnySaslUserDoX: string | undefined
  /** ensembleAuthName: what a client of scheme `ensemble` may call this ensemble; undefined: anything. */
  readonly ensembleAuthNames: ReadonlySet<string> | undefined
  /** Schemes with a provider: `ip`, `digest` unless disabled, `sasl`, `ensemble` by `authProvider.N`. */
  readonly authSchemes: ReadonlySet<string>
}

/** Hierarchical quorums (spec 03 §4). */
export interface QuorumGroups {
  /** Sids by the number of the group, both ascending. */
  readonly members: ReadonlyMap<number, readonly number[]>
  /** By sid, ascending; of every participant, and whole numbers from 0 on. */
  readonly weights: ReadonlyMap<number, number>
}
