import { JuteReader, JuteWriter } from 'jute-ts'
import { checkLimits, type Limits, WATCHES_SWEPT_PER_TURN } from '../base/limits.ts'
import type { Logger } from '../base/logger.ts'
import type { ThrottledLog } from '../base/throttled-log.ts'
import type { TurnClock } from '../base/turn-clock.ts'
import type { Config } from '../config/config.ts'
import { OpCode } from '../data/op-code.ts'
import { formatSessionId } from '../data/session-id.ts'
import type { SnapshotOp } from '../persistence/disk.ts'
import type { LinkEvents, LinkId, LinkPort } from '../quorum/ports/links.ts'
import type { DataTree } from '../tree/data-tree.ts'
import { AdminDatabase } from './admin-database.ts'
import type { FreeSpace } from './bounds/free-space.ts'
import type { HeapRoom } from './bounds/heap-room.ts'
import { defaultMemberBounds, type MemberBounds } from './bounds/member-bounds.ts'
import { type ClientEffects, Clients } from './clients/clients.ts'
import { Cnxn, type CnxnId } from './clients/cnxn.ts'
import { FirstBytes, type FourLetterWords } from './clients/first-bytes.ts'
import { Handshake } from './clients/handshake.ts'
import type { ClientWrite, Outbox } from './clients/outbox.ts'
import type { Watches } from './clients/watches.ts'
import { WordAnswers } from './clients/word-answers.ts'
import { type EnsembleView, ensembleViewOf } from './ensemble/ensemble-view.ts'
import { type EnsemblePorts, Peering } from './ensemble/peering.ts'
import type { ReplicaParts } from './ensemble/replica.ts'
import { type MemberParts, type MemberPorts, makeParts } from './member-parts.ts'
import { PauseWatch } from './pause-watch.ts'
import { SessionExpiry } from './sessions/session-expiry.ts'
import type { SessionTracker } from './sessions/session-tracker.ts'
import type { ServerMetrics } from './stats/server-metrics.ts'
import type { ServerStats } from './stats/server-stats.ts'
import type { DiskBatch, DiskLane } from './storage/disk-lane.ts'
import { loadRulesOf } from './storage/load.ts'
import type { Recovered } from './storage/recovered.ts'
import { Snapshotter } from './storage/snapshotter.ts'
import { ApplyLoop } from './writes/apply-loop.ts'
import { DigestLog } from './writes/digest-log.ts'
import { Reaper } from './writes/reaper.ts'
import type { Serving, ServingRole } from './writes/serving.ts'
import { serverRequest, type WritePath } from './writes/write-path.ts'

/** How often deadlines are looked at when nothing else happens; the shell calls in at least so often. */
export const ADVANCE_INTERVAL_MS = 50

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
  readonly stats: ServerStats
  readonly metrics: ServerMetrics
  readonly digestLog: DigestLog = new DigestLog()
  readonly clients: Clients
  readonly startedMono: number
  readonly snapshotter: Snapshotter
  readonly space: FreeSpace
  readonly database: AdminDatabase
  /** Undefined on a standalone server. */
  readonly peering: Peering | undefined
  /** What operators are told of that. */
  readonly ensembleView: EnsembleView | undefined
  readonly #limits: Limits
  readonly #bounds: MemberBounds
  readonly #logger: Logger
  readonly #throttledLog: ThrottledLog
  readonly #heap: HeapRoom
  readonly #outbox: Outbox
  readonly #lane: DiskLane
  readonly #writePath: WritePath
  readonly #serving: Serving
  readonly #applyLoop: ApplyLoop
  readonly #handshake: Handshake
  readonly #firstBytes: FirstBytes
  readonly #answers: WordAnswers
  readonly #reaper: Reaper
  readonly #expiry: SessionExpiry
  readonly #pauses = new PauseWatch()
  #nextAdvanceMono = 0

  constructor(ports: MemberPorts, recovered: Recovered, words: FourLetterWords) {
    const { config, limits, logger } = ports
    checkLimits(limits)
    const parts = makeParts(ports, recovered)
    this.config = config
    this.clock = parts.clock
    this.tree = parts.tree
    this.sessions = parts.sessions
    this.watches = parts.watches
    this.stats = parts.stats
    this.metrics = parts.metrics
    this.space = parts.space
    this.#heap = parts.heap
    this.startedMono = ports.clock.mono
    this.#limits = limits
    this.#bounds = ports.bounds ?? defaultMemberBounds
    this.#logger = logger
    this.#throttledLog = parts.throttledLog
    this.#outbox = parts.outbox
    this.#lane = parts.lane
    this.#writePath = parts.writePath
    this.#serving = parts.serving
    this.clients = new Clients(parts)
    this.#handshake = new Handshake(parts, this.clients, config)
    this.#answers = new WordAnswers(parts, this.clients)
    this.#firstBytes = new FirstBytes(parts, this.clients, words, this.#answers)
    const { changes } = parts.prep
    const { digestLog, clients } = this
    this.#applyLoop = new ApplyLoop({ ...parts, changes, clients, digestLog })
    this.#expiry = new SessionExpiry(parts, (id) => {
      this.#submitOwn(OpCode.closeSession, id, NO_BODY)
    })
    this.#reaper = new Reaper(this.tree, config, ports.clock.mono)
    this.snapshotter = new Snapshotter({
      ...parts,
      config,
      sliceBytes: this.#bounds.sliceBytes,
      seed: ports.clock.wall,
    })
    const { snapshotter } = this
    this.database = new AdminDatabase({ ...parts, config, clients, snapshotter })
    this.peering = this.#joinEnsemble(ports.ensemble, parts, recovered.lastZxid)
    this.ensembleView =
      this.peering === undefined ? undefined : ensembleViewOf(this.peering, parts.serving)
    // So that the next start has less to replay, and the logs before it can be purged.
    if (recovered.isSnapshotCurrent === false) this.snapshotter.request()
  }

  /** A standalone server is the leader of an ensemble of one, from the first moment on. */
  #joinEnsemble(
    ports: EnsemblePorts | undefined,
    parts: MemberParts,
    lastZxid: number,
  ): Peering | undefined {
    const { committedLog } = parts
    if (ports === undefined || committedLog === undefined) {
      this.#writePath.start(lastZxid, undefined)
      this.#serving.beginDeciding('standalone', true)
      return undefined
    }
    const replicaParts: ReplicaParts = {
      ...parts,
      committedLog,
      ensemble: ports.ensemble,
      disk: ports.disk,
      rules: loadRulesOf(this.config, true),
      leaderServes: this.config.leaderServes,
      changes: parts.prep.changes,
      clients: this.clients,
      handshake: this.#handshake,
      applyLoop: this.#applyLoop,
      snapshotter: this.snapshotter,
      sliceBytes: this.#bounds.sliceBytes,
    }
    return new Peering(ports, replicaParts, this.#bounds, lastZxid)
  }

  /** Writes down the time, and does what has become due. Milliseconds. */
  advance(mono: number, wall: number): void {
    this.clock.mono = mono
    this.clock.wall = wall
    const pausedMs = this.#pauses.onTime(mono)
    if (pausedMs > 0) this.#onPaused(pausedMs)
    if (mono < this.#nextAdvanceMono || !this.#pauses.isInputRead) return
    this.#nextAdvanceMono = mono + ADVANCE_INTERVAL_MS
    this.peering?.advance(mono)
    this.#firstBytes.closeSilent()
    this.#throttledLog.advance()
    this.clients.touchUnheard()
    if (!this.#serving.decides) return
    for (const path of this.#reaper.take(mono, wall)) this.#reap(path)
  }

  /**
   * This process has stood still, and could hear nobody: that is nobody's fault. Sessions get the time
   * back, and no deadline is looked at before what has arrived meanwhile was read.
   */
  #onPaused(ms: number): void {
    const { mono } = this.clock
    this.#logger.warn('this process has stood still', { ms: Math.round(ms) })
    this.sessions.onPaused(ms)
    this.peering?.onPaused(mono, ms)
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
    // What follows a four-letter word is nothing to us.
    if (cnxn === undefined || cnxn.state === 'answering') return
    if (cnxn.state === 'fresh') this.#firstBytes.onBytes(cnxn, bytes)
    else cnxn.splitter.push(bytes)
    if (cnxn.state === 'handshake') this.#handshake.serve(cnxn)
    if (cnxn.state === 'open') this.clients.serve(cnxn)
    this.clients.pauseIfBehind(cnxn)
  }

  /** The socket is gone, whoever has closed it; the last that is told of it. */
  onClientClosed(id: CnxnId): void {
    this.clients.onGone(id)
  }

  /**
   * The socket holds this many bytes that the client does not take. One reply may be of any size:
   * what was read for it is there, and a client that could never have it could not even clean up.
   */
  onClientClogged(id: CnxnId, waitingBytes: number): void {
    const cnxn = this.clients.get(id)
    if (cnxn === undefined) return
    cnxn.unsentBytes = waitingBytes
    if (waitingBytes - cnxn.largeReplyBytes <= this.#limits.replyBytesMax) return
    this.#throttledLog.warn('client does not read what it is sent, cutting it off', {
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
    if (cnxn === undefined) return
    cnxn.unsentBytes = 0
    cnxn.largeReplyBytes = 0
  }

  onDurable(batch: DiskBatch): void {
    this.#lane.onDurable(batch)
    if (batch.lastZxid > 0) this.#writePath.onLogged(batch.lastZxid)
    this.#applyLoop.run(this.clock.mono)
  }

  /** Begins to look for a leader; a standalone server has none to look for. */
  start(): void {
    this.peering?.start()
  }

  /** Leaves the ensemble: the others need not find out by themselves that we are gone. */
  leave(): void {
    this.peering?.close()
  }

  get role(): ServingRole {
    return this.#serving.role
  }

  onLinkAccepted(link: LinkId, port: LinkPort): void {
    this.peering?.onLinkAccepted(link, port)
  }

  onLinkOpened(link: LinkId): void {
    this.peering?.onLinkOpened(link)
  }

  /** `bytes` are borrowed until the call returns. */
  onLinkBytes(link: LinkId, bytes: Buffer): void {
    this.peering?.onLinkBytes(link, bytes)
    this.#applyLoop.run(this.clock.mono)
  }

  onLinkClosed(link: LinkId): void {
    this.peering?.onLinkClosed(link)
  }

  onLinkDrained(link: LinkId): void {
    this.peering?.onLinkDrained(link)
  }

  /** The last thing of a turn before its effects are taken. */
  endTurn(): void {
    this.clients.resumeWaiting()
    this.#answers.run()
    if (this.watches.table.hasGone) this.watches.table.sweep(WATCHES_SWEPT_PER_TURN)
    this.#pauses.onTurnEnd()
    if (this.#serving.decides && this.#pauses.isInputRead) this.#expiry.run(this.clock.mono)
    // A sync with nothing before it waits for no disk; and one may just have been read.
    this.#applyLoop.run(this.clock.mono)
    if (this.peering !== undefined) this.#writePath.giveUpBeforeOverflow()
  }

  takeDiskBatch(): DiskBatch | undefined {
    const batch = this.#lane.take(this.clock.mono)
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

  /** So many bytes of the heap are in use, of so many. */
  onHeap(usedBytes: number, limitBytes: number): void {
    this.#heap.onMeasured(usedBytes, limitBytes)
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
    const { hasReady, effects } = this.clients
    // A learner that takes all it is sent at once makes no event by which the leader could go on.
    if (this.#answers.hasReady || this.watches.table.hasGone) return true
    if (this.#serving.decides && this.#expiry.hasMore) return true
    return hasReady || effects.closes.length > 0 || this.peering?.leader?.wantsTurn === true
  }
}

const NO_BODY: Buffer = Buffer.alloc(0)
