import { assert } from './assert.ts'

const INITIAL_SLOTS = 16

/** A FIFO over a ring of slots, whose size is a power of two. `Array.shift` is O(n) under load. */
export class Deque<T> {
  #slots: (T | undefined)[] = new Array(INITIAL_SLOTS)
  #head = 0
  #length = 0

  get length(): number {
    return this.#length
  }

  peek(): T | undefined {
    return this.#slots[this.#head]
  }

  /** Counted from the oldest, which is 0; undefined beyond the newest. */
  at(index: number): T | undefined {
    if (index < 0 || index >= this.#length) return undefined
    return this.#slots[(this.#head + index) & (this.#slots.length - 1)]
  }

  push(item: T): void {
    if (this.#length === this.#slots.length) this.#grow()
    this.#slots[(this.#head + this.#length) & (this.#slots.length - 1)] = item
    this.#length += 1
  }

  shift(): T | undefined {
    if (this.#length === 0) return undefined
    const item = this.#slots[this.#head]
    this.#slots[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#slots.length - 1)
    this.#length -= 1
    return item
  }

  clear(): void {
    this.#slots = new Array(INITIAL_SLOTS)
    this.#head = 0
    this.#length = 0
  }

  /** Oldest first. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (let i = 0; i < this.#length; i += 1) {
      const item = this.#slots[(this.#head + i) & (this.#slots.length - 1)]
      assert(item !== undefined, 'a filled slot of the deque is empty')
      yield item
    }
  }

  #grow(): void {
    const old = this.#slots
    const grown: (T | undefined)[] = new Array(old.length * 2)
    for (let i = 0; i < this.#length; i += 1) grown[i] = old[(this.#head + i) & (old.length - 1)]
    this.#slots = grown
    this.#head = 0
  }
}
