import type { JuteReader } from 'jute-ts'
import { Err } from '../../data/error-code.ts'
import { isCreateOp, OpCode } from '../../data/op-code.ts'
import type { Id } from '../../data/records.ts'
import type { EagerAclCheck } from '../auth/eager-acl-check.ts'
import type { FreeSpace } from '../bounds/free-space.ts'
import type { HeapRoom } from '../bounds/heap-room.ts'
import type { ServerMetrics } from '../stats/server-metrics.ts'

interface WriteGateParts {
  readonly space: FreeSpace
  readonly heap: HeapRoom
  readonly metrics: ServerMetrics
  /** Undefined: nobody has asked for it. */
  readonly eagerAcls: EagerAclCheck | undefined
}

/** Which writes of clients are refused by the member that has received them, before anything else. */
export class WriteGate {
  readonly #parts: WriteGateParts

  constructor(parts: WriteGateParts) {
    this.#parts = parts
  }

  /** Err.ok, or what it is answered with. The reader stands at the body, and does so afterwards. */
  refusalOf(op: number, ids: readonly Id[], body: JuteReader): Err {
    if (op === OpCode.closeSession) return Err.ok
    const { space, heap, metrics, eagerAcls } = this.#parts
    if (space.isLow) {
      metrics.writesRefused.add('low_space', 1)
      return Err.systemError
    }
    // A multi is judged part by part, by whoever decides.
    if (heap.isLow && isCreateOp(op) && heap.refusesCreate()) return Err.systemError
    return eagerAcls === undefined ? Err.ok : eagerAcls.refusalOf(op, ids, body)
  }
}
