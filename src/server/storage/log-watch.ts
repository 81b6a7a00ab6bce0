import type { DiskLane } from './disk-lane.ts'

/** What one look counts for at most: while the whole process stood still the disk is not to blame. */
const LOOK_MS_MAX = 1000

/**
 * Whether our log keeps up. A leader's need not, for all that the others notice: they commit without
 * it, and what they have committed waits here, in memory, more and more of it.
 */
export class LogWatch {
  readonly #lane: DiskLane
  readonly #waitMsMax: number
  readonly #bytesMax: number
  #flushes = 0
  #waitedMs = 0
  #lookedMono: number

  constructor(lane: DiskLane, waitMsMax: number, bytesMax: number, nowMono: number) {
    this.#lane = lane
    this.#waitMsMax = waitMsMax
    this.#bytesMax = bytesMax
    this.#lookedMono = nowMono
  }

  /** To be called all the time. A string says what is wrong. */
  look(nowMono: number): string | undefined {
    const { isBusy, flushes, backlogBytes } = this.#lane
    const sinceMs = Math.min(nowMono - this.#lookedMono, LOOK_MS_MAX)
    this.#lookedMono = nowMono
    this.#waitedMs = isBusy && flushes === this.#flushes ? this.#waitedMs + sinceMs : 0
    this.#flushes = flushes
    if (this.#waitedMs > this.#waitMsMax)
      return `our log has taken nothing for ${this.#waitMsMax} ms`
    if (backlogBytes > this.#bytesMax) return `${backlogBytes} bytes wait for our log`
    return undefined
  }
}
