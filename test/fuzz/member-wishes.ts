import fc from 'fast-check'
import { JuteWriter } from 'jute-ts'
import { openAcl } from '../../src/data/acl.ts'
import { OpCode } from '../../src/data/op-code.ts'
import {
  type ACL,
  writeAddWatchRequest,
  writeAuthPacket,
  writeCreateRequest,
  writeCreateTTLRequest,
  writeMultiHeader,
  writeReconfigRequest,
  writeSetACLRequest,
  writeSetDataRequest,
  writeSetWatches,
  writeSetWatches2,
} from '../../src/data/records.ts'

/** A request. Each op takes of these fields what it needs. */
export interface Wish {
  readonly op: number
  readonly path: string
  readonly other: string
  readonly data: Buffer | null
  readonly acl: AclName
  readonly number: number
  readonly version: number
  readonly ttl: bigint
  readonly isWatch: boolean
  readonly parts: readonly Wish[]
}

type AclName =
  | 'open'
  | 'own'
  | 'bob'
  | 'readOnly'
  | 'elsewhere'
  | 'twice'
  | 'bogus'
  | 'empty'
  | 'null'

export const LONG_DATA_BYTES = 500
const MULTI_END = { type: -1, done: true, err: -1 }

const paths = [
  ...['/a', '/a', '/a', '/a', '/a/b', '/a/b', '/a/b', '/a/b/c', '/b', '/b/d', '/s-', '/a/s-'],
  ...['/', '/', '/zookeeper/quota/a', '/zookeeper/quota/a'],
  ...['/zookeeper/quota/a/zookeeper_limits', '/zookeeper/quota/a/zookeeper_stats'],
]
const oddPaths = [
  ...['', 'x', '//', '/a/', '/a/../b', '/a\0b', '/\ud800', '/é'],
  ...['/zookeeper', '/zookeeper/config', '/zookeeper/quota'],
]
const path = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...paths) },
  { weight: 1, arbitrary: fc.constantFrom(...oddPaths) },
)

const one = (perms: number, scheme: string, id: string): ACL => ({ perms, id: { scheme, id } })
const acls: Readonly<Record<AclName, readonly ACL[] | null>> = {
  open: openAcl,
  own: [one(31, 'auth', '')],
  bob: [one(31, 'digest', 'bob:ikIaKsbtGweaHnb/jKn7OHqbunM='), one(1, 'world', 'anyone')],
  readOnly: [one(1, 'world', 'anyone')],
  elsewhere: [one(31, 'ip', '10.0.0.0/8'), one(30, 'world', 'anyone')],
  twice: [...openAcl, ...openAcl],
  bogus: [one(31, 'bogus', 'x')],
  empty: [],
  null: null,
}
const aclNames: readonly AclName[] = [
  ...(['open', 'open', 'open', 'open', 'open', 'open', 'open', 'open', 'open', 'twice'] as const),
  ...(['own', 'bob', 'readOnly', 'elsewhere', 'bogus', 'empty', 'null'] as const),
]

const datas: readonly (Buffer | null)[] = [
  null,
  Buffer.alloc(0),
  Buffer.from('data'),
  Buffer.from('count=2,bytes=10=;byteHardLimit=40;countHardLimit=3'),
  Buffer.from('count=,bytes='),
  Buffer.alloc(LONG_DATA_BYTES, 0x61),
]

export const partOps: readonly number[] = [
  ...[OpCode.create, OpCode.create2, OpCode.createContainer, OpCode.createTTL, OpCode.create],
  ...[OpCode.delete, OpCode.delete, OpCode.setData, OpCode.setData, OpCode.check, OpCode.check],
]
export const readOps: readonly number[] = [
  ...[OpCode.exists, OpCode.getData, OpCode.getChildren, OpCode.getChildren2, OpCode.getACL],
  ...[OpCode.getEphemerals, OpCode.getAllChildrenNumber, OpCode.whoAmI, OpCode.ping],
  ...[OpCode.addWatch, OpCode.addWatch, OpCode.checkWatches, OpCode.removeWatches],
  ...[OpCode.sync, OpCode.sync],
  ...[OpCode.setWatches, OpCode.setWatches2, OpCode.multiRead],
]
export const rareOps: readonly number[] = [
  OpCode.setACL,
  OpCode.reconfig,
  OpCode.auth,
  OpCode.sasl,
  OpCode.closeSession,
]
const wishOf = (
  op: fc.Arbitrary<number>,
  parts: fc.Arbitrary<readonly Wish[]>,
): fc.Arbitrary<Wish> =>
  fc.record<Wish>({
    op,
    path,
    other: path,
    data: fc.constantFrom(...datas),
    acl: fc.constantFrom(...aclNames),
    number: fc.oneof(
      { weight: 30, arbitrary: fc.constantFrom(0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 4) },
      { weight: 1, arbitrary: fc.constantFrom(5, 6, 7, 99, -1) },
    ),
    version: fc.constantFrom(-1, -1, -1, -1, -1, -1, 0, 0, 1, 2, -0x80000000, 0x7fffffff),
    ttl: fc.constantFrom(1n, 300n, 0n, -1n, 0xff_ffff_ffffn, 0x7fff_ffff_ffff_ffffn),
    isWatch: fc.boolean(),
    parts,
  })

const part = wishOf(fc.constantFrom(...partOps, ...partOps, ...readOps), fc.constant([]))
export const wish: fc.Arbitrary<Wish> = wishOf(
  fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...partOps.filter((op) => op !== OpCode.check)) },
    { weight: 8, arbitrary: fc.constantFrom(...readOps) },
    { weight: 4, arbitrary: fc.constant(OpCode.multi) },
    { weight: 1, arbitrary: fc.constantFrom(...rareOps) },
  ),
  fc.oneof(
    // A multi of writes, and anything, which is nearly always refused as a whole.
    {
      weight: 3,
      arbitrary: fc.array(wishOf(fc.constantFrom(...partOps), fc.constant([])), { maxLength: 6 }),
    },
    { weight: 1, arbitrary: fc.array(part, { maxLength: 4 }) },
  ),
)

/** The payload of a request. */
export function payloadOf(xid: number, asked: Wish): Buffer {
  const w = new JuteWriter()
  w.writeInt(xid)
  w.writeInt(asked.op)
  writeBody(w, asked)
  return w.copy()
}

/** Asks for the same node so many times in one request. */
export function greedyPayload(xid: number, times: number): Buffer {
  const w = new JuteWriter()
  w.writeInt(xid)
  w.writeInt(OpCode.multiRead)
  for (let i = 0; i < times; i += 1) {
    writeMultiHeader(w, { type: OpCode.getData, done: false, err: -1 })
    w.writeString('/a')
    w.writeBoolean(false)
  }
  writeMultiHeader(w, MULTI_END)
  return w.copy()
}

function writeBody(w: JuteWriter, asked: Wish): void {
  const { op, path, data, version } = asked
  const acl = acls[asked.acl]
  switch (op) {
    case OpCode.create:
    case OpCode.create2:
      return writeCreateRequest(w, { path, data, acl, flags: asked.number })
    case OpCode.createContainer:
      return writeCreateRequest(w, { path, data, acl, flags: asked.isWatch ? 4 : asked.number })
    case OpCode.createTTL: {
      const flags = asked.isWatch ? 5 : asked.number
      return writeCreateTTLRequest(w, { path, data, acl, flags, ttl: asked.ttl })
    }
    case OpCode.setData:
      return writeSetDataRequest(w, { path, data, version })
    case OpCode.setACL:
      return writeSetACLRequest(w, { path, acl, version })
    case OpCode.addWatch:
      return writeAddWatchRequest(w, { path, mode: asked.number % 2 })
    case OpCode.checkWatches:
    case OpCode.removeWatches:
    case OpCode.delete:
    case OpCode.check: {
      w.writeString(path)
      const isWrite = op === OpCode.delete || op === OpCode.check
      return w.writeInt(isWrite ? version : asked.number)
    }
    case OpCode.exists:
    case OpCode.getData:
    case OpCode.getChildren:
    case OpCode.getChildren2:
      w.writeString(path)
      return w.writeBoolean(asked.isWatch)
    case OpCode.getACL:
    case OpCode.sync:
    case OpCode.getEphemerals:
    case OpCode.getAllChildrenNumber:
      return w.writeString(path)
    case OpCode.multi:
    case OpCode.multiRead:
      return writeParts(w, asked)
    default:
      return writeRareBody(w, asked)
  }
}

function writeRareBody(w: JuteWriter, asked: Wish): void {
  const { op, path, other } = asked
  switch (op) {
    case OpCode.setWatches:
    case OpCode.setWatches2: {
      const lists = {
        relativeZxid: asked.number,
        dataWatches: [path],
        existWatches: [other],
        childWatches: [path, other],
      }
      if (op === OpCode.setWatches) return writeSetWatches(w, lists)
      const persistent = { persistentWatches: [path], persistentRecursiveWatches: [other] }
      return writeSetWatches2(w, { ...lists, ...persistent })
    }
    case OpCode.auth: {
      const scheme = ['digest', 'ip', 'super', 'sasl', 'nosuch'][asked.number] ?? 'digest'
      return writeAuthPacket(w, { type: 0, scheme, auth: Buffer.from('bob:pw') })
    }
    case OpCode.sasl:
      return w.writeBuffer(asked.data)
    case OpCode.reconfig:
      return writeReconfigRequest(w, {
        joiningServers: null,
        leavingServers: path,
        newMembers: null,
        curConfigId: -1n,
      })
    default:
      return undefined
  }
}

/** Now and then one that has no place in a multiRead. */
function readTypeOf(inner: Wish): number {
  if (inner.version > 1) return inner.op
  return inner.isWatch ? OpCode.getChildren : OpCode.getData
}

function writeParts(w: JuteWriter, asked: Wish): void {
  for (const inner of asked.parts) {
    const type = asked.op === OpCode.multiRead ? readTypeOf(inner) : inner.op
    writeMultiHeader(w, { type, done: false, err: -1 })
    writeBody(w, { ...inner, op: type })
  }
  writeMultiHeader(w, MULTI_END)
}
