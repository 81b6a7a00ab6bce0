import { assert } from '../../base/assert.ts'
import { Deque } from '../../base/deque.ts'
import { isEchoEntry } from '../../data/txn.ts'
import { counterOf, follows, formatZxid } from '../../data/zxid.ts'
import type { AcceptedEntry } from '../ports/replica.ts'
import { AckWatch } from '../role/ack-watch.ts'
import type { RoleParts } from '../role/role.ts'

export interface LearnerLimits {
  /**
   * Proposals that wait for their COMMIT. A leader has no more under way than its clients may send.
   * @bound proposals: the learner leaves its leader
   */
  readonly proposalsPendingMax: number
  /**
   * The same in bytes.
   * @bound bytes: the learner leaves its leader
   */
  readonly proposalBytesPendingMax: number
  /**
   * Bytes that wait for the log of a learner.
   * @bound bytes: no more is read from the leader; after syncLimit without progress the learner
   * leaves it
   */
  readonly logBytesPause: number
}

export const defaultLearnerLimits: LearnerLimits = {
  proposalsPendingMax: 1_000_000,
  proposalBytesPendingMax: 256 * 1024 * 1024,
  logBytesPause: 16 * 1024 * 1024,
}

/** What a history tells the learner that it belongs to. */
interface LearnerHistoryEvents {
  /** These proposals, which came at that time, are durable; the leader may know. */
  onDurable(zxids: readonly number[], cameMono: number): void
  /** Whether more is on its way to the log than there should be. */
  onBacklog(isLarge: boolean): void
}

/**
 * What the leader has told a learner of the history, in order: to the log, and once it is committed
 * to the state (spec 04 §5, §6). A method that returns a string says what makes no sense in it; the
 * learner then has to leave this leader.
 *
 * A follower logs what is proposed; an observer, which is asked for no ack, what is committed. As
 * long as a SNAP is not on disk nothing is logged: the log would have a gap below it after a crash.
 */
export class LearnerHistory {
  readonly #parts: RoleParts
  readonly #isObserver: boolean
  readonly #limits: LearnerLimits
  readonly #events: LearnerHistoryEvents
  /** Proposed and not committed, oldest first. */
  readonly #pending = new Deque<AcceptedEntry>()
  #pendingBytes = 0
  /** Of the newest entry that the leader has sent, or of where it began. */
  #lastZxid = 0
  /**
   * A SNAP has brought all up to there. A leader of Apache's begins to queue what is proposed and
   * committed before it settles which state it sends, so that some of this may come again behind it.
   */
  #snapZxid = -1
  /** Of the last proposal that was none; its COMMIT, if it comes, is none either. */
  #echoZxid = -1
  #isLogged = true
  #isAcking = false
  /** Logged since the last mark was set: zxids to ack, and bytes. */
  #unacked: number[] = []
  #unmarkedBytes = 0
  /** On their way to the log. */
  #logBytes = 0
  /** Counts what was handed to the log; watched is what is not durable yet. */
  #lastMark = 0
  #durableMark = 0
  readonly #logWatch = new AckWatch()

  constructor(
    parts: RoleParts,
    isObserver: boolean,
    limits: LearnerLimits,
    events: LearnerHistoryEvents,
  ) {
    this.#parts = parts
    this.#isObserver = isObserver
    this.#limits = limits
    this.#events = events
  }

  /** What follows continues from `zxid`. `isSnapshot`: it changes a state that is not on disk yet. */
  begin(zxid: number, isSnapshot: boolean): void {
    assert(this.#pending.length === 0, 'a history begins with nothing pending')
    this.#lastZxid = zxid
    this.#snapZxid = isSnapshot ? zxid : -1
    this.#isLogged = !isSnapshot && this.#mayLog
  }

  /** Where our history ends. Of an observer that does not log, its state is all there is of it. */
  get endZxid(): number {
    const { lastLoggedZxid, lastProcessedZxid } = this.#parts.replica
    return this.#mayLog ? lastLoggedZxid : Math.max(lastLoggedZxid, lastProcessedZxid)
  }

  get #mayLog(): boolean {
    return !this.#isObserver || this.#parts.settings.observerLogs
  }

  /** The state is on disk: what has not been committed so far goes to the log now. */
  onSnapshotInstalled(): void {
    assert(!this.#isLogged, 'what changed the state of a SNAP was logged below it')
    this.#isLogged = this.#mayLog
    if (this.#isObserver) return
    for (const accepted of this.#pending) this.#append(accepted)
  }

  /** What is in the log and was not delivered, oldest first: an observer logs nothing of that kind. */
  get undelivered(): readonly AcceptedEntry[] {
    return this.#isObserver || !this.#isLogged ? [] : [...this.#pending]
  }

  /**
   * From now on what is proposed is acked when it is durable. Of what was proposed before, these are
   * not committed: they are counted on, too, and must be acked behind NEWLEADER, since the leader
   * would wait for them for ever (ZOOKEEPER-4394).
   */
  startAcking(): readonly number[] {
    if (this.#isObserver) return []
    this.#isAcking = true
    assert(this.#isLogged, 'a follower acks what is in its log')
    return [...this.#pending].map(({ entry }) => entry.zxid)
  }

  /**
   * One more ack for what it echoes is what an original gives as well: its leader may have begun to
   * count anew. But where an epoch begins there is nothing to ack.
   */
  #onEcho(zxid: number): undefined {
    this.#echoZxid = zxid
    if (this.#isAcking && this.#isLogged && counterOf(zxid) !== 0) this.#unacked.push(zxid)
  }

  /** `data` is borrowed. */
  onProposal(zxid: number, data: Buffer | null): string | undefined {
    this.#parts.metrics.learnerProposalReceivedCount.add(1)
    return this.#propose(zxid, data)
  }

  #propose(zxid: number, data: Buffer | null): string | undefined {
    if (data !== null && isEchoEntry(data, zxid, this.#lastZxid)) return this.#onEcho(zxid)
    if (zxid <= this.#snapZxid) return undefined
    const accepted = this.#accept(zxid, data)
    if (typeof accepted === 'string') return accepted
    this.#pending.push(accepted)
    this.#pendingBytes += accepted.entry.bytes.length
    if (!this.#isObserver && this.#isLogged) this.#append(accepted)
    const { proposalsPendingMax, proposalBytesPendingMax } = this.#limits
    return this.#pending.length > proposalsPendingMax ||
      this.#pendingBytes > proposalBytesPendingMax
      ? `${this.#pending.length} proposals of ${this.#pendingBytes} bytes wait for their COMMIT`
      : undefined
  }

  onCommit(zxid: number): string | undefined {
    this.#parts.metrics.learnerCommitReceivedCount.add(1)
    const accepted = this.#pending.peek()
    if (accepted?.entry.zxid !== zxid) {
      if (zxid === this.#echoZxid || zxid <= this.#snapZxid) return undefined
      const oldest =
        accepted === undefined ? 'there is no proposal' : formatZxid(accepted.entry.zxid)
      return `COMMIT of ${formatZxid(zxid)}, but the oldest proposal is: ${oldest}`
    }
    this.#pending.shift()
    this.#pendingBytes -= accepted.entry.bytes.length
    if (this.#isObserver && this.#isLogged) this.#append(accepted)
    const { replica } = this.#parts
    assert(this.#pendingBytes >= 0, 'more was delivered than was proposed')
    assert(!this.#isLogged || zxid <= replica.lastLoggedZxid, 'what is delivered is in the log')
    replica.deliver(accepted)
    return undefined
  }

  /** Proposed and committed in one; to an observer. `data` is borrowed. */
  onInform(zxid: number, data: Buffer | null): string | undefined {
    // A leader of 3.4 sends observers what is under way as proposals, too.
    if (this.#pending.length > 0) return this.onCommit(zxid)
    return this.#propose(zxid, data) ?? this.onCommit(zxid)
  }

  /** All that was in one piece of the stream has come: its acks will leave together. */
  setMark(nowMono: number): void {
    const bytes = this.#unmarkedBytes
    const zxids = this.#unacked
    if (bytes === 0 && zxids.length === 0) return
    this.#unmarkedBytes = 0
    this.#unacked = []
    this.#logBytes += bytes
    if (this.#isBacklogLarge) this.#events.onBacklog(true)
    this.#lastMark += 1
    const mark = this.#lastMark
    this.#logWatch.onSent(mark, nowMono)
    this.#parts.replica.whenDurable(() => this.#onDurable(mark, bytes, zxids, nowMono))
  }

  /** How long our log has been at what it was given, and has not got it done. */
  logWaitedMs(nowMono: number): number {
    return this.#logWatch.waitedMs(nowMono)
  }

  #onDurable(mark: number, bytes: number, zxids: readonly number[], cameMono: number): void {
    assert(mark === this.#durableMark + 1, 'the log becomes durable in its order')
    this.#durableMark = mark
    this.#logWatch.onAck(mark)
    const wasLarge = this.#isBacklogLarge
    this.#logBytes -= bytes
    if (zxids.length > 0) this.#events.onDurable(zxids, cameMono)
    if (wasLarge && !this.#isBacklogLarge) this.#events.onBacklog(false)
  }

  get #isBacklogLarge(): boolean {
    return this.#logBytes > this.#limits.logBytesPause
  }

  #accept(zxid: number, data: Buffer | null): AcceptedEntry | string {
    if (!follows(zxid, this.#lastZxid))
      return `${formatZxid(zxid)} does not follow ${formatZxid(this.#lastZxid)}`
    if (data === null) return `${formatZxid(zxid)} comes without its entry`
    const accepted = this.#parts.replica.accept({ zxid, bytes: Buffer.from(data) })
    if ('problem' in accepted) return `${formatZxid(zxid)}: ${accepted.problem}`
    this.#lastZxid = zxid
    return accepted
  }

  #append(accepted: AcceptedEntry): void {
    const { zxid, bytes } = accepted.entry
    this.#parts.replica.append(accepted)
    this.#unmarkedBytes += bytes.length
    if (this.#isAcking) this.#unacked.push(zxid)
  }
}
