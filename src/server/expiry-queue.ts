export interface Expiring {
  /** End of the bucket it lies in, on the monotonic clock; 0 while it lies in none. */
  expiresMono: number
}

/**
 * Deadlines in buckets of one tick, rounded up (spec 05 §8): a touch that stays in its bucket costs
 * a division and a comparison, which is what nearly every request comes to.
 */
export class ExpiryQueue<T extends Expiring> {
  readonly #intervalMs: number
  readonly #buckets = new Map<number, Set<T>>()
  #earliest = Number.POSITIVE_INFINITY

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs
  }

  touch(item: T, deadlineMono: number): void {
    const bucket = (Math.floor(deadlineMono / this.#intervalMs) + 1) * this.#intervalMs
    if (bucket === item.expiresMono) return
    this.remove(item)
    let items = this.#buckets.get(bucket)
    if (items === undefined) {
      items = new Set()
      this.#buckets.set(bucket, items)
    }
    items.add(item)
    item.expiresMono = bucket
    if (bucket < this.#earliest) this.#earliest = bucket
  }

  remove(item: T): void {
    if (item.expiresMono === 0) return
    const items = this.#buckets.get(item.expiresMono)
    items?.delete(item)
    if (items?.size === 0) this.#buckets.delete(item.expiresMono)
    item.expiresMono = 0
  }

  /** Everything whose bucket has ended, taken out. */
  takeExpired(nowMono: number): readonly T[] {
    if (nowMono < this.#earliest) return none
    const expired: T[] = []
    let earliest = Number.POSITIVE_INFINITY
    for (const [bucket, items] of this.#buckets) {
      if (bucket > nowMono) {
        if (bucket < earliest) earliest = bucket
        continue
      }
      this.#buckets.delete(bucket)
      for (const item of items) {
        item.expiresMono = 0
        expired.push(item)
      }
    }
    this.#earliest = earliest
    return expired
  }
}

const none: readonly never[] = []
