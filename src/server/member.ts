import { JuteReader, JuteWriter } from 'jute-ts'
import type { Crypto } from '../base/crypto.ts'
import { checkLimits, type Limits } from '../base/limits.ts'
import type { Logger } from '../base/logger.ts'
import { OpCode } from '../data/op-code.ts'
import { firstSessionId, formatSessionId } from '../data/session-id.ts'
import type { DiskReader, SnapshotOp } from '../persistence/disk.ts'
import { CommittedLog } from '../quorum/committed-log.ts'
import type { Ensemble } from '../quorum/ensemble.ts'
import type { LinkEvents, LinkId, LinkPort } from '../quorum/links.ts'
import { QuorumPeer } from '../quorum/quorum-peer.ts'
import { MajorityQuorum } from '../quorum/quorum-verifier.ts'
import type { Entry } from '../quorum/replica.ts'
import type { Epochs } from '../quorum/role.ts'
import type { DataTree } from '../tree/data-tree.ts'
import type { QuotaExcess } from '../tree/quota.ts'
import { AccessControl } from './access-control.ts'
import { ApplyLoop } from './apply-loop.ts'
import type { AuthProviders } from './auth/providers.ts'
import { AuthRequests } from './auth-requests.ts'
import { type ClientEffects, type ClientParts, Clients, type TurnClock } from './clients.ts'
import { Cnxn, type CnxnId } from './cnxn.ts'
import type { Config } from './config.ts'
import { DigestLog } from './digest-log.ts'
import { type DiskBatch, DiskLane } from './disk-lane.ts'
import { FirstBytes, type FourLetterWords } from './first-bytes.ts'
import { FreeSpace } from './free-space.ts'
import { Handshake } from './handshake.ts'
import { loadRulesOf } from './load.ts'
import { type ClientWrite, Outbox } from './outbox.ts'
import { PeerLinks } from './peer-links.ts'
import { Prep } from './prep.ts'
import { Reads } from './reads.ts'
import { Reaper } from './reaper.ts'
import { MemberReplica } from './replica.ts'
import { ServerMetrics } from './server-metrics.ts'
import { ServerStats } from './server-stats.ts'
import { Serving, type ServingRole } from './serving.ts'
import { SessionGatekeeper } from './session-gatekeeper.ts'
import { SessionTracker } from './session-tracker.ts'
import { Snapshotter } from './snapshotter.ts'
import { Watches } from './watches.ts'
import { serverRequest, WritePath } from './write-path.ts'

/** A standalone server is the one voter of its ensemble, and marks its session ids with 1. */
const STANDALONE_SID = 0
const STANDALONE_SESSION_SERVER_ID = 1
/** How often deadlines are looked at when nothing else happens; the shell calls in at least so often. */
export const ADVANCE_INTERVAL_MS = 50
/** A client beyond its quota may write thousands of times a second; the log is told once in so long. */
const EXCESS_LOG_INTERVAL_MS = 1000

/** What recovery has brought back. */
export interface Recovered {
  readonly tree: DataTree
  /** What is on disk already holds all of it: no snapshot need be taken at once. */
  readonly isSnapshotCurrent?: boolean
  /** Sessions with their timeouts in ms; each gets a fresh full one (spec 05 §8). */
  readonly sessions: ReadonlyMap<bigint, number>
  readonly lastZxid: number
  /** The newest entries of the log, for learners that have missed a few; none if unsaid. */
  readonly recent?: Iterable<Entry>
}

/** What a member is built from. */
export interface MemberPorts {
  readonly config: Config
  readonly limits: Limits
  readonly providers: AuthProviders
  readonly crypto: Crypto
  readonly logger: Logger
  readonly clock: { readonly mono: number; readonly wall: number }
  /** Undefined: a standalone server, which is an ensemble of one. */
  readonly ensemble: EnsemblePorts | undefined
}

/** What a member of an ensemble has beside. */
export interface EnsemblePorts {
  readonly ensemble: Ensemble
  /** As the epoch files have them. */
  readonly epochs: Epochs
  /** For what only the files hold: history for a learner, and the state after a TRUNC. */
  readonly disk: DiskReader
}

/**
 * One ensemble member, as a deterministic object: bytes, marks of durability and the time come in
 * through methods that return at once, effects are taken at the end of the turn. It knows no clock,
 * socket, file, timer or promise.
 */
export class Member implements LinkEvents {
  readonly config: Config
  readonly clock: TurnClock
  readonly tree: DataTree
  readonly sessions: SessionTracker
  readonly watches: Watches
  readonly stats: ServerStats = new ServerStats()
  readonly metrics: ServerMetrics = new ServerMetrics()
  readonly digestLog: DigestLog = new DigestLog()
  readonly clients: Clients
  readonly startedMono: number
  readonly #limits: Limits
  readonly #logger: Logger
  readonly #outbox: Outbox = new Outbox()
  readonly #lane: DiskLane = new DiskLane()
  readonly #writePath: WritePath
  readonly #serving: Serving
  readonly peer: QuorumPeer | undefined
  readonly links: PeerLinks | undefined
  readonly #applyLoop: ApplyLoop
  readonly #handshake: Handshake
  readonly #firstBytes: FirstBytes
  readonly #reaper: Reaper
  readonly snapshotter: Snapshotter
  readonly space: FreeSpace
  #nextAdvanceMono = 0
  #nextExcessLogMono = 0
  #excessesUntold = 0

  constructor(ports: MemberPorts, recovered: Recovered, words: FourLetterWords) {
    const { config, limits, logger } = ports
    checkLimits(limits)
    this.config = config
    this.#limits = limits
    this.#logger = logger
    this.clock = { mono: ports.clock.mono, wall: ports.clock.wall }
    this.startedMono = ports.clock.mono
    this.tree = recovered.tree
    const auth = new AuthRequests(config, limits, ports.providers, ports.crypto, logger)
    this.tree.quota.onExceeded = (root, excess) => this.#logExcess(root.path, excess)
    const access = new AccessControl(auth.providers, config.skipAcl)
    this.watches = new Watches(this.tree, access, this.#outbox, this.#onEvent)
    const self = ports.ensemble?.ensemble.self.sid ?? STANDALONE_SID
    const firstId = firstSessionId(
      ports.ensemble === undefined ? STANDALONE_SESSION_SERVER_ID : self,
      ports.clock.wall,
    )
    this.sessions = new SessionTracker(firstId, config.tickTimeMs)
    for (const [id, timeoutMs] of recovered.sessions)
      this.sessions.track(id, timeoutMs, ports.clock.mono)
    const gate = new SessionGatekeeper(this.sessions)
    const prep = new Prep(config, this.tree, access, gate)
    const quorum = ports.ensemble?.ensemble.verifier ?? new MajorityQuorum([STANDALONE_SID])
    this.#writePath = new WritePath(prep, this.#lane, quorum, self, config.digestEnabled)
    this.#serving = new Serving(this.#writePath, this.sessions, this.clock)
    this.space = new FreeSpace(config.freeSpaceMinBytes, logger)
    const parts: ClientParts = {
      limits,
      clock: this.clock,
      tree: this.tree,
      outbox: this.#outbox,
      watches: this.watches,
      reads: new Reads(this.tree, this.watches, access, limits.replyBytesMax),
      sessions: this.sessions,
      writes: this.#serving,
      authority: this.#serving,
      auth,
      space: this.space,
      stats: this.stats,
      metrics: this.metrics,
      logger,
    }
    this.clients = new Clients(parts)
    this.#handshake = new Handshake(parts, this.clients, config)
    const committed = ports.ensemble && new CommittedLog(500, recovered.lastZxid)
    for (const entry of recovered.recent ?? []) committed?.add(entry)
    this.#firstBytes = new FirstBytes(parts, this.clients, words)
    this.#applyLoop = new ApplyLoop({
      ...parts,
      changes: prep.changes,
      clients: this.clients,
      writePath: this.#writePath,
      committed,
      digestLog: this.digestLog,
    })
    this.#reaper = new Reaper(this.tree, config, ports.clock.mono)
    this.snapshotter = new Snapshotter({
      config,
      tree: this.tree,
      sessions: this.sessions,
      metrics: this.metrics,
      logger,
      seed: ports.clock.wall,
    })
    if (ports.ensemble === undefined || committed === undefined) {
      this.#writePath.start(recovered.lastZxid, undefined)
      this.#serving.beginDeciding('standalone', true)
    } else {
      const { ensemble, epochs, disk } = ports.ensemble
      const replica = new MemberReplica(
        {
          ...this,
          ensemble,
          disk,
          rules: loadRulesOf(config, true),
          leaderServes: true,
          lane: this.#lane,
          committedLog: committed,
          changes: prep.changes,
          handshake: this.#handshake,
          serving: this.#serving,
          writePath: this.#writePath,
          applyLoop: this.#applyLoop,
          logger,
        },
        recovered.lastZxid,
      )
      this.links = new PeerLinks()
      this.peer = new QuorumPeer(
        { ensemble, replica, links: this.links, epochs, logger },
        ports.clock.mono,
      )
    }
    // So that the next start has less to replay, and the logs before it can be purged.
    if (recovered.isSnapshotCurrent === false) this.snapshotter.request()
  }

  readonly #onEvent = (bytes: number): void => {
    this.metrics.watchBytes.add(bytes)
    this.stats.packetsSent += 1
  }

  #logExcess(path: string, excess: QuotaExcess): void {
    const namespace = path.split('/')[1] ?? ''
    const isRefused = excess.kind === 'hard' && this.config.enforceQuota
    if (isRefused) this.metrics.quotaExceededErrorPerNamespace.add(namespace, 1)
    if (this.clock.mono < this.#nextExcessLogMono) {
      this.#excessesUntold += 1
      return
    }
    this.#nextExcessLogMono = this.clock.mono + EXCESS_LOG_INTERVAL_MS
    this.#logger.warn('quota exceeded', { path, ...excess, untold: this.#excessesUntold })
    this.#excessesUntold = 0
  }

  /** Writes down the time, and does what has become due. Milliseconds. */
  advance(mono: number, wall: number): void {
    this.clock.mono = mono
    this.clock.wall = wall
    if (mono < this.#nextAdvanceMono) return
    this.#nextAdvanceMono = mono + ADVANCE_INTERVAL_MS
    this.peer?.advance(mono)
    this.#firstBytes.closeSilent()
    if (!this.#serving.decides) return
    this.#closeExpiredSessions()
    for (const path of this.#reaper.take(mono, wall)) this.#reap(path)
  }

  #closeExpiredSessions(): void {
    for (const session of this.sessions.takeExpired(this.clock.mono)) {
      this.#logger.info('session expired', {
        session: formatSessionId(session.id),
        timeoutMs: session.timeoutMs,
      })
      this.metrics.staleSessionsExpired.add(1)
      session.closing = true
      this.#submitOwn(OpCode.closeSession, session.id, NO_BODY)
    }
  }

  #reap(path: string): void {
    const w = new JuteWriter(path.length * 3 + 4)
    w.writeString(path)
    this.#submitOwn(OpCode.deleteContainer, 0n, w.bytes())
  }

  /** A write that no client has asked for. */
  #submitOwn(op: number, sessionId: bigint, body: Buffer): void {
    const request = serverRequest(op, sessionId)
    this.#writePath.submit(request, new JuteReader(body), this.clock.wall, undefined)
  }

  onClientOpened(id: CnxnId, address: string, port: number): void {
    const cnxn = new Cnxn(
      id,
      address,
      port,
      this.#limits.frameBytesMax,
      this.clock.mono,
      this.clock.wall,
    )
    this.#firstBytes.onOpened(cnxn)
  }

  /** `bytes` are borrowed until the call returns. */
  onClientBytes(id: CnxnId, bytes: Buffer): void {
    const cnxn = this.clients.get(id)
    if (cnxn === undefined) return
    if (cnxn.state === 'fresh') this.#firstBytes.onBytes(cnxn, bytes)
    else cnxn.splitter.push(bytes)
    if (cnxn.state === 'handshake') this.#handshake.serve(cnxn)
    if (cnxn.state === 'open') this.clients.serve(cnxn)
    this.clients.pauseIfBehind(cnxn)
  }

  onClientClosed(id: CnxnId): void {
    const cnxn = this.clients.get(id)
    if (cnxn !== undefined) this.clients.forget(cnxn)
  }

  /** The socket holds this many bytes that the client does not take. */
  onClientClogged(id: CnxnId, waitingBytes: number): void {
    const cnxn = this.clients.get(id)
    if (cnxn === undefined) return
    cnxn.unsentBytes = waitingBytes
    if (waitingBytes <= this.#limits.replyBytesMax) return
    this.#logger.warn('client does not read what it is sent, cutting it off', {
      session: formatSessionId(cnxn.sessionId),
      address: cnxn.address,
      waitingBytes,
    })
    this.metrics.connectionDropCount.add(1)
    this.clients.close(cnxn, true)
  }

  /** The client has taken everything. */
  onClientDrained(id: CnxnId): void {
    const cnxn = this.clients.get(id)
    if (cnxn !== undefined) cnxn.unsentBytes = 0
  }

  onDurable(batch: DiskBatch): void {
    this.#lane.onDurable(batch)
    if (batch.lastZxid > 0) this.#writePath.onLogged(batch.lastZxid)
    this.#applyLoop.run(this.clock.mono)
  }

  /** Begins to look for a leader; a standalone server has none to look for. */
  start(): void {
    this.peer?.start()
  }

  /** Leaves the ensemble, so that the others need not find out by themselves that we are gone. */
  leave(): void {
    this.peer?.close()
  }

  get role(): ServingRole {
    return this.#serving.role
  }

  onLinkAccepted(link: LinkId, port: LinkPort): void {
    this.peer?.onLinkAccepted(link, port)
  }

  onLinkOpened(link: LinkId): void {
    this.peer?.onLinkOpened(link)
  }

  /** `bytes` are borrowed until the call returns. */
  onLinkBytes(link: LinkId, bytes: Buffer): void {
    this.peer?.onLinkBytes(link, bytes)
    this.#applyLoop.run(this.clock.mono)
  }

  onLinkClosed(link: LinkId): void {
    this.links?.onNothingWaits(link)
    this.peer?.onLinkClosed(link)
  }

  onLinkDrained(link: LinkId): void {
    this.links?.onNothingWaits(link)
    this.peer?.onLinkDrained(link)
  }

  /** What was gathered for learners in this turn is to leave now. */
  flushPeer(): void {
    this.peer?.flush()
  }

  /** The last thing of a turn before its effects are taken. */
  endTurn(): void {
    this.clients.resumeWaiting()
    // A sync with nothing before it waits for no disk; and one may just have been read.
    this.#applyLoop.run(this.clock.mono)
    if (this.peer !== undefined) this.#writePath.giveUpBeforeOverflow()
  }

  takeDiskBatch(): DiskBatch | undefined {
    const batch = this.#lane.take()
    if (batch === undefined) return undefined
    if (batch.txns > 0) this.metrics.syncProcessorBatchSize.add(batch.txns)
    const rolls = this.snapshotter.onLogged(batch.txns, batch.bytes)
    return rolls ? { ...batch, ops: [...batch.ops, { kind: 'rollLog' }] } : batch
  }

  /** The next step of the snapshot that is being written, if one is. */
  takeSnapshotOp(): SnapshotOp | undefined {
    return this.snapshotter.takeOp(this.clock.mono)
  }

  /** So many bytes are free on the disk of the log. */
  onFreeSpace(bytes: number): void {
    this.space.onMeasured(bytes)
  }

  onSnapshotOpDone(problem: string | undefined): void {
    this.snapshotter.onDone(problem, this.clock.mono)
  }

  get touchedClients(): number {
    return this.#outbox.touched
  }

  takeClientWrites(): readonly ClientWrite[] {
    return this.#outbox.take()
  }

  onWritesTaken(held: boolean): void {
    this.#outbox.recycle(held)
  }

  get clientEffects(): ClientEffects {
    return this.clients.effects
  }

  onEffectsTaken(): void {
    this.clients.effects.closes.length = 0
    this.clients.effects.pauses.clear()
  }

  /** There is work left that no event will announce. */
  get wantsTurn(): boolean {
    return this.clients.hasReady || this.clients.effects.closes.length > 0
  }
}

const NO_BODY: Buffer = Buffer.alloc(0)
