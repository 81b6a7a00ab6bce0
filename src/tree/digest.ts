import { crc32 } from '../base/crc32.ts'
import type { StatFields } from '../data/stat.ts'

/** The fields of a node that its digest covers: raw persisted values, not what a client sees. */
export interface DigestedNode extends StatFields {
  readonly data: Buffer | null
  readonly ephemeralOwner: bigint
}

const STAT_BYTES = 60
const SPAN = 2 ** 32
const INTERNAL = '/zookeeper/'

const statBytes = new Uint8Array(STAT_BYTES)
const statView = new DataView(statBytes.buffer)
let pathBytes = Buffer.alloc(256)

/** Byte by byte: this runs several times for every write, and the checks of Buffer cost more. */
function putInt(value: number, at: number): void {
  statBytes[at] = value >> 24
  statBytes[at + 1] = value >> 16
  statBytes[at + 2] = value >> 8
  statBytes[at + 3] = value
}

function putNumber(value: number, at: number): void {
  putInt(Math.floor(value / SPAN), at)
  putInt(value | 0, at + 4)
}

/** The path in UTF-8; paths are ASCII nearly always, and short. Returns the length. */
function putPath(path: string): number {
  if (path.length * 3 > pathBytes.length) pathBytes = Buffer.alloc(path.length * 3)
  for (let i = 0; i < path.length; i += 1) {
    const code = path.charCodeAt(i)
    if (code > 0x7f) return pathBytes.write(path, 0, 'utf8')
    pathBytes[i] = code
  }
  return path.length
}

/**
 * The digest of one node, as an int32 (spec 02 §7): CRC32 of path, data and the persisted Stat.
 * Nodes below /zookeeper count nothing; the path of the root counts as empty.
 */
export function nodeDigest(path: string, node: DigestedNode): number {
  if (path.startsWith(INTERNAL)) return 0
  let crc = 0
  // The length first: to put the path there may take another, larger buffer.
  const pathLength = path === '/' ? 0 : putPath(path)
  crc = crc32(pathBytes, 0, pathLength, crc)
  const { data } = node
  if (data !== null) crc = crc32(data, 0, data.length, crc)
  putNumber(node.czxid, 0)
  putNumber(node.mzxid, 8)
  putNumber(node.pzxid, 16)
  putNumber(node.ctime, 24)
  putNumber(node.mtime, 32)
  putInt(node.version, 40)
  putInt(node.cversion, 44)
  putInt(node.aversion, 48)
  if (node.ephemeralOwner === 0n) putNumber(0, 52)
  else statView.setBigInt64(52, node.ephemeralOwner)
  return crc32(statBytes, 0, STAT_BYTES, crc) | 0
}

/**
 * The digest of a tree: the sum of its nodes' digests modulo 2^64, in two halves because a bigint
 * would cost an allocation at every change.
 */
export class TreeDigest {
  high = 0
  low = 0

  add(digest: number): void {
    this.low += digest >>> 0
    if (this.low < SPAN) return
    this.low -= SPAN
    this.high = (this.high + 1) >>> 0
  }

  subtract(digest: number): void {
    this.low -= digest >>> 0
    if (this.low >= 0) return
    this.low += SPAN
    this.high = (this.high - 1) >>> 0
  }

  set(other: TreeDigest): void {
    this.high = other.high
    this.low = other.low
  }

  equals(high: number, low: number): boolean {
    return this.high === high >>> 0 && this.low === low >>> 0
  }

  /** As a signed long, which is how the log, the snapshot and the word `hash` have it. */
  toBigInt(): bigint {
    return BigInt.asIntN(64, (BigInt(this.high) << 32n) | BigInt(this.low))
  }
}
