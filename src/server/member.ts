import { checkLimits, WATCHES_SWEPT_PER_TURN } from '../base/limits.ts'
import type { Logger } from '../base/logger.ts'
import type { TurnClock } from '../base/turn-clock.ts'
import type { Config } from '../config/config.ts'
import type { SnapshotOp } from '../persistence/disk.ts'
import type { LinkEvents, LinkId, LinkPort } from '../quorum/ports/links.ts'
import type { DataTree } from '../tree/data-tree.ts'
import type { AdminDatabase } from './admin-database.ts'
import type { Answer } from './auth/provider.ts'
import type { ClientEffects, Connections } from './clients/connections.ts'
import type { FourLetterWords } from './clients/first-bytes.ts'
import type { ClientWrite } from './clients/outbox.ts'
import type { AskedQuestion, QuestionId } from './clients/questions.ts'
import type { SocketEvents } from './clients/socket-events.ts'
import type { Watches } from './clients/watches.ts'
import { type EnsembleView, ensembleViewOf } from './ensemble/ensemble-view.ts'
import type { Peering } from './ensemble/peering.ts'
import { PauseWatch } from './pause-watch.ts'
import type { SessionTracker } from './sessions/session-tracker.ts'
import { DiskTimes } from './stats/disk-times.ts'
import type { ServerMetrics } from './stats/server-metrics.ts'
import type { ServerStats } from './stats/server-stats.ts'
import type { DiskBatch } from './storage/disk-lane.ts'
import type { Recovered } from './storage/recovered.ts'
import type { Snapshotter } from './storage/snapshotter.ts'
import { type MemberPorts, type Wired, wire } from './wiring.ts'
import type { DigestLog } from './writes/digest-log.ts'
import type { ServingRole } from './writes/serving.ts'

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
  readonly digestLog: DigestLog
  readonly clients: Connections
  /** What the sockets of clients tell goes here, without a detour. */
  readonly sockets: SocketEvents
  readonly startedMono: number
  readonly snapshotter: Snapshotter
  readonly database: AdminDatabase
  /** Undefined on a standalone server. */
  readonly peering: Peering | undefined
  /** What operators are told of that. */
  readonly ensembleView: EnsembleView | undefined
  readonly #parts: Wired
  readonly #logger: Logger
  readonly #diskTimes: DiskTimes
  /** In an ensemble. */
  readonly #self: number | undefined
  readonly #pauses = new PauseWatch()
  #nextAdvanceMono = 0

  constructor(ports: MemberPorts, recovered: Recovered, words: FourLetterWords) {
    checkLimits(ports.limits)
    const parts = wire(ports, recovered, words)
    const { peering, serving, snapshotter } = parts
    this.#parts = parts
    this.#logger = ports.logger
    this.config = ports.config
    this.startedMono = ports.clock.mono
    this.clock = parts.clock
    this.tree = parts.tree
    this.sessions = parts.sessions
    this.watches = parts.watches
    this.stats = parts.stats
    this.metrics = parts.metrics
    this.#diskTimes = new DiskTimes(parts.metrics)
    this.#self = ports.ensemble?.membership.self.sid
    this.digestLog = parts.digestLog
    this.clients = parts.connections
    this.sockets = parts.sockets
    this.snapshotter = snapshotter
    this.database = parts.database
    this.peering = peering
    this.ensembleView = peering && ensembleViewOf(peering, serving)
    // So that the next start has less to replay, and the logs before it can be purged.
    if (recovered.isSnapshotCurrent === false) snapshotter.request()
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
    const { firstBytes, throttledLog, intake, serving, reaper, ownWrites } = this.#parts
    firstBytes.closeSilent()
    throttledLog.advance()
    intake.touchUnheard()
    if (!serving.decides) return
    for (const path of reaper.take(mono, wall)) ownWrites.deleteContainer(path)
  }

  /**
   * This process has stood still, and could hear nobody: that is nobody's fault. Sessions get the time
   * back, and no deadline is looked at before what has arrived meanwhile was read.
   */
  #onPaused(ms: number): void {
    const { mono } = this.clock
    this.#logger.warn('this process has stood still', { ms: Math.round(ms) })
    this.metrics.jvmPauseTimeMs.add(Math.round(ms))
    this.sessions.onPaused(ms)
    this.peering?.onPaused(mono, ms)
  }

  /** What the shell is to find out for clients, each of which waits for `onAnswered`. */
  takeQuestions(): readonly AskedQuestion[] {
    return this.#parts.questions.take()
  }

  /** In whatever order, and in a turn of its own. */
  onAnswered(id: QuestionId, answer: Answer): void {
    const { auth, intake } = this.#parts
    const cnxn = auth.onAnswered(id, answer)
    if (cnxn !== undefined) intake.resume(cnxn)
  }

  onDurable(batch: DiskBatch): void {
    const leader = this.role === 'leading' ? this.#self : undefined
    this.#diskTimes.onDurable(batch, this.clock.mono, leader)
    this.#parts.lane.onDurable(batch)
    if (batch.lastZxid > 0) this.#parts.writePath.onLogged(batch.lastZxid)
    this.#parts.applyLoop.run(this.clock.mono)
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
    return this.#parts.serving.role
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
    this.#parts.applyLoop.run(this.clock.mono)
  }

  onLinkClosed(link: LinkId): void {
    this.peering?.onLinkClosed(link)
  }

  onLinkDrained(link: LinkId): void {
    this.peering?.onLinkDrained(link)
  }

  /** The last thing of a turn before its effects are taken. */
  endTurn(): void {
    this.#parts.intake.resumeWaiting()
    this.#parts.wordAnswers.run()
    if (this.watches.table.hasGone) this.watches.table.sweep(WATCHES_SWEPT_PER_TURN)
    this.#pauses.onTurnEnd()
    if (this.#parts.serving.decides && this.#pauses.isInputRead)
      this.#parts.expiry.run(this.clock.mono)
    // A sync with nothing before it waits for no disk; and one may just have been read.
    this.#parts.applyLoop.run(this.clock.mono)
    this.peering?.goOn()
    // For what commits until the next turn ends.
    this.#parts.applyBudget.refill()
    if (this.peering !== undefined) this.#parts.writePath.giveUpBeforeOverflow()
  }

  takeDiskBatch(): DiskBatch | undefined {
    const batch = this.#parts.lane.take(this.clock.mono)
    if (batch === undefined) return undefined
    this.#diskTimes.onTaken(batch)
    const rolls = this.snapshotter.onLogged(batch.txns, batch.bytes)
    return rolls ? { ...batch, ops: [...batch.ops, { kind: 'rollLog' }] } : batch
  }

  /** The next step of the snapshot that is being written, if one is. */
  takeSnapshotOp(): SnapshotOp | undefined {
    return this.snapshotter.takeOp(this.clock.mono)
  }

  /** So many bytes are free on the disk of the log. */
  onFreeSpace(bytes: number): void {
    this.#parts.space.onMeasured(bytes)
  }

  /** So many bytes of the heap are in use, of so many. */
  onHeap(usedBytes: number, limitBytes: number): void {
    this.#parts.heap.onMeasured(usedBytes, limitBytes)
  }

  onSnapshotOpDone(problem: string | undefined): void {
    this.snapshotter.onDone(problem, this.clock.mono)
  }

  get touchedClients(): number {
    return this.#parts.outbox.touched
  }

  takeClientWrites(): readonly ClientWrite[] {
    return this.#parts.outbox.take()
  }

  onWritesTaken(held: boolean): void {
    this.#parts.outbox.recycle(held)
  }

  get clientEffects(): ClientEffects {
    return this.clients.effects
  }

  onEffectsTaken(): void {
    this.clients.effects.closes.length = 0
    this.clients.effects.pauses.clear()
  }

  /** Something is known to have committed, and is not applied: it was too much for one turn. */
  get isApplyBehind(): boolean {
    return this.#parts.applyLoop.hasMore || this.peering?.isLearnerBehind === true
  }

  /** There is work left that no event will announce. */
  get wantsTurn(): boolean {
    const { effects } = this.clients
    // A learner that takes all it is sent at once makes no event by which the leader could go on.
    if (this.#parts.wordAnswers.hasReady || this.watches.table.hasGone) return true
    if (this.#parts.serving.decides && this.#parts.expiry.hasMore) return true
    if (this.isApplyBehind) return true
    return (
      this.#parts.intake.hasReady ||
      effects.closes.length > 0 ||
      this.peering?.leader?.wantsTurn === true
    )
  }
}
