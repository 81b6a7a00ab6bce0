import {
  close,
  closeSync,
  fsync,
  open,
  readdirSync,
  rename,
  renameSync,
  unlinkSync,
  write,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { createGzip, type Gzip, gzipSync } from 'node:zlib'
import { assert } from '../../base/assert.ts'
import type { SnapshotOp } from '../../persistence/disk.ts'
import { snappyBlocks, snappyHeader } from '../../persistence/snappy-stream.ts'
import {
  isTemporarySnapshotName,
  parseReceivedName,
  parseSnapshotName,
  temporarySnapshotName,
} from '../../persistence/snapshot-name.ts'
import { syncFolder } from './disk-files.ts'
import { freeBytesOf } from './free-bytes.ts'

/**
 * The kernel is told to write back after so many bytes: many pages that are not written back would
 * make the next sync of the log wait for all of them.
 */
const SYNC_EVERY_BYTES = 8 * 1024 * 1024

type Done = (problem: string | undefined) => void

/** Writes one snapshot at a time beside the log. A failure is told to `done`, and nothing is left. */
export class SnapshotFile {
  readonly #folder: string
  #fd: number | undefined = undefined
  #gzip: Gzip | undefined = undefined
  /** What gzip has made and is not written yet. */
  readonly #packed: Buffer[] = []
  #name = ''
  #position = 0
  #syncedTo = 0
  #lookedAt = 0
  #isBusy = false

  readonly #freeSpaceMinBytes: number

  /**
   * `folder` is that of the snapshots, version-2 included. A snapshot ends rather than leave less
   * free space than `freeSpaceMinBytes`: the log may need it, and cannot do without.
   */
  constructor(folder: string, freeSpaceMinBytes: number) {
    this.#folder = folder
    this.#freeSpaceMinBytes = freeSpaceMinBytes
  }

  /** Never calls back before it returns. The bytes of the op are borrowed until it does. */
  run(op: SnapshotOp, done: Done): void {
    assert(!this.#isBusy, 'an op of a snapshot while another is in flight')
    this.#isBusy = true
    const finish: Done = (problem) => {
      this.#isBusy = false
      done(problem)
    }
    if (op.kind === 'begin') this.#begin(op.name, finish)
    else if (op.kind === 'append') this.#append(op.bytes, finish)
    else if (op.kind === 'finish') this.#finish(finish)
    else this.#abandon('it was not wanted any more', finish)
  }

  get #temporaryPath(): string {
    return join(this.#folder, temporarySnapshotName(this.#name))
  }

  #begin(name: string, done: Done): void {
    this.#name = name
    this.#position = 0
    this.#syncedTo = 0
    this.#lookedAt = 0
    this.#packed.length = 0
    open(this.#temporaryPath, 'w', 0o644, (error, fd) => {
      if (error !== null) return done(`creating ${this.#temporaryPath} failed: ${error.message}`)
      this.#fd = fd
      if ((parseSnapshotName(name) ?? parseReceivedName(name))?.compression === 'gz') {
        this.#gzip = createGzip()
        this.#gzip.on('data', (bytes: Buffer) => this.#packed.push(bytes))
      }
      this.#checkSpace(done)
    })
  }

  #append(bytes: Buffer, done: Done): void {
    if (this.#gzip === undefined) this.#write(bytes, done)
    else this.#gzip.write(bytes, () => this.#writePacked(done))
  }

  #writePacked(done: Done): void {
    const bytes = Buffer.concat(this.#packed)
    this.#packed.length = 0
    this.#write(bytes, done)
  }

  #write(bytes: Buffer, done: Done): void {
    const fd = this.#fd
    assert(fd !== undefined, 'bytes for a snapshot that was not begun')
    let at = 0
    const step = (): void => {
      if (at === bytes.length) return this.#syncNowAndThen(fd, done)
      write(fd, bytes, at, bytes.length - at, this.#position, (error, written) => {
        if (error !== null) return this.#abandon(`writing failed: ${error.message}`, done)
        at += written
        this.#position += written
        step()
      })
    }
    if (bytes.length === 0) process.nextTick(done, undefined)
    else step()
  }

  #syncNowAndThen(fd: number, done: Done): void {
    // So often that this cannot use up between two looks what is to be left.
    const lookEveryBytes = this.#freeSpaceMinBytes / 16
    const isLookDue = this.#position - this.#lookedAt >= lookEveryBytes
    if (isLookDue) this.#lookedAt = this.#position
    const goOn: Done = isLookDue ? () => this.#checkSpace(done) : done
    if (this.#position - this.#syncedTo < SYNC_EVERY_BYTES) return goOn(undefined)
    this.#syncedTo = this.#position
    fsync(fd, (error) => {
      if (error === null) goOn(undefined)
      else this.#abandon(`syncing failed: ${error.message}`, done)
    })
  }

  #checkSpace(done: Done): void {
    if (this.#freeSpaceMinBytes === 0) return done(undefined)
    freeBytesOf(this.#folder, (bytes) => {
      if (bytes === undefined || bytes >= this.#freeSpaceMinBytes) return done(undefined)
      this.#abandon(`only ${bytes} bytes are free, less than freeSpaceMinInKb asks for`, done)
    })
  }

  #finish(done: Done): void {
    const gzip = this.#gzip
    if (gzip === undefined) return this.#close(done)
    gzip.once('end', () => {
      this.#writePacked((problem) => {
        if (problem === undefined) this.#close(done)
        else done(problem)
      })
    })
    gzip.end()
  }

  #close(done: Done): void {
    this.#checkSpace((problem) => {
      if (problem === undefined) this.#syncAndName(done)
      else done(problem)
    })
  }

  /** First the content, then the name: in no order of loss is there a name without content. */
  #syncAndName(done: Done): void {
    const fd = this.#fd
    assert(fd !== undefined, 'the end of a snapshot that was not begun')
    fsync(fd, (syncError) => {
      if (syncError !== null) return this.#abandon(`syncing failed: ${syncError.message}`, done)
      this.#fd = undefined
      this.#gzip = undefined
      close(fd, (closeError) => {
        if (closeError !== null) return done(`closing failed: ${closeError.message}`)
        rename(this.#temporaryPath, join(this.#folder, this.#name), (error) => {
          if (error !== null) return done(`renaming failed: ${error.message}`)
          syncFolderSoon(this.#folder, done)
        })
      })
    })
  }

  #abandon(reason: string, done: Done): void {
    const fd = this.#fd
    this.#fd = undefined
    this.#gzip?.destroy()
    this.#gzip = undefined
    try {
      if (fd !== undefined) closeSync(fd)
      // Half a snapshot is of no use, and a full disk needs the space.
      unlinkSync(this.#temporaryPath)
    } catch {
      // Then it is removed at the next start.
    }
    process.nextTick(done, reason)
  }
}

function syncFolderSoon(folder: string, done: Done): void {
  open(folder, 'r', (openError, fd) => {
    if (openError !== null) return done(`syncing ${folder} failed: ${openError.message}`)
    fsync(fd, (error) => {
      closeSync(fd)
      done(error === null ? undefined : `syncing ${folder} failed: ${error.message}`)
    })
  })
}

/** Removes what a crash has left of snapshots that were being written. */
export function removeTemporarySnapshots(folder: string): void {
  for (const name of readdirSync(folder))
    if (isTemporarySnapshotName(name)) unlinkSync(join(folder, name))
}

/** Writes a small snapshot at once, while nobody is served yet. Throws as node:fs does. */
export function writeSnapshotSync(folder: string, name: string, content: Buffer): void {
  const compression = parseSnapshotName(name)?.compression
  const temporary = join(folder, temporarySnapshotName(name))
  const packed =
    compression === 'gz'
      ? gzipSync(content)
      : compression === 'snappy'
        ? Buffer.concat([snappyHeader(), snappyBlocks(content)])
        : content
  writeFileSync(temporary, packed, { flush: true })
  renameSync(temporary, join(folder, name))
  syncFolder(folder)
}
