import type { Crypto } from '../base/crypto.ts'
import type { Limits } from '../base/limits.ts'
import type { Logger } from '../base/logger.ts'
import { ThrottledLog } from '../base/throttled-log.ts'
import type { TurnClock } from '../base/turn-clock.ts'
import type { Config } from '../config/config.ts'
import { firstSessionId } from '../data/session-id.ts'
import { MajorityQuorum, type QuorumSource } from '../quorum/membership/quorum-verifier.ts'
import type { DataTree } from '../tree/data-tree.ts'
import { AdminDatabase } from './admin-database.ts'
import { AccessControl } from './auth/access-control.ts'
import { EagerAclCheck } from './auth/eager-acl-check.ts'
import type { AuthProviders } from './auth/providers.ts'
import { ApplyBudget } from './bounds/apply-budget.ts'
import { FreeSpace } from './bounds/free-space.ts'
import { HeapRoom } from './bounds/heap-room.ts'
import { defaultMemberBounds, type MemberBounds } from './bounds/member-bounds.ts'
import { WorkBudget } from './bounds/work-budget.ts'
import { Answers } from './clients/answers.ts'
import { AuthRequests } from './clients/auth-requests.ts'
import { Commits } from './clients/commits.ts'
import { Connections } from './clients/connections.ts'
import { FirstBytes, type FourLetterWords } from './clients/first-bytes.ts'
import { Handshake } from './clients/handshake.ts'
import { Intake } from './clients/intake.ts'
import { Outbox } from './clients/outbox.ts'
import { ParkedReads } from './clients/parked-reads.ts'
import { PendingRequests } from './clients/pending.ts'
import { Questions } from './clients/questions.ts'
import { Reads } from './clients/reads.ts'
import { Requests } from './clients/requests.ts'
import { SocketEvents } from './clients/socket-events.ts'
import { Watches } from './clients/watches.ts'
import { WordAnswers } from './clients/word-answers.ts'
import { WriteGate } from './clients/write-gate.ts'
import { committedLogOf, type EnsemblePorts, Peering } from './ensemble/peering.ts'
import { MemberReplica } from './ensemble/replica.ts'
import { SessionExpiry } from './sessions/session-expiry.ts'
import { SessionGatekeeper } from './sessions/session-gatekeeper.ts'
import { SessionTracker } from './sessions/session-tracker.ts'
import { makeServerMetrics, type ServerMetrics } from './stats/server-metrics.ts'
import { ServerStats } from './stats/server-stats.ts'
import { StageTimer, type Stopwatch } from './stats/stage-timer.ts'
import { DiskLane } from './storage/disk-lane.ts'
import { loadRulesOf } from './storage/load.ts'
import type { Recovered } from './storage/recovered.ts'
import { Snapshotter } from './storage/snapshotter.ts'
import { ApplyLoop } from './writes/apply-loop.ts'
import { DigestLog } from './writes/digest-log.ts'
import { OutstandingChanges } from './writes/outstanding-changes.ts'
import { OwnWrites } from './writes/own-writes.ts'
import { Prep } from './writes/prep.ts'
import { QuotaLog } from './writes/quota-log.ts'
import { Reaper } from './writes/reaper.ts'
import { Serving } from './writes/serving.ts'
import { WritePath } from './writes/write-path.ts'

/** A standalone server is the one voter of its ensemble, and marks its session ids with 1. */
const STANDALONE_SID = 0
const STANDALONE_SESSION_SERVER_ID = 1
const standalone: QuorumSource = { quorum: new MajorityQuorum([STANDALONE_SID]) }

/** What a member is built from. */
export interface MemberPorts {
  readonly config: Config
  readonly limits: Limits
  readonly bounds?: MemberBounds
  readonly providers: AuthProviders
  readonly crypto: Crypto
  readonly logger: Logger
  readonly clock: { readonly mono: number; readonly wall: number }
  /** Times what happens within a turn. Undefined: nothing takes any time there. */
  readonly stopwatch?: Stopwatch
  /** Undefined: a standalone server, which is an ensemble of one. */
  readonly ensemble: EnsemblePorts | undefined
}

/** The parts that a Member calls, or shows to operators and tests. */
export interface Wired {
  readonly clock: TurnClock
  readonly throttledLog: ThrottledLog
  readonly stats: ServerStats
  readonly metrics: ServerMetrics
  readonly space: FreeSpace
  readonly heap: HeapRoom
  readonly tree: DataTree
  readonly sessions: SessionTracker
  readonly outbox: Outbox
  readonly watches: Watches
  readonly lane: DiskLane
  readonly writePath: WritePath
  readonly serving: Serving
  readonly connections: Connections
  readonly sockets: SocketEvents
  readonly firstBytes: FirstBytes
  readonly wordAnswers: WordAnswers
  readonly intake: Intake
  readonly auth: AuthRequests
  readonly questions: Questions
  readonly applyLoop: ApplyLoop
  readonly applyBudget: ApplyBudget
  readonly digestLog: DigestLog
  readonly ownWrites: OwnWrites
  readonly expiry: SessionExpiry
  readonly reaper: Reaper
  readonly snapshotter: Snapshotter
  readonly database: AdminDatabase
  /** Undefined on a standalone server. */
  readonly replica: MemberReplica | undefined
  readonly peering: Peering | undefined
}

/**
 * Makes the parts of a member and connects them, from the ground up: each part is handed what it uses,
 * and none is told of another later.
 */
export function wire(ports: MemberPorts, recovered: Recovered, words: FourLetterWords): Wired {
  const ground = groundOf(ports)
  const state = { ...ground, ...stateOf(ports, ground, recovered) }
  const writing = { ...state, ...writingOf(ports, state) }
  const answering = { ...writing, ...answeringOf(writing) }
  const clients = { ...answering, ...clientsOf(ports, answering, words) }
  const applying = { ...clients, ...applyingOf(ports, clients, recovered) }
  return { ...applying, ...peeringOf(ports, applying, recovered) }
}

/** What all others use, and what uses none of them. */
function groundOf({ config, limits, bounds = defaultMemberBounds, logger, ...ports }: MemberPorts) {
  const clock: TurnClock = { mono: ports.clock.mono, wall: ports.clock.wall }
  const metrics = makeServerMetrics()
  const budget = new WorkBudget(limits.workStepsPerTurn)
  const flushing = { flushDelayMs: config.flushDelayMs, batchTxnsMax: config.maxBatchSize }
  return {
    config,
    limits,
    bounds,
    logger,
    clock,
    stopwatch: ports.stopwatch ?? (() => clock.mono),
    metrics,
    throttledLog: new ThrottledLog(logger, clock),
    stats: new ServerStats(),
    outbox: new Outbox(),
    heap: new HeapRoom(config.heapSoftLimitPercent, metrics, logger),
    space: new FreeSpace(config.freeSpaceMinBytes, logger),
    budget,
    applyBudget: new ApplyBudget(budget, bounds.applyStepsPerTurn),
    digestLog: new DigestLog(),
    lane: new DiskLane(flushing, clock),
  }
}

/** What the log and the snapshots hold, and who watches over it. */
function stateOf(ports: MemberPorts, ground: ReturnType<typeof groundOf>, recovered: Recovered) {
  const { config, clock, budget, outbox, metrics, stats } = ground
  const { tree } = recovered
  const access = new AccessControl(ports.providers, config.skipAcl, budget.meter)
  const sid = ports.ensemble?.membership.self.sid ?? STANDALONE_SESSION_SERVER_ID
  const sessions = new SessionTracker(firstSessionId(sid, clock.wall), config.tickTimeMs)
  for (const [id, timeoutMs] of recovered.sessions) sessions.track(id, timeoutMs, clock.mono)
  const watches = new Watches(tree, access, outbox, budget.meter, stats, metrics)
  return { tree, access, sessions, watches }
}

type State = ReturnType<typeof groundOf> & ReturnType<typeof stateOf>

/** From a request that writes to its proposal. */
function writingOf({ ensemble }: MemberPorts, state: State) {
  const { config, limits, tree, access, sessions, heap, lane, clock, metrics, logger } = state
  const timer = new StageTimer(state.stopwatch)
  const quotaLog = new QuotaLog(config, clock, metrics, logger)
  const gate = new SessionGatekeeper(sessions)
  const changes = new OutstandingChanges(tree, config.digestEnabled, metrics)
  const { frameBytesMax } = limits
  const prep = new Prep({ config, tree, changes, access, gate, frameBytesMax, heap, quotaLog })
  const membership = ensemble?.membership ?? standalone
  const self = ensemble?.membership.self.sid ?? STANDALONE_SID
  const writePath = new WritePath(
    prep,
    lane,
    membership,
    self,
    config.digestEnabled,
    metrics,
    timer,
  )
  return {
    changes,
    writePath,
    ownWrites: new OwnWrites(writePath, clock),
    serving: new Serving(writePath, sessions, clock, limits.sessionsReturningMax),
  }
}

type Writing = State & ReturnType<typeof writingOf>

/** Connections, and what is said on them. */
function answeringOf(writing: Writing) {
  const { limits, tree, watches, access, budget, heap, serving, metrics, throttledLog } = writing
  const pending = new PendingRequests(limits, serving, metrics)
  const questions = new Questions(limits.questionsMax)
  const connections = new Connections(pending, questions, watches.table, metrics, throttledLog)
  const reads = new Reads(tree, watches, access, budget.meter, heap, metrics, limits.replyBytesMax)
  const answers = new Answers({ ...writing, connections, reads })
  const parked = new ParkedReads(pending, answers, budget)
  return { pending, questions, connections, answers, parked }
}

type Answering = Writing & ReturnType<typeof answeringOf>

/** From the socket of a client to the part that has its answer. */
function clientsOf(ports: MemberPorts, answering: Answering, words: FourLetterWords) {
  const { config, tree, access, serving, pending } = answering
  const { providers, crypto } = ports
  // A standalone server of the original does not look.
  const isEager = config.enableEagerACLCheck && ports.ensemble !== undefined
  const eagerAcls = isEager ? new EagerAclCheck(tree, access) : undefined
  const gate = new WriteGate({ ...answering, eagerAcls })
  const auth = new AuthRequests({ ...answering, providers, crypto })
  const requests = new Requests({ ...answering, writes: serving, auth, gate })
  const intake = new Intake({ ...answering, requests, admission: pending.admission })
  const handshake = new Handshake({ ...answering, intake })
  const wordAnswers = new WordAnswers(answering)
  const firstBytes = new FirstBytes({ ...answering, words, wordAnswers })
  return {
    auth,
    intake,
    handshake,
    wordAnswers,
    firstBytes,
    sockets: new SocketEvents({ ...answering, firstBytes, handshake, intake }),
  }
}

type ClientSide = Answering & ReturnType<typeof clientsOf>

/** What has committed, what is due, and what goes to the disk beside the log. */
function applyingOf({ ensemble, clock }: MemberPorts, clients: ClientSide, recovered: Recovered) {
  const { config, bounds, tree, serving, ownWrites } = clients
  const commits = new Commits({ ...clients, writes: serving })
  const committedLog =
    ensemble &&
    committedLogOf(
      bounds.committedLogBytesMax,
      config.commitLogCount,
      recovered.lastZxid,
      recovered.recent ?? [],
    )
  const snapshotter = new Snapshotter({
    ...clients,
    sliceBytes: bounds.sliceBytes,
    seed: clock.wall,
  })
  return {
    commits,
    committedLog,
    applyLoop: new ApplyLoop({ ...clients, clients: commits, committedLog }),
    expiry: new SessionExpiry(clients, (id) => ownWrites.closeSession(id)),
    reaper: new Reaper(tree, config, clock.mono),
    snapshotter,
    database: new AdminDatabase({ ...clients, commits, snapshotter }),
  }
}

type Applying = ClientSide & ReturnType<typeof applyingOf>

/** A standalone server is the leader of an ensemble of one, from the first moment on. */
function peeringOf(
  { ensemble: ports }: MemberPorts,
  applying: Applying,
  { lastZxid }: Recovered,
): Pick<Wired, 'replica' | 'peering'> {
  const { config, bounds, commits, committedLog, writePath, serving } = applying
  if (ports === undefined || committedLog === undefined) {
    writePath.start(lastZxid, undefined)
    serving.beginDeciding('standalone', true)
    return { replica: undefined, peering: undefined }
  }
  const replicaParts = {
    ...applying,
    committedLog,
    membership: ports.membership,
    settings: ports.settings,
    disk: ports.disk,
    rules: loadRulesOf(config, true),
    leaderServes: config.leaderServes,
    clients: commits,
    sliceBytes: bounds.sliceBytes,
  }
  const replica = new MemberReplica(replicaParts, lastZxid)
  return { replica, peering: new Peering(ports, replica, bounds, applying) }
}
