import { Deque } from '../../base/deque.ts'
import { isCreateOp, OpCode } from '../../data/op-code.ts'
import type { SessionId } from '../../data/session-id.ts'
import type { Admission } from './admission.ts'
import type { PendingRequest } from './cnxn.ts'

/** What is known of a write while nobody waits for it any more. */
interface Orphan {
  readonly cxid: number
  readonly op: number
  readonly bytes: number
}

/**
 * On a learner: writes that were forwarded and whose connection has gone before their commit. A commit
 * names no more than its session and cxid, and clients count xids anew on each connection: without
 * these, the commit of an earlier connection's write would answer a request of the present one.
 *
 * They count with admission until they are committed, as a leader's do, which bounds them.
 */
export class Orphans {
  readonly #admission: Admission
  /** In the order in which they were forwarded, which is that of their commits. None is empty. */
  readonly #bySession = new Map<SessionId, Deque<Orphan>>()

  constructor(admission: Admission) {
    this.#admission = admission
  }

  add(session: SessionId, { xid, op, bytes }: PendingRequest): void {
    let orphans = this.#bySession.get(session)
    if (orphans === undefined) {
      orphans = new Deque()
      this.#bySession.set(session, orphans)
    }
    orphans.push({ cxid: xid, op, bytes })
  }

  get isEmpty(): boolean {
    return this.#bySession.size === 0
  }

  /**
   * True: the txn is that of an orphan. Those before it will have none: a leader of Apache's leaves
   * out the commit of what it cannot decode.
   */
  settle(session: SessionId, cxid: number, txnType: number): boolean {
    const orphans = this.#bySession.get(session)
    if (orphans === undefined) return false
    const index = indexOfOwner(orphans, cxid, txnType)
    if (index === undefined) return false
    for (let i = 0; i <= index; i += 1) this.#admission.settle(orphans.shift()?.bytes ?? 0)
    if (orphans.length === 0) this.#bySession.delete(session)
    return true
  }

  /** What is still here of that session's will not be committed, or it does not matter any more. */
  drop(session: SessionId): void {
    const orphans = this.#bySession.get(session)
    if (orphans === undefined) return
    this.#bySession.delete(session)
    for (const { bytes } of orphans) this.#admission.settle(bytes)
  }

  /** The role ends: what the leader was told is answered by nobody. */
  clear(): void {
    for (const session of [...this.#bySession.keys()]) this.drop(session)
  }
}

function indexOfOwner(orphans: Deque<Orphan>, cxid: number, txnType: number): number | undefined {
  for (let i = 0; i < orphans.length; i += 1) {
    const orphan = orphans.at(i)
    if (orphan?.cxid === cxid && isTxnOf(orphan.op, txnType)) return i
  }
  return undefined
}

/**
 * Whether a request of that op may have become a txn of that type. A closeSession that the server
 * itself has asked for has cxid 0, as the first request of a client may have (spec 04 §7).
 */
export function isTxnOf(op: number, txnType: number): boolean {
  if (txnType === op || txnType === OpCode.error) return true
  return isCreateOp(op) && isCreateOp(txnType)
}
