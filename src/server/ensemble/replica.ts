import { JuteReader, JuteWriter } from 'jute-ts'
import { assert } from '../../base/assert.ts'
import { Deque } from '../../base/deque.ts'
import type { Logger } from '../../base/logger.ts'
import type { TurnClock } from '../../base/turn-clock.ts'
import { Err } from '../../data/error-code.ts'
import { OpCode } from '../../data/op-code.ts'
import { CONFIG_PATH } from '../../data/path.ts'
import { readTxnHeader } from '../../data/records.ts'
import { DIGEST_VERSION, readTxn } from '../../data/txn.ts'
import { counterOf, formatZxid, makeZxid } from '../../data/zxid.ts'
import type { DiskReader, Truncation } from '../../persistence/disk.ts'
import { readOrProblem } from '../../persistence/read-or-problem.ts'
import { planTruncation } from '../../persistence/truncation.ts'
import type { CommittedLog } from '../../quorum/leading/committed-log.ts'
import type { Ensemble } from '../../quorum/membership/ensemble.ts'
import type { LinkId } from '../../quorum/ports/links.ts'
import type {
  Entry,
  EpochFile,
  ForwardedRequest,
  HistoryScan,
  LeaderLine,
  Learners,
  Replica,
  SnapshotFeed,
  SnapshotSink,
} from '../../quorum/ports/replica.ts'
import { DataTree } from '../../tree/data-tree.ts'
import { TreeReceiver } from '../../tree/tree-receiver.ts'
import { type FreeSpace, needsRoom } from '../bounds/free-space.ts'
import { type Clients, isSessionMoved } from '../clients/clients.ts'
import type { Handshake } from '../clients/handshake.ts'
import type { SessionTracker } from '../sessions/session-tracker.ts'
import type { ServerMetrics } from '../stats/server-metrics.ts'
import type { DiskLane } from '../storage/disk-lane.ts'
import { readHistory } from '../storage/history.ts'
import { type LoadRules, loadMember, ownData } from '../storage/load.ts'
import { snapshotFeedOf } from '../storage/snapshot-feed.ts'
import type { Snapshotter } from '../storage/snapshotter.ts'
import type { ApplyLoop } from '../writes/apply-loop.ts'
import type { OutstandingChanges } from '../writes/outstanding-changes.ts'
import type { Serving } from '../writes/serving.ts'
import type { OrderedTxn, WritePath } from '../writes/write-path.ts'

export interface ReplicaParts {
  readonly ensemble: Ensemble
  readonly rules: LoadRules
  /** Whether a leader has clients of its own. */
  readonly leaderServes: boolean
  readonly disk: DiskReader
  readonly lane: DiskLane
  readonly tree: DataTree
  readonly sessions: SessionTracker
  readonly committedLog: CommittedLog
  readonly changes: OutstandingChanges
  readonly clients: Clients
  readonly handshake: Handshake
  readonly serving: Serving
  readonly writePath: WritePath
  readonly applyLoop: ApplyLoop
  readonly snapshotter: Snapshotter
  /** Of a snapshot for a learner, in one go. */
  readonly sliceBytes: number
  readonly space: FreeSpace
  readonly metrics: ServerMetrics
  readonly clock: TurnClock
  readonly logger: Logger
}

/** An entry that has been looked into; who waits for it is not known before it is delivered. */
type DecodedEntry = Omit<OrderedTxn, 'origin' | 'entry'> & { readonly entry: Entry }

const DIGEST_BYTES = 12
const SESSION_TOUCH_BYTES = 12

/** As planTruncation, to exactly there. A string says why that cannot be, whatever the reason. */
function planCut(disk: DiskReader, zxid: number): Truncation | string {
  const plan = readOrProblem(() => planTruncation(disk, zxid))
  if (typeof plan === 'string') return plan
  if ('problem' in plan) return plan.problem
  return plan.end === zxid ? plan : `what is there would end with ${formatZxid(plan.end)}`
}

/**
 * The member as Zab sees it: what quorum/ports/replica.ts asks for, made of the parts that a standalone
 * server is made of, too.
 */
export class MemberReplica implements Replica {
  readonly #parts: ReplicaParts
  readonly #reader = new JuteReader()
  /** In the log, by PROPOSAL, and not delivered yet. Bounded by what a learner lets be pending. */
  readonly #undelivered = new Deque<DecodedEntry>()
  /** What problemOf has just decoded, and append or deliver will ask for next. */
  #decoded: DecodedEntry | undefined = undefined
  #lastLoggedZxid: number
  /** Learners that ask after sessions whose closeSession is under way; as many as those have clients. */
  readonly #askedOfClosing = new Map<bigint, Set<LinkId>>()
  /** False: the state came by a SNAP that is not on our disk yet. */
  #isStateOnDisk = true
  /** Counts roles: what one has begun is not to go on in the next. */
  #roleNumber = 0
  /** A TRUNC, or the end of a snapshot that is not wanted any more, is under way. */
  #isUnsettled = false
  /** The role has ended, and what it has logged is not on the disk yet. */
  #isLogBehind = false
  #hasLostState = false

  constructor(parts: ReplicaParts, lastLoggedZxid: number) {
    this.#parts = parts
    this.#lastLoggedZxid = lastLoggedZxid
    this.#showConfig()
    parts.sessions.onRemoved = (id) => this.#onSessionRemoved(id)
  }

  get lastLoggedZxid(): number {
    const { serving, writePath } = this.#parts
    if (serving.role !== 'leading') return this.#lastLoggedZxid
    const last = writePath.proposals.lastProposed
    return counterOf(last) === 0 ? this.#lastLoggedZxid : last
  }

  get lastProcessedZxid(): number {
    return this.#parts.tree.lastProcessedZxid
  }

  get hasLostState(): boolean {
    return this.#hasLostState
  }

  get committedLog(): CommittedLog {
    return this.#parts.committedLog
  }

  append(entry: Entry): void {
    const { lane } = this.#parts
    assert(entry.zxid > this.#lastLoggedZxid, 'the log only grows')
    const at = lane.begin(entry.zxid)
    lane.writer.writeBytes(entry.bytes)
    lane.end(at)
    this.#lastLoggedZxid = entry.zxid
    this.#undelivered.push(this.#decode(entry))
  }

  writeEpoch(file: EpochFile, epoch: number): void {
    this.#parts.lane.push({ kind: 'writeEpoch', file, epoch })
  }

  whenDurable(done: () => void): void {
    this.#parts.lane.whenDurable(done)
  }

  truncate(zxid: number, done: (problem: string | undefined) => void): void {
    const { disk, lane, snapshotter } = this.#parts
    if (zxid === this.#lastLoggedZxid) return lane.whenDurable(() => done(undefined))
    const role = this.#roleNumber
    // A snapshot that is being written may hold what is about to be cut off; and the plan is of what
    // is on the disk, so nothing may be on its way there.
    snapshotter.hold(() =>
      lane.whenDurable(() => {
        if (role !== this.#roleNumber) return snapshotter.release()
        const plan = planCut(disk, zxid)
        if (typeof plan === 'string') {
          snapshotter.release()
          return done(plan)
        }
        // From here on the log is another one, whatever becomes of the role.
        this.#isUnsettled = true
        lane.push({ kind: 'truncateAfter', zxid, plan })
        lane.whenDurable(() => {
          this.#isUnsettled = false
          const problem = this.#reload()
          snapshotter.release()
          assert(
            problem !== undefined || this.#lastLoggedZxid === zxid,
            'a log that was cut ends where the plan says',
          )
          done(problem)
        })
      }),
    )
  }

  /** To what is on the disk. A string says why that cannot be served: it is then lost. */
  #reload(): string | undefined {
    const { disk, rules, logger, tree } = this.#parts
    const loaded = readOrProblem(() => loadMember(disk, rules, logger))
    this.#isStateOnDisk = true
    if (loaded.kind === 'loaded') {
      this.#replaceState(loaded.tree, loaded.sessions, loaded.lastZxid)
      for (const entry of loaded.recent ?? []) this.#parts.committedLog.add(entry)
      this.#hasLostState = false
      return undefined
    }
    const reason = loaded.kind === 'refused' ? `${loaded.file}: ${loaded.reason}` : loaded.problem
    this.#replaceState(new DataTree(tree.ownerRules, tree.digestEnabled), new Map(), 0)
    this.#hasLostState = true
    logger.error('the state on disk cannot be read; no vote before a leader has sent another', {
      reason,
    })
    return reason
  }

  installSnapshot(done: (problem: string | undefined) => void): void {
    const { lane, snapshotter, tree } = this.#parts
    const role = this.#roleNumber
    snapshotter.cancel(() => {
      if (role !== this.#roleNumber) return
      const zxid = tree.lastProcessedZxid
      snapshotter.requestReceived((problem) => {
        if (role !== this.#roleNumber) return
        if (problem !== undefined) return done(problem)
        lane.push({ kind: 'forgetHistory', zxid })
        lane.whenDurable(() => {
          if (role !== this.#roleNumber) return
          this.#isStateOnDisk = true
          this.#hasLostState = false
          // What was delivered beside the log behind the SNAP is in the snapshot, and so on our disk.
          this.#lastLoggedZxid = Math.max(this.#lastLoggedZxid, zxid)
          done(undefined)
        })
      })
    })
  }

  deliver(entry: Entry): void {
    const isNext = this.#undelivered.peek()?.zxid === entry.zxid
    const decoded = isNext ? this.#undelivered.shift() : this.#decode(entry)
    assert(decoded !== undefined, 'a queue that was looked into is not empty')
    this.#deliver(decoded)
  }

  #deliver(decoded: DecodedEntry): void {
    const { applyLoop, clients, serving, clock } = this.#parts
    const { clientId, cxid, txn } = decoded
    let origin = clients.takeOrigin(clientId, cxid, txn.type)
    if (origin !== undefined && isSessionMoved(txn)) {
      serving.forward?.doubt(origin)
      origin = undefined
    }
    applyLoop.apply({ ...decoded, origin }, clock.mono)
  }

  /** Why an entry can neither be logged nor delivered here; undefined: it can. */
  problemOf(entry: Entry): string | undefined {
    const decoded = this.#tryDecode(entry)
    if (decoded === undefined) return `txn ${formatZxid(entry.zxid)} does not decode`
    this.#decoded = decoded
    return undefined
  }

  #decode(entry: Entry): DecodedEntry {
    if (this.#decoded?.entry === entry) return this.#decoded
    const decoded = this.#tryDecode(entry)
    assert(decoded !== undefined, `txn ${formatZxid(entry.zxid)} does not decode`)
    return decoded
  }

  #tryDecode(entry: Entry): DecodedEntry | undefined {
    const r = this.#reader.reset(entry.bytes)
    const { clientId, cxid, zxid, time, type } = readTxnHeader(r)
    const txn = r.ok && zxid === entry.zxid ? readTxn(r, type) : undefined
    if (txn === undefined || !r.ok) return undefined
    let digest: OrderedTxn['digest']
    if (r.remaining === DIGEST_BYTES && r.readInt() === DIGEST_VERSION)
      digest = { high: r.readInt() >>> 0, low: r.readInt() >>> 0 }
    return { clientId, cxid, zxid, time, txn: ownData(txn), digest, entry }
  }

  receiveSnapshot(zxid: number): SnapshotSink {
    const { tree } = this.#parts
    const received = new DataTree(tree.ownerRules, tree.digestEnabled)
    const receiver = new TreeReceiver(received)
    this.#parts.applyLoop.isTreeFuzzy = true
    return {
      push: (bytes) => {
        const result = receiver.push(bytes)
        if (typeof result !== 'number') return result
        received.lastProcessedZxid = zxid
        received.quota.recountAll()
        this.#replaceState(received, receiver.loaded.sessions, zxid)
        this.#isStateOnDisk = false
        return result
      },
    }
  }

  #replaceState(tree: DataTree, sessions: ReadonlyMap<bigint, number>, zxid: number): void {
    const { committedLog, sessions: tracker, clock, changes } = this.#parts
    changes.clear()
    this.#parts.tree.adopt(tree)
    tracker.replaceAll(sessions, clock.mono)
    committedLog.clear(zxid)
    this.#undelivered.clear()
    this.#lastLoggedZxid = zxid
    this.#showConfig()
  }

  /** Every member shows what it was configured with; no txn says so (spec 05 §2). */
  #showConfig(): void {
    const { tree, ensemble, clock } = this.#parts
    const znode = tree.node(CONFIG_PATH)
    if (znode === undefined) return
    tree.setData(znode, Buffer.from(ensemble.configText))
    // A write of no version, as the original shows it.
    znode.version = -1
    znode.mzxid = ensemble.configVersion
    znode.mtime = clock.wall
  }

  feedSnapshot(): SnapshotFeed {
    return snapshotFeedOf(this.#parts.tree, this.#parts.sessions, this.#parts.sliceBytes)
  }

  readHistory(fromZxid: number, isUnderWay: boolean): HistoryScan | undefined {
    const { disk, ensemble, committedLog } = this.#parts
    const sizeFactor = isUnderWay ? 0 : ensemble.snapshotSizeFactor
    return readHistory(disk, fromZxid, committedLog.minZxid, sizeFactor)
  }

  startLeading(epoch: number, learners: Learners): void {
    const { tree, writePath, sessions, serving, clock, changes, leaderServes } = this.#parts
    assert(changes.length === 0, 'changes of an earlier role are outstanding')
    const zxid = makeZxid(epoch, 0)
    assert(zxid > tree.lastProcessedZxid, 'a new epoch begins above all that was')
    tree.lastProcessedZxid = zxid
    writePath.start(zxid, learners)
    sessions.rearm(clock.mono)
    serving.beginDeciding('leading', leaderServes)
  }

  startLearning(role: 'following' | 'observing', epoch: number, leader: LeaderLine): void {
    const { tree, sessions, serving, applyLoop, clients, handshake } = this.#parts
    // A client that has seen the leader at the start of its epoch must be let in here, too.
    tree.lastProcessedZxid = Math.max(tree.lastProcessedZxid, makeZxid(epoch, 0))
    applyLoop.isTreeFuzzy = false
    sessions.gatherTouched(true)
    serving.beginForwarding(role, leader, {
      onSynced: (origin) => clients.onSynced(origin),
      onReturned: (id, isAlive) => {
        clients.onReturning(id)
        handshake.onRevalidated(id, isAlive)
      },
      onUnanswered: (origin) => clients.onUnanswered(origin),
    })
  }

  stop(): void {
    const { clients, serving, sessions, writePath, snapshotter, changes } = this.#parts
    this.#lastLoggedZxid = this.lastLoggedZxid
    const left = writePath.stop().filter((ordered) => 'txn' in ordered)
    serving.end()
    this.#askedOfClosing.clear()
    clients.closeAll()
    sessions.gatherTouched(false)
    this.#roleNumber += 1
    this.#parts.applyLoop.isTreeFuzzy = false
    // What was delivered in this role need not be committed: a leader says so before it has a quorum.
    // The next leader may cut it off, and a snapshot that holds it would be none of what is left.
    snapshotter.restart()
    this.#awaitLog()
    // The TRUNC ends with the state that is then on the disk.
    if (this.#isUnsettled) return
    if (!this.#isStateOnDisk) return this.#giveUpSnapshot()
    for (const ordered of left) this.#apply({ ...ordered, origin: undefined })
    for (let next = this.#undelivered.shift(); next; next = this.#undelivered.shift())
      this.#apply({ ...next, origin: undefined })
    changes.clear()
  }

  /**
   * A member whose disk hangs can promise nothing, and must not be elected: its vote would be for what
   * it has handed to its log. It would be for it that the others wait.
   */
  #awaitLog(): void {
    const { lane } = this.#parts
    if (!lane.isBusy || this.#isLogBehind) return
    this.#isLogBehind = true
    lane.whenDurable(() => {
      this.#isLogBehind = false
    })
  }

  get isSettled(): boolean {
    return !this.#isUnsettled && !this.#isLogBehind
  }

  /**
   * The state that came by SNAP is not on our disk, or not known to be: what is there is our history.
   * If the snapshot has made it, it is that, and what was before must go as if the role had not ended.
   */
  #giveUpSnapshot(): void {
    const { snapshotter, lane, disk } = this.#parts
    this.#isUnsettled = true
    const end = (): void => {
      this.#isUnsettled = false
      this.#reload()
      snapshotter.release()
    }
    snapshotter.hold(() =>
      lane.whenDurable(() => {
        const [received] = disk.listReceived()
        if (received === undefined) return end()
        lane.push({ kind: 'forgetHistory', zxid: received.zxid })
        lane.whenDurable(end)
      }),
    )
  }

  #apply(ordered: OrderedTxn): void {
    this.#parts.applyLoop.apply(ordered, this.#parts.clock.mono)
  }

  outstanding(): readonly Entry[] {
    const entries: Entry[] = []
    for (const ordered of this.#parts.writePath.proposals.outstanding())
      if ('entry' in ordered && ordered.entry !== undefined) entries.push(ordered.entry)
    return entries
  }

  onAck(sid: number, zxid: number): void {
    this.#parts.writePath.proposals.onAck(sid, zxid)
  }

  withdrawAcks(sid: number, zxid: number): void {
    this.#parts.writePath.proposals.withdrawAcks(sid, zxid)
  }

  onConfirmed(round: number): void {
    this.#parts.writePath.proposals.onConfirmed(round)
  }

  onForwarded(request: ForwardedRequest): void {
    const { writePath, clock, space, metrics } = this.#parts
    const { link, sessionId, cxid, op, ids } = request
    if (op === OpCode.sync) return writePath.syncOf(link)
    const write = { sessionId, cxid, op, ids, owner: link }
    // As for a client of our own; but one that is connected to another member waits for a txn.
    if (space.isLow && needsRoom(op)) {
      metrics.writesRefused.add('low_space', 1)
      return writePath.refuse(write, Err.systemError, clock.wall)
    }
    writePath.submit(write, new JuteReader(request.body), clock.wall, undefined)
  }

  onTouched(sessionId: bigint): void {
    const { sessions, clock } = this.#parts
    const session = sessions.get(sessionId)
    if (session !== undefined) sessions.touch(session, clock.mono)
  }

  revalidate(link: LinkId, sessionId: bigint, timeoutMs: number): boolean | undefined {
    const { serving, writePath } = this.#parts
    const isValid = serving.claim(sessionId, timeoutMs, link)
    if (isValid === true) return writePath.revalidatedOf(link, sessionId) ? true : undefined
    if (isValid === undefined) {
      const links = this.#askedOfClosing.get(sessionId) ?? new Set()
      this.#askedOfClosing.set(sessionId, links.add(link))
    }
    return isValid
  }

  #onSessionRemoved(sessionId: bigint): void {
    const links = this.#askedOfClosing.get(sessionId)
    if (links === undefined) return
    this.#askedOfClosing.delete(sessionId)
    for (const link of links)
      this.#parts.writePath.learners?.sendRevalidated(link, sessionId, false)
  }

  takeTouched(): Buffer {
    const touched = this.#parts.sessions.takeTouched()
    const w = new JuteWriter(touched.length * SESSION_TOUCH_BYTES)
    for (const { id, timeoutMs } of touched) {
      w.writeLong(id)
      w.writeInt(timeoutMs)
    }
    return w.bytes()
  }

  onSynced(): void {
    this.#parts.serving.forward?.onSynced()
  }

  onRevalidated(sessionId: bigint, isValid: boolean): void {
    this.#parts.serving.forward?.onRevalidated(sessionId, isValid)
  }
}
