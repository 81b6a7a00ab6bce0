import type { Logger } from '../../base/logger.ts'
import type { ServerMetrics } from '../stats/server-metrics.ts'

/** Room is there again when so much of the soft limit is used. */
const RESUME_FACTOR = 0.95
const PERCENT = 100
const MIB = 1024 * 1024

/**
 * Whether the heap has room for more nodes and watches. One that is full ends the process, and a tree
 * that does not fit ends it at every start again; so before it comes to that, what makes the tree or the
 * tables of watches larger is refused. Reads, deletes, sessions and changes of nodes go on.
 */
export class HeapRoom {
  readonly #softLimitPercent: number
  readonly #metrics: ServerMetrics
  readonly #logger: Logger
  isLow = false

  /** 0: never low. */
  constructor(softLimitPercent: number, metrics: ServerMetrics, logger: Logger) {
    this.#softLimitPercent = softLimitPercent
    this.#metrics = metrics
    this.#logger = logger
  }

  /** So much is in use once what is not needed was collected, and so much may be. In bytes. */
  onMeasured(usedBytes: number, limitBytes: number): void {
    if (this.#softLimitPercent === 0) return
    const softBytes = (limitBytes * this.#softLimitPercent) / PERCENT
    const isLow = usedBytes > (this.isLow ? softBytes * RESUME_FACTOR : softBytes)
    if (isLow === this.isLow) return
    this.isLow = isLow
    const fields = {
      usedMib: Math.round(usedBytes / MIB),
      limitMib: Math.round(limitBytes / MIB),
      heapSoftLimitPercent: this.#softLimitPercent,
    }
    if (!isLow) this.#logger.info('the heap has room again', fields)
    else
      this.#logger.error(
        'the heap is nearly full, refusing new nodes and watches: delete some, or start with a ' +
          'larger heap, as by NODE_OPTIONS=--max-old-space-size=<MiB>',
        fields,
      )
  }

  /** A create is refused, and counted. */
  refusesCreate(): boolean {
    if (this.isLow) this.#metrics.writesRefused.add('low_heap', 1)
    return this.isLow
  }

  /** A new watch is refused, and counted. */
  refusesWatch(): boolean {
    if (this.isLow) this.#metrics.watchesRefused.add('low_heap', 1)
    return this.isLow
  }
}
