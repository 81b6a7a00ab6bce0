import { JuteReader, JuteWriter } from 'jute-ts'
import type { Crypto } from '../base/crypto.ts'
import { checkLimits, type Limits } from '../base/limits.ts'
import type { Logger } from '../base/logger.ts'
import { OpCode } from '../data/op-code.ts'
import { firstSessionId, formatSessionId } from '../data/session-id.ts'
import type { SnapshotOp } from '../persistence/disk.ts'
import { MajorityQuorum } from '../quorum/quorum-verifier.ts'
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
import { FirstBytes, type FourLetterWords } from './first-bytes.ts'
import { FreeSpace } from './free-space.ts'
import { Handshake } from './handshake.ts'
import { type ClientWrite, Outbox } from './outbox.ts'
import { Prep } from './prep.ts'
import { Reads } from './reads.ts'
import { Reaper } from './reaper.ts'
import { ServerMetrics } from './server-metrics.ts'
import { ServerStats } from './server-stats.ts'
import { SessionGatekeeper } from './session-gatekeeper.ts'
import { SessionTracker } from './session-tracker.ts'
import { Snapshotter } from './snapshotter.ts'
import { Watches } from './watches.ts'
import { type DiskBatch, serverRequest, WritePath } from './write-path.ts'

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
}

/** What a member is built from. */
export interface MemberPorts {
  readonly config: Config
  readonly limits: Limits
  readonly providers: AuthProviders
  readonly crypto: Crypto
  readonly logger: Logger
  readonly clock: { readonly mono: number; readonly wall: number }
}

/**
 * One ensemble member, as a deterministic object: bytes, marks of durability and the time come in
 * through methods that return at once, effects are taken at the end of the turn. It knows no clock,
 * socket, file, timer or promise.
 */
export class Member {
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
  readonly #writePath: WritePath
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
    const firstId = firstSessionId(STANDALONE_SESSION_SERVER_ID, ports.clock.wall)
    this.sessions = new SessionTracker(firstId, config.tickTimeMs)
    for (const [id, timeoutMs] of recovered.sessions)
      this.sessions.track(id, timeoutMs, ports.clock.mono)
    const gate = new SessionGatekeeper(this.sessions)
    const prep = new Prep(config, this.tree, access, gate)
    const quorum = new MajorityQuorum([STANDALONE_SID])
    this.#writePath = new WritePath(
      prep,
      quorum,
      STANDALONE_SID,
      recovered.lastZxid,
      config.digestEnabled,
      this.metrics,
    )
    this.space = new FreeSpace(config.freeSpaceMinBytes, logger)
    const parts: ClientParts = {
      limits,
      clock: this.clock,
      tree: this.tree,
      outbox: this.#outbox,
      watches: this.watches,
      reads: new Reads(this.tree, this.watches, access, limits.replyBytesMax),
      sessions: this.sessions,
      writePath: this.#writePath,
      auth,
      space: this.space,
      stats: this.stats,
      metrics: this.metrics,
      logger,
    }
    this.clients = new Clients(parts)
    this.#handshake = new Handshake(parts, this.clients, config)
    this.#firstBytes = new FirstBytes(parts, this.clients, words)
    this.#applyLoop = new ApplyLoop({
      ...parts,
      changes: prep.changes,
      clients: this.clients,
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
    this.#closeExpiredSessions()
    this.#firstBytes.closeSilent()
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
    this.#writePath.onDurable(batch)
    this.#applyLoop.run(this.clock.mono)
  }

  /** The last thing of a turn before its effects are taken. */
  endTurn(): void {
    this.clients.resumeWaiting()
    // A sync with nothing before it waits for no disk; and one may just have been read.
    this.#applyLoop.run(this.clock.mono)
  }

  takeDiskBatch(): DiskBatch | undefined {
    const batch = this.#writePath.takeBatch()
    if (batch === undefined) return undefined
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
