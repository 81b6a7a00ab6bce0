import { assert } from '../base/assert.ts'
import type { Cnxn } from './cnxn.ts'

/**
 * Requests of all clients that wait for a commit are counted. At the limit (globalOutstandingLimit) the
 * next request of whoever has one outstanding is not read: TCP carries that to the clients, and no queue
 * behind this one can grow. A connection with nothing outstanding is let through, as in the original:
 * the heartbeat of an idle client does not wait for other clients' writes.
 *
 * Writes whose connection has gone are under way all the same, and count. When they alone reach the
 * limit nobody's write is taken: a client that came and went could send any number of them. So there
 * are never more than twice the limit and one for each connection.
 */
export class Admission {
  readonly #max: number
  #outstanding = 0
  /** Of those, whose connection has gone. */
  #abandoned = 0
  /** Connections with requests that were not read, in the order in which they had to stop. */
  readonly #waiting = new Set<Cnxn>()
  /** Those of them with nothing outstanding: so many need be looked at while the limit is reached. */
  readonly #idle = new Set<Cnxn>()

  constructor(requestsOutstandingMax: number) {
    this.#max = requestsOutstandingMax
  }

  get outstanding(): number {
    return this.#outstanding
  }

  /** So much is under way for nobody that no write may be added to it. */
  get isFlooded(): boolean {
    return this.#abandoned >= this.#max
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

  /** The connection of so many has gone. */
  abandon(count: number): void {
    this.#abandoned += count
  }

  /** So many of those are through. */
  settle(count: number): void {
    this.#abandoned -= count
    assert(this.#abandoned >= 0, 'more abandoned requests settled than there were')
    this.leave(count)
  }

  /** Whether the next request of that connection may be read, as far as the others are concerned. */
  admits(cnxn: Cnxn): boolean {
    return this.isOpen || cnxn.pending.length === 0
  }

  /** Whatever was outstanding comes out nowhere any more. */
  clear(): void {
    this.#outstanding = 0
    this.#abandoned = 0
  }

  wait(cnxn: Cnxn): void {
    this.#waiting.add(cnxn)
    if (cnxn.pending.length === 0) this.#idle.add(cnxn)
  }

  /** All its requests have been answered. */
  onIdle(cnxn: Cnxn): void {
    if (this.#waiting.has(cnxn)) this.#idle.add(cnxn)
  }

  forget(cnxn: Cnxn): void {
    this.#waiting.delete(cnxn)
    this.#idle.delete(cnxn)
  }

  /** Connections with requests that were not read. */
  get waiting(): ReadonlySet<Cnxn> {
    return this.#waiting
  }

  get #candidates(): ReadonlySet<Cnxn> {
    return this.isOpen ? this.#waiting : this.#idle
  }

  some(mayRead: (cnxn: Cnxn) => boolean): boolean {
    for (const cnxn of this.#candidates) if (mayRead(cnxn)) return true
    return false
  }

  /**
   * Takes out those that may go on, one at a time while there is room. Whoever has to stop again goes
   * behind those who were not called, so that a pipelining client does not keep the others out.
   */
  *take(mayRead: (cnxn: Cnxn) => boolean): IterableIterator<Cnxn> {
    const candidates = this.#candidates
    if (candidates.size === 0) return
    const wasOpen = this.isOpen
    for (const cnxn of [...candidates]) {
      // The idle ones among the rest have the next turn.
      if (wasOpen && !this.isOpen) return
      if (!mayRead(cnxn) || !this.#waiting.has(cnxn)) continue
      this.forget(cnxn)
      yield cnxn
    }
  }
}
