import { CommittedLog } from '../../src/quorum/leading/committed-log.ts'
import { Proposals } from '../../src/quorum/leading/proposals.ts'
import { MajorityQuorum, type QuorumSource } from '../../src/quorum/membership/quorum-verifier.ts'
import type { LinkId } from '../../src/quorum/ports/links.ts'
import type {
  AcceptedEntry,
  Entry,
  EpochFile,
  ForwardedRequest,
  HistoryFeed,
  HistoryScan,
  LeaderLine,
  Learners,
  Replica,
  SnapshotFeed,
  SnapshotSink,
} from '../../src/quorum/ports/replica.ts'

/** What survives a crash. */
export interface ReplicaDisk {
  readonly log: readonly Entry[]
  /** The state of the newest snapshot: entries delivered so far. */
  readonly snapshot: { readonly zxid: number; readonly entries: readonly Entry[] }
  readonly acceptedEpoch: number
  readonly currentEpoch: number
}

export interface MemoryReplicaOptions {
  readonly sid?: number
  readonly membership?: QuorumSource
  readonly disk?: Partial<ReplicaDisk>
  /** Entries that the committed log keeps; below 500 they are 500, as everywhere. */
  readonly commitLogCount?: number
  readonly committedLogBytesMax?: number
}

/** What was called, with what the tests look at. */
export type ReplicaCall =
  | { readonly call: 'append' | 'deliver'; readonly zxid: number }
  | { readonly call: 'writeEpoch'; readonly file: EpochFile; readonly epoch: number }
  | { readonly call: 'truncate' | 'receiveSnapshot'; readonly zxid: number }
  | { readonly call: 'readHistory'; readonly zxid: number; readonly isUnderWay: boolean }
  | { readonly call: 'installSnapshot' | 'feedSnapshot' | 'closeFeed' | 'stop' | 'onSynced' }
  | { readonly call: 'startLeading'; readonly epoch: number }
  | {
      readonly call: 'startLearning'
      readonly role: 'following' | 'observing'
      readonly epoch: number
    }
  | { readonly call: 'onAck' | 'withdrawAcks'; readonly sid: number; readonly zxid: number }
  | { readonly call: 'onConfirmed'; readonly round: number }
  | {
      readonly call: 'onForwarded'
      readonly link: LinkId
      readonly sessionId: bigint
      readonly cxid: number
      readonly op: number
      readonly body: string
      readonly ids: readonly string[]
    }
  | { readonly call: 'onTouched'; readonly sessionId: bigint; readonly timeoutMs: number }
  | { readonly call: 'revalidate'; readonly link: LinkId; readonly sessionId: bigint }
  | { readonly call: 'onRevalidated'; readonly sessionId: bigint; readonly isValid: boolean }

/** An entry whose bytes are that text; no TxnHeader, since Zab does not read entries. */
export const textEntry = (zxid: number, text: string = `txn ${zxid.toString(16)}`): Entry => ({
  zxid,
  bytes: Buffer.from(text),
})

/** The zxids of some calls, in order. */
export const zxidsOf = (replica: MemoryReplica, call: 'append' | 'deliver'): number[] =>
  replica.calls.flatMap((c) => (c.call === call ? [c.zxid] : []))

/**
 * A Replica in plain memory. Its state is the set of entries delivered to it; its disk does nothing
 * until `flush` or `flushOne` is called, and forgets at `crashed` what had not been flushed. A
 * snapshot's stream is (1, zxid:long, length:int, bytes)* and a 0 at the end.
 */
export class MemoryReplica implements Replica {
  readonly sid: number
  readonly calls: ReplicaCall[] = []
  /** By zxid. */
  readonly state: Map<number, Entry> = new Map()
  log: Entry[]
  disk: ReplicaDisk
  readonly committedLog: CommittedLog
  lastLoggedZxid: number
  lastProcessedZxid: number
  /** How truncate and installSnapshot end, when the lane comes to them. */
  truncateProblem: string | undefined = undefined
  installProblem: string | undefined = undefined
  /** What readHistory reads; undefined: not allowed. */
  history: readonly Entry[] | undefined = undefined
  /** The same for a learner that is in the middle of it, where it differs. */
  historyUnderWay: readonly Entry[] | undefined = undefined
  /** How many turns it takes to look through the log files. */
  scanSteps = 1
  /** In place of the entry of that zxid. */
  historyProblem: { readonly zxid: number; readonly problem: string } | undefined = undefined
  /** Replaces what feedSnapshot would dump. */
  feedSlices: readonly Buffer[] | undefined = undefined
  /** Entries in one slice of a dump. */
  feedSliceEntries = 2
  feedsOpen = 0
  mayDeliver = true
  /** Sessions that revalidate says yes to. */
  readonly sessions: Set<bigint> = new Set()
  touched: readonly { readonly sessionId: bigint; readonly timeoutMs: number }[] = []
  learners: Learners | undefined = undefined
  leader: LeaderLine | undefined = undefined
  epoch = 0
  #proposals: Proposals<Entry> | undefined = undefined
  #outstanding: Entry[] = []
  readonly #membership: QuorumSource
  /** Ops and marks in order; run by flush. */
  readonly #lane: { readonly isMark: boolean; run(): void }[] = []

  constructor(options: MemoryReplicaOptions = {}) {
    this.sid = options.sid ?? 1
    this.#membership = options.membership ?? { quorum: new MajorityQuorum([this.sid]) }
    this.disk = {
      log: [],
      snapshot: { zxid: 0, entries: [] },
      acceptedEpoch: 0,
      currentEpoch: 0,
      ...options.disk,
    }
    this.log = [...this.disk.log]
    const { snapshot } = this.disk
    for (const entry of snapshot.entries) this.state.set(entry.zxid, entry)
    // Below a snapshot there may be what was never committed: a SNAP does not touch the log.
    for (const entry of this.log) if (entry.zxid > snapshot.zxid) this.state.set(entry.zxid, entry)
    this.lastLoggedZxid = this.log.at(-1)?.zxid ?? snapshot.zxid
    this.lastProcessedZxid = this.lastLoggedZxid
    this.committedLog = new CommittedLog(
      options.commitLogCount ?? 500,
      snapshot.zxid,
      options.committedLogBytesMax,
    )
    for (const entry of this.log) this.committedLog.add(entry)
  }

  /** The same member after kill -9: only what was flushed is there. */
  crashed(): MemoryReplica {
    return new MemoryReplica({ sid: this.sid, membership: this.#membership, disk: this.disk })
  }

  /** Ops and marks that wait for the disk. */
  get unflushed(): number {
    return this.#lane.length
  }

  /** The disk catches up with everything, and with what that leads to. */
  flush(): void {
    while (this.#lane.length > 0) this.#lane.shift()?.run()
  }

  /** The disk catches up to the next mark. False: there is none. */
  flushOne(): boolean {
    while (this.#lane.length > 0) {
      const op = this.#lane.shift()
      op?.run()
      if (op?.isMark === true) return true
    }
    return false
  }

  // ---- the lane of the disk

  /** Why an entry is refused; the tests say which. */
  entryProblem: (entry: Entry) => string | undefined = () => undefined

  accept(entry: Entry): AcceptedEntry | { readonly problem: string } {
    const problem = this.entryProblem(entry)
    return problem === undefined ? { entry } : { problem }
  }

  append({ entry }: AcceptedEntry): void {
    if (entry.zxid <= this.lastLoggedZxid)
      throw new Error(`append ${entry.zxid} after ${this.lastLoggedZxid}`)
    this.calls.push({ call: 'append', zxid: entry.zxid })
    this.log.push(entry)
    this.lastLoggedZxid = entry.zxid
    this.#op(() => {
      this.disk = { ...this.disk, log: [...this.disk.log, entry] }
    })
  }

  writeEpoch(file: EpochFile, epoch: number): void {
    this.calls.push({ call: 'writeEpoch', file, epoch })
    this.#op(() => {
      this.disk = { ...this.disk, [file]: epoch }
    })
  }

  whenDurable(done: () => void): void {
    this.#lane.push({ isMark: true, run: done })
  }

  truncate(zxid: number, done: (problem: string | undefined) => void): void {
    this.calls.push({ call: 'truncate', zxid })
    const problem = this.truncateProblem
    if (problem === undefined) {
      this.log = this.log.filter((entry) => entry.zxid <= zxid)
      this.lastLoggedZxid = zxid
      for (const key of [...this.state.keys()]) if (key > zxid) this.state.delete(key)
      this.lastProcessedZxid = zxid
      this.committedLog.clear(this.disk.snapshot.zxid)
      for (const entry of this.log) this.committedLog.add(entry)
    }
    const run = (): void => {
      if (problem === undefined)
        this.disk = { ...this.disk, log: this.disk.log.filter((entry) => entry.zxid <= zxid) }
      done(problem)
    }
    this.#lane.push({ isMark: true, run })
  }

  installSnapshot(done: (problem: string | undefined) => void): void {
    this.calls.push({ call: 'installSnapshot' })
    const problem = this.installProblem
    const zxid = this.lastProcessedZxid
    const entries = [...this.state.values()]
    if (problem === undefined) {
      this.log = this.log.filter((entry) => entry.zxid <= zxid)
      this.lastLoggedZxid = zxid
    }
    const run = (): void => {
      if (problem === undefined) this.hasLostState = false
      if (problem === undefined)
        this.disk = {
          ...this.disk,
          snapshot: { zxid, entries },
          log: this.disk.log.filter((entry) => entry.zxid <= zxid),
        }
      done(problem)
    }
    this.#lane.push({ isMark: true, run })
  }

  // ---- the state

  deliver({ entry }: AcceptedEntry): void {
    if (entry.zxid <= this.lastProcessedZxid)
      throw new Error(`deliver ${entry.zxid} after ${this.lastProcessedZxid}`)
    this.calls.push({ call: 'deliver', zxid: entry.zxid })
    this.state.set(entry.zxid, entry)
    this.lastProcessedZxid = entry.zxid
    this.committedLog.add(entry)
  }

  receiveSnapshot(zxid: number): SnapshotSink {
    this.calls.push({ call: 'receiveSnapshot', zxid })
    this.state.clear()
    this.lastProcessedZxid = zxid
    this.committedLog.clear(zxid)
    return new MemorySink(this.state)
  }

  feedSnapshot(): SnapshotFeed {
    this.calls.push({ call: 'feedSnapshot' })
    this.feedsOpen += 1
    let isOpen = true
    const slices = this.feedSlices?.values() ?? this.#dump()
    return {
      zxid: this.lastProcessedZxid,
      next: () => slices.next().value,
      close: () => {
        if (!isOpen) return
        isOpen = false
        this.feedsOpen -= 1
        this.calls.push({ call: 'closeFeed' })
      },
    }
  }

  /** Of the state as it goes on changing: a Map's iteration sees what is added meanwhile. */
  *#dump(): IterableIterator<Buffer> {
    let slice: Buffer[] = []
    for (const { zxid, bytes } of this.state.values()) {
      const head = Buffer.alloc(13)
      head.writeInt8(1)
      head.writeBigInt64BE(BigInt(zxid), 1)
      head.writeInt32BE(bytes.length, 9)
      slice.push(head, bytes)
      if (slice.length < 2 * this.feedSliceEntries) continue
      yield Buffer.concat(slice)
      slice = []
    }
    yield Buffer.concat([...slice, Buffer.of(0)])
  }

  readHistory(fromZxid: number, isUnderWay: boolean): HistoryScan | undefined {
    this.calls.push({ call: 'readHistory', zxid: fromZxid, isUnderWay })
    const history = isUnderWay ? (this.historyUnderWay ?? this.history) : this.history
    if (history === undefined) return undefined
    const first = history.findLastIndex((entry) => entry.zxid <= fromZxid)
    const entries = history.slice(Math.max(first, 0)).values()
    const next = (): ReturnType<HistoryFeed['next']> => {
      const entry = entries.next().value
      const problem = this.historyProblem
      return problem !== undefined && entry?.zxid === problem.zxid ? problem : entry
    }
    let left = this.scanSteps
    return {
      step: () => {
        left -= 1
        return left > 0 ? 'more' : { next }
      },
    }
  }

  // ---- roles

  startLeading(epoch: number, learners: Learners): void {
    this.calls.push({ call: 'startLeading', epoch })
    this.epoch = epoch
    this.learners = learners
    this.lastProcessedZxid = epoch * 2 ** 32
    this.#proposals = new Proposals(this.#membership, epoch * 2 ** 32)
    this.#outstanding = []
    if (this.committedLog.length === 0) this.committedLog.clear(this.lastProcessedZxid)
  }

  startLearning(role: 'following' | 'observing', epoch: number, leader: LeaderLine): void {
    this.calls.push({ call: 'startLearning', role, epoch })
    this.epoch = epoch
    this.leader = leader
  }

  hasLostState = false
  /** False: what the last role has begun on the disk is not over. */
  isSettled = true

  stop(): void {
    this.calls.push({ call: 'stop' })
    this.learners = undefined
    this.leader = undefined
    this.#proposals = undefined
    this.#outstanding = []
    for (const entry of this.log) {
      if (entry.zxid <= this.lastProcessedZxid) continue
      this.state.set(entry.zxid, entry)
      if (entry.zxid > this.committedLog.maxZxid) this.committedLog.add(entry)
    }
    this.lastProcessedZxid = this.lastLoggedZxid
  }

  // ---- the leader's side of broadcast

  /** A client of this leader writes; the entry commits when a quorum has it, ourselves by `flush`. */
  write(text?: string): Entry {
    const proposals = this.#proposals
    if (proposals === undefined || this.learners === undefined) throw new Error('not leading')
    const entry = textEntry(proposals.lastProposed + 1, text)
    return this.propose(entry)
  }

  /** As write, with that entry; its zxid is above the last. */
  propose(entry: Entry): Entry {
    this.append({ entry })
    this.#proposals?.propose(entry.zxid, entry)
    this.#outstanding.push(entry)
    const proposals = this.#proposals
    this.whenDurable(() => {
      if (proposals === undefined || proposals !== this.#proposals) return
      proposals.onAck(this.sid, entry.zxid)
      this.#commit()
    })
    this.learners?.propose(entry)
    return entry
  }

  outstanding(): readonly Entry[] {
    return this.#outstanding
  }

  onAck(sid: number, zxid: number): void {
    this.calls.push({ call: 'onAck', sid, zxid })
    this.#proposals?.onAck(sid, zxid)
    this.#commit()
  }

  withdrawAcks(sid: number, zxid: number): void {
    this.calls.push({ call: 'withdrawAcks', sid, zxid })
    this.#proposals?.withdrawAcks(sid, zxid)
  }

  #commit(): void {
    const proposals = this.#proposals
    if (proposals === undefined) return
    for (;;) {
      const entry = proposals.nextCommitted()
      if (entry === undefined) return
      this.#outstanding.shift()
      this.deliver({ entry })
      this.learners?.commit(entry)
    }
  }

  onConfirmed(round: number): void {
    this.calls.push({ call: 'onConfirmed', round })
  }

  // ---- sessions

  onForwarded(request: ForwardedRequest): void {
    this.calls.push({
      call: 'onForwarded',
      link: request.link,
      sessionId: request.sessionId,
      cxid: request.cxid,
      op: request.op,
      body: request.body.toString('hex'),
      ids: request.ids.map(({ scheme, id }) => `${scheme}:${id}`),
    })
  }

  onTouched(sessionId: bigint, timeoutMs: number): void {
    this.calls.push({ call: 'onTouched', sessionId, timeoutMs })
  }

  revalidate(link: LinkId, sessionId: bigint, _timeoutMs: number): boolean {
    this.calls.push({ call: 'revalidate', link, sessionId })
    return this.sessions.has(sessionId)
  }

  takeTouched(): Buffer {
    const bytes = Buffer.alloc(12 * this.touched.length)
    for (const [i, { sessionId, timeoutMs }] of this.touched.entries()) {
      bytes.writeBigInt64BE(sessionId, 12 * i)
      bytes.writeInt32BE(timeoutMs, 12 * i + 8)
    }
    this.touched = []
    return bytes
  }

  onSynced(): void {
    this.calls.push({ call: 'onSynced' })
  }

  onRevalidated(sessionId: bigint, isValid: boolean): void {
    this.calls.push({ call: 'onRevalidated', sessionId, isValid })
  }

  #op(run: () => void): void {
    this.#lane.push({ isMark: false, run })
  }
}

const RECORD_HEAD_BYTES = 13

class MemorySink implements SnapshotSink {
  readonly #state: Map<number, Entry>
  #held: Buffer = Buffer.alloc(0)
  #isDone = false

  constructor(state: Map<number, Entry>) {
    this.#state = state
  }

  push(bytes: Buffer): 'more' | number | { readonly problem: string } {
    if (this.#isDone) throw new Error('pushed into a snapshot that had ended')
    const before = this.#held.length
    const all = Buffer.concat([this.#held, bytes])
    let at = 0
    for (;;) {
      const kind = all[at]
      if (kind === 0) {
        this.#isDone = true
        return at + 1 - before
      }
      if (kind !== undefined && kind !== 1) return { problem: `record of kind ${kind}` }
      if (all.length - at < RECORD_HEAD_BYTES) break
      const end = at + RECORD_HEAD_BYTES + all.readInt32BE(at + 9)
      if (all.length < end) break
      const zxid = Number(all.readBigInt64BE(at + 1))
      this.#state.set(zxid, { zxid, bytes: all.subarray(at + RECORD_HEAD_BYTES, end) })
      at = end
    }
    this.#held = all.subarray(at)
    return 'more'
  }
}
