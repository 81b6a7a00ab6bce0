import type { Crypto } from '../base/crypto.ts'
import type { Limits } from '../base/limits.ts'
import type { Logger } from '../base/logger.ts'
import { ThrottledLog } from '../base/throttled-log.ts'
import type { Config } from '../config/config.ts'
import { firstSessionId } from '../data/session-id.ts'
import type { CommittedLog } from '../quorum/leading/committed-log.ts'
import { MajorityQuorum } from '../quorum/membership/quorum-verifier.ts'
import type { DataTree } from '../tree/data-tree.ts'
import { AccessControl } from './auth/access-control.ts'
import { EagerAclCheck } from './auth/eager-acl-check.ts'
import type { AuthProviders } from './auth/providers.ts'
import { FreeSpace } from './bounds/free-space.ts'
import { HeapRoom } from './bounds/heap-room.ts'
import { defaultMemberBounds, type MemberBounds } from './bounds/member-bounds.ts'
import { WorkBudget } from './bounds/work-budget.ts'
import { AuthRequests } from './clients/auth-requests.ts'
import type { ClientParts } from './clients/clients.ts'
import { Outbox } from './clients/outbox.ts'
import { Reads } from './clients/reads.ts'
import { Watches } from './clients/watches.ts'
import { WriteGate } from './clients/write-gate.ts'
import { committedLogOf, type EnsemblePorts } from './ensemble/peering.ts'
import { SessionGatekeeper } from './sessions/session-gatekeeper.ts'
import { SessionTracker } from './sessions/session-tracker.ts'
import { makeServerMetrics } from './stats/server-metrics.ts'
import { ServerStats } from './stats/server-stats.ts'
import { DiskLane } from './storage/disk-lane.ts'
import type { Recovered } from './storage/recovered.ts'
import { Prep } from './writes/prep.ts'
import { QuotaLog } from './writes/quota-log.ts'
import { Serving } from './writes/serving.ts'
import { WritePath } from './writes/write-path.ts'

/** A standalone server is the one voter of its ensemble, and marks its session ids with 1. */
const STANDALONE_SID = 0
const STANDALONE_SESSION_SERVER_ID = 1

/** What a member is built from. */
export interface MemberPorts {
  readonly config: Config
  readonly limits: Limits
  readonly bounds?: MemberBounds
  readonly providers: AuthProviders
  readonly crypto: Crypto
  readonly logger: Logger
  readonly clock: { readonly mono: number; readonly wall: number }
  /** Undefined: a standalone server, which is an ensemble of one. */
  readonly ensemble: EnsemblePorts | undefined
}

/** The parts of a member that know nothing of each other but what they are handed here. */
export interface MemberParts extends ClientParts {
  readonly prep: Prep
  readonly space: FreeSpace
  readonly lane: DiskLane
  readonly writePath: WritePath
  readonly serving: Serving
  /** Undefined on a standalone server, which nobody learns from. */
  readonly committedLog: CommittedLog | undefined
}

export function makeParts(ports: MemberPorts, recovered: Recovered): MemberParts {
  const { config, limits, logger, ensemble, bounds = defaultMemberBounds } = ports
  const { tree } = recovered
  const clock = { mono: ports.clock.mono, wall: ports.clock.wall }
  const throttledLog = new ThrottledLog(logger, clock)
  const stats = new ServerStats()
  const metrics = makeServerMetrics()
  const outbox = new Outbox()
  const quotaLog = new QuotaLog(config, metrics, logger)
  tree.quota.onExceeded = (root, excess) => quotaLog.onExceeded(root.path, excess, clock.mono)
  const { providers, crypto } = ports
  const auth = new AuthRequests(config, limits, providers, crypto, throttledLog, metrics)
  const heap = new HeapRoom(config.heapSoftLimitPercent, metrics, logger)
  const budget = new WorkBudget(limits.workStepsPerTurn)
  const access = new AccessControl(auth.providers, config.skipAcl, budget.meter)
  const space = new FreeSpace(config.freeSpaceMinBytes, logger)
  const eagerAcls = eagerAclsOf(ports, tree, access)
  const watches = new Watches(tree, access, outbox, (bytes) => {
    metrics.watchBytes.add(bytes)
    stats.packetsSent += 1
  })
  const self = ensemble?.ensemble.self.sid
  const firstId = firstSessionId(self ?? STANDALONE_SESSION_SERVER_ID, clock.wall)
  const sessions = new SessionTracker(firstId, config.tickTimeMs)
  for (const [id, timeoutMs] of recovered.sessions) sessions.track(id, timeoutMs, clock.mono)
  const prep = prepOf(ports, tree, access, sessions, heap)
  const lane = new DiskLane({
    flushDelayMs: config.flushDelayMs,
    batchTxnsMax: config.maxBatchSize,
  })
  const quorum = ensemble?.ensemble.verifier ?? new MajorityQuorum([STANDALONE_SID])
  const writePath = new WritePath(prep, lane, quorum, self ?? STANDALONE_SID, config.digestEnabled)
  const serving = new Serving(writePath, sessions, clock, limits.sessionsReturningMax)
  return {
    limits,
    clock,
    tree,
    outbox,
    watches,
    reads: new Reads(tree, watches, access, budget.meter, heap, limits.replyBytesMax),
    budget,
    heap,
    sessions,
    writes: serving,
    authority: serving,
    auth,
    space,
    gate: new WriteGate({ space, heap, metrics, eagerAcls }),
    stats,
    metrics,
    logger,
    throttledLog,
    prep,
    lane,
    writePath,
    serving,
    committedLog:
      ensemble &&
      committedLogOf(
        bounds.committedLogBytesMax,
        config.commitLogCount,
        recovered.lastZxid,
        recovered.recent ?? [],
      ),
  }
}

/** A standalone server of the original does not look. */
function eagerAclsOf(
  { config, ensemble }: MemberPorts,
  tree: DataTree,
  access: AccessControl,
): EagerAclCheck | undefined {
  const isWanted = config.enableEagerACLCheck && ensemble !== undefined
  return isWanted ? new EagerAclCheck(tree, access) : undefined
}

function prepOf(
  { config, limits }: MemberPorts,
  tree: DataTree,
  access: AccessControl,
  sessions: SessionTracker,
  heap: HeapRoom,
): Prep {
  const gate = new SessionGatekeeper(sessions)
  return new Prep(config, tree, access, gate, limits.frameBytesMax, heap)
}
