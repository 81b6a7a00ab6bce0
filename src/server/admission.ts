import { assert } from '../base/assert.ts'
import type { Cnxn } from './cnxn.ts'

/**
 * Requests of all clients that wait for a commit are counted. At the limit nobody's next request is
 * read: TCP carries that to the clients, and no queue behind this one can grow (globalOutstandingLimit).
 */
export class Admission {
  readonly #max: number
  #outstanding = 0
  /** Connections with requests that were not read, in the order in which they had to stop. */
  readonly #waiting = new Set<Cnxn>()

  constructor(requestsOutstandingMax: number) {
    this.#max = requestsOutstandingMax
  }

  get outstanding(): number {
    return this.#outstanding
  }

  get isOpen(): boolean {
    return this.#outstanding < this.#max
  }

  enter(): void {
    this.#outstanding += 1
  }

  leave(count: number): void {
    this.#outstanding -= count
    assert(this.#outstanding >= 0, 'more requests answered than read')
  }

  wait(cnxn: Cnxn): void {
    this.#waiting.add(cnxn)
  }

  forget(cnxn: Cnxn): void {
    this.#waiting.delete(cnxn)
  }

  some(mayRead: (cnxn: Cnxn) => boolean): boolean {
    if (!this.isOpen) return false
    for (const cnxn of this.#waiting) if (mayRead(cnxn)) return true
    return false
  }

  /**
   * Takes out those that may go on, one at a time while there is room. Whoever has to stop again goes
   * behind those who were not called, so that a pipelining client does not keep the others out.
   */
  *take(mayRead: (cnxn: Cnxn) => boolean): IterableIterator<Cnxn> {
    if (this.#waiting.size === 0 || !this.isOpen) return
    for (const cnxn of [...this.#waiting]) {
      if (!this.isOpen) return
      if (!mayRead(cnxn) || !this.#waiting.delete(cnxn)) continue
      yield cnxn
    }
  }
}
