import type { Counter } from '../../base/metrics.ts'
import { OpCode } from '../../data/op-code.ts'
import type { ServerMetrics } from './server-metrics.ts'

/** So that the codes of sessions, which are negative, are places in an array too. */
const OFFSET = -OpCode.closeSession

/** The op_count_ metrics. Every request comes by here, so it costs two additions. */
export class OpCounts {
  readonly #total: Counter
  readonly #byOp: (Counter | undefined)[] = []

  constructor(metrics: ServerMetrics) {
    this.#total = metrics.opCountTotal
    for (let op = -OFFSET; op <= OpCode.whoAmI; op += 1) this.#byOp.push(counterOf(metrics, op))
  }

  add(op: number): void {
    const counter = this.#byOp[op + OFFSET]
    if (counter === undefined) return
    counter.add(1)
    this.#total.add(1)
  }
}

function counterOf(metrics: ServerMetrics, op: number): Counter | undefined {
  return readCounterOf(metrics, op) ?? writeCounterOf(metrics, op)
}

function readCounterOf(metrics: ServerMetrics, op: number): Counter | undefined {
  switch (op) {
    case OpCode.addWatch:
      return metrics.opCountAddWatch
    case OpCode.checkWatches:
      return metrics.opCountCheckWatches
    case OpCode.exists:
      return metrics.opCountExists
    case OpCode.getACL:
      return metrics.opCountGetAcl
    case OpCode.getAllChildrenNumber:
      return metrics.opCountGetAllChildrenNumber
    case OpCode.getChildren:
    case OpCode.getChildren2:
      return metrics.opCountGetChildren
    case OpCode.getData:
      return metrics.opCountGetData
    case OpCode.getEphemerals:
      return metrics.opCountGetEphemerals
    case OpCode.multiRead:
      return metrics.opCountMultiRead
    case OpCode.ping:
      return metrics.opCountPing
    case OpCode.removeWatches:
      return metrics.opCountRemoveWatches
    case OpCode.setWatches:
    case OpCode.setWatches2:
      return metrics.opCountSetWatches
    case OpCode.whoAmI:
      return metrics.opCountWhoAmI
    default:
      return undefined
  }
}

function writeCounterOf(metrics: ServerMetrics, op: number): Counter | undefined {
  switch (op) {
    case OpCode.closeSession:
      return metrics.opCountCloseSession
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL:
      return metrics.opCountCreate
    case OpCode.createSession:
      return metrics.opCountCreateSession
    case OpCode.delete:
      return metrics.opCountDelete
    case OpCode.multi:
      return metrics.opCountMulti
    case OpCode.setACL:
      return metrics.opCountSetAcl
    case OpCode.setData:
      return metrics.opCountSetData
    case OpCode.sync:
      return metrics.opCountSync
    default:
      return undefined
  }
}
