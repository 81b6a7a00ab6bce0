/** What is to happen, by time and then by the order in which it was asked for. */
interface Event {
  readonly time: number
  readonly order: number
  readonly run: () => void
}

/** The only time there is: milliseconds, with fractions. It passes when an event runs. */
export class EventHeap {
  readonly #heap: Event[] = []
  #order = 0
  #now = 0

  get now(): number {
    return this.#now
  }

  get length(): number {
    return this.#heap.length
  }

  /** Of the next event; Infinity: there is none. */
  get nextTime(): number {
    return this.#heap[0]?.time ?? Infinity
  }

  after(ms: number, run: () => void): void {
    this.at(this.#now + ms, run)
  }

  at(time: number, run: () => void): void {
    this.#order += 1
    this.#push({ time: Math.max(time, this.#now), order: this.#order, run })
  }

  /** Runs the next event. False: there is none. */
  step(): boolean {
    const event = this.#pop()
    if (event === undefined) return false
    this.#now = event.time
    event.run()
    return true
  }

  /** Runs what is due until then, and lets the rest of the time pass. */
  runUntil(time: number): void {
    for (let next = this.#heap[0]; next !== undefined && next.time <= time; next = this.#heap[0])
      this.step()
    this.#now = Math.max(this.#now, time)
  }

  #push(event: Event): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(event)
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent]
      if (above === undefined || isBefore(above, event)) break
      heap[at] = above
      at = parent
    }
    heap[at] = event
  }

  #pop(): Event | undefined {
    const heap = this.#heap
    const top = heap[0]
    const last = heap.pop()
    if (top === undefined || last === undefined || heap.length === 0) return top
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      let below = heap[child]
      if (below === undefined) break
      const right = heap[child + 1]
      if (right !== undefined && isBefore(right, below)) {
        child += 1
        below = right
      }
      if (isBefore(last, below)) break
      heap[at] = below
      at = child
    }
    heap[at] = last
    return top
  }
}

const isBefore = (a: Event, b: Event): boolean =>
  a.time < b.time || (a.time === b.time && a.order < b.order)
