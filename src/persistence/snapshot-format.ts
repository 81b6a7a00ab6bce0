import { JuteReader, type JuteWriter } from 'jute-ts'
import { adler32 } from '../base/adler32.ts'
import { DIGEST_VERSION } from '../data/txn.ts'
import type { DataTree } from '../tree/data-tree.ts'
import { type LoadedTree, loadTree, type RecordInput } from '../tree/snapshot-codec.ts'
import type { TreeDump } from '../tree/tree-dump.ts'
import type { SnapshotSource } from './snapshot-source.ts'

/**
 * A snapshot (spec 02 §4):
 *
 *     file    magic:int = "ZKSN"  version:int = 2  dbid:long = -1  records  seal
 *             [zxid:long digestVersion:int digest:long  seal  [lastProcessedZxid:long  seal]]
 *     seal    checksum:long  path:ustring = "/"
 *
 * Each checksum is the Adler-32 of everything before it, earlier seals included.
 */
const SNAPSHOT_MAGIC = 0x5a4b534e
const SNAPSHOT_VERSION = 2
const SNAPSHOT_HEADER_BYTES = 16
const DBID = -1
const SEAL_PATH = '/'
const SEAL_BYTES = 13
const ZXID_BYTES = 8

/** Which of the optional parts to write. Older servers read what they know, and stop. */
export interface SnapshotTail {
  /** Since 3.6: the digest of the tree. */
  readonly digest: boolean
  /** Since 3.9. Left out without the digest: a reader could not tell one from the other. */
  readonly lastProcessedZxid: boolean
}

/** Encodes a snapshot in slices, of the tree as it goes on changing. */
export class SnapshotEncoder {
  readonly #dump: TreeDump
  readonly #tail: SnapshotTail
  #checksum = 1
  #isBegun = false

  constructor(dump: TreeDump, tail: SnapshotTail) {
    this.#dump = dump
    this.#tail = tail
  }

  /** What had been applied when the dump began; the file is named after it. */
  get zxid(): number {
    return this.#dump.zxid
  }

  /** Why this can never be a snapshot; what was written of it is to be thrown away. */
  get problem(): string | undefined {
    return this.#dump.problem
  }

  close(): void {
    this.#dump.close()
  }

  /**
   * Fills `w`, which is empty, with `bytesMax` bytes or a little more. True: that was the last, and
   * the snapshot is whole unless there is a `problem`.
   */
  writeSlice(w: JuteWriter, bytesMax: number): boolean {
    if (!this.#isBegun) {
      this.#isBegun = true
      w.writeInt(SNAPSHOT_MAGIC)
      w.writeInt(SNAPSHOT_VERSION)
      w.writeNumber(DBID)
    }
    const isLast = this.#dump.writeSlice(w, bytesMax)
    if (this.problem !== undefined) return true
    const sealed = isLast ? this.#writeTail(w) : 0
    this.#checksum = adler32(w.buffer, sealed, w.length, this.#checksum)
    return isLast
  }

  /** Returns how much of `w` is in the checksum already. */
  #writeTail(w: JuteWriter): number {
    let sealed = this.#seal(w, 0)
    if (!this.#tail.digest) return sealed
    const { zxid, digest } = this.#dump.tail()
    // The tree that nobody has written to yet is not told from one without a digest (spec 02 §4).
    w.writeNumber(zxid)
    w.writeInt(DIGEST_VERSION)
    w.writeLong(zxid === 0 ? 0n : digest)
    sealed = this.#seal(w, sealed)
    if (!this.#tail.lastProcessedZxid) return sealed
    w.writeNumber(zxid)
    return this.#seal(w, sealed)
  }

  #seal(w: JuteWriter, sealed: number): number {
    const end = w.length
    this.#checksum = adler32(w.buffer, sealed, end, this.#checksum)
    w.writeNumber(this.#checksum >>> 0)
    w.writeString(SEAL_PATH)
    return end
  }
}

/** What a snapshot says about itself behind its records. */
export interface SnapshotContent extends LoadedTree {
  /** The digest of the tree as of this zxid, which may be above the one in the name. */
  readonly digest: SnapshotDigest | undefined
  /** What had been applied when the last node was dumped. Undefined: written before 3.9. */
  readonly lastProcessedZxid: number | undefined
}

interface SnapshotDigest {
  readonly zxid: number
  readonly version: number
  /** Undefined for versions before 2, which nobody compares any more. */
  readonly value: bigint | undefined
}

/** Fills a new tree with a snapshot. A string says what is wrong with it; the tree is then void. */
export function decodeSnapshot(source: SnapshotSource, tree: DataTree): SnapshotContent | string {
  const input = new SnapshotInput(source)
  const problem = readHeader(input)
  if (problem !== undefined) return input.problem ?? problem
  const loaded = loadTree(input, tree)
  if (typeof loaded === 'string') return input.problem ?? loaded
  const sealProblem = readSeal(input)
  if (sealProblem !== undefined) return input.problem ?? sealProblem
  const tail = readTail(input)
  if (typeof tail === 'string') return input.problem ?? tail
  return { ...loaded, ...tail }
}

function readHeader(input: SnapshotInput): string | undefined {
  const r = input.reader
  if (!input.require(SNAPSHOT_HEADER_BYTES)) return 'the file header is cut short'
  const magic = r.readInt()
  const version = r.readInt()
  r.readLong()
  if (magic !== SNAPSHOT_MAGIC) return 'this is not the header of a snapshot'
  return version === SNAPSHOT_VERSION ? undefined : `version ${version} is not known`
}

function readSeal(input: SnapshotInput): string | undefined {
  if (!input.require(SEAL_BYTES)) return 'the seal is cut short'
  const expected = input.checksum()
  const r = input.reader
  const high = r.readInt()
  const checksum = r.readInt()
  if (high !== 0 || checksum !== expected) return 'the checksum does not match the content'
  return r.readInt() === 1 && r.readByte() === 0x2f ? undefined : 'the seal is damaged'
}

/** Written since 3.6, the last part since 3.9; and only that if the digest was switched off. */
function readTail(input: SnapshotInput): Omit<SnapshotContent, keyof LoadedTree> | string {
  const rest = input.remaining()
  let digest: SnapshotDigest | undefined
  if (rest !== 0 && rest !== ZXID_BYTES + SEAL_BYTES) {
    digest = readDigest(input)
    if (digest === undefined) return 'the digest is cut short'
    const problem = readSeal(input)
    if (problem !== undefined) return `behind the digest ${problem}`
  }
  if (input.remaining() === 0) return { digest, lastProcessedZxid: undefined }
  if (input.remaining() < ZXID_BYTES) return 'the last zxid is cut short'
  const lastProcessedZxid = input.reader.readNumber()
  const problem = readSeal(input)
  if (problem !== undefined) return `behind the last zxid ${problem}`
  if (input.remaining() > 0) return 'more follows behind the last seal'
  return { digest, lastProcessedZxid }
}

function readDigest(input: SnapshotInput): SnapshotDigest | undefined {
  const r = input.reader
  const zxid = r.readNumber()
  const version = r.readInt()
  // Before version 2 it was written as text.
  if (version < DIGEST_VERSION) r.readString()
  const value = version < DIGEST_VERSION ? undefined : r.readLong()
  return r.ok ? { zxid, version, value } : undefined
}

const NONE: Buffer = Buffer.alloc(0)

/** A window on the content that moves forward, and the checksum of what it has passed. */
class SnapshotInput implements RecordInput {
  readonly reader: JuteReader = new JuteReader()
  readonly #source: SnapshotSource
  #window: Buffer = NONE
  /** What of the window is in the checksum. */
  #summedTo = 0
  #sum = 1
  #isAtEnd = false
  /** What the source has found wrong. */
  problem: string | undefined = undefined

  constructor(source: SnapshotSource) {
    this.#source = source
  }

  more(at: number): boolean {
    this.#sumTo(at)
    const piece = this.#isAtEnd ? undefined : this.#source.next(this.#window.subarray(at))
    if (piece === undefined || typeof piece === 'string') {
      this.#isAtEnd = true
      this.problem ??= piece
      this.reader.reset(this.#window, at)
      return false
    }
    this.#window = piece
    this.#summedTo = 0
    this.reader.reset(this.#window)
    return true
  }

  /** Makes so many bytes available. False: there are fewer. */
  require(bytes: number): boolean {
    while (this.reader.remaining < bytes) if (!this.more(this.reader.at)) return false
    return true
  }

  /** Bytes behind the reader up to the end, of which a tail has few. */
  remaining(): number {
    while (this.more(this.reader.at)) {}
    return this.reader.remaining
  }

  /** Of everything before the reader. */
  checksum(): number {
    this.#sumTo(this.reader.at)
    return this.#sum
  }

  #sumTo(at: number): void {
    this.#sum = adler32(this.#window, this.#summedTo, at, this.#sum)
    this.#summedTo = at
  }
}
