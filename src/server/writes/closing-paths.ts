import { assert } from '../../base/assert.ts'
import type { TxnBound } from './txn-bound.ts'

/**
 * The ephemerals of a session that ends. The list of them all may be larger than a txn can be: then some
 * are deleted before the session is closed, as many at a time as fit, and the last txn lists the rest.
 */
export class ClosingPaths {
  readonly #bound: TxnBound
  #paths: readonly string[] = []
  #at = 0

  constructor(bound: TxnBound) {
    this.#bound = bound
  }

  /** There are some left: `take` is to be called again, with nothing in between. */
  get hasMore(): boolean {
    return this.#at < this.#paths.length
  }

  /** Those that go with the next txn, which closes the session if no more are left. */
  take(all: () => readonly string[]): readonly string[] {
    if (!this.hasMore) {
      this.#paths = all()
      this.#at = 0
    }
    const left = this.#paths.length - this.#at
    const isLast = this.#bound.countOfPaths(this.#paths, this.#at, false) === left
    const count = isLast ? left : this.#bound.countOfPaths(this.#paths, this.#at, true)
    // A path came in a frame, and a txn holds at least that.
    assert(count > 0 || left === 0, 'a path that fits in no txn')
    const taken = this.#paths.slice(this.#at, this.#at + count)
    this.#at += count
    if (isLast) this.#paths = []
    return taken
  }
}
