import { type History, hex, isWrite, type Op, Violation } from '../history.ts'
import { nameOf, type Story } from './replay.ts'

/**
 * Real time: what was sent after somebody had seen a state comes after that state. And per session:
 * writes are done in the order in which they were sent; of those sent over one connection none is
 * left out before one that is done.
 */
export function checkOrder(history: History, story: Story): void {
  for (const session of history.sessions) {
    let last: Op | undefined
    const skippedBy = new Map<number, Op>()
    for (const op of session.ops) {
      if (!isWrite(op.call) || story.vague.has(op)) continue
      const zxid = story.zxidOf.get(op)
      if (zxid === undefined) {
        if (!skippedBy.has(op.connection)) skippedBy.set(op.connection, op)
        continue
      }
      // What comes late from where the session was before is refused, whenever that is.
      if (story.refused.has(op)) continue
      if (zxid <= op.seenBefore)
        throw new Violation(
          'writes are linearizable',
          `${nameOf(op)} is at ${hex(zxid)}, but ${hex(op.seenBefore)} had been seen before`,
        )
      const before = last === undefined ? 0 : (story.zxidOf.get(last) ?? 0)
      if (last !== undefined && zxid < before)
        throw new Violation(
          'order of a session',
          `${nameOf(op)} at ${hex(zxid)} was sent after ${nameOf(last)} at ${hex(before)}`,
        )
      const skipped = skippedBy.get(op.connection)
      if (skipped !== undefined)
        throw new Violation(
          'order of a session',
          `${nameOf(skipped)} was left out before ${nameOf(op)}`,
        )
      last = op
    }
    checkOwnReads(session.ops, story)
  }
}

/** A read shows no write that was sent after it, and all that were sent before it. */
function checkOwnReads(ops: readonly Op[], story: Story): void {
  let written = 0
  let read: Op | undefined
  for (const op of ops) {
    if (op.reply === undefined) continue
    if (isWrite(op.call)) {
      const zxid = story.zxidOf.get(op)
      if (zxid === undefined || story.vague.has(op)) continue
      if (read?.reply !== undefined && zxid <= read.reply.zxid)
        throw new Violation('order of a session', `${nameOf(read)} shows ${nameOf(op)}, sent later`)
      written = zxid
    } else {
      if (op.reply.zxid < written)
        throw new Violation('order of a session', `${nameOf(op)} misses ${hex(written)}`)
      read = op
    }
  }
}
