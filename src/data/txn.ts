import { type JuteReader, JuteWriter } from 'jute-ts'
import { unreachable } from '../base/assert.ts'
import { OpCode } from './op-code.ts'
import {
  type ACL,
  readACL,
  readCheckVersionTxn,
  readCloseSessionTxn,
  readCreateSessionTxn,
  readDeleteTxn,
  readErrorTxn,
  readSetACLTxn,
  readSetDataTxn,
  writeCheckVersionTxn,
  writeCloseSessionTxn,
  writeCreateContainerTxn,
  writeCreateSessionTxn,
  writeCreateTTLTxn,
  writeCreateTxn,
  writeDeleteTxn,
  writeErrorTxn,
  writeSetACLTxn,
  writeSetDataTxn,
} from './records.ts'
import { counterOf } from './zxid.ts'

/** A create of any kind. `path` is final, suffix included; `parentCVersion` is the raw one after. */
export interface CreateTxn {
  readonly type:
    | typeof OpCode.create
    | typeof OpCode.create2
    | typeof OpCode.createContainer
    | typeof OpCode.createTTL
  readonly path: string
  readonly data: Buffer | null
  readonly acl: readonly ACL[]
  /** The session that owns the node is then the header's clientId. */
  readonly ephemeral: boolean
  readonly parentCVersion: number
  /** Milliseconds; 0 unless `type` is createTTL. */
  readonly ttl: bigint
}
interface DeleteTxn {
  readonly type: typeof OpCode.delete | typeof OpCode.deleteContainer
  readonly path: string
}
/** `version` is the new one. A reconfig is one on /zookeeper/config with version -1. */
export interface SetDataTxn {
  readonly type: typeof OpCode.setData | typeof OpCode.reconfig
  readonly path: string
  readonly data: Buffer | null
  readonly version: number
}
/** `version` is the new aversion. */
export interface SetACLTxn {
  readonly type: typeof OpCode.setACL
  readonly path: string
  readonly acl: readonly ACL[]
  readonly version: number
}
/** Only inside a multi. */
interface CheckTxn {
  readonly type: typeof OpCode.check
  readonly path: string
  readonly version: number
}
interface CreateSessionTxn {
  readonly type: typeof OpCode.createSession
  /** Milliseconds. */
  readonly timeOut: number
}
/** Undefined paths: written by 3.5 or older, or by choice; the tree then knows the ephemerals. */
export interface CloseSessionTxn {
  readonly type: typeof OpCode.closeSession
  readonly paths2Delete: readonly string[] | undefined
}
/** A write that failed keeps its place in the order, and so a zxid (spec 05 §1). */
interface ErrorTxn {
  readonly type: typeof OpCode.error
  readonly err: number
}
export type SubTxn = CreateTxn | DeleteTxn | SetDataTxn | CheckTxn | ErrorTxn
/** If any part is an error, nothing of it is applied (spec 02 §2). */
export interface MultiTxn {
  readonly type: typeof OpCode.multi
  readonly txns: readonly SubTxn[]
}
export type Txn = SubTxn | SetACLTxn | CreateSessionTxn | CloseSessionTxn | MultiTxn

/** Digest version 2 is what 3.6 to 3.9 write (spec 02 §2). */
export const DIGEST_VERSION = 2

const DIGEST_BYTES = 12
const MULTI_PART_BYTES_MIN = 8
const PART_BYTES_INITIAL = 256

/** Where the type stands in a TxnHeader, and how much of one there has to be. */
const TYPE_AT = 28
const HEADER_BYTES = 32

/**
 * The original gives no zxid to a write whose body it cannot decode. It logs and proposes the error
 * under the zxid that it has come to: that of the record before, or where its epoch begins. Such an
 * echo is no part of the history, and to be passed over; `last` is the zxid before it. (A standalone
 * server counts on from one epoch into the next.)
 */
export const isEcho = (type: number, zxid: number, last: number): boolean =>
  type === OpCode.error && (zxid === last || (counterOf(zxid) === 0 && zxid !== last + 1))

/** As isEcho, of an entry as it stands in the log or in a PROPOSAL. */
export const isEchoEntry = (entry: Buffer, zxid: number, last: number): boolean =>
  entry.length >= HEADER_BYTES && isEcho(entry.readInt32BE(TYPE_AT), zxid, last)

/** Writes the body of a txn; the type is in the TxnHeader, or before it in a multi. */
export function writeTxn(w: JuteWriter, txn: Txn): void {
  switch (txn.type) {
    case OpCode.create:
    case OpCode.create2:
      return writeCreateTxn(w, txn)
    case OpCode.createContainer:
      return writeCreateContainerTxn(w, txn)
    case OpCode.createTTL:
      return writeCreateTTLTxn(w, txn)
    case OpCode.delete:
    case OpCode.deleteContainer:
      return writeDeleteTxn(w, txn)
    case OpCode.setData:
    case OpCode.reconfig:
      return writeSetDataTxn(w, txn)
    case OpCode.setACL:
      return writeSetACLTxn(w, txn)
    case OpCode.check:
      return writeCheckVersionTxn(w, txn)
    case OpCode.createSession:
      return writeCreateSessionTxn(w, txn)
    case OpCode.closeSession:
      if (txn.paths2Delete !== undefined)
        writeCloseSessionTxn(w, { paths2Delete: txn.paths2Delete })
      return
    case OpCode.error:
      return writeErrorTxn(w, txn)
    case OpCode.multi:
      return writeMulti(w, txn)
    default:
      return unreachable(txn)
  }
}

function writeMulti(w: JuteWriter, multi: MultiTxn): void {
  w.writeInt(multi.txns.length)
  for (const part of multi.txns) {
    w.writeInt(part.type)
    const at = w.reserveInt()
    writeTxn(w, part)
    w.patchLength(at)
  }
}

/**
 * Reads the body of a txn of `type`. Undefined: a type that no log may hold. Check `r.ok` as well:
 * a body that is cut short leaves it false. Data buffers are borrowed from the reader's bytes.
 */
export function readTxn(r: JuteReader, type: number): Txn | undefined {
  switch (type) {
    case OpCode.setACL:
      return { type, ...readSetACLTxn(r) }
    case OpCode.createSession:
      return { type, ...readCreateSessionTxn(r) }
    case OpCode.closeSession:
      if (isBodiless(r)) return { type, paths2Delete: undefined }
      return { type, paths2Delete: readCloseSessionTxn(r).paths2Delete }
    case OpCode.multi:
      return readMulti(r)
    default:
      return readSubTxn(r, type)
  }
}

/**
 * 3.5 and older, and newer ones by setting, wrote no body. What follows is then nothing or a digest,
 * whose version 2 cannot be a count of paths: two paths with their lengths need more than 12 bytes.
 */
function isBodiless(r: JuteReader): boolean {
  if (r.remaining === 0) return true
  return r.remaining === DIGEST_BYTES && r.buffer.readInt32BE(r.at) === DIGEST_VERSION
}

function readSubTxn(r: JuteReader, type: number): SubTxn | undefined {
  switch (type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL:
      return readCreate(r, type)
    case OpCode.delete:
    case OpCode.deleteContainer:
      return { type, path: readDeleteTxn(r).path }
    case OpCode.setData:
    case OpCode.reconfig:
      return { type, ...readSetDataTxn(r) }
    case OpCode.check:
      return { type, ...readCheckVersionTxn(r) }
    case OpCode.error:
      return { type, err: readErrorTxn(r).err }
    default:
      return undefined
  }
}

function readCreate(r: JuteReader, type: CreateTxn['type']): CreateTxn {
  const path = r.readString()
  const data = r.readNullableBuffer()
  const count = r.readVectorCount(12)
  const acl: ACL[] = []
  for (let i = 0; i < count; i += 1) acl.push(readACL(r))
  const plain = type === OpCode.create || type === OpCode.create2
  const ephemeral = plain ? r.readBoolean() : false
  // Before 3.4 a create ended here (CreateTxnV0): -1 asks the tree to count for itself.
  const parentCVersion = plain && r.remaining < 4 ? -1 : r.readInt()
  const ttl = type === OpCode.createTTL ? r.readLong() : 0n
  return { type, path, data, acl, ephemeral, parentCVersion, ttl }
}

function readMulti(r: JuteReader): MultiTxn | undefined {
  const count = r.readVectorCount(MULTI_PART_BYTES_MIN)
  const txns: SubTxn[] = []
  for (let i = 0; i < count && r.ok; i += 1) {
    const type = r.readInt()
    const bytes = r.readInt()
    const end = r.at + bytes
    if (bytes < 0 || bytes > r.remaining) {
      r.fail()
      break
    }
    const outerEnd = r.end
    r.end = end
    const part = readSubTxn(r, type)
    r.end = outerEnd
    if (part === undefined) return undefined
    // A failed multi may keep the old body behind a part turned into an error (spec 07): skip it.
    if (r.ok) r.at = end
    txns.push(part)
  }
  return { type: OpCode.multi, txns }
}

/** The encoded body in a buffer of its own; for tests and tools, the log is written in place. */
export function encodeTxn(txn: Txn): Buffer {
  const w = new JuteWriter(PART_BYTES_INITIAL)
  writeTxn(w, txn)
  return w.copy()
}
