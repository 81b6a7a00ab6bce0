import type { Logger } from '../../base/logger.ts'
import { opClassOf } from '../../data/op-class.ts'
import { OpCode } from '../../data/op-code.ts'

/** Whether an operation is refused where there is none. Sessions end, which makes room rather. */
export const needsRoom = (op: number): boolean =>
  opClassOf(op) === 'write' && op !== OpCode.closeSession

/** Writes are taken again when there is so much more than the least that is asked for. */
const RESUME_FACTOR = 1.25

/**
 * Whether the log has room. A log that cannot be written ends the process; so before it comes to that
 * writes of clients are refused, while reads go on and sessions can still be opened and closed.
 */
export class FreeSpace {
  readonly #minBytes: number
  readonly #logger: Logger
  isLow = false

  /** 0: never low. */
  constructor(minBytes: number, logger: Logger) {
    this.#minBytes = minBytes
    this.#logger = logger
  }

  /** So much is free on the disk of the log. */
  onMeasured(freeBytes: number): void {
    const limit = this.isLow ? this.#minBytes * RESUME_FACTOR : this.#minBytes
    const isLow = freeBytes < limit
    if (isLow === this.isLow) return
    this.isLow = isLow
    const fields = { freeBytes, freeSpaceMinBytes: this.#minBytes }
    if (isLow) this.#logger.error('the disk of the log is nearly full, refusing writes', fields)
    else this.#logger.info('the disk of the log has room again, taking writes', fields)
  }
}
