import type { Sizes } from '../base/sizes.ts'
import type { ServerMetrics } from '../server/stats/server-metrics.ts'
import type { CnxnStats, ServerStats } from '../server/stats/server-stats.ts'

/**
 * What the four-letter words read of a running member (spec 05 §12, spec 06 §6). The member and its
 * parts satisfy this by shape; nothing here is computed until a word asks for it. Times named `mono`
 * are on the monotonic clock and those named `wall` since 1970, all in whole milliseconds.
 */
export interface ServerView {
  /** e.g. '3.9.5-zk-server-0.1.0': tools read the first three numbers. */
  readonly version: string
  /** e.g. '2026-01-31 12:00 UTC'. */
  readonly builtOn: string
  /** False while the member looks for a quorum: most words are then refused. */
  readonly isServing: boolean
  readonly mode: ServerMode
  /** The time of the running turn. */
  readonly clock: { readonly mono: number; readonly wall: number }
  readonly startedMono: number

  readonly stats: ServerStats
  readonly metrics: ServerMetrics
  readonly host: HostView
  readonly settings: SettingsView

  readonly cnxns: Iterable<CnxnView>
  readonly cnxnCount: number
  /** Requests accepted and not yet answered, of all connections. */
  readonly outstandingRequests: number
  /** 0 on an empty tree. */
  readonly lastProcessedZxid: number

  readonly sessions: SessionsView
  /** Owners with their ephemeral paths; a Map<bigint, Set<string>> fits. */
  readonly ephemerals: Iterable<readonly [sessionId: bigint, paths: Iterable<string>]>
  readonly ephemeralCount: number

  /** As the original counts, which is one more than there are paths (spec 05 §12). */
  readonly nodeCount: number
  readonly approximateDataBytes: number
  /** Watches of the data and the child table together, as `mntr` counts them. */
  readonly watchCount: number
  /** wchs, wchc and wchp show this table only (spec 05 §12). */
  readonly dataWatches: WatchesView

  /** Oldest first. `digest` is taken as a signed 64-bit number. */
  readonly digestLog: Iterable<{ readonly zxid: number; readonly digest: bigint }>
  /** gtmk and stmk; kept and shown, no log line depends on it. */
  traceMask: bigint

  /** Top-level znodes with a quota on or below them. */
  readonly quotas: Iterable<NamespaceQuota>
  /** Undefined on a standalone server. */
  readonly quorum: QuorumView | undefined
}

export type ServerMode = 'standalone' | 'leader' | 'follower' | 'observer' | 'read-only'

export interface CnxnView {
  /** As Java writes it: '/127.0.0.1:54600', '/[0:0:0:0:0:0:0:1]:54600'. */
  readonly remoteAddress: string
  /** The selection keys of the original: 1 reading, 4 writing, 0 not read from. */
  readonly interestOps: number
  readonly outstandingRequests: number
  /** 0 before there is a session. */
  readonly sessionId: bigint
  readonly sessionTimeoutMs: number
  readonly establishedWall: number
  /** End of the bucket in which the connection is closed unless something is heard. */
  readonly expiresMono: number
  readonly stats: CnxnStats
}

export interface SessionView {
  readonly sessionId: bigint
  readonly timeoutMs: number
  /** End of the session's bucket; undefined where another member keeps the deadline. */
  readonly expiresMono: number | undefined
}

export interface SessionsView {
  /** True on a leader or standalone server, which lists deadlines; a learner lists timeouts. */
  readonly ownsDeadlines: boolean
  readonly localSessionsEnabled: boolean
  readonly global: Iterable<SessionView>
  readonly globalCount: number
  /** Sessions known to this member only; empty unless local sessions are enabled. */
  readonly local: Iterable<SessionView>
  readonly localCount: number
}

/** A connection in the watch table. */
export interface WatcherView {
  readonly sessionId: bigint
}

export interface WatchesView {
  readonly watcherCount: number
  readonly pathCount: number
  readonly watchCount: number
  byPath(): Iterable<readonly [path: string, watchers: Iterable<WatcherView>]>
  byWatcher(): Iterable<readonly [watcher: WatcherView, paths: Iterable<string>]>
}

/** Sums over all quotas of a namespace, which is a top-level znode's name without the slash. */
export interface NamespaceQuota {
  readonly namespace: string
  /** The hard limit where there is one, else the soft one; -1 each where there is none. */
  readonly countLimit: number
  readonly bytesLimit: number
  readonly countUsage: number
  readonly bytesUsage: number
}

/** What `conf` shows of the configuration. */
export interface SettingsView {
  /** -1: none. */
  readonly clientPort: number
  readonly secureClientPort: number
  /** Absolute, with `version-2` at the end. */
  readonly dataDir: string
  readonly dataLogDir: string
  readonly tickTimeMs: number
  readonly maxClientCnxns: number
  readonly minSessionTimeoutMs: number
  readonly maxSessionTimeoutMs: number
  readonly clientPortListenBacklog: number
  /** 0 on a standalone server. */
  readonly serverId: number
}

/** What only the machine knows. The shell hands it in; getters may look it up when read. */
export interface HostView {
  /** Bytes of all files in dataDir/version-2 and dataLogDir/version-2. */
  readonly dataDirBytes: number
  readonly logDirBytes: number
  readonly openFileDescriptors: number
  readonly maxFileDescriptors: number
  /** Values of ENVIRONMENT_KEYS (environment-text.ts), for `envi`. */
  readonly environment: ReadonlyMap<string, string>
}

/** A member of an ensemble. */
export interface QuorumView {
  /** e.g. 'leading - broadcast'. */
  readonly peerState: string
  readonly initLimit: number
  readonly syncLimit: number
  readonly electionAlg: number
  /** Joined by '|' where a server has several addresses. */
  readonly electionPort: string
  readonly quorumPort: string
  readonly isObserver: boolean
  /** Voting members. */
  readonly quorumSize: number
  /** Lines `server.N=...` and `version=...`, joined by line feeds, without one at the end. */
  readonly membership: string
  /** Of an observer: the sid it takes its updates from. */
  readonly observerMasterId: number | undefined
  /** Observers that follow this member; undefined on an observer, which has none. */
  readonly syncedObservers: number | undefined
  /** This member is kept out by its own history, which is beyond the leader's epoch. */
  readonly isStayingOut: boolean
  /** On the leader only. */
  readonly leader: LeaderView | undefined
}

interface LeaderView {
  readonly learners: number
  readonly syncedFollowers: number
  readonly syncedNonVotingFollowers: number
  readonly pendingSyncs: number
  readonly leadingSinceMono: number
  readonly proposalSizes: Sizes
  /** Sids of members that it keeps out. */
  readonly outsiders: readonly number[]
}
