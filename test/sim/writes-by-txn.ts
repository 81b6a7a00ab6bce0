import { OpCode } from '../../src/data/op-code.ts'
import type { Txn } from '../../src/data/txn.ts'
import type { Call, Op, Part } from './history.ts'
import type { LedgerEntry } from './ledger.ts'

const keyOf = (session: bigint, xid: number): string => `${session} ${xid}`

/** Writes that have no txn yet, by what a txn says of who has asked for it: session and xid. */
export class WritesByTxn {
  readonly #writes = new Map<string, Op[]>()

  /** In the order in which they were sent. */
  add(op: Op): void {
    const key = keyOf(op.session.id, op.xid)
    const ops = this.#writes.get(key)
    if (ops === undefined) this.#writes.set(key, [op])
    else ops.push(op)
  }

  /** Which of them may have become that txn: sent before it was there, and of its kind. */
  candidates({ clientId, cxid, txn, firstAt }: LedgerEntry): readonly Op[] {
    const ops = this.#writes.get(keyOf(clientId, cxid)) ?? []
    return ops.filter(({ call, invokedAt }) => invokedAt <= firstAt && fits(call, txn))
  }

  take(op: Op): void {
    const ops = this.#writes.get(keyOf(op.session.id, op.xid)) ?? []
    ops.splice(ops.indexOf(op), 1)
  }

  *left(): IterableIterator<Op> {
    for (const ops of this.#writes.values()) yield* ops
  }
}

/** An error says nothing of what was asked for. */
function fits(call: Call | Part, txn: Txn): boolean {
  switch (txn.type) {
    case OpCode.error:
      return true
    case OpCode.closeSession:
      return call.op === 'closeSession'
    case OpCode.multi:
      return (
        call.op === 'multi' &&
        call.parts.length === txn.txns.length &&
        call.parts.every((part, index) => {
          const partTxn = txn.txns[index]
          return partTxn !== undefined && fits(part, partTxn)
        })
      )
    case OpCode.check:
      return call.op === 'check' && call.path === txn.path
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL:
      return call.op === 'create' && call.data === text(txn.data)
    case OpCode.setData:
      return call.op === 'setData' && call.path === txn.path && call.data === text(txn.data)
    case OpCode.setACL:
      return call.op === 'setACL' && call.path === txn.path
    case OpCode.delete:
      return call.op === 'delete' && call.path === txn.path
    default:
      return false
  }
}

const text = (data: Buffer | null): string => data?.toString() ?? ''
