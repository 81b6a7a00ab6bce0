import type { JuteWriter } from 'jute-ts'
import { crc32 } from '../base/crc32.ts'
import { type AclEntry, Znode } from './znode.ts'

/** The key of the ACL, and StatPersisted. */
const KEY_BYTES = 8
const STAT_BYTES = 60
const LENGTH_BYTES = 4
/** A long is a safe integer if its high half lies in [-SAFE_HIGH_SPAN, SAFE_HIGH_SPAN). */
const SAFE_HIGH_SPAN = 2 ** 21
const LOW_SPAN = 2 ** 32
const SLASH = 0x2f
const ASCII_MAX = 0x7f

/** Offsets in StatPersisted. */
const CZXID = 0
const MZXID = 8
const CTIME = 16
const MTIME = 24
const VERSION = 32
const CVERSION = 36
const AVERSION = 40
const OWNER = 44
const PZXID = 52

const ZOOKEEPER: Buffer = Buffer.from('/zookeeper')
const BELOW_ZOOKEEPER: Buffer = Buffer.from('/zookeeper/')
const NOTHING: Buffer = Buffer.alloc(0)

/**
 * The record of one node in a snapshot, read where it stands: path, data, key of the ACL and
 * StatPersisted. One object is pointed at one record after the other, so that nothing is allocated for
 * a node that nobody asks for.
 */
export class NodeRecord {
  buffer: Buffer = NOTHING
  #view: DataView = new DataView(new ArrayBuffer(0))
  /** Where the record begins. */
  at = 0
  pathAt = 0
  pathBytes = 0
  dataAt = 0
  /** -1: null. */
  dataBytes = 0
  #keyAt = 0
  #statAt = 0
  /** Behind the record. */
  end = 0

  /**
   * Points at the record that begins at `at` of a buffer which holds whole bytes up to `end` only.
   * 'partial': it goes on behind `end`; 'absurd': a length is negative.
   */
  point(buffer: Buffer, at: number, end: number): 'whole' | 'partial' | 'absurd' {
    if (buffer !== this.buffer) {
      this.buffer = buffer
      this.#view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)
    }
    this.at = at
    this.pathAt = at + LENGTH_BYTES
    if (this.pathAt > end) return 'partial'
    this.pathBytes = this.#view.getInt32(at)
    if (this.pathBytes < 0) return 'absurd'
    this.dataAt = this.pathAt + this.pathBytes + LENGTH_BYTES
    if (this.dataAt > end) return 'partial'
    this.dataBytes = this.#view.getInt32(this.dataAt - LENGTH_BYTES)
    if (this.dataBytes < -1) return 'absurd'
    this.#keyAt = this.dataAt + Math.max(0, this.dataBytes)
    this.#statAt = this.#keyAt + KEY_BYTES
    this.end = this.#statAt + STAT_BYTES
    return this.end > end ? 'partial' : 'whole'
  }

  /** Whether all its longs but the owner are safe integers: no server gives out others. */
  get isSane(): boolean {
    const statAt = this.#statAt
    return (
      this.#isSafe(this.#keyAt) &&
      this.#isSafe(statAt + CZXID) &&
      this.#isSafe(statAt + MZXID) &&
      this.#isSafe(statAt + CTIME) &&
      this.#isSafe(statAt + MTIME) &&
      this.#isSafe(statAt + PZXID)
    )
  }

  #isSafe(at: number): boolean {
    const high = this.#view.getInt32(at)
    return high < SAFE_HIGH_SPAN && high >= -SAFE_HIGH_SPAN
  }

  #number(at: number): number {
    return this.#view.getInt32(at) * LOW_SPAN + this.#view.getUint32(at + 4)
  }

  /** Bytes of the path before its last slash; -1 if it has none. */
  get parentBytes(): number {
    const { buffer, pathAt } = this
    let at = pathAt + this.pathBytes - 1
    while (at >= pathAt && buffer[at] !== SLASH) at -= 1
    return at - pathAt
  }

  get isPathAscii(): boolean {
    const { buffer } = this
    const end = this.pathAt + this.pathBytes
    let all = 0
    for (let at = this.pathAt; at < end; at += 1) all |= buffer[at] ?? 0
    return all <= ASCII_MAX
  }

  /** /zookeeper, or below it: what every new tree has, and quotas. */
  get isInternal(): boolean {
    return this.#startsWith(ZOOKEEPER)
  }

  /** Below /zookeeper, where nodes do not count in the digest of a tree. */
  get isUncounted(): boolean {
    return this.#startsWith(BELOW_ZOOKEEPER)
  }

  #startsWith(prefix: Buffer): boolean {
    const { buffer, pathAt } = this
    if (this.pathBytes < prefix.length) return false
    for (let i = 0; i < prefix.length; i += 1) if (buffer[pathAt + i] !== prefix[i]) return false
    return true
  }

  get path(): string {
    return this.buffer.toString(undefined, this.pathAt, this.pathAt + this.pathBytes)
  }

  /** What stands behind the last slash. */
  get name(): string {
    const nameAt = this.pathAt + this.parentBytes + 1
    return this.buffer.toString(undefined, nameAt, this.pathAt + this.pathBytes)
  }

  get aclKey(): number {
    return this.#number(this.#keyAt)
  }

  /** Where the key of the ACL stands, from the beginning of the record. */
  get aclKeyOffset(): number {
    return this.#keyAt - this.at
  }

  get owner(): bigint {
    const at = this.#statAt + OWNER
    if ((this.#view.getInt32(at) | this.#view.getInt32(at + LENGTH_BYTES)) === 0) return 0n
    return this.#view.getBigInt64(at)
  }

  get zxidMax(): number {
    const statAt = this.#statAt
    const changed = Math.max(this.#number(statAt + MZXID), this.#number(statAt + PZXID))
    return Math.max(this.#number(statAt + CZXID), changed)
  }

  get pathCrc(): number {
    return crc32(this.buffer, this.pathAt, this.pathAt + this.pathBytes)
  }

  /**
   * The digest of the node (spec 02 §7), as an int32, of which `pathCrc` is the beginning. All that it
   * covers stands here, though in another order: no field need be written down again.
   */
  digest(pathCrc: number): number {
    const { buffer, dataAt, dataBytes } = this
    const statAt = this.#statAt
    let crc = pathCrc
    if (dataBytes > 0) crc = crc32(buffer, dataAt, dataAt + dataBytes, crc)
    crc = crc32(buffer, statAt, statAt + CTIME, crc)
    crc = crc32(buffer, statAt + PZXID, statAt + STAT_BYTES, crc)
    return crc32(buffer, statAt + CTIME, statAt + PZXID, crc) | 0
  }

  /** The node, whose data stays where it stands. The digest is the caller's to set. */
  toZnode(acl: AclEntry): Znode {
    const view = this.#view
    const statAt = this.#statAt
    const czxid = this.#number(statAt + CZXID)
    const znode = new Znode(this.dataBytes < 0 ? null : NOTHING, acl, this.owner, czxid, 0)
    if (this.dataBytes > 0) znode.setDataIn(this.buffer, this.dataAt - LENGTH_BYTES)
    znode.mzxid = this.#number(statAt + MZXID)
    znode.ctime = this.#number(statAt + CTIME)
    znode.mtime = this.#number(statAt + MTIME)
    znode.version = view.getInt32(statAt + VERSION)
    znode.cversion = view.getInt32(statAt + CVERSION)
    znode.aversion = view.getInt32(statAt + AVERSION)
    znode.pzxid = this.#number(statAt + PZXID)
    return znode
  }

  /** The record as it stands, but with another key for its ACL. */
  writeTo(w: JuteWriter, aclKey: number): void {
    const at = w.reserve(this.end - this.at)
    this.buffer.copy(w.buffer, at, this.at, this.end)
    if (aclKey !== this.aclKey) w.patchNumber(at + this.aclKeyOffset, aclKey)
  }
}

/** Whether the path that ends the list of nodes stands at `at`. */
export function isEndPath(buffer: Buffer, at: number, end: number): boolean {
  return at + LENGTH_BYTES < end && buffer.readInt32BE(at) === 1 && buffer[at + 4] === SLASH
}
