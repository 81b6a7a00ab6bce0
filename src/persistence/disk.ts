/** Where a log is to end. */
export interface LogCut {
  readonly name: string
  /** A good record ends here, or the header of the file; nothing may stand behind. */
  readonly offset: number
}

/**
 * What is to be done, in this order, each step durable before the next. A crash between two of them
 * leaves a state that recovery accepts: one that ends where it did, or somewhere above the zxid. No
 * snapshot is ever left without the records that were applied while it was written, and the newest
 * log goes first, so that no gap comes to be.
 */
export interface Truncation {
  /** Snapshots to remove, the newest first. */
  readonly snapshots: readonly string[]
  /** Logs to remove, the newest first. */
  readonly logs: readonly string[]
  /** Logs to cut, the newest first. Nearly always one, or none when the history ended there. */
  readonly cuts: readonly LogCut[]
  /** Of the last record that stays, or of the snapshot before it: what recovery will come to. */
  readonly end: number
}

/**
 * What the core asks of the disk. Ops are executed strictly in order, one flush in flight; what
 * they allow us to say is said only when all ops of a batch are on stable storage.
 */
export type DiskOp =
  | {
      readonly kind: 'appendTxns'
      /**
       * Complete log records (checksum, length, entry, 'B'), one after the other: spec 02 §2.
       * Borrowed by the disk until the batch is done: do not write into it before.
       */
      readonly bytes: Buffer
      readonly firstZxid: number
      readonly lastZxid: number
    }
  /** The next append opens a new file. */
  | { readonly kind: 'rollLog' }
  /** Replaces the file by temp, fsync, rename, fsync of the folder: spec 04 §1. */
  | {
      readonly kind: 'writeEpoch'
      readonly file: 'acceptedEpoch' | 'currentEpoch'
      readonly epoch: number
    }
  /**
   * Removes everything above `zxid`, as planned by planTruncation when all that was written before was
   * on the disk, and nothing has been since. The next append opens a new file. What is removed stays
   * removed after a crash.
   */
  | { readonly kind: 'truncateAfter'; readonly zxid: number; readonly plan: Truncation }
  /**
   * Removes every log and every snapshot, and then calls the one that was received from a leader by
   * its name: what they hold is not the history that goes on from it. The next append opens a new
   * file. A start after a crash goes on with it.
   */
  | { readonly kind: 'forgetHistory'; readonly zxid: number }

/** One log file as the folder lists it. */
export interface LogFileInfo {
  /** Zxid in the name `log.<hex>`, that is of its first record. */
  readonly zxid: number
  readonly name: string
  readonly bytes: number
}

/** One snapshot file as the folder lists it. */
export interface SnapshotFileInfo {
  /** Zxid in the name `snapshot.<hex>`: what had been applied when the dump began. */
  readonly zxid: number
  readonly name: string
  readonly bytes: number
}

/** Reading at start: synchronous, before any port is open. */
export interface DiskReader {
  /** Log files by ascending zxid. */
  listLogs(): readonly LogFileInfo[]
  /** Snapshot files by ascending zxid. */
  listSnapshots(): readonly SnapshotFileInfo[]
  /** Snapshots that came from a leader and have not replaced what was before: one, or none. */
  listReceived(): readonly SnapshotFileInfo[]
  /** Reads at most `length` bytes at `offset`; fewer only at the end of the file. */
  readLog(name: string, offset: number, length: number): Buffer
  /** As readLog, from a snapshot; what is in the file, compressed or not. */
  readSnapshot(name: string, offset: number, length: number): Buffer
  /** All of what a gzip file holds. A string says why that cannot be had. */
  gunzip(compressed: Buffer): Buffer | string
}

/**
 * What the core asks of the disk for one snapshot at a time, on a lane of its own beside the log.
 * The file has its name only when it is whole: a crash leaves the old ones and nothing else.
 */
export type SnapshotOp =
  /** Begins a file; `name` is what it will be called, and tells the compression. */
  | { readonly kind: 'begin'; readonly name: string }
  /** Appends. Borrowed by the disk until the op is done. */
  | { readonly kind: 'append'; readonly bytes: Buffer }
  /** All is written: sync, give it its name, sync the folder. */
  | { readonly kind: 'finish' }
  /** It is not wanted any more. */
  | { readonly kind: 'abandon' }
