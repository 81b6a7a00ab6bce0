import type { AdvancedSummary, Counter } from '../../base/metrics.ts'
import { OpCounts } from './op-counts.ts'
import type { ServerMetrics } from './server-metrics.ts'
import { StageTimer, type Stopwatch } from './stage-timer.ts'

/** What every answer comes by, found once: the table of all metrics is too large to be looked into fast. */
export class AnswerCounts {
  readonly ops: OpCounts
  readonly responseBytes: Counter
  readonly readLatencyMs: AdvancedSummary
  readonly updateLatencyMs: AdvancedSummary
  readonly #readTimer: StageTimer
  readonly #readTimeMs: AdvancedSummary

  constructor(metrics: ServerMetrics, stopwatch: Stopwatch) {
    this.ops = new OpCounts(metrics)
    this.responseBytes = metrics.responseBytes
    this.readLatencyMs = metrics.readLatencyMs
    this.updateLatencyMs = metrics.updateLatencyMs
    this.#readTimer = new StageTimer(stopwatch)
    this.#readTimeMs = metrics.readFinalProcTimeMs
  }

  /** A read that is timed begins; what it answers is for `endRead`. */
  beginRead(): number {
    return this.#readTimer.beginTimed()
  }

  endRead(began: number): void {
    this.#readTimer.end(began, this.#readTimeMs)
  }
}
