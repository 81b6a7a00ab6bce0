import type { Logger } from '../../base/logger.ts'
import type { TurnClock } from '../../base/turn-clock.ts'
import type { Config } from '../../config/config.ts'
import type { PathExcess } from '../../tree/quota-keeper.ts'
import type { ServerMetrics } from '../stats/server-metrics.ts'

/** A client beyond its quota may write thousands of times a second; the log has one line in so long. */
const LOG_INTERVAL_MS = 1000

/** Logs quotas that were exceeded, and counts those that were enforced (spec 05 §10). */
export class QuotaLog {
  readonly #config: Config
  readonly #clock: TurnClock
  readonly #metrics: ServerMetrics
  readonly #logger: Logger
  #nextMono = 0
  #untold = 0

  constructor(config: Config, clock: TurnClock, metrics: ServerMetrics, logger: Logger) {
    this.#config = config
    this.#clock = clock
    this.#metrics = metrics
    this.#logger = logger
  }

  onExceeded(excess: PathExcess): void {
    const nowMono = this.#clock.mono
    const namespace = excess.path.split('/')[1] ?? ''
    const isRefused = excess.kind === 'hard' && this.#config.enforceQuota
    if (isRefused) this.#metrics.quotaExceededErrorPerNamespace.add(namespace, 1)
    if (nowMono < this.#nextMono) {
      this.#untold += 1
      return
    }
    this.#nextMono = nowMono + LOG_INTERVAL_MS
    this.#logger.warn('quota exceeded', { ...excess, untold: this.#untold })
    this.#untold = 0
  }
}
