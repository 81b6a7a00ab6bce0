import { JuteWriter } from 'jute-ts'
import { assert } from '../../base/assert.ts'
import type { Logger } from '../../base/logger.ts'
import { Prng } from '../../base/prng.ts'
import type { Config } from '../../config/config.ts'
import { formatZxid } from '../../data/zxid.ts'
import type { SnapshotOp } from '../../persistence/disk.ts'
import { snappyBlocks, snappyHeader } from '../../persistence/snappy-stream.ts'
import { SnapshotEncoder } from '../../persistence/snapshot-format.ts'
import { receivedSnapshotName, snapshotFileName } from '../../persistence/snapshot-name.ts'
import type { DataTree } from '../../tree/data-tree.ts'
import { TreeDump } from '../../tree/tree-dump.ts'
import type { SessionTracker } from '../sessions/session-tracker.ts'
import type { ServerMetrics } from '../stats/server-metrics.ts'
import type { DiskLane } from './disk-lane.ts'

/** Undefined: there is a snapshot. A string says why there is none. */
type SnapshotDone = (problem: string | undefined) => void

/** After a snapshot could not be written, for want of space mostly, the next is tried then. */
export const RETRY_MS = 60_000

interface SnapshotterParts {
  readonly config: Config
  readonly tree: DataTree
  readonly sessions: SessionTracker
  readonly lane: Pick<DiskLane, 'whenDurable'>
  readonly metrics: ServerMetrics
  readonly logger: Logger
  readonly sliceBytes: number
  /** Of the random spread, so that the members of an ensemble do not all pause at once. */
  readonly seed: number
}

/**
 * Decides when a snapshot is due, and writes one at a time, slice by slice, down a lane of its own
 * beside the log. A snapshot that fails costs nothing but the time to replay more log: it is
 * logged, counted, and tried again.
 */
export class Snapshotter {
  readonly #parts: SnapshotterParts
  readonly #prng: Prng
  readonly #slice: JuteWriter
  /** Without a log nothing repairs what a snapshot has by half: it is then of one moment. */
  readonly #mode: 'fuzzy' | 'exact'
  #encoder: SnapshotEncoder | undefined = undefined
  /** log: all is written, but the log is not known to reach as far yet. */
  #next: 'begin' | 'append' | 'log' | 'finish' = 'begin'
  #isCancelled = false
  /** The next that begins is of a state that came from a leader. */
  #isReceived = false
  /** While above 0, none begins. */
  #holds = 0
  #whenIdle: (() => void)[] = []
  #inFlight: SnapshotOp['kind'] | undefined = undefined
  #bytesWritten = 0
  #isRequested = false
  /** To be told of the next snapshot that begins, and of the one that has begun. */
  #waiting: SnapshotDone[] = []
  #toTell: readonly SnapshotDone[] = []
  #retryMono = 0
  #startedMono = 0
  /** Logged since the last snapshot began. */
  #txns = 0
  #bytes = 0
  #txnsMax = 0
  #bytesMax = 0

  constructor(parts: SnapshotterParts) {
    this.#parts = parts
    this.#prng = new Prng(parts.seed)
    const { myid, servers, syncEnabled } = parts.config
    const isObserver = myid !== undefined && servers.get(myid)?.role === 'observer'
    this.#mode = isObserver && !syncEnabled ? 'exact' : 'fuzzy'
    this.#slice = new JuteWriter(parts.sliceBytes + parts.sliceBytes / 8)
    this.#spread()
  }

  /** From half of the setting to all of it. */
  #spread(): void {
    const { snapCount, snapSizeLimitBytes } = this.#parts.config
    const half = Math.floor(snapCount / 2)
    this.#txnsMax = half + this.#prng.below(half)
    const halfKib = Math.floor(snapSizeLimitBytes / 2048)
    this.#bytesMax = halfKib === 0 ? Infinity : (halfKib + this.#prng.below(halfKib)) * 1024
  }

  /** A snapshot is being written. */
  get isBusy(): boolean {
    return this.#encoder !== undefined
  }

  /** One is to begin now, or after the one that is being written. */
  request(): void {
    this.#isRequested = true
  }

  /** No snapshot of the state is wanted, as it now is: calls back when none is being written. */
  cancel(done: () => void): void {
    this.#isRequested = false
    this.#isReceived = false
    if (this.#encoder === undefined) return done()
    this.#isCancelled = true
    this.#whenIdle.push(done)
  }

  /**
   * As cancel, and none begins before `release`: what is on the disk is about to become another
   * history. One that was wanted is wanted still.
   */
  hold(done: () => void): void {
    this.#holds += 1
    const isWanted = this.#isRequested || this.isBusy
    this.cancel(() => {
      if (isWanted) this.request()
      done()
    })
  }

  release(): void {
    assert(this.#holds > 0, 'a snapshotter is released as often as it is held')
    this.#holds -= 1
  }

  /**
   * What is being written is dropped, and another begins in its place: something that it holds may
   * turn out never to have happened.
   */
  restart(): void {
    if (this.#encoder === undefined) return
    this.cancel(() => this.request())
  }

  /**
   * As `request`, without the pause after a failure. `done` is told, once, how the first snapshot that
   * begins after this call has ended: undefined, or why there is none.
   */
  requestNow(done: SnapshotDone): void {
    this.#isRequested = true
    this.#retryMono = 0
    this.#waiting.push(done)
  }

  /** As requestNow; it is to replace all that the disk has, and has another name until it does. */
  requestReceived(done: SnapshotDone): void {
    this.#isReceived = true
    this.requestNow(done)
  }

  /**
   * So much goes to the log. True: it is to be rolled behind that, and a snapshot begins; the txn
   * that was one too many is in the old log (spec 02 §4).
   */
  onLogged(txns: number, bytes: number): boolean {
    this.#txns += txns
    this.#bytes += bytes
    if (this.isBusy || this.#isRequested) return false
    if (this.#txns <= this.#txnsMax && this.#bytes <= this.#bytesMax) return false
    this.#isRequested = true
    return true
  }

  /** What the disk is to do next. Undefined: nothing, or it is still at the last. */
  takeOp(nowMono: number): SnapshotOp | undefined {
    if (this.#inFlight !== undefined) return undefined
    if (this.#encoder === undefined) {
      if (!this.#isRequested || this.#holds > 0 || nowMono < this.#retryMono) return undefined
      // A backup is of one moment, too, and only one thing at a time can be.
      if (this.#mode === 'exact' && this.#parts.tree.beforeChange !== undefined) return undefined
      this.#encoder = this.#begin(nowMono)
    }
    if (this.#next === 'log' && !this.#isCancelled) return undefined
    const op = this.#nextOp(this.#encoder)
    this.#inFlight = op.kind
    return op
  }

  #begin(nowMono: number): SnapshotEncoder {
    const { config, tree, sessions } = this.#parts
    this.#isRequested = false
    this.#txns = 0
    this.#bytes = 0
    this.#bytesWritten = 0
    this.#spread()
    this.#toTell = this.#waiting
    this.#waiting = []
    this.#next = 'begin'
    this.#startedMono = nowMono
    return new SnapshotEncoder(new TreeDump(tree, sessions.timeouts(), this.#mode), {
      digest: config.digestEnabled,
      lastProcessedZxid: config.serializeLastProcessedZxid,
    })
  }

  #nextOp(encoder: SnapshotEncoder): SnapshotOp {
    const isVoid = this.#isCancelled || encoder.problem !== undefined
    if (this.#next !== 'begin' && isVoid) return { kind: 'abandon' }
    if (this.#next === 'append') return { kind: 'append', bytes: this.#nextSlice(encoder) }
    if (this.#next === 'finish') return { kind: 'finish' }
    this.#next = 'append'
    const { snapshotCompression: compression } = this.#parts.config
    const name = snapshotFileName({ zxid: encoder.zxid, compression })
    const isReceived = this.#isReceived
    this.#isReceived = false
    return { kind: 'begin', name: isReceived ? receivedSnapshotName(name) : name }
  }

  #nextSlice(encoder: SnapshotEncoder): Buffer {
    const w = this.#slice
    w.clear()
    if (encoder.writeSlice(w, this.#parts.sliceBytes)) this.#awaitLog(encoder)
    const isFirst = this.#bytesWritten === 0
    this.#bytesWritten += w.length
    if (this.#parts.config.snapshotCompression !== 'snappy') return w.bytes()
    const blocks = snappyBlocks(w.bytes())
    return isFirst ? Buffer.concat([snappyHeader(), blocks]) : blocks
  }

  /**
   * A follower applies what others have on disk and it may not have yet. A snapshot with such a txn
   * must not be there before the txn is in the log: after a crash it would be half of a history.
   */
  #awaitLog(encoder: SnapshotEncoder): void {
    this.#next = 'log'
    this.#parts.lane.whenDurable(() => {
      if (this.#encoder === encoder) this.#next = 'finish'
    })
  }

  /** The op that was taken last is done; `problem` says why it, and with it the snapshot, failed. */
  onDone(problem: string | undefined, nowMono: number): void {
    const kind = this.#inFlight
    this.#inFlight = undefined
    if (problem === undefined && (kind === 'begin' || kind === 'append')) return
    const encoder = this.#encoder
    assert(encoder !== undefined, 'an op of a snapshot that is not being written')
    encoder.close()
    this.#encoder = undefined
    if (this.#isCancelled) return this.#onCancelled()
    const zxid = formatZxid(encoder.zxid)
    const reason = encoder.problem ?? problem
    if (reason === undefined) this.#onWritten(zxid, Math.round(nowMono - this.#startedMono))
    else if (encoder.problem === undefined) this.#onFailed(zxid, reason, nowMono)
    else this.#onStale(zxid, reason)
    const toTell = this.#toTell
    this.#toTell = []
    for (const done of toTell) done(reason)
  }

  /** Whoever waits to be told of a snapshot waits for the next one. */
  #onCancelled(): void {
    const whenIdle = this.#whenIdle
    this.#waiting.unshift(...this.#toTell)
    this.#toTell = []
    this.#whenIdle = []
    this.#isCancelled = false
    for (const done of whenIdle) done()
  }

  #onWritten(zxid: string, ms: number): void {
    this.#parts.metrics.snapshotTimeMs.add(ms)
    this.#parts.logger.info('snapshot written', { zxid, bytes: this.#bytesWritten, ms })
  }

  /**
   * The disk has not failed: what it was a snapshot of is no longer there, and there is none of the
   * new.
   */
  #onStale(zxid: string, reason: string): void {
    this.#isRequested = true
    this.#parts.logger.info('a snapshot is dropped, another follows', { zxid, reason })
  }

  #onFailed(zxid: string, reason: string, nowMono: number): void {
    const { metrics, logger } = this.#parts
    metrics.snapshotErrorCount.add(1)
    this.#isRequested = true
    this.#retryMono = nowMono + RETRY_MS
    logger.warn('a snapshot could not be written, the old ones stay; trying again later', {
      zxid,
      reason,
      retryMs: RETRY_MS,
    })
  }
}
