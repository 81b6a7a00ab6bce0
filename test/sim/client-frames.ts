import type { JuteReader } from 'jute-ts'
import { OpCode } from '../../src/data/op-code.ts'
import {
  type ACL,
  readMultiHeader,
  readStat,
  type Stat,
  writeAuthPacket,
} from '../../src/data/records.ts'
import { requestFrame } from '../support/memory-server.ts'
import {
  type Body,
  check,
  create,
  getData,
  multi,
  pathAndInt,
  pathOnly,
  remove,
  setAcl,
  setData,
} from '../support/requests.ts'
import type { AclName, Call, Part, Result } from './history.ts'

const anyone = { scheme: 'world', id: 'anyone' }
const acls: Readonly<Record<AclName, readonly ACL[]>> = {
  open: [{ perms: 31, id: anyone }],
  guarded: [
    { perms: 1, id: anyone },
    { perms: 31, id: { scheme: 'auth', id: '' } },
  ],
}
const TTL_MS = 700n
const AUTH_XID = -4
const CONTAINER_FLAGS = 4
const TTL_FLAGS = 5

/** As somebody of that name; the first thing on a connection. */
/** Both schemes give the same ids; `late` takes its time. */
export const authFrame = (who: string, scheme: 'digest' | 'late'): Buffer =>
  requestFrame(AUTH_XID, OpCode.auth, (w) =>
    writeAuthPacket(w, { type: 0, scheme, auth: Buffer.from(`${who}:secret`) }),
  )

const partOps: Readonly<Record<Part['op'], number>> = {
  create: OpCode.create,
  delete: OpCode.delete,
  setData: OpCode.setData,
  check: OpCode.check,
}

function partBody(part: Part): Body {
  switch (part.op) {
    case 'create':
      return create(part.path, {
        data: Buffer.from(part.data),
        acl: acls[part.acl],
        flags: part.flags,
      })
    case 'delete':
      return remove(part.path, part.version)
    case 'setData':
      return setData(part.path, part.data, part.version)
    case 'check':
      return check(part.path, part.version)
  }
}

const strings =
  (...lists: (readonly string[])[]): Body =>
  (w) => {
    for (const list of lists) {
      w.writeInt(list.length)
      for (const one of list) w.writeString(one)
    }
  }

/** What is asked for the creation of a node is its Stat, too, when `create2` is. */
export function encodeCall(xid: number, call: Call, wantsStat: boolean): Buffer {
  switch (call.op) {
    case 'create':
      if (call.flags === CONTAINER_FLAGS)
        return requestFrame(xid, OpCode.createContainer, partBody(call))
      if (call.flags === TTL_FLAGS)
        return requestFrame(xid, OpCode.createTTL, (w) => {
          partBody(call)(w)
          w.writeLong(TTL_MS)
        })
      return requestFrame(xid, wantsStat ? OpCode.create2 : OpCode.create, partBody(call))
    case 'delete':
    case 'setData':
      return requestFrame(xid, partOps[call.op], partBody(call))
    case 'multi': {
      const parts = call.parts.map((part) => [partOps[part.op], partBody(part)] as const)
      return requestFrame(xid, OpCode.multi, multi(parts))
    }
    case 'setACL':
      return requestFrame(xid, OpCode.setACL, setAcl(call.path, acls[call.acl], call.version))
    case 'getACL':
      return requestFrame(xid, OpCode.getACL, pathOnly(call.path))
    case 'getEphemerals':
      return requestFrame(xid, OpCode.getEphemerals, pathOnly(call.prefix))
    case 'multiRead': {
      const reads = call.reads.map(({ op, path }) => [readOps[op], getData(path)] as const)
      return requestFrame(xid, OpCode.multiRead, multi(reads))
    }
    case 'addWatch':
      return requestFrame(xid, OpCode.addWatch, pathAndInt(call.path, call.recursive ? 1 : 0))
    case 'removeWatches':
      return requestFrame(xid, OpCode.removeWatches, pathAndInt(call.path, call.recursive ? 5 : 4))
    case 'removeWatch': {
      const type = call.kind === 'child' ? 1 : 2
      return requestFrame(xid, OpCode.removeWatches, pathAndInt(call.path, type))
    }
    case 'closeSession':
      return requestFrame(xid, OpCode.closeSession)
    case 'getData':
      return requestFrame(xid, OpCode.getData, getData(call.path, call.watch))
    case 'exists':
      return requestFrame(xid, OpCode.exists, getData(call.path, call.watch))
    case 'getChildren':
      return requestFrame(xid, OpCode.getChildren2, getData(call.path, call.watch))
    case 'sync':
      return requestFrame(xid, OpCode.sync, pathOnly(call.path))
    case 'ping':
      return requestFrame(xid, OpCode.ping)
    case 'setWatches':
      return setWatches(xid, call)
  }
}

function setWatches(xid: number, call: Extract<Call, { op: 'setWatches' }>): Buffer {
  const { data, exist, child, persistent, recursive } = call
  const isOld = persistent.length + recursive.length === 0
  return requestFrame(xid, isOld ? OpCode.setWatches : OpCode.setWatches2, (w) => {
    w.writeNumber(call.relativeZxid)
    if (isOld) strings(data, exist, child)(w)
    else strings(data, exist, child, persistent, recursive)(w)
  })
}

/** Reads the body of a reply without an error. */
export function decodeResult(call: Call, r: JuteReader): Result {
  switch (call.op) {
    case 'create': {
      const path = r.readString()
      return { path, stat: r.remaining > 0 ? readStat(r) : undefined }
    }
    case 'setData':
    case 'setACL':
    case 'exists':
      return { stat: readStat(r) }
    case 'getData': {
      const data = r.readNullableBuffer()?.toString()
      return { data, stat: readStat(r) }
    }
    case 'getChildren': {
      const children = readStrings(r).sort()
      return { children, stat: readStat(r) }
    }
    case 'getACL': {
      const acl = Array.from({ length: r.readInt() }, () => readAclEntry(r)).join(', ')
      return { acl, stat: readStat(r) }
    }
    case 'getEphemerals':
      return { children: readStrings(r).sort() }
    case 'addWatch':
      r.readInt()
      return {}
    case 'multi':
    case 'multiRead':
      return { parts: decodeParts(r) }
    case 'sync':
      return { path: r.readString() }
    default:
      return {}
  }
}

const readOps = { getData: OpCode.getData, getChildren: OpCode.getChildren }

function readStrings(r: JuteReader): string[] {
  return Array.from({ length: r.readInt() }, () => r.readString())
}

/** Perms and name; a digest is shown to nobody here. */
function readAclEntry(r: JuteReader): string {
  const perms = r.readInt()
  r.readString()
  return `${perms} ${r.readString().split(':')[0]}`
}

function decodeParts(r: JuteReader): readonly { err: number; result: Result }[] {
  const parts: { err: number; result: Result }[] = []
  for (;;) {
    const { type, done } = readMultiHeader(r)
    if (done || !r.ok) return parts
    if (type === OpCode.error) parts.push({ err: r.readInt(), result: {} })
    else if (type === OpCode.create) parts.push({ err: 0, result: { path: r.readString() } })
    else if (type === OpCode.setData) {
      const stat: Stat = readStat(r)
      parts.push({ err: 0, result: { stat } })
    } else if (type === OpCode.getData) {
      const data = r.readNullableBuffer()?.toString()
      parts.push({ err: 0, result: { data, stat: readStat(r) } })
    } else if (type === OpCode.getChildren)
      parts.push({ err: 0, result: { children: readStrings(r).sort() } })
    else parts.push({ err: 0, result: {} })
  }
}
