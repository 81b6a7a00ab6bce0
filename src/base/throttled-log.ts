import type { LogFields, Logger } from './logger.ts'

type Level = 'info' | 'warn' | 'error'

/**
 * Between two log lines of the same cause, where a stranger can bring it about.
 * @bound milliseconds: further lines are counted, and the next one that is written has their number
 */
const LOG_CAUSE_INTERVAL_MS = 1000
/**
 * Causes that are told apart. They are ours, but what a peer says may be a part of them.
 * @bound causes: further ones share one
 */
export const LOG_CAUSES_MAX = 256

interface Cause {
  readonly nextMono: number
  readonly level: Level
  readonly message: string
  /** Lines that were not written since the last one that was. */
  leftOut: number
  fields: LogFields
}

/**
 * For lines that a stranger can bring about as often as it likes: of each cause one a second is
 * written. Those in between are counted, and the newest of them is written with that number as soon
 * as the second is over.
 */
export class ThrottledLog {
  readonly #logger: Logger
  readonly #clock: { readonly mono: number }
  readonly #causes = new Map<string, Cause>()

  constructor(logger: Logger, clock: { readonly mono: number }) {
    this.#logger = logger
    this.#clock = clock
  }

  info(message: string, fields: LogFields, cause: string = message): void {
    this.#log('info', message, fields, cause)
  }

  warn(message: string, fields: LogFields, cause: string = message): void {
    this.#log('warn', message, fields, cause)
  }

  error(message: string, fields: LogFields, cause: string = message): void {
    this.#log('error', message, fields, cause)
  }

  /** Writes what has been left out for long enough, and forgets causes that are over. */
  advance(): void {
    for (const [key, cause] of this.#causes) {
      if (this.#clock.mono < cause.nextMono) continue
      const { level, message, fields, leftOut } = cause
      if (leftOut > 0) this.#write(key, level, message, fields, leftOut)
      else this.#causes.delete(key)
    }
  }

  #log(level: Level, message: string, fields: LogFields, key: string): void {
    const cause = this.#causes.get(key)
    if (cause !== undefined && this.#clock.mono < cause.nextMono) {
      cause.leftOut += 1
      cause.fields = fields
      return
    }
    // Causes too many to be told apart share one.
    const isShared = cause === undefined && this.#causes.size >= LOG_CAUSES_MAX && key !== SHARED
    if (isShared) this.#log(level, message, fields, SHARED)
    else this.#write(key, level, message, fields, (cause?.leftOut ?? 0) + 1)
  }

  /** `lines`: how many lines this one stands for. */
  #write(key: string, level: Level, message: string, fields: LogFields, lines: number): void {
    const nextMono = this.#clock.mono + LOG_CAUSE_INTERVAL_MS
    this.#causes.set(key, { nextMono, level, message, leftOut: 0, fields })
    this.#logger[level](message, lines > 1 ? { ...fields, lines } : fields)
  }
}

const SHARED = ''
