import { type JuteReader, JuteWriter } from 'jute-ts'
import { assert } from '../base/assert.ts'
import { OpCode } from '../data/op-code.ts'
import type { SessionId } from '../data/session-id.ts'
import { DIGEST_VERSION, type Txn, writeTxn } from '../data/txn.ts'
import type { DiskOp } from '../persistence/disk.ts'
import { beginTxnRecord, endTxnRecord } from '../persistence/txn-log-format.ts'
import { Proposals } from '../quorum/proposals.ts'
import type { QuorumVerifier } from '../quorum/quorum-verifier.ts'
import type { TxnContext } from '../tree/apply.ts'
import type { PendingRequest } from './cnxn.ts'
import type { Prep, WriteRequest } from './prep.ts'
import type { ServerMetrics } from './server-metrics.ts'

/** A write in its place in the order: decided, encoded, on its way to the disk. */
export interface OrderedTxn extends TxnContext {
  readonly cxid: number
  readonly txn: Txn
  /** The tree's digest after it; undefined for an error, which changes nothing. */
  readonly digest: { readonly high: number; readonly low: number } | undefined
  /** Whom to answer. Undefined: the server asked for it, or the client hangs on another member. */
  readonly origin: PendingRequest | undefined
}

/** What comes out of the ordered stream: a committed txn, or a sync that has reached its place. */
export type Ordered = OrderedTxn | { readonly sync: PendingRequest }

/** Ops in strict order; once they are on stable storage, this member acks up to `ackZxid`. */
export interface DiskBatch {
  readonly ops: readonly DiskOp[]
  readonly ackZxid: number
  /** What the ops append. */
  readonly txns: number
  readonly bytes: number
}

const BATCH_BYTES_INITIAL = 64 * 1024
/** A batch buffer that a burst has grown beyond this is given back to the collector. */
const BATCH_BYTES_KEPT = 1024 * 1024

/**
 * From a request to a proposal: prep decides, the record is encoded once, in place in the batch that
 * goes to the disk, and the proposal waits for its quorum. Whatever arrives while a flush is under
 * way forms the next batch: that is the group commit.
 */
export class WritePath {
  readonly #prep: Prep
  readonly #metrics: ServerMetrics
  readonly #digestEnabled: boolean
  readonly #self: number
  readonly proposals: Proposals<Ordered>
  #batch: JuteWriter = new JuteWriter(BATCH_BYTES_INITIAL)
  readonly #spare: JuteWriter[] = []
  /** Batch writers whose bytes the disk still reads, oldest first. */
  readonly #writing: JuteWriter[] = []
  #firstZxid = 0

  constructor(
    prep: Prep,
    quorum: QuorumVerifier,
    self: number,
    lastZxid: number,
    digestEnabled: boolean,
    metrics: ServerMetrics,
  ) {
    this.#metrics = metrics
    this.#prep = prep
    this.#self = self
    this.#digestEnabled = digestEnabled
    this.proposals = new Proposals(quorum, lastZxid)
  }

  /** `body` is borrowed. `time` in wall milliseconds. */
  submit(
    request: WriteRequest,
    body: JuteReader,
    time: number,
    origin: PendingRequest | undefined,
  ): void {
    const zxid = this.proposals.lastProposed + 1
    const txn = this.#prep.prepare(request, body, zxid, time)
    const withDigest = this.#digestEnabled && txn.type !== OpCode.error
    const { high, low } = this.#prep.changes.digest
    const ordered: OrderedTxn = {
      clientId: request.sessionId,
      cxid: request.cxid,
      zxid,
      time,
      txn,
      digest: withDigest ? { high, low } : undefined,
      origin,
    }
    this.#encode(ordered)
    this.proposals.propose(zxid, ordered)
  }

  /** A sync is answered when everything before it is, and costs no txn (spec 05 §1). */
  sync(origin: PendingRequest): void {
    this.proposals.barrier({ sync: origin })
  }

  #encode(ordered: OrderedTxn): void {
    const w = this.#batch
    if (w.length === 0) this.#firstZxid = ordered.zxid
    const at = beginTxnRecord(w)
    w.writeLong(ordered.clientId)
    w.writeInt(ordered.cxid)
    w.writeNumber(ordered.zxid)
    w.writeNumber(ordered.time)
    w.writeInt(ordered.txn.type)
    writeTxn(w, ordered.txn)
    if (ordered.digest !== undefined) {
      w.writeInt(DIGEST_VERSION)
      w.writeInt(ordered.digest.high | 0)
      w.writeInt(ordered.digest.low | 0)
    }
    endTxnRecord(w, at)
  }

  /** Everything encoded since the last call. The bytes stay as they are until `onDurable`. */
  takeBatch(): DiskBatch | undefined {
    const w = this.#batch
    if (w.length === 0) return undefined
    const lastZxid = this.proposals.lastProposed
    const txns = lastZxid - this.#firstZxid + 1
    this.#metrics.syncProcessorBatchSize.add(txns)
    this.#writing.push(w)
    this.#batch = this.#spare.pop() ?? new JuteWriter(BATCH_BYTES_INITIAL)
    const op: DiskOp = {
      kind: 'appendTxns',
      bytes: w.bytes(),
      firstZxid: this.#firstZxid,
      lastZxid,
    }
    return { ops: [op], ackZxid: lastZxid, txns, bytes: w.length }
  }

  onDurable(batch: DiskBatch): void {
    const w = this.#writing.shift()
    assert(w !== undefined, 'a batch became durable that was not written')
    if (w.buffer.length <= BATCH_BYTES_KEPT) {
      w.clear()
      this.#spare.push(w)
    }
    this.proposals.onAck(this.#self, batch.ackZxid)
  }
}

/** Session 0 asks for what the server itself wants done. */
export const serverRequest = (op: number, sessionId: SessionId): WriteRequest => ({
  sessionId,
  cxid: 0,
  op,
  ids: [],
})
