import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsync,
  ftruncateSync,
  readdirSync,
  renameSync,
  stat,
  statSync,
  unlinkSync,
  write,
} from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { assert } from '../../base/assert.ts'
import type { Logger } from '../../base/logger.ts'
import { messageOf } from '../../base/message-of.ts'
import { ThrottledLog } from '../../base/throttled-log.ts'
import { formatZxid } from '../../data/zxid.ts'
import type {
  DiskOp,
  DiskReader,
  LogFileInfo,
  SnapshotFileInfo,
  Truncation,
} from '../../persistence/disk.ts'
import type { EpochFile } from '../../persistence/epoch-files.ts'
import type { LogPlace, LogTail } from '../../persistence/recovery.ts'
import {
  parseReceivedName,
  parseSnapshotName,
  snapshotFileName,
} from '../../persistence/snapshot-name.ts'
import { TORN_BYTES_MAX } from '../../persistence/txn-log-end.ts'
import {
  LOG_HEADER_BYTES,
  logFileHeader,
  logFileName,
  paddedFileBytes,
  parseLogFileName,
} from '../../persistence/txn-log-format.ts'
import { monotonic } from '../process/clock.ts'
import { openPatiently } from './descriptors.ts'
import {
  cutFile,
  prepareFolder,
  readFileRange,
  removeDurably,
  rewriteFile,
  syncFolder,
  truncateFiles,
} from './disk-files.ts'
import { writeEpochFile } from './epoch-store.ts'

/** Named as in Config, so that it can be handed in whole. */
export interface NodeDiskOptions {
  /** Snapshots are in its folder version-2. */
  readonly dataDir: string
  /** Logs are in its folder version-2. May be the same. */
  readonly dataLogDir: string
  readonly dataDirAutocreate: boolean
  /** How much a log file is extended at a time; 0 or less: not at all. */
  readonly preAllocBytes: number
  /** false: nothing is ever synced, and a power loss loses what was acknowledged. */
  readonly forceSync: boolean
  readonly fsyncWarningThresholdMs: number
  /** A log that has grown beyond this is closed, and the next write begins another; 0: no limit. */
  readonly txnLogSizeLimitBytes: number
}

interface NodeDiskEvents {
  readonly logger: Logger
  /** After each write to the log that was synced. */
  readonly onSync: (durationMs: number) => void
  /** The log could not be written. Nothing more will be; the process must end. Called once. */
  readonly onFatal: (reason: string) => void
}

const VERSION_FOLDER = 'version-2'

/**
 * The data directories of one member. Reading is synchronous and happens at start; running writes go
 * through `write`. Why the log is written as it is: docs/decisions/003-durable-write.md.
 */
export class NodeDisk implements DiskReader {
  readonly logFolder: string
  readonly snapFolder: string
  readonly #options: NodeDiskOptions
  readonly #events: NodeDiskEvents
  readonly #shortageLog: ThrottledLog
  #fd: number | undefined = undefined
  #path = ''
  /** Where the next record goes. */
  #position = 0
  /** Padding included. */
  #fileBytes = 0
  #isBusy = false
  #isClosing = false
  #hasFailed = false

  private constructor(options: NodeDiskOptions, events: NodeDiskEvents) {
    this.#options = options
    this.#events = events
    this.#shortageLog = new ThrottledLog(events.logger, monotonic)
    this.logFolder = join(options.dataLogDir, VERSION_FOLDER)
    this.snapFolder = join(options.dataDir, VERSION_FOLDER)
  }

  /** Creates what is missing. A string says why the directories cannot be used. */
  static open(options: NodeDiskOptions, events: NodeDiskEvents): NodeDisk | string {
    const disk = new NodeDisk(options, events)
    const folders = new Set([disk.snapFolder, disk.logFolder])
    for (const folder of folders) {
      const reason = prepareFolder(folder, options.dataDirAutocreate)
      if (reason !== undefined) return reason
    }
    return folders.size === 1 ? disk : (disk.#misplacedFile() ?? disk)
  }

  /** After a change of dataLogDir old files would be overlooked, and a shorter history be served. */
  #misplacedFile(): string | undefined {
    const log = readdirSync(this.snapFolder).find((name) => parseLogFileName(name) !== undefined)
    if (log !== undefined)
      return `${join(this.snapFolder, log)} is a log, but logs belong in ${this.logFolder}: move it`
    const snap = readdirSync(this.logFolder).find((name) => parseSnapshotName(name) !== undefined)
    if (snap === undefined) return undefined
    return `${join(this.logFolder, snap)} is a snapshot, but snapshots belong in ${this.snapFolder}: move it`
  }

  listLogs(): readonly LogFileInfo[] {
    const logs: LogFileInfo[] = []
    for (const name of readdirSync(this.logFolder)) {
      const zxid = parseLogFileName(name)
      if (zxid !== undefined)
        logs.push({ zxid, name, bytes: statSync(join(this.logFolder, name)).size })
    }
    return logs.sort((a, b) => a.zxid - b.zxid)
  }

  listSnapshots(): readonly SnapshotFileInfo[] {
    const snapshots: SnapshotFileInfo[] = []
    for (const name of readdirSync(this.snapFolder)) {
      const parsed = parseSnapshotName(name)
      if (parsed === undefined) continue
      const { size } = statSync(join(this.snapFolder, name))
      snapshots.push({ zxid: parsed.zxid, name, bytes: size })
    }
    return snapshots.sort((a, b) => a.zxid - b.zxid)
  }

  listReceived(): readonly SnapshotFileInfo[] {
    const received: SnapshotFileInfo[] = []
    for (const name of readdirSync(this.snapFolder)) {
      const parsed = parseReceivedName(name)
      if (parsed === undefined) continue
      const { size } = statSync(join(this.snapFolder, name))
      received.push({ zxid: parsed.zxid, name, bytes: size })
    }
    return received
  }

  readLog(name: string, offset: number, length: number): Buffer {
    return readFileRange(join(this.logFolder, name), offset, length)
  }

  readSnapshot(name: string, offset: number, length: number): Buffer {
    return readFileRange(join(this.snapFolder, name), offset, length)
  }

  gunzip(compressed: Buffer): Buffer | string {
    try {
      return gunzipSync(compressed)
    } catch (error) {
      return `it cannot be unpacked: ${messageOf(error)}`
    }
  }

  /** Of a log, a snapshot or an epoch file. */
  pathOf(name: string): string {
    const isLog = parseSnapshotName(name) === undefined && !name.endsWith('Epoch')
    return join(isLog ? this.logFolder : this.snapFolder, name)
  }

  /**
   * Whether somebody has put the marker into dataDir that says that an empty database is meant to be.
   * It counts once.
   */
  takeInitializeMarker(): boolean {
    const path = join(this.#options.dataDir, 'initialize')
    const isThere = existsSync(path)
    if (isThere) unlinkSync(path)
    return isThere
  }

  /** Removes what a crash left behind the last good record. A string says why it could not. */
  cutTail(tail: LogTail): string | undefined {
    const path = join(this.logFolder, tail.name)
    try {
      // The original refuses to start on a log file without a header (spec 02 §2).
      if (tail.offset < LOG_HEADER_BYTES) unlinkSync(path)
      else cutFile(path, tail.offset, tail.addEndMark)
      syncFolder(this.logFolder)
      return undefined
    } catch (error) {
      return `cutting ${path} at offset ${tail.offset} failed: ${messageOf(error)}`
    }
  }

  /**
   * Makes durable what recovery has found. A write that has failed, upon which a server ends, may be
   * seen by the next one in the memory of the kernel and nowhere else; to sync it is no help, since the
   * kernel takes it for written after having told of the failure once. So the end of the log, as much
   * of it as one write may have been, is written anew. A string says why it could not be.
   */
  secureEnd(end: LogPlace | undefined): string | undefined {
    if (!this.#options.forceSync) return undefined
    try {
      const path = end === undefined ? undefined : join(this.logFolder, end.name)
      // A file that held nothing has been removed as a torn one.
      if (end !== undefined && path !== undefined && existsSync(path))
        rewriteFile(path, Math.max(0, end.offset - TORN_BYTES_MAX), end.offset)
      for (const folder of new Set([this.logFolder, this.snapFolder])) syncFolder(folder)
      return undefined
    } catch (error) {
      return `writing the end of the log in ${this.logFolder} anew failed: ${messageOf(error)}`
    }
  }

  /**
   * Executes the ops in order and calls `done` when all of them are on stable storage; never before
   * this returns, and never if one fails. One call at a time. The bytes are borrowed until `done`.
   */
  write(ops: readonly DiskOp[], done: () => void): void {
    if (this.#hasFailed) return
    assert(!this.#isClosing, 'a write to a disk that was closed')
    assert(!this.#isBusy, 'a write to the disk while another is in flight')
    this.#isBusy = true
    this.#run(ops, 0, done, false)
  }

  /**
   * Looks whether what is written still goes where the next start will look for it. A directory that
   * somebody has moved away, or put another in the place of, takes all that is written with it without
   * any write failing. A log that was removed is found out sooner, by the next batch.
   */
  checkPlace(): void {
    const fd = this.#fd
    const log = this.#path
    const path = fd === undefined ? this.logFolder : log
    // Numbers of descriptors are used again, by the next log for one.
    const isCurrent = (): boolean => this.#fd === fd && this.#path === log && !this.#isClosing
    const tell = (what: string): void => {
      if (isCurrent()) this.#lose(path, what)
    }
    stat(path, (error, there) => {
      if (error !== null) {
        if (isGone(error)) tell('it was removed')
        return
      }
      if (fd === undefined || !isCurrent()) return
      const ours = fstatSync(fd)
      if (ours.ino !== there.ino || ours.dev !== there.dev) tell('another file is in its place')
    })
    stat(this.snapFolder, (error) => {
      if (error !== null && isGone(error) && !this.#isClosing)
        this.#fail(`keeping ${this.snapFolder}`, 'it was removed')
    })
  }

  #lose(path: string, what: string): void {
    this.#fail(`keeping ${path}`, `${what}, so nothing written would be found again`)
  }

  /**
   * Whether the log that a batch has just been written to still has a name: what is in a file without
   * one is gone with this process. Without forceSync nothing is promised to last, and a look would cost
   * more than a hundredth of a batch. False: it failed.
   */
  #isLogThere(): boolean {
    if (!this.#options.forceSync || this.#fd === undefined) return true
    try {
      if (fstatSync(this.#fd).nlink > 0) return true
      this.#lose(this.#path, 'it was removed')
    } catch (error) {
      this.#fail(`looking for ${this.#path}`, error)
    }
    return false
  }

  /** No write may follow. One that is in flight is finished, and its `done` called. */
  close(): void {
    this.#isClosing = true
    if (!this.#isBusy) this.#closeLog()
  }

  #run(ops: readonly DiskOp[], from: number, done: () => void, hasWaited: boolean): void {
    for (let i = from; i < ops.length; i += 1) {
      const op = ops[i]
      if (op === undefined) break
      const goOn = (): void => this.#run(ops, i + 1, done, true)
      switch (op.kind) {
        case 'rollLog':
          this.#closeLog()
          break
        case 'truncateAfter':
          if (!this.#truncate(op.zxid, op.plan)) return
          break
        case 'forgetHistory':
          if (!this.#forgetHistory(op.zxid)) return
          break
        case 'writeEpoch':
          this.#writeEpoch(op.file, op.epoch, goOn)
          return
        case 'appendTxns':
          this.#append(op.bytes, op.firstZxid, () => {
            if (!this.#isLogThere()) return
            const limit = this.#options.txnLogSizeLimitBytes
            if (limit > 0 && this.#position > limit) this.#closeLog()
            goOn()
          })
          return
      }
    }
    const finish = (): void => {
      this.#isBusy = false
      if (this.#isClosing) this.#closeLog()
      done()
    }
    if (hasWaited) finish()
    else process.nextTick(finish)
  }

  #writeEpoch(file: EpochFile, epoch: number, done: () => void): void {
    writeEpochFile(this.snapFolder, file, epoch).then(done, (error: unknown) =>
      this.#fail(`writing ${join(this.snapFolder, file)}`, error),
    )
  }

  /**
   * In this call, since nothing else can go on meanwhile: the state itself is about to be read anew.
   * False: it failed.
   */
  #truncate(zxid: number, plan: Truncation): boolean {
    this.#closeLog()
    try {
      truncateFiles(plan, this.snapFolder, this.logFolder)
    } catch (error) {
      this.#fail(`cutting the log in ${this.logFolder} behind ${formatZxid(zxid)}`, error)
    }
    return !this.#hasFailed
  }

  /** What a crash has left of it to be done. Throws as node:fs does. */
  finishForgetting(): SnapshotFileInfo | undefined {
    const [received] = this.listReceived()
    if (received !== undefined) this.#replaceHistory(received)
    return received
  }

  #replaceHistory({ name, zxid }: SnapshotFileInfo): void {
    // A server that does not know the name (the original) shall find a history or refuse: snapshots
    // first, since one without its logs would be taken for all there ever was.
    for (const old of this.listSnapshots()) removeDurably(this.snapFolder, old.name)
    for (const old of this.listLogs().toReversed()) removeDurably(this.logFolder, old.name)
    const compression = parseReceivedName(name)?.compression ?? ''
    const path = join(this.snapFolder, snapshotFileName({ zxid, compression }))
    renameSync(join(this.snapFolder, name), path)
    syncFolder(this.snapFolder)
  }

  /** False: it failed. */
  #forgetHistory(zxid: number): boolean {
    this.#closeLog()
    try {
      const received = this.listReceived().find((file) => file.zxid === zxid)
      assert(received !== undefined, 'a history is forgotten for a snapshot that is there')
      this.#replaceHistory(received)
    } catch (error) {
      this.#fail(`removing what was before snapshot ${formatZxid(zxid)}`, error)
    }
    return !this.#hasFailed
  }

  #closeLog(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }

  #append(bytes: Buffer, firstZxid: number, done: () => void): void {
    if (this.#fd !== undefined) {
      this.#writeDurably(this.#fd, bytes, done)
      return
    }
    // A file of that name holds no good record: recovery would have read it.
    this.#path = join(this.logFolder, logFileName(firstZxid))
    const durable = this.#options.forceSync ? constants.O_DSYNC : 0
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | durable
    this.#openPatiently(`creating ${this.#path}`, this.#path, flags, (fd) => {
      this.#fd = fd
      this.#position = 0
      this.#fileBytes = LOG_HEADER_BYTES
      const content = Buffer.concat([logFileHeader(), bytes])
      this.#writeDurably(fd, content, () => this.#syncLogFolder(done))
    })
  }

  /** Without a descriptor nothing has been written, and so nothing is in doubt: writes wait for one. */
  #openPatiently(
    action: string,
    path: string,
    flags: number | string,
    onOpened: (fd: number) => void,
  ): void {
    openPatiently(path, flags, {
      onOpened,
      onFailed: (error) => this.#fail(action, error),
      onShort: () =>
        this.#shortageLog.error('no file descriptor is left, writes wait for one', { path }),
    })
  }

  #writeDurably(fd: number, bytes: Buffer, done: () => void): void {
    const { preAllocBytes, forceSync } = this.#options
    const end = this.#position + bytes.length
    const fileBytes = paddedFileBytes(this.#fileBytes, end, preAllocBytes)
    if (fileBytes !== this.#fileBytes && preAllocBytes > 0) {
      try {
        ftruncateSync(fd, fileBytes)
      } catch (error) {
        this.#fail(`extending ${this.#path}`, error)
        return
      }
    }
    this.#fileBytes = fileBytes
    const startedMs = performance.now()
    this.#writeAll(fd, bytes, () => {
      this.#position = end
      if (forceSync) this.#onSynced(performance.now() - startedMs)
      done()
    })
  }

  /** A write may be cut short, by a signal or a nearly full disk: go on until all is written. */
  #writeAll(fd: number, bytes: Buffer, done: () => void): void {
    const position = this.#position
    let at = 0
    const step = (): void => {
      write(fd, bytes, at, bytes.length - at, position + at, (error, written) => {
        if (error !== null) {
          this.#fail(`writing ${this.#path}`, error)
          return
        }
        at += written
        if (at < bytes.length) step()
        else done()
      })
    }
    step()
  }

  /** Without this a power loss could take the name of a new file, and with it the file. */
  #syncLogFolder(done: () => void): void {
    if (!this.#options.forceSync) {
      done()
      return
    }
    const action = `syncing ${this.logFolder}`
    this.#openPatiently(action, this.logFolder, 'r', (fd) =>
      fsync(fd, (error) => {
        closeSync(fd)
        if (error !== null) this.#fail(action, error)
        else done()
      }),
    )
  }

  #onSynced(durationMs: number): void {
    this.#events.onSync(durationMs)
    if (durationMs <= this.#options.fsyncWarningThresholdMs) return
    this.#events.logger.warn('writing and syncing the transaction log was slow', {
      file: this.#path,
      durationMs: Math.round(durationMs),
      thresholdMs: this.#options.fsyncWarningThresholdMs,
    })
  }

  /** What the kernel still holds is unknown after a failed sync: no retry can be trusted. */
  #fail(action: string, error: unknown): void {
    if (this.#hasFailed) return
    this.#hasFailed = true
    this.#isBusy = false
    this.#events.onFatal(`${action} failed: ${messageOf(error)}`)
  }
}

const isGone = ({ code }: NodeJS.ErrnoException): boolean => code === 'ENOENT' || code === 'ENOTDIR'
