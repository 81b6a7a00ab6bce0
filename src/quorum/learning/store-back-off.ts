const FIRST_MS = 1000
/** A leader ends a link on which nothing is said for initLimit, which is 20 s nearly everywhere. */
const MAX_MS = 16_000

/**
 * How long a member waits that could not store the SNAP of a leader, for want of space mostly, before
 * it asks for another: each is the whole state, over the network and half-way to the disk. It outlives
 * roles, since each such failure ends one.
 */
export class StoreBackOff {
  #ms = 0
  #untilMono = 0

  onFailed(nowMono: number): void {
    this.#ms = Math.min(Math.max(this.#ms * 2, FIRST_MS), MAX_MS)
    this.#untilMono = nowMono + this.#ms
  }

  onStored(): void {
    this.#ms = 0
    this.#untilMono = 0
  }

  isOver(nowMono: number): boolean {
    return nowMono >= this.#untilMono
  }
}
