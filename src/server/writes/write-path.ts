import type { JuteReader } from 'jute-ts'
import { assert } from '../../base/assert.ts'
import type { Err } from '../../data/error-code.ts'
import { OpCode } from '../../data/op-code.ts'
import type { SessionId } from '../../data/session-id.ts'
import { DIGEST_VERSION, type Txn, writeTxn } from '../../data/txn.ts'
import { counterOf } from '../../data/zxid.ts'
import { RECORD_PREFIX_BYTES } from '../../persistence/txn-log-format.ts'
import { Proposals } from '../../quorum/leading/proposals.ts'
import type { QuorumSource } from '../../quorum/membership/quorum-verifier.ts'
import type { LinkId } from '../../quorum/ports/links.ts'
import type { Entry, Learners } from '../../quorum/ports/replica.ts'
import type { TxnContext } from '../../tree/apply.ts'
import type { PendingRequest } from '../clients/cnxn.ts'
import type { WriteRequest, WriteRoute } from '../clients/write-route.ts'
import { LOCAL_OWNER } from '../sessions/session-tracker.ts'
import type { ServerMetrics } from '../stats/server-metrics.ts'
import type { StageTimer } from '../stats/stage-timer.ts'
import type { DiskLane } from '../storage/disk-lane.ts'
import type { Prep } from './prep.ts'

/** A write in its place in the order: decided, encoded, on its way to the disk. */
export interface OrderedTxn extends TxnContext {
  readonly cxid: number
  readonly txn: Txn
  /** The tree's digest after it; undefined: it is not known, or is that from before it. */
  readonly digest: { readonly high: number; readonly low: number } | undefined
  /** Whom to answer. Undefined: the server asked for it, or the client is connected to another member. */
  readonly origin: PendingRequest | undefined
  /** As it stands in the log, for other members; a standalone server has none. */
  readonly entry: Entry | undefined
}

/**
 * What comes out of the ordered stream: a committed txn, or a sync that has reached its place, of a
 * client here or of one that is connected to a learner, or the answer to a REVALIDATE of that learner.
 */
export type Ordered =
  | OrderedTxn
  | { readonly sync: PendingRequest }
  | { readonly syncOf: LinkId }
  | { readonly revalidated: SessionId; readonly link: LinkId }

/**
 * The counter of an epoch must not run over: a new epoch begins while some of it is left. It is looked
 * at once a turn, which may bring what all learners that there may be have let through: 16 million
 * are room for 4,096 of them with as many requests each.
 */
const COUNTER_LAST = 0xff00_0000

/**
 * From a request to a proposal, on the member that decides: prep judges it, the record is encoded
 * once, in place in the batch that goes to the disk, and the proposal waits for its quorum.
 */
export class WritePath implements WriteRoute {
  readonly forwards = false
  readonly #prep: Prep
  readonly #lane: DiskLane
  readonly #membership: QuorumSource
  readonly #self: number
  readonly #digestEnabled: boolean
  readonly #metrics: ServerMetrics
  readonly #timer: StageTimer
  #learners: Learners | undefined
  proposals: Proposals<Ordered>

  constructor(
    prep: Prep,
    lane: DiskLane,
    membership: QuorumSource,
    self: number,
    digestEnabled: boolean,
    metrics: ServerMetrics,
    timer: StageTimer,
  ) {
    this.#prep = prep
    this.#lane = lane
    this.#membership = membership
    this.#self = self
    this.#digestEnabled = digestEnabled
    this.#metrics = metrics
    this.#timer = timer
    this.proposals = new Proposals(membership, 0)
  }

  /** Begins to propose, above `lastZxid`. A standalone server has no learners. */
  start(lastZxid: number, learners: Learners | undefined): void {
    assert(this.proposals.length === 0, 'proposals of an earlier role are outstanding')
    this.#learners = learners
    this.proposals = new Proposals(this.#membership, lastZxid)
  }

  /** What has not been committed, in order; nothing is left here. */
  stop(): readonly Ordered[] {
    this.#learners = undefined
    return [...this.proposals.drain()]
  }

  get learners(): Learners | undefined {
    return this.#learners
  }

  submit(
    request: WriteRequest,
    body: JuteReader,
    time: number,
    origin: PendingRequest | undefined,
  ): void {
    const zxid = this.proposals.lastProposed + 1
    const isClosing = request.op === OpCode.closeSession
    const began = isClosing ? this.#timer.beginTimed() : this.#timer.begin()
    const txn = this.#prep.prepare(request, body, zxid, time)
    if (isClosing) this.#timer.end(began, this.#metrics.closeSessionPrepTime)
    const decided = this.#timer.end(began, this.#metrics.prepProcessTime)
    if (this.#prep.hasMore) {
      // Nobody has asked for this txn alone: no learner may take it for the answer to a client.
      this.#propose(serverRequest(OpCode.multi, 0n), txn, zxid, time, undefined)
      return this.submit(request, body, time, origin)
    }
    this.#propose(request, txn, zxid, time, origin)
    this.#timer.end(decided, this.#metrics.proposalProcessTime)
  }

  /** In its place like any other, without having been looked at. */
  refuse(request: WriteRequest, err: Err, time: number): void {
    const zxid = this.proposals.lastProposed + 1
    this.#propose(request, { type: OpCode.error, err }, zxid, time, undefined)
  }

  #propose(
    request: WriteRequest,
    txn: Txn,
    zxid: number,
    time: number,
    origin: PendingRequest | undefined,
  ): void {
    const withDigest = this.#digestEnabled && txn.type !== OpCode.error
    const { high, low } = this.#prep.changes.digest
    const { sessionId: clientId, cxid } = request
    const digest = withDigest ? { high, low } : undefined
    const entry = this.#encode({ clientId, cxid, zxid, time }, txn, digest)
    if (entry !== undefined) this.#learners?.propose(entry)
    this.proposals.propose(zxid, { clientId, cxid, zxid, time, txn, digest, origin, entry })
  }

  /**
   * A sync is answered when everything before it is, and costs no txn (spec 05 §1). The learners must
   * first say that they still follow, else a leader that was replaced without knowing it could answer.
   */
  sync(origin: PendingRequest): void {
    this.proposals.barrier({ sync: origin }, this.#learners?.confirm())
  }

  /** A sync of a client of the learner on that link. */
  syncOf(link: LinkId): void {
    this.proposals.barrier({ syncOf: link }, this.#learners?.confirm())
  }

  /**
   * The session is that learner's from now on. Its client may be let in behind all that was proposed
   * while it was another one's: a commit is matched with a request by session and cxid alone, and
   * clients count those anew. True: nothing is under way; else ApplyLoop answers in its time.
   */
  revalidatedOf(link: LinkId, sessionId: SessionId): boolean {
    if (this.proposals.length === 0) return true
    this.proposals.barrier({ revalidated: sessionId, link })
    return false
  }

  #encode(
    header: TxnContext & { readonly cxid: number },
    txn: Txn,
    digest: OrderedTxn['digest'],
  ): Entry | undefined {
    const lane = this.#lane
    const w = lane.writer
    const { zxid } = header
    const at = lane.begin(zxid)
    w.writeLong(header.clientId)
    w.writeInt(header.cxid)
    w.writeNumber(zxid)
    w.writeNumber(header.time)
    w.writeInt(txn.type)
    writeTxn(w, txn)
    if (digest !== undefined) {
      w.writeInt(DIGEST_VERSION)
      w.writeInt(digest.high | 0)
      w.writeInt(digest.low | 0)
    }
    // The batch is written over once it is on the disk; learners may need the entry for longer.
    const entry = this.#learners && {
      zxid,
      bytes: Buffer.from(w.buffer.subarray(at + RECORD_PREFIX_BYTES, w.length)),
    }
    lane.end(at)
    return entry
  }

  /** Our own log holds everything up to `zxid`. */
  onLogged(zxid: number): void {
    this.proposals.onAck(this.#self, zxid)
  }

  /** Looked at once a turn, which cannot bring more writes than there is room for. */
  giveUpBeforeOverflow(): void {
    if (counterOf(this.proposals.lastProposed) < COUNTER_LAST) return
    this.#learners?.giveUp('the counter of this epoch is used up: a new one begins')
  }
}

/** Session 0 asks for what the server itself wants done. */
export const serverRequest = (op: number, sessionId: SessionId): WriteRequest => ({
  sessionId,
  cxid: 0,
  op,
  ids: [],
  owner: LOCAL_OWNER,
})
