import type { Id } from '../../data/records.ts'
import type { LinkId } from './links.ts'

/** A log entry: TxnHeader, txn and digest as they stand in the log, without checksum (spec 02 §2). */
export interface Entry {
  readonly zxid: number
  /** Own memory, which nobody writes into any more. */
  readonly bytes: Buffer
}

/**
 * An entry of a leader's that the replica has looked into, once: it can be logged and delivered, and
 * what it means is carried along. Only the replica that has accepted it makes something of it.
 */
export interface AcceptedEntry {
  readonly entry: Entry
}

/** Two files, both durable before what they allow is said (spec 04 §1). */
export type EpochFile = 'acceptedEpoch' | 'currentEpoch'

/** A write of a client of another member, as REQUEST carries it (spec 04 §2). */
export interface ForwardedRequest {
  /** The connection of the member that has forwarded it, which owns the session (spec 04 §7). */
  readonly link: LinkId
  readonly sessionId: bigint
  readonly cxid: number
  readonly op: number
  /** The body of the client's request; borrowed until the call returns. */
  readonly body: Buffer
  /** Who the client has shown to be. */
  readonly ids: readonly Id[]
}

/** Takes the stream of a SNAP, without the signature "BenWasHere" behind it. */
export interface SnapshotSink {
  /** `bytes` are borrowed. Number: the stream ended after so many of them, the rest is not of it. */
  push(bytes: Buffer): 'more' | number | { readonly problem: string }
}

/** Gives out the stream of a SNAP in slices, of the tree as it goes on changing. */
export interface SnapshotFeed {
  /** What had been applied when the dump began: the zxid of the SNAP packet. */
  readonly zxid: number
  /** Own memory. Undefined: that was all. */
  next(): Buffer | undefined
  /** Not wanted any more, or done. */
  close(): void
}

/** Reads entries back from the log files. */
export interface HistoryFeed {
  /**
   * Ascending; the first may be at or below the zxid that was asked for. Undefined: no more. A problem:
   * a file has vanished, or cannot be read; nothing more comes then.
   */
  next(): Entry | { readonly problem: string } | undefined
}

/** Looks for a place in the log files, and whether all is there from it on. */
export interface HistoryScan {
  /** Goes on for a slice of a turn. Undefined: not all of it is there. */
  step(): HistoryFeed | 'more' | undefined
}

/** What the leader's replica asks of the leader, from startLeading to stop. */
export interface Learners {
  /** PROPOSAL to the followers. The replica appends it to its own log itself. */
  propose(entry: Entry): void
  /** COMMIT to the followers, INFORM to the observers; in zxid order. */
  commit(entry: Entry): void
  /**
   * Asks the followers whether they still follow, by a PING at the end of this turn; onConfirmed
   * tells that a quorum does. The number grows, and is the same for all calls of one turn.
   */
  confirm(): number
  /** SYNC, behind every COMMIT that was sent before. Nothing if the link is gone. */
  sendSync(link: LinkId): void
  /** The answer to a REVALIDATE that had none. Nothing if the link is gone. */
  sendRevalidated(link: LinkId, sessionId: bigint, isValid: boolean): void
  /** Ends this leadership: the epoch's counter is used up, for one. */
  giveUp(reason: string): void
}

/** What a learner's replica asks of its leader, from startLearning to stop. */
export interface LeaderLine {
  /** REQUEST; `body` and `ids` as the client sent them, both borrowed. No ids: null. */
  forward(
    sessionId: bigint,
    cxid: number,
    op: number,
    body: Buffer,
    ids: readonly Id[] | null,
  ): void
  /** REVALIDATE; onRevalidated brings the answer. */
  revalidate(sessionId: bigint, timeoutMs: number): void
}

/** What of the history is in memory. */
export interface CommittedLogView {
  /** Zxid of the oldest and the newest entry; both lastProcessedZxid when there is none. */
  readonly minZxid: number
  readonly maxZxid: number
  /** Entries with a zxid of at least that, ascending. */
  from(zxid: number): Iterable<Entry>
}

/**
 * The member, as Zab sees it: a log, a state that committed entries are delivered to, and clients
 * that are served or not. Zab orders bytes; what they mean only the replica knows.
 *
 * The log and the epoch files go down one lane, strictly in order, one flush in flight: what
 * `whenDurable` was asked for is called when everything handed over before it is on stable storage.
 */
export interface Replica {
  /** Of the newest entry in the log, committed or not; 0 when there never was one. */
  readonly lastLoggedZxid: number
  /** Of the newest entry that was delivered: the tree's. At the start of an epoch, epoch<<32. */
  readonly lastProcessedZxid: number
  /**
   * What is on the disk cannot be read any more, and the state is empty: this member has promised more
   * than it knows. Until a SNAP is installed it may neither vote nor be counted on (spec 04 §3).
   */
  readonly hasLostState: boolean

  // ---- the lane of the disk

  /** Of a leader. A problem: why it can neither be logged nor delivered here. Zab does not look into it. */
  accept(entry: Entry): AcceptedEntry | { readonly problem: string }
  /** Appends to the log. The zxid is above lastLoggedZxid. */
  append(accepted: AcceptedEntry): void
  writeEpoch(file: EpochFile, epoch: number): void
  /** Called once, in order, never within this call. Whoever has changed role meanwhile must ignore it. */
  whenDurable(done: () => void): void
  /**
   * Cuts everything above `zxid` off the log and reloads the state, durably; `lastLoggedZxid` is then
   * `zxid`. `problem`: that cannot be done, and a SNAP is needed instead. Then nothing was changed, unless
   * the state is lost.
   */
  truncate(zxid: number, done: (problem: string | undefined) => void): void
  /**
   * Writes the state, received or changed by `deliver` beside the log, as a snapshot, and drops what
   * of the log is above it. `problem`: it could not be written (full disk, for one).
   */
  installSnapshot(done: (problem: string | undefined) => void): void

  // ---- the state

  /** False: so much was delivered in this turn that what follows has to wait for another one. */
  readonly mayDeliver: boolean
  /** Applies a committed entry, in zxid order; answers the client that waits for it here. */
  deliver(accepted: AcceptedEntry): void
  /** All old state is dropped, and that of a SNAP of `zxid` begins. */
  receiveSnapshot(zxid: number): SnapshotSink
  feedSnapshot(): SnapshotFeed
  /**
   * Entries from the log files from the one at or below `fromZxid` on; undefined where that is not
   * allowed (snapshotSizeFactor, spec 04 §4) or not possible. `isUnderWay`: a learner is in the middle
   * of it, and what it missed meanwhile has left the committed log; then no size forbids it.
   */
  readHistory(fromZxid: number, isUnderWay: boolean): HistoryScan | undefined

  // ---- roles: clients are served between startX and stop

  /** The quorum has synchronised: from now on the leader serves, and proposes from epoch<<32 | 1. */
  startLeading(epoch: number, learners: Learners): void
  /** UPTODATE: from now on this learner serves, and forwards writes to its leader. */
  startLearning(role: 'following' | 'observing', epoch: number, leader: LeaderLine): void
  /**
   * The role ends: clients are closed, and what is in the log and was not delivered yet is applied to
   * the state, so that lastProcessedZxid is lastLoggedZxid. `undelivered`: what a learner has of that,
   * oldest first; what a leader has proposed is known here. May be called when nothing was started.
   */
  stop(undelivered: readonly AcceptedEntry[]): void
  /**
   * False after a role that has ended in the middle of a TRUNC or of the snapshot behind a SNAP, until
   * that is over one way or the other: before, nobody knows what our history is. So also until all
   * that the role has logged is durable.
   */
  readonly isSettled: boolean

  // ---- the leader's side of broadcast

  /** The last commitLogCount entries that were delivered, in whatever role (spec 04 §4). */
  readonly committedLog: CommittedLogView
  /** What was proposed in this epoch and is not committed yet, ascending. */
  outstanding(): readonly Entry[]
  /** That voter has everything up to `zxid` on disk. Our own acks are the replica's business. */
  onAck(sid: number, zxid: number): void
  /**
   * That voter begins anew above `zxid`: it cuts its log there, or has lost what was above. What it
   * has acked of that does not count until it acks it again; what has committed stays committed.
   */
  withdrawAcks(sid: number, zxid: number): void
  /** Since confirm() gave out this number, a quorum has said that it still follows us; so for lower ones. */
  onConfirmed(round: number): void

  // ---- the leader's side of sessions

  /** A request from a learner; a reconfig, sync and createSession come here, too. */
  onForwarded(request: ForwardedRequest): void
  /** Sessions that the clients of a learner have touched: a packet's (sessionId, timeout)*. */
  onTouched(sessionId: bigint, timeoutMs: number): void
  /**
   * A client has reconnected to that learner. True: the session lives, and `link` owns it now.
   * Undefined: Learners.sendRevalidated tells, once what was proposed before is committed, or once it
   * is certain that the session, which is about to be closed, is.
   */
  revalidate(link: LinkId, sessionId: bigint, timeoutMs: number): boolean | undefined

  // ---- the learner's side of sessions

  /** (sessionId:long, timeout:int)* of the sessions touched here since the last call; own memory. */
  takeTouched(): Buffer
  /** The oldest sync that waits here is answered. */
  onSynced(): void
  onRevalidated(sessionId: bigint, isValid: boolean): void
}
