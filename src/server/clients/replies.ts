import type { JuteWriter } from 'jute-ts'
import { unreachable } from '../../base/assert.ts'
import { Err } from '../../data/error-code.ts'
import { OpCode } from '../../data/op-code.ts'
import { type Stat, writeStat as writeStatRecord } from '../../data/records.ts'
import { writeStat } from '../../data/stat.ts'
import type { Txn } from '../../data/txn.ts'
import type { ApplyResult, PartResult } from '../../tree/apply.ts'
import type { DataTree } from '../../tree/data-tree.ts'
import type { Znode } from '../../tree/znode.ts'
import { writeMultiError, writeMultiHeader } from './multi-read.ts'

/** Opens a frame and writes its ReplyHeader. Returns the offset that `endReply` wants. */
export function beginReply(w: JuteWriter, xid: number, zxid: number, err: number): number {
  const at = w.reserveInt()
  w.writeInt(xid)
  w.writeNumber(zxid)
  w.writeInt(err)
  return at
}

const ERR_OFFSET = 16
const HEADER_BYTES = 20

/** Closes the frame. An error has no body: what was written of one is dropped (spec 01 §4). */
export function endReply(w: JuteWriter, at: number, err: number): void {
  if (err !== Err.ok) {
    w.truncate(at + HEADER_BYTES)
    w.patchInt(at + ERR_OFFSET, err)
  }
  w.patchLength(at)
}

/** The body of the reply to a write, from what applying its txn has done. `op` is the request's. */
export function writeWriteBody(
  w: JuteWriter,
  op: number,
  txn: Txn,
  result: ApplyResult,
  tree: DataTree,
): void {
  switch (txn.type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL:
      w.writeString(txn.path)
      if (op !== OpCode.create) writeNodeStat(w, result.znode, tree)
      return
    case OpCode.setData:
    case OpCode.setACL:
      return writeNodeStat(w, result.znode, tree)
    case OpCode.reconfig:
      w.writeBuffer(txn.data)
      return writeNodeStat(w, result.znode, tree)
    case OpCode.multi:
      return writeMultiBody(w, result.parts ?? [])
    case OpCode.delete:
    case OpCode.deleteContainer:
    case OpCode.closeSession:
    case OpCode.createSession:
    case OpCode.check:
    case OpCode.error:
      return
    default:
      return unreachable(txn)
  }
}

function writeNodeStat(w: JuteWriter, znode: Znode | undefined, tree: DataTree): void {
  if (znode !== undefined) writeStat(w, znode, tree.visibleOwner(znode))
}

/** Types of results (spec 01 §5): a create that returns its Stat comes as create2, whatever it was. */
function writeMultiBody(w: JuteWriter, parts: readonly PartResult[]): void {
  for (const part of parts) {
    switch (part.type) {
      case OpCode.error:
        writeMultiError(w, part.err)
        break
      case OpCode.create:
        writeMultiHeader(w, OpCode.create, false, Err.ok)
        w.writeString(part.path)
        break
      case OpCode.create2:
      case OpCode.createContainer:
      case OpCode.createTTL:
        writeMultiHeader(w, OpCode.create2, false, Err.ok)
        w.writeString(part.path)
        writePartStat(w, part.stat)
        break
      case OpCode.setData:
        writeMultiHeader(w, OpCode.setData, false, Err.ok)
        writePartStat(w, part.stat)
        break
      default:
        writeMultiHeader(w, part.type, false, Err.ok)
    }
  }
  writeMultiHeader(w, OpCode.error, true, -1)
}

function writePartStat(w: JuteWriter, stat: Stat | undefined): void {
  if (stat !== undefined) writeStatRecord(w, stat)
}
