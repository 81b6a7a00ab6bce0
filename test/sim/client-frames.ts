import type { JuteReader } from 'jute-ts'
import { OpCode } from '../../src/data/op-code.ts'
import { readMultiHeader, readStat, type Stat } from '../../src/data/records.ts'
import { requestFrame } from '../support/memory-server.ts'
import {
  type Body,
  check,
  create,
  getData,
  multi,
  pathOnly,
  remove,
  setData,
} from '../support/requests.ts'
import type { Call, Part, Result } from './history.ts'

const partOps: Readonly<Record<Part['op'], number>> = {
  create: OpCode.create,
  delete: OpCode.delete,
  setData: OpCode.setData,
  check: OpCode.check,
}

function partBody(part: Part): Body {
  switch (part.op) {
    case 'create':
      return create(part.path, { data: Buffer.from(part.data), flags: part.flags })
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
      return requestFrame(xid, wantsStat ? OpCode.create2 : OpCode.create, partBody(call))
    case 'delete':
    case 'setData':
      return requestFrame(xid, partOps[call.op], partBody(call))
    case 'multi': {
      const parts = call.parts.map((part) => [partOps[part.op], partBody(part)] as const)
      return requestFrame(xid, OpCode.multi, multi(parts))
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
      return requestFrame(xid, OpCode.setWatches, (w) => {
        w.writeNumber(call.relativeZxid)
        strings(call.data, call.exist, call.child)(w)
      })
  }
}

/** Reads the body of a reply without an error. */
export function decodeResult(call: Call, r: JuteReader): Result {
  switch (call.op) {
    case 'create': {
      const path = r.readString()
      return { path, stat: r.remaining > 0 ? readStat(r) : undefined }
    }
    case 'setData':
    case 'exists':
      return { stat: readStat(r) }
    case 'getData': {
      const data = r.readNullableBuffer()?.toString()
      return { data, stat: readStat(r) }
    }
    case 'getChildren': {
      const children: string[] = []
      const count = r.readInt()
      for (let i = 0; i < count; i += 1) children.push(r.readString())
      return { children: children.sort(), stat: readStat(r) }
    }
    case 'multi':
      return { parts: decodeParts(r) }
    case 'sync':
      return { path: r.readString() }
    default:
      return {}
  }
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
    } else parts.push({ err: 0, result: {} })
  }
}
