import { gunzipSync } from 'node:zlib'
import type { Prng } from '../../src/base/prng.ts'
import type {
  DiskOp,
  DiskReader,
  LogFileInfo,
  SnapshotFileInfo,
  SnapshotOp,
} from '../../src/persistence/disk.ts'
import type { LogTail } from '../../src/persistence/recovery.ts'
import { parseSnapshotName, temporarySnapshotName } from '../../src/persistence/snapshot-name.ts'
import {
  END_MARK,
  LOG_HEADER_BYTES,
  logFileHeader,
  logFileName,
  paddedFileBytes,
  parseLogFileName,
} from '../../src/persistence/txn-log-format.ts'

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
  #log: string | undefined = undefined
  #logEnd = 0
  #logFileBytes = 0
  #snapshotName = ''
  /** What the machine is waiting for; the simulation decides when it comes. */
  #completions: (() => void)[] = []

  constructor(prng: Prng) {
    this.#prng = prng
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
    for (const op of ops) {
      if (op.kind === 'rollLog') this.#log = undefined
      else if (op.kind === 'appendTxns') this.#append(op.bytes, op.firstZxid)
    }
    // The next batch comes only after this one, so all of the log that is under way is in this one.
    const mine = this.#pending.filter(({ kind }) => kind === 'append' || kind === 'create')
    this.#completions.push(() => {
      this.#settle((pending) => mine.includes(pending))
      done()
    })
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
    const grown = Buffer.alloc(this.#logFileBytes)
    file.bytes.copy(grown)
    content.copy(grown, at)
    file.bytes = grown
    file.syncedBytes = grown.length
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
      file.syncedBytes = file.bytes.length
      this.#rename(temporary, this.#snapshotName)
    }
    this.#completions.push(() => {
      if (op.kind === 'finish') this.#settle(({ kind }) => kind === 'rename')
      done(undefined)
    })
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

  /** Power is lost now, and comes back. */
  crash(): void {
    for (const pending of this.#pending.toReversed()) this.#lose(pending)
    for (const file of this.#files.values()) {
      const loose = file.bytes.length - file.syncedBytes
      const kept = file.syncedBytes + (loose > 0 ? this.#prng.below(loose + 1) : 0)
      file.bytes = file.bytes.subarray(0, kept)
      file.syncedBytes = kept
    }
    for (const name of [...this.#files.keys()])
      if (name.startsWith('tmp.')) this.#files.delete(name)
    this.#pending = []
    this.#completions = []
    this.#log = undefined
  }

  #lose(pending: Pending): void {
    const isLost = this.#prng.below(2) === 0
    switch (pending.kind) {
      case 'append':
        return this.#tear(pending.name, pending.at, pending.bytes)
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
    }
  }

  /** Any prefix of the write, also none and all of it; and the file as long as it was, or longer. */
  #tear(name: string, at: number, bytes: Buffer): void {
    const file = this.#files.get(name)
    if (file === undefined) return
    const kept = this.#prng.below(bytes.length + 1)
    file.bytes.fill(0, at + kept, at + bytes.length)
    if (this.#prng.below(3) === 0) file.bytes = file.bytes.subarray(0, at + kept)
    file.syncedBytes = file.bytes.length
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

  readLog(name: string, offset: number, length: number): Buffer {
    return Buffer.from(this.#file(name).bytes.subarray(offset, offset + length))
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
