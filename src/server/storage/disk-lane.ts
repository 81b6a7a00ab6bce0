import { JuteWriter } from 'jute-ts'
import { assert } from '../../base/assert.ts'
import type { TurnClock } from '../../base/turn-clock.ts'
import type { DiskOp } from '../../persistence/disk.ts'
import { beginTxnRecord, endTxnRecord } from '../../persistence/txn-log-format.ts'

/** Ops in strict order, and what may be said once all of them are on stable storage. */
export interface DiskBatch {
  readonly ops: readonly DiskOp[]
  readonly whenDurable: readonly (() => void)[]
  /** Of the last record they append; 0 if they append none. */
  readonly lastZxid: number
  /** What the ops append. */
  readonly txns: number
  /** When the oldest of those was handed over, and when the batch was taken. */
  readonly handedMono: number
  readonly takenMono: number
  readonly bytes: number
}

const BATCH_BYTES_INITIAL = 64 * 1024
/**
 * The buffer of a batch for the log that is kept after a burst.
 * @bound bytes: it is given back
 */
const BATCH_BYTES_KEPT = 1024 * 1024

/** Named as in Config. */
interface DiskLaneOptions {
  /** flushDelay: how long records may wait for others to share their flush; 0: not at all. */
  readonly flushDelayMs: number
  /** maxBatchSize: with so many records the flush waits no more. */
  readonly batchTxnsMax: number
}

/**
 * The way to the log and the epoch files: one lane, one batch in flight. Whatever is handed over
 * while a flush is under way forms the next batch: that is the group commit. Records are encoded in
 * place, in the bytes that go to the disk.
 */
export class DiskLane {
  readonly #options: DiskLaneOptions
  readonly #clock: Pick<TurnClock, 'mono'>
  /** When the oldest record that waits was handed over. */
  #openedMono = 0
  #batch: JuteWriter = new JuteWriter(BATCH_BYTES_INITIAL)
  readonly #spare: JuteWriter[] = []
  /** Batch writers whose bytes the disk still reads, oldest first. */
  readonly #writing: JuteWriter[] = []
  #ops: DiskOp[] = []
  #whenDurable: (() => void)[] = []
  /** Records since the last op: where they begin in the batch, and their zxids. */
  #openFrom = 0
  #openTxns = 0
  #firstZxid = 0
  #lastZxid = 0
  #txns = 0
  #handedMono = 0
  /** Of the batches that the disk has. */
  #writingBytes = 0
  #flushes = 0

  constructor(
    options: DiskLaneOptions = { flushDelayMs: 0, batchTxnsMax: 1 },
    clock: Pick<TurnClock, 'mono'> = { mono: 0 },
  ) {
    this.#options = options
    this.#clock = clock
  }

  /**
   * Makes room for a record. The entry is to be written with `writer` at once, and `end` called;
   * returns where the record begins.
   */
  begin(zxid: number): number {
    if (this.#openTxns === 0) this.#firstZxid = zxid
    if (this.#openTxns + this.#txns === 0) this.#handedMono = this.#clock.mono
    this.#openTxns += 1
    this.#lastZxid = zxid
    return beginTxnRecord(this.#batch)
  }

  get writer(): JuteWriter {
    return this.#batch
  }

  end(at: number): void {
    endTxnRecord(this.#batch, at)
  }

  /** Something that is done to files behind all records before it, and before all that follow. */
  push(op: DiskOp): void {
    this.#cut()
    this.#ops.push(op)
  }

  /** Called once everything handed over so far is durable, in the order of calls. */
  whenDurable(done: () => void): void {
    this.#whenDurable.push(done)
  }

  /** Something has been handed over that is not durable yet. */
  get isBusy(): boolean {
    return this.#writing.length > 0 || this.#ops.length > 0 || this.#openTxns > 0
  }

  /** Of records that have been handed over and are not durable yet. */
  get backlogBytes(): number {
    return this.#writingBytes + this.#batch.length
  }

  /** Batches that have become durable. */
  get flushes(): number {
    return this.#flushes
  }

  #cut(): void {
    if (this.#openTxns === 0) return
    const w = this.#batch
    this.#ops.push({
      kind: 'appendTxns',
      bytes: w.buffer.subarray(this.#openFrom, w.length),
      firstZxid: this.#firstZxid,
      lastZxid: this.#lastZxid,
    })
    this.#txns += this.#openTxns
    this.#openTxns = 0
    this.#openFrom = w.length
  }

  /**
   * Records alone may wait for more of them (flushDelay); epochs and the like never do. Nobody is told
   * anything before a flush, so this trades latency for fewer of them.
   */
  #mayWait(nowMono: number): boolean {
    const { flushDelayMs, batchTxnsMax } = this.#options
    if (flushDelayMs === 0 || this.#ops.length > 0 || this.#openTxns === 0) return false
    if (this.#openedMono === 0) this.#openedMono = nowMono
    return this.#openTxns < batchTxnsMax && nowMono - this.#openedMono < flushDelayMs
  }

  /** Everything since the last call, if it is due. The bytes stay as they are until `onDurable`. */
  take(nowMono: number): DiskBatch | undefined {
    if (this.#mayWait(nowMono)) return undefined
    this.#openedMono = 0
    this.#cut()
    if (this.#ops.length === 0 && this.#whenDurable.length === 0) return undefined
    const w = this.#batch
    const batch: DiskBatch = {
      ops: this.#ops,
      whenDurable: this.#whenDurable,
      lastZxid: this.#txns === 0 ? 0 : this.#lastZxid,
      txns: this.#txns,
      handedMono: this.#handedMono,
      takenMono: nowMono,
      bytes: w.length,
    }
    this.#writing.push(w)
    this.#writingBytes += batch.bytes
    this.#batch = this.#spare.pop() ?? new JuteWriter(BATCH_BYTES_INITIAL)
    this.#ops = []
    this.#whenDurable = []
    this.#openFrom = 0
    this.#txns = 0
    return batch
  }

  onDurable(batch: DiskBatch): void {
    const w = this.#writing.shift()
    assert(w !== undefined, 'a batch became durable that was not written')
    this.#writingBytes -= batch.bytes
    this.#flushes += 1
    if (w.buffer.length <= BATCH_BYTES_KEPT) {
      w.clear()
      this.#spare.push(w)
    }
    for (const done of batch.whenDurable) done()
  }
}
