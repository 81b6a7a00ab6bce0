import type { DiskReader, SnapshotFileInfo } from './disk.ts'
import { SNAPPY_HEADER_BYTES, SNAPPY_MAGIC, snappyBlockContent } from './snappy-stream.ts'
import { parseSnapshotName } from './snapshot-name.ts'

/** What is asked of the disk here. */
export type SnapshotReader = Pick<DiskReader, 'readSnapshot' | 'gunzip'>

/** The content of a snapshot file, piece by piece, whatever it is packed in. */
export interface SnapshotSource {
  /**
   * What follows, at least one byte, behind `held`: the end of what was returned before, which the
   * result begins with. The buffer is the caller's. Undefined: the end. A string says what is wrong
   * with the file.
   */
  next(held: Buffer): Buffer | string | undefined
}

/** Large, for few system calls, yet small beside the tree that is made of it. */
const PIECE_BYTES = 4 * 1024 * 1024
const GZIP_MAGIC = 0x1f8b
const SEAL_PATH: Buffer = Buffer.from([0, 0, 0, 1, 0x2f])
const PLAIN_BYTES_MIN = 10

/** What spares a look inside: the marks that the original looks at, too (spec 02 §4). */
export function precheckSnapshot(disk: SnapshotReader, file: SnapshotFileInfo): string | undefined {
  const compression = parseSnapshotName(file.name)?.compression
  if (file.bytes === 0) return 'the file is empty'
  if (compression === 'gz') {
    const magic = disk.readSnapshot(file.name, 0, 2)
    return magic.length === 2 && magic.readUInt16BE(0) === GZIP_MAGIC
      ? undefined
      : 'it does not begin as a gzip file does'
  }
  if (compression === 'snappy') {
    const magic = disk.readSnapshot(file.name, 0, SNAPPY_MAGIC.length)
    return magic.equals(SNAPPY_MAGIC) ? undefined : 'it does not begin as a snappy file does'
  }
  if (file.bytes < PLAIN_BYTES_MIN) return 'the file is too short'
  const seal = disk.readSnapshot(file.name, file.bytes - SEAL_PATH.length, SEAL_PATH.length)
  return seal.equals(SEAL_PATH) ? undefined : 'it was not written to its end: the seal is missing'
}

export function openSnapshot(disk: SnapshotReader, file: SnapshotFileInfo): SnapshotSource {
  const compression = parseSnapshotName(file.name)?.compression ?? ''
  if (compression === 'gz') return new GzipSource(disk, file)
  if (compression === 'snappy') return new SnappySource(disk, file)
  return new PlainSource(disk, file)
}

class PlainSource implements SnapshotSource {
  readonly #disk: SnapshotReader
  readonly #file: SnapshotFileInfo
  #at = 0

  constructor(disk: SnapshotReader, file: SnapshotFileInfo) {
    this.#disk = disk
    this.#file = file
  }

  /** What is held is read again: that is less to copy, and to allocate. */
  next(held: Buffer): Buffer | string | undefined {
    if (this.#at >= this.#file.bytes) return undefined
    const from = this.#at - held.length
    const length = Math.min(Math.max(PIECE_BYTES, 2 * held.length), this.#file.bytes - from)
    const bytes = this.#disk.readSnapshot(this.#file.name, from, length)
    if (bytes.length <= held.length) return 'the file has become shorter while it was read'
    this.#at = from + bytes.length
    return bytes
  }
}

/** Unpacked in one go, and given out in pieces: a reader takes no more than 1 GiB at a time. */
class GzipSource implements SnapshotSource {
  readonly #disk: SnapshotReader
  readonly #file: SnapshotFileInfo
  #content: Buffer | undefined = undefined
  #at = 0

  constructor(disk: SnapshotReader, file: SnapshotFileInfo) {
    this.#disk = disk
    this.#file = file
  }

  next(held: Buffer): Buffer | string | undefined {
    if (this.#content === undefined) {
      const packed = this.#disk.readSnapshot(this.#file.name, 0, this.#file.bytes)
      const content = this.#disk.gunzip(packed)
      if (typeof content === 'string') return content
      this.#content = content
    }
    if (this.#at >= this.#content.length) return undefined
    const from = this.#at - held.length
    this.#at = Math.min(this.#at + Math.max(PIECE_BYTES, held.length), this.#content.length)
    return this.#content.subarray(from, this.#at)
  }
}

class SnappySource implements SnapshotSource {
  readonly #plain: PlainSource
  #held: Buffer = Buffer.alloc(0)
  #isOpen = false

  constructor(disk: SnapshotReader, file: SnapshotFileInfo) {
    this.#plain = new PlainSource(disk, file)
  }

  next(held: Buffer): Buffer | string | undefined {
    if (!this.#isOpen) {
      const header = this.#take(SNAPPY_HEADER_BYTES)
      if (header === undefined) return 'the snappy header is cut short'
      this.#isOpen = true
    }
    for (;;) {
      const prefix = this.#take(4)
      if (prefix === undefined)
        return this.#held.length === 0 ? undefined : 'the last snappy block is cut short'
      const length = prefix.readInt32BE(0)
      const block = length < 0 ? undefined : this.#take(length)
      if (block === undefined) return 'a snappy block is cut short'
      const content = snappyBlockContent(block)
      if (content === undefined) return 'a snappy block is damaged'
      if (content.length > 0) return held.length === 0 ? content : Buffer.concat([held, content])
    }
  }

  /** The next so many bytes of the file. Undefined: there are fewer. */
  #take(bytes: number): Buffer | undefined {
    while (this.#held.length < bytes) {
      const piece = this.#plain.next(this.#held)
      if (piece === undefined || typeof piece === 'string') return undefined
      this.#held = piece
    }
    const taken = this.#held.subarray(0, bytes)
    this.#held = this.#held.subarray(bytes)
    return taken
  }
}
