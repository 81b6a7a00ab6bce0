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
import { readScenario, scenarioNames, type WireFrame } from '../support/golden-wire.ts'
import { framed } from '../support/memory-server.ts'
import { damage, recordBytes } from './arbitraries.ts'

/**
 * What the clients of a fuzzed member do. Steps are plain data, so that a counterexample can be read;
 * which session or which of several clients a number stands for is settled when they are run.
 */
export type Step =
  | { readonly do: 'open'; readonly client: number }
  | {
      readonly do: 'connect'
      readonly client: number
      readonly timeOut: number
      /** A number: one of the sessions that were made before. */
      readonly session: 'new' | 'unknown' | number
      readonly isPasswordRight: boolean
      readonly isOld: boolean
      readonly isAhead: boolean
      readonly spoil: Spoil | null
    }
  | {
      readonly do: 'send'
      readonly client: number
      readonly items: readonly Item[]
      /** Where the bytes are cut into chunks. */
      readonly cuts: readonly number[]
    }
  | { readonly do: 'vanish'; readonly client: number }
  /** The client does not take what it is sent, or goes on to. */
  | { readonly do: 'stick'; readonly client: number; readonly isStuck: boolean }
  /** Writes to the disk stay unacknowledged, or are acknowledged again. */
  | { readonly do: 'hold'; readonly isHeld: boolean }
  | { readonly do: 'release' }
  | { readonly do: 'pass'; readonly ms: number }

export type Spoil = (sound: Buffer) => Buffer

export type Item =
  | { readonly is: 'sound'; readonly wish: Wish }
  | { readonly is: 'spoiled'; readonly wish: Wish; readonly spoil: Spoil }
  | { readonly is: 'recorded'; readonly index: number; readonly spoil: Spoil | null }
  /** Any op with any body. */
  | { readonly is: 'odd'; readonly op: number; readonly body: Buffer }
  /** Bytes that are no frame. */
  | { readonly is: 'noise'; readonly bytes: Buffer }

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

export const CLIENTS_MAX = 4

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

/** Null otherwise. */
const sometimes = <T>(what: fc.Arbitrary<T>, share: number): fc.Arbitrary<T | null> =>
  fc.oneof(
    { weight: 60 - 60 * share, arbitrary: fc.constant(null) },
    { weight: 60 * share, arbitrary: what },
  )

const one = (perms: number, scheme: string, id: string): ACL => ({ perms, id: { scheme, id } })
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
  Buffer.alloc(900, 0x61),
]

const partOps = [
  ...[OpCode.create, OpCode.create2, OpCode.createContainer, OpCode.createTTL, OpCode.create],
  ...[OpCode.delete, OpCode.delete, OpCode.setData, OpCode.setData, OpCode.check, OpCode.check],
]
const readOps = [
  ...[OpCode.exists, OpCode.getData, OpCode.getChildren, OpCode.getChildren2, OpCode.getACL],
  ...[OpCode.sync, OpCode.getEphemerals, OpCode.getAllChildrenNumber, OpCode.whoAmI, OpCode.ping],
  ...[OpCode.addWatch, OpCode.addWatch, OpCode.checkWatches, OpCode.removeWatches],
  ...[OpCode.setWatches, OpCode.setWatches2, OpCode.multiRead],
]
const rareOps = [OpCode.setACL, OpCode.reconfig, OpCode.auth, OpCode.sasl, OpCode.closeSession]
/** Ops that a client may not send, each the end of its connection. */
const oddOps = [OpCode.check, OpCode.deleteContainer, OpCode.createSession, 0, 10, 77, -1, -12]

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
const wish = wishOf(
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

const recorded = scenarioNames
  .flatMap((name) => readScenario(name).events)
  .filter((event): event is WireFrame => event.kind === 'frame' && event.direction === 'request')

const item: fc.Arbitrary<Item> = fc.oneof(
  { weight: 100, arbitrary: fc.record({ is: fc.constant('sound' as const), wish }) },
  { weight: 4, arbitrary: fc.record({ is: fc.constant('spoiled' as const), wish, spoil: damage }) },
  {
    weight: 2,
    arbitrary: fc.record({
      is: fc.constant('recorded' as const),
      index: fc.nat(recorded.length - 1),
      spoil: sometimes(damage, 1 / 2),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      is: fc.constant('odd' as const),
      op: fc.oneof(
        { weight: 9, arbitrary: fc.constantFrom(...partOps, ...readOps, ...rareOps) },
        { weight: 1, arbitrary: fc.constantFrom(...oddOps) },
      ),
      body: recordBytes,
    }),
  },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('noise' as const), bytes: recordBytes }) },
)

const client = fc.nat(CLIENTS_MAX - 1)
const connect = fc.record({
  do: fc.constant('connect' as const),
  client,
  timeOut: fc.constantFrom(0, 400, 400, 1000, 4000, -1, 0x7fffffff),
  session: fc.oneof(
    { weight: 6, arbitrary: fc.constant('new' as const) },
    { weight: 1, arbitrary: fc.constant('unknown' as const) },
    { weight: 3, arbitrary: fc.nat(2) },
  ),
  isPasswordRight: fc.boolean(),
  isOld: fc.boolean(),
  isAhead: sometimes(fc.constant(true), 1 / 30).map((isAhead) => isAhead !== null),
  spoil: sometimes(damage, 1 / 12),
})
const send = fc.record({
  do: fc.constant('send' as const),
  client,
  items: fc.array(item, { minLength: 1, maxLength: 10 }),
  cuts: fc.oneof(fc.constant([]), fc.array(fc.nat(), { maxLength: 5 })),
})

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 20, arbitrary: send },
  { weight: 5, arbitrary: connect },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('open' as const), client }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('vanish' as const), client }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('stick' as const), client, isStuck: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('hold' as const), isHeld: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('release' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      ms: fc.constantFrom(1, 60, 200, 900, 900),
    }),
  },
)

export const steps: fc.Arbitrary<readonly Step[]> = fc.array(step, { maxLength: 60, size: 'max' })

/** The payload of a request. */
export function payloadOf(xid: number, asked: Wish): Buffer {
  const w = new JuteWriter()
  w.writeInt(xid)
  w.writeInt(asked.op)
  writeBody(w, asked)
  return w.copy()
}

/** The payload of a recorded frame, whatever it is. */
export const recordedPayload = (index: number): Buffer =>
  Buffer.from(recorded[index]?.bytes.subarray(4) ?? [])

export function oddPayload(xid: number, op: number, body: Buffer): Buffer {
  const header = Buffer.alloc(8)
  header.writeInt32BE(xid, 0)
  header.writeInt32BE(op, 4)
  return Buffer.concat([header, body])
}

export const spoiled = (payload: Buffer, spoil: Spoil | null): Buffer =>
  framed(spoil === null ? payload : spoil(payload))

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

const MULTI_END = { type: -1, done: true, err: -1 }

function writeParts(w: JuteWriter, asked: Wish): void {
  for (const inner of asked.parts) {
    const type = asked.op === OpCode.multiRead && !inner.isWatch ? OpCode.getData : inner.op
    writeMultiHeader(w, { type, done: false, err: -1 })
    writeBody(w, { ...inner, op: type })
  }
  writeMultiHeader(w, MULTI_END)
}
