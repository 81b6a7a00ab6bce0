import { gunzipSync } from 'node:zlib'
import type { Prng } from '../../src/base/prng.ts'
import type {
  DiskOp,
  DiskReader,
  LogFileInfo,
  SnapshotFileInfo,
  SnapshotOp,
  Truncation,
} from '../../src/persistence/disk.ts'
import type { EpochFile, EpochTexts } from '../../src/persistence/epoch-files.ts'
import type { LogTail } from '../../src/persistence/recovery.ts'
import {
  parseReceivedName,
  parseSnapshotName,
  snapshotFileName,
  temporarySnapshotName,
} from '../../src/persistence/snapshot-name.ts'
import {
  END_MARK,
  LOG_HEADER_BYTES,
  logFileHeader,
  logFileName,
  paddedFileBytes,
  parseLogFileName,
} from '../../src/persistence/txn-log-format.ts'
import { type Damage, readDamaged } from './disk-damage.ts'

/** A file as programs see it, and how much of it would be there after a loss of power. */
interface SimFile {
  bytes: Buffer
  /** Of `bytes`, from the start. */
  syncedBytes: number
}

/** Something under way that a loss of power may leave undone, done, or done in part. */
type Pending =
  | { readonly kind: 'append'; readonly name: string; readonly at: number; readonly bytes: Buffer }
  | { readonly kind: 'create'; readonly name: string }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string }
  | { readonly kind: 'unlink'; readonly name: string; readonly file: SimFile }
  | { readonly kind: 'epoch'; readonly file: EpochFile; readonly before: number | undefined }
  /** Steps that are done one after the other; each function undoes one. */
  | { readonly kind: 'truncate'; readonly undo: readonly (() => void)[] }

/** What the machine is waiting for, and where it belongs: the log and snapshots have a lane each. */
export type Completion = () => void

/** dataLogDir, and dataDir with snapshots and epoch files; they may be on one device. */
export type DeviceName = 'log' | 'snapshots'

/** What a disk may do wrong on purpose, to see whether anybody notices. */
export interface DiskFaults {
  /** Says that it is done before it is. */
  readonly acksEarly?: boolean
  readonly dropsEpochs?: boolean
  readonly dropsTruncations?: boolean
  /** A snapshot has its name, and not all of its bytes. */
  readonly snapshotsUnsynced?: boolean
  /** A process that starts does not write anew what another one may have left in memory only. */
  readonly endUnsecured?: boolean
}

const PREALLOC_BYTES = 4096

/**
 * A disk that loses power. What was synced stays. Of what was not, any prefix of a write, any
 * creation, renaming or removal of a name may be lost. It does what NodeDisk and SnapshotFile do, in
 * the same order.
 */
export class SimDisk implements DiskReader {
  readonly #files = new Map<string, SimFile>()
  readonly #prng: Prng
  #pending: Pending[] = []
  /** What a process that was killed has written: there for all who read it, and not on the platter. */
  #residue: Pending[] = []
  #log: string | undefined = undefined
  #logEnd = 0
  #logFileBytes = 0
  #snapshotName = ''
  /** What the machine is waiting for; the simulation decides when it comes. */
  #completions: Completion[] = []
  readonly #epochs = new Map<EpochFile, number>()
  /** currentEpoch.tmp, as a crash has left it. */
  #epochTemporary: string | undefined = undefined
  readonly #faults: DiskFaults
  readonly #damages = new Map<SimFile, Damage>()
  /** Told when somebody tries to read what cannot be read. */
  onUnreadable: (() => void) | undefined = undefined
  readonly #complete: ((done: Completion, devices: readonly DeviceName[]) => void) | undefined
  /** Logs are on a device of their own: what is synced there takes nothing with it on the other one. */
  readonly isSplit: boolean

  /** Without `complete`, completeOne() says when something is done. */
  constructor(
    prng: Prng,
    complete?: (done: Completion, devices: readonly DeviceName[]) => void,
    faults: DiskFaults = {},
    isSplit = false,
  ) {
    this.#prng = prng
    this.#complete = complete
    this.#faults = faults
    this.isSplit = isSplit
  }

  get isBusy(): boolean {
    return this.#completions.length > 0
  }

  /** One of the things that are under way is done. */
  completeOne(): void {
    const index = this.#prng.below(this.#completions.length)
    this.#completions.splice(index, 1)[0]?.()
  }

  writeDisk(ops: readonly DiskOp[], done: () => void): void {
    if (this.#faults.acksEarly === true) this.#settle(({ kind }) => logLane.has(kind))
    for (const op of ops) {
      if (op.kind === 'rollLog') this.#log = undefined
      else if (op.kind === 'appendTxns') this.#append(op.bytes, op.firstZxid)
      else if (op.kind === 'truncateAfter') this.#truncateAfter(op.plan)
      else if (op.kind === 'forgetHistory') this.#forgetHistory(op.zxid)
      else this.#writeEpoch(op.file, op.epoch)
    }
    // The next batch comes only after this one, so all of the log that is under way is in this one.
    const mine = new Set(this.#pending.filter(({ kind }) => logLane.has(kind)))
    this.#onDone(() => {
      if (this.#faults.acksEarly !== true) this.#settle((pending) => mine.has(pending))
      done()
    }, devicesOf(ops))
  }

  #onDone(done: Completion, devices: readonly DeviceName[]): void {
    if (this.#complete !== undefined) this.#complete(done, devices)
    else this.#completions.push(done)
  }

  #writeEpoch(file: EpochFile, epoch: number): void {
    if (this.#faults.dropsEpochs === true) return
    this.#pending.push({ kind: 'epoch', file, before: this.#epochs.get(file) })
    this.#epochs.set(file, epoch)
    if (file === 'currentEpoch') this.#epochTemporary = undefined
  }

  readEpochs(): EpochTexts {
    const textOf = (file: EpochFile): string | undefined => this.#epochs.get(file)?.toString()
    return {
      acceptedEpoch: textOf('acceptedEpoch'),
      currentEpoch: textOf('currentEpoch'),
      currentEpochTemporary: this.#epochTemporary,
    }
  }

  /** As a member does that boots, while nobody hears of it. */
  writeEpochSync(file: EpochFile, epoch: number): void {
    this.#epochs.set(file, epoch)
    if (file === 'currentEpoch') this.#epochTemporary = undefined
  }

  /** It has promised to follow none before, and has nothing of any. */
  promise(acceptedEpoch: number): void {
    this.#epochs.set('acceptedEpoch', acceptedEpoch)
    this.#epochs.set('currentEpoch', 0)
  }

  /** As the plan says, one step after the other: a loss of power stops anywhere in between. */
  #truncateAfter(plan: Truncation): void {
    this.#log = undefined
    if (this.#faults.dropsTruncations === true) return
    const undo = [...plan.snapshots, ...plan.logs].map((name) => this.#remove(name))
    for (const { name, offset } of plan.cuts) undo.push(this.#cut(name, offset))
    this.#pending.push({ kind: 'truncate', undo })
  }

  #forgetHistory(zxid: number): void {
    this.#log = undefined
    const received = this.listReceived().find((file) => file.zxid === zxid)
    if (received === undefined) throw new Error(`no snapshot of ${zxid} was received`)
    const old = [...this.listSnapshots(), ...this.listLogs()]
    const undo = old.map(({ name }) => this.#remove(name))
    const file = this.#file(received.name)
    const name = snapshotFileName({ zxid, compression: '' })
    this.#files.delete(received.name)
    this.#files.set(name, file)
    undo.push(() => {
      this.#files.delete(name)
      this.#files.set(received.name, file)
    })
    this.#pending.push({ kind: 'truncate', undo })
  }

  /** As a member does that boots, while nobody hears of it. The zxid of what has replaced the rest. */
  finishForgetting(): number | undefined {
    const [received] = this.listReceived()
    if (received === undefined) return undefined
    this.#forgetHistory(received.zxid)
    this.#pending = []
    return received.zxid
  }

  /** Returns what takes it back. */
  #remove(name: string): () => void {
    const file = this.#file(name)
    this.#files.delete(name)
    return () => this.#files.set(name, file)
  }

  #cut(name: string, offset: number): () => void {
    const file = this.#file(name)
    const { bytes, syncedBytes } = file
    file.bytes = bytes.subarray(0, offset)
    file.syncedBytes = offset
    return () => {
      file.bytes = bytes
      file.syncedBytes = syncedBytes
    }
  }

  #append(bytes: Buffer, firstZxid: number): void {
    let name = this.#log
    let content = Buffer.from(bytes)
    if (name === undefined) {
      name = logFileName(firstZxid)
      this.#log = name
      this.#logEnd = 0
      this.#logFileBytes = LOG_HEADER_BYTES
      this.#files.set(name, { bytes: Buffer.alloc(0), syncedBytes: 0 })
      this.#pending.push({ kind: 'create', name })
      content = Buffer.concat([logFileHeader(), content])
    }
    const at = this.#logEnd
    this.#logEnd += content.length
    this.#logFileBytes = paddedFileBytes(this.#logFileBytes, this.#logEnd, PREALLOC_BYTES)
    const file = this.#file(name)
    if (file.bytes.length < this.#logFileBytes) {
      const grown = Buffer.alloc(this.#logFileBytes)
      file.bytes.copy(grown)
      file.bytes = grown
    }
    content.copy(file.bytes, at)
    file.syncedBytes = file.bytes.length
    this.#pending.push({ kind: 'append', name, at, bytes: content })
  }

  writeSnapshotSlice(op: SnapshotOp, done: (problem: string | undefined) => void): void {
    const temporary = temporarySnapshotName(this.#snapshotName)
    if (op.kind === 'begin') {
      this.#snapshotName = op.name
      this.#files.set(temporarySnapshotName(op.name), { bytes: Buffer.alloc(0), syncedBytes: 0 })
    } else if (op.kind === 'append') {
      const file = this.#file(temporary)
      file.bytes = Buffer.concat([file.bytes, op.bytes])
    } else if (op.kind === 'finish') {
      const file = this.#file(temporary)
      if (this.#faults.snapshotsUnsynced !== true) file.syncedBytes = file.bytes.length
      this.#rename(temporary, this.#snapshotName)
    }
    this.#onDone(() => {
      if (op.kind === 'finish') this.#settle(({ kind }) => kind === 'rename')
      done(undefined)
    }, ['snapshots'])
  }

  #rename(from: string, to: string): void {
    this.#files.set(to, this.#file(from))
    this.#files.delete(from)
    this.#pending.push({ kind: 'rename', from, to })
  }

  /** As a new server does, while nobody is served. */
  writeSnapshotSync(name: string, content: Buffer): void {
    this.#files.set(name, { bytes: Buffer.from(content), syncedBytes: content.length })
  }

  /** Without a sync of the folder: it may come back. */
  unlink(name: string): void {
    const file = this.#files.get(name)
    this.#files.delete(name)
    if (file !== undefined) this.#pending.push({ kind: 'unlink', name, file })
  }

  cutTail(tail: LogTail): void {
    const file = this.#file(tail.name)
    if (tail.offset < LOG_HEADER_BYTES) {
      this.#files.delete(tail.name)
      return
    }
    const mark = tail.addEndMark ? [Buffer.from([END_MARK])] : []
    file.bytes = Buffer.concat([file.bytes.subarray(0, tail.offset), ...mark])
    file.syncedBytes = file.bytes.length
  }

  #settle(isDone: (pending: Pending) => boolean): void {
    this.#pending = this.#pending.filter((pending) => !isDone(pending))
  }

  #file(name: string): SimFile {
    const file = this.#files.get(name)
    if (file === undefined) throw new Error(`no file ${name}`)
    return file
  }

  /**
   * The process is gone and the system stays. The lane of the log is worked off one op after the
   * other: what comes behind the one that was under way was not begun. The rest is there, for now.
   */
  kill(): void {
    const lane = this.#pending.filter(({ kind }) => logLane.has(kind))
    const begun = lane.length === 0 ? 0 : 1 + this.#prng.below(lane.length)
    for (const pending of lane.slice(begun).toReversed()) this.#undo(pending)
    const underWay = lane[begun - 1]
    if (underWay?.kind === 'append') this.#lose(underWay, true)
    this.#residue.push(...lane.slice(0, begun).filter(({ kind }) => kind === 'append'))
    if (this.isSplit) {
      if (underWay?.kind === 'epoch') this.#residue.push(underWay)
      this.#residue.push(...this.#pending.filter(({ kind }) => kind === 'rename'))
    }
    this.#endProcess()
  }

  /** As a member does that boots: the end of the log is written anew, files and folders are synced. */
  secureEnd(): void {
    if (this.#faults.endUnsecured !== true) this.#residue = []
  }

  /** Everything is gone; or all that was on one of two devices. */
  wipe(device?: DeviceName): void {
    this.#residue = []
    for (const name of [...this.#files.keys()]) {
      const at = parseLogFileName(name) === undefined ? 'snapshots' : 'log'
      if (device === undefined || device === at) this.#files.delete(name)
    }
    if (device !== 'log') {
      this.#epochs.clear()
      this.#epochTemporary = undefined
    }
    this.#endProcess()
  }

  #endProcess(): void {
    for (const name of [...this.#files.keys()])
      if (name.startsWith('tmp.')) this.#files.delete(name)
    this.#pending = []
    this.#completions = []
    this.#log = undefined
  }

  /** Power is lost now, and comes back. */
  crash(): void {
    this.#loseLog(this.#pending.filter(({ kind }) => logLane.has(kind)))
    for (const pending of this.#pending.toReversed())
      if (!logLane.has(pending.kind)) this.#lose(pending, this.#prng.below(2) === 0)
    for (const pending of this.#residue)
      this.#lose(pending, pending.kind === 'append' || this.#prng.below(2) === 0)
    this.#residue = []
    for (const file of this.#files.values()) {
      const loose = file.bytes.length - file.syncedBytes
      const kept = file.syncedBytes + (loose > 0 ? this.#prng.below(loose + 1) : 0)
      file.bytes = file.bytes.subarray(0, kept)
      file.syncedBytes = kept
    }
    this.#endProcess()
  }

  /** The log's lane is worked off in order: some of it is done, one thing in part, the rest not. */
  #loseLog(pending: readonly Pending[]): void {
    const reached = this.#prng.below(pending.length + 1)
    for (let i = pending.length - 1; i >= reached; i -= 1) {
      const one = pending[i]
      if (one === undefined) continue
      if (i > reached) this.#undo(one)
      else this.#lose(one, this.#prng.below(2) === 0)
    }
  }

  /** It was not begun, so nothing of it is there. */
  #undo(pending: Pending): void {
    if (pending.kind === 'append') this.#tear(pending.name, pending.at, pending.bytes, 0)
    else if (pending.kind === 'epoch') this.#resetEpoch(pending.file, pending.before)
    else this.#lose(pending, true)
  }

  #lose(pending: Pending, isLost: boolean): void {
    switch (pending.kind) {
      case 'append': {
        const kept = this.#prng.below(pending.bytes.length + 1)
        return this.#tear(pending.name, pending.at, pending.bytes, kept)
      }
      case 'create':
        if (isLost) this.#files.delete(pending.name)
        return
      case 'rename': {
        if (!isLost) return
        const file = this.#files.get(pending.to)
        this.#files.delete(pending.to)
        if (file !== undefined) this.#files.set(pending.from, file)
        return
      }
      case 'unlink':
        if (isLost) this.#files.set(pending.name, pending.file)
        return
      case 'epoch':
        return this.#loseEpoch(pending.file, pending.before, isLost)
      case 'truncate': {
        const kept = isLost ? 0 : this.#prng.below(pending.undo.length + 1)
        for (const undo of pending.undo.slice(kept).toReversed()) undo()
      }
    }
  }

  /** The new file may be there under its temporary name, whole or in part. */
  #loseEpoch(file: EpochFile, before: number | undefined, isLost: boolean): void {
    if (!isLost) return
    const text = String(this.#epochs.get(file))
    if (file === 'currentEpoch' && this.#prng.below(2) === 0)
      this.#epochTemporary = text.slice(0, this.#prng.below(text.length + 1))
    this.#resetEpoch(file, before)
  }

  #resetEpoch(file: EpochFile, before: number | undefined): void {
    if (before === undefined) this.#epochs.delete(file)
    else this.#epochs.set(file, before)
  }

  /** So many bytes of the write stay; and the file as long as it was, or longer. */
  #tear(name: string, at: number, bytes: Buffer, kept: number): void {
    const file = this.#files.get(name)
    if (file === undefined) return
    // It may have been cut since by a process that came after.
    const end = Math.min(at + bytes.length, file.bytes.length)
    if (at + kept < end) file.bytes.fill(0, at + kept, end)
    if (this.#prng.below(3) === 0) file.bytes = file.bytes.subarray(0, at + kept)
    file.syncedBytes = file.bytes.length
  }

  damage(name: string, damage: Damage): void {
    this.#damages.set(this.#file(name), damage)
  }

  /** All can be read again, as it was written. */
  restore(): void {
    this.#damages.clear()
  }

  get isDamaged(): boolean {
    return this.#damages.size > 0
  }

  listLogs(): readonly LogFileInfo[] {
    return [...this.#files]
      .map(([name, { bytes }]) => ({
        zxid: parseLogFileName(name) ?? -1,
        name,
        bytes: bytes.length,
      }))
      .filter(({ zxid }) => zxid >= 0)
      .sort((a, b) => a.zxid - b.zxid)
  }

  listSnapshots(): readonly SnapshotFileInfo[] {
    return [...this.#files]
      .map(([name, { bytes }]) => ({
        zxid: parseSnapshotName(name)?.zxid ?? -1,
        name,
        bytes: bytes.length,
      }))
      .filter(({ zxid }) => zxid >= 0)
      .sort((a, b) => a.zxid - b.zxid)
  }

  listReceived(): readonly SnapshotFileInfo[] {
    return [...this.#files]
      .map(([name, { bytes }]) => ({
        zxid: parseReceivedName(name)?.zxid ?? -1,
        name,
        bytes: bytes.length,
      }))
      .filter(({ zxid }) => zxid >= 0)
  }

  /** What is behind that is under way, or in the memory of the kernel. */
  settledBytes(name: string): number {
    let settled = this.#file(name).bytes.length
    for (const pending of [...this.#pending, ...this.#residue])
      if (pending.kind === 'append' && pending.name === name)
        settled = Math.min(settled, pending.at)
    return settled
  }

  readLog(name: string, offset: number, length: number): Buffer {
    const file = this.#file(name)
    const bytes = Buffer.from(file.bytes.subarray(offset, offset + length))
    const damage = this.#damages.get(file)
    if (damage === undefined) return bytes
    if (damage.kind === 'unreadable') this.onUnreadable?.()
    return readDamaged(damage, name, offset, bytes)
  }

  readSnapshot(name: string, offset: number, length: number): Buffer {
    return this.readLog(name, offset, length)
  }

  gunzip(compressed: Buffer): Buffer | string {
    try {
      return gunzipSync(compressed)
    } catch (error) {
      return String(error)
    }
  }
}

/** Where a batch is written to, each once. What is cut back or replaced is a matter of both. */
export function devicesOf(ops: readonly DiskOp[]): readonly DeviceName[] {
  const isCut = ops.some(({ kind }) => kind === 'truncateAfter' || kind === 'forgetHistory')
  const isLog = isCut || ops.some(({ kind }) => kind === 'appendTxns')
  const isOther = isCut || ops.some(({ kind }) => kind === 'writeEpoch')
  if (isOther) return isLog ? ['log', 'snapshots'] : ['snapshots']
  return ['log']
}

const logLane: ReadonlySet<Pending['kind']> = new Set(['append', 'create', 'epoch', 'truncate'])
