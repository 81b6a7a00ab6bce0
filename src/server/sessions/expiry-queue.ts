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

  /** Gives everything so much more time. */
  postpone(ms: number): void {
    const buckets = [...this.#buckets]
    this.#buckets.clear()
    this.#earliest += ms
    for (const [bucket, items] of buckets) {
      this.#buckets.set(bucket + ms, items)
      for (const item of items) item.expiresMono = bucket + ms
    }
  }

  /** Whether takeExpired might find something. */
  mayHaveExpired(nowMono: number): boolean {
    return nowMono >= this.#earliest
  }

  /** What lies in buckets that have ended, taken out; so many at most, and others with the next call. */
  takeExpired(nowMono: number, countMax: number = Number.POSITIVE_INFINITY): readonly T[] {
    if (!this.mayHaveExpired(nowMono)) return none
    const expired: T[] = []
    let earliest = Number.POSITIVE_INFINITY
    for (const [bucket, items] of this.#buckets) {
      if (bucket > nowMono) {
        if (bucket < earliest) earliest = bucket
        continue
      }
      for (const item of items) {
        if (expired.length >= countMax) return expired
        items.delete(item)
        item.expiresMono = 0
        expired.push(item)
      }
      this.#buckets.delete(bucket)
    }
    this.#earliest = earliest
    return expired
  }
}

const none: readonly never[] = []
