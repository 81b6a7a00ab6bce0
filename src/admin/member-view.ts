import type { Cnxn } from '../server/clients/cnxn.ts'
import type { EnsembleView } from '../server/ensemble/ensemble-view.ts'
import type { Member } from '../server/member.ts'
import type { ServerMetrics } from '../server/stats/server-metrics.ts'
import type { ServerStats } from '../server/stats/server-stats.ts'
import type { QuotaUsage } from '../tree/quota-keeper.ts'
import type {
  CnxnView,
  HostView,
  NamespaceQuota,
  QuorumView,
  ServerMode,
  ServerView,
  SessionsView,
  SettingsView,
  WatchesView,
} from './server-view.ts'

/** What the texts say of the program itself. */
export interface BuildInfo {
  readonly version: string
  readonly builtOn: string
}

const INTEREST_READ = 1
const INTEREST_NONE = 0
const NO_PORT = -1
/** The only one there is any more. */
const ELECTION_ALGORITHM = 3

/** A running member as the four-letter words see it: nothing is computed before a word asks. */
export class MemberView implements ServerView {
  readonly version: string
  readonly builtOn: string
  readonly host: HostView
  readonly #member: Member
  readonly #clientPort: () => number | undefined
  readonly #ensemble: EnsembleView | undefined
  traceMask = 306n

  /** No `ensemble`: a standalone server. */
  constructor(
    member: Member,
    build: BuildInfo,
    host: HostView,
    clientPort: () => number | undefined,
    ensemble?: EnsembleView,
  ) {
    this.#member = member
    this.#ensemble = ensemble
    this.version = build.version
    this.builtOn = build.builtOn
    this.host = host
    this.#clientPort = clientPort
  }

  get isServing(): boolean {
    return this.#ensemble?.isServing ?? true
  }

  get mode(): ServerMode {
    return this.#ensemble === undefined ? 'standalone' : modes[this.#ensemble.state]
  }

  get clock(): { readonly mono: number; readonly wall: number } {
    return this.#member.clock
  }

  get startedMono(): number {
    return this.#member.startedMono
  }

  get stats(): ServerStats {
    return this.#member.stats
  }

  get metrics(): ServerMetrics {
    return this.#member.metrics
  }

  get settings(): SettingsView {
    const { config } = this.#member
    return {
      clientPort: this.#clientPort() ?? NO_PORT,
      secureClientPort: NO_PORT,
      dataDir: `${config.dataDir}/version-2`,
      dataLogDir: `${config.dataLogDir}/version-2`,
      tickTimeMs: config.tickTimeMs,
      maxClientCnxns: config.maxClientCnxns,
      minSessionTimeoutMs: config.minSessionTimeoutMs,
      maxSessionTimeoutMs: config.maxSessionTimeoutMs,
      clientPortListenBacklog: config.clientPortListenBacklog,
      serverId: this.#ensemble === undefined ? 0 : (config.myid ?? 0),
    }
  }

  get cnxns(): Iterable<CnxnView> {
    return this.#cnxnViews()
  }

  *#cnxnViews(): IterableIterator<CnxnView> {
    for (const cnxn of this.#member.clients.cnxns.values()) yield this.#viewOf(cnxn)
  }

  #viewOf(cnxn: Cnxn): CnxnView {
    const { session } = cnxn
    const { config } = this.#member
    const host = cnxn.address.includes(':') ? `[${cnxn.address}]` : cnxn.address
    return {
      remoteAddress: `/${host}:${cnxn.port}`,
      interestOps: isRead(cnxn) ? INTEREST_READ : INTEREST_NONE,
      outstandingRequests: cnxn.pending.length,
      sessionId: session?.id ?? 0n,
      sessionTimeoutMs: session?.timeoutMs ?? 0,
      establishedWall: cnxn.openedWall,
      expiresMono: session?.expiresMono ?? cnxn.openedMono + config.sessionlessCnxnTimeoutMs,
      stats: cnxn.stats,
    }
  }

  get cnxnCount(): number {
    return this.#member.clients.cnxns.size
  }

  get outstandingRequests(): number {
    return this.#member.clients.outstandingRequests
  }

  get authFailedCount(): number {
    return this.#member.stats.authFailedCount
  }

  get lastProcessedZxid(): number {
    return this.#member.tree.lastProcessedZxid
  }

  get sessions(): SessionsView {
    const { sessions } = this.#member
    const state = this.#ensemble?.state
    const ownsDeadlines = state === undefined || state === 'leading'
    const { all } = sessions
    return {
      ownsDeadlines,
      localSessionsEnabled: false,
      global: {
        *[Symbol.iterator]() {
          for (const { id, timeoutMs, expiresMono } of all.values())
            yield { sessionId: id, timeoutMs, expiresMono: ownsDeadlines ? expiresMono : undefined }
        },
      },
      globalCount: all.size,
      local: [],
      localCount: 0,
    }
  }

  get ephemerals(): Iterable<readonly [sessionId: bigint, paths: Iterable<string>]> {
    return this.#member.tree.ephemeralOwners
  }

  get ephemeralCount(): number {
    return this.#member.tree.ephemeralsCount
  }

  get nodeCount(): number {
    return this.#member.tree.nodeCount
  }

  get approximateDataBytes(): number {
    return this.#member.tree.approximateDataBytes
  }

  get watchCount(): number {
    return this.#member.watches.table.watchCount
  }

  get dataWatches(): WatchesView {
    const { table } = this.#member.watches
    return {
      watcherCount: table.dataWatcherCount,
      pathCount: table.dataPathCount,
      watchCount: table.dataWatchCount,
      // A connection has the id of its session by the name that is asked for.
      byPath: () => table.dataWatchersByPath(),
      byWatcher: () => table.dataPathsByWatcher(),
    }
  }

  get digestLog(): Iterable<{ readonly zxid: number; readonly digest: bigint }> {
    return this.#member.digestLog.entries
  }

  get quotas(): Iterable<NamespaceQuota> {
    return sumByNamespace(this.#member.tree.quota.usages())
  }

  get quorum(): QuorumView | undefined {
    const ensemble = this.#ensemble
    const { config } = this.#member
    if (ensemble === undefined) return undefined
    const { state, leading, membership } = ensemble
    const { self, current } = membership
    return {
      // Whoever asks is answered only while clients are served, which is the last phase.
      peerState: `${state} - broadcast`,
      initLimit: config.initLimit,
      syncLimit: config.syncLimit,
      electionAlg: ELECTION_ALGORITHM,
      electionPort: portsText(self.electionAddresses),
      quorumPort: portsText(self.quorumAddresses),
      isObserver: self.role === 'observer',
      quorumSize: current.verifier.voters.length,
      membership: current.text,
      observerMasterId: state === 'observing' ? ensemble.leaderSid : undefined,
      syncedObservers: leading?.syncedObservers,
      isStayingOut: ensemble.stayingOut !== undefined,
      leader:
        leading === undefined ? undefined : { ...leading, leadingSinceMono: leading.sinceMono },
    }
  }
}

/** A four-letter word ends its connection, which the original shows as not being read. */
const isRead = (cnxn: Cnxn): boolean =>
  !cnxn.paused && cnxn.state !== 'fresh' && cnxn.state !== 'answering'

const portsText = (addresses: readonly { readonly port: number }[]): string =>
  addresses.map(({ port }) => port).join('|')

/** 'looking' is never shown: nobody is served then. */
const modes = {
  looking: 'follower',
  following: 'follower',
  leading: 'leader',
  observing: 'observer',
} as const satisfies Record<EnsembleView['state'], ServerMode>

/** Limits and usages of a top-level znode add up over the quotas below it; -1 is no limit. */
function sumByNamespace(usages: Iterable<QuotaUsage>): Iterable<NamespaceQuota> {
  const sums = new Map<string, NamespaceQuota>()
  for (const { path, limits, stats } of usages) {
    const namespace = path.split('/')[1] ?? ''
    const sum = sums.get(namespace)
    const countLimit = limits.countHardLimit > -1 ? limits.countHardLimit : limits.count
    const bytesLimit = limits.byteHardLimit > -1 ? limits.byteHardLimit : limits.bytes
    sums.set(namespace, {
      namespace,
      countLimit: addLimits(sum?.countLimit ?? -1, countLimit),
      bytesLimit: addLimits(sum?.bytesLimit ?? -1, bytesLimit),
      countUsage: (sum?.countUsage ?? 0) + stats.count,
      bytesUsage: (sum?.bytesUsage ?? 0) + stats.bytes,
    })
  }
  return sums.values()
}

function addLimits(a: number, b: number): number {
  if (a < 0) return b
  return b < 0 ? a : a + b
}
