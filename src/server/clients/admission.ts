import { assert } from '../../base/assert.ts'
import type { Limits } from '../../base/limits.ts'
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
 *
 * Bytes are counted in the same way, for the log and the learners have to take them; at that bound
 * only what is small is let through of a connection with nothing outstanding.
 */
export class Admission {
  readonly #max: number
  readonly #bytesMax: number
  readonly #smallBytesMax: number
  #outstanding = 0
  /** Of those, whose connection has gone. */
  #abandoned = 0
  #abandonedBytes = 0
  #bytes = 0
  /** Connections with requests that were not read, in the order in which they had to stop. */
  readonly #waiting = new Set<Cnxn>()
  /** Those of them with nothing outstanding: so many need be looked at while the limit is reached. */
  readonly #idle = new Set<Cnxn>()

  constructor({ requestsOutstandingMax, requestBytesOutstandingMax, unservedBytesPause }: Limits) {
    this.#max = requestsOutstandingMax
    this.#bytesMax = requestBytesOutstandingMax
    this.#smallBytesMax = unservedBytesPause
  }

  get outstanding(): number {
    return this.#outstanding
  }

  /** So much is under way for nobody that no write may be added to it. */
  get isFlooded(): boolean {
    return this.#abandoned >= this.#max || this.#abandonedBytes >= this.#bytesMax
  }

  get isOpen(): boolean {
    return this.#outstanding < this.#max && this.#bytes < this.#bytesMax
  }

  enter(bytes: number): void {
    this.#outstanding += 1
    this.#bytes += bytes
  }

  leave(bytes: number): void {
    this.#outstanding -= 1
    this.#bytes -= bytes
    assert(this.#outstanding >= 0 && this.#bytes >= 0, 'more requests answered than read')
  }

  /** The connection of one of them has gone. */
  abandon(bytes: number): void {
    this.#abandoned += 1
    this.#abandonedBytes += bytes
  }

  /** One of those is through. */
  settle(bytes: number): void {
    this.#abandoned -= 1
    this.#abandonedBytes -= bytes
    assert(
      this.#abandoned >= 0 && this.#abandonedBytes >= 0,
      'more abandoned requests settled than there were',
    )
    this.leave(bytes)
  }

  /** Whether the next request of that connection may be read, as far as the others are concerned. */
  admits(cnxn: Cnxn): boolean {
    if (this.isOpen) return true
    if (cnxn.pending.length > 0) return false
    return this.#bytes < this.#bytesMax || cnxn.splitter.heldBytes <= this.#smallBytesMax
  }

  /** Whatever was outstanding comes out nowhere any more. */
  clear(): void {
    this.#outstanding = 0
    this.#bytes = 0
    this.#abandoned = 0
    this.#abandonedBytes = 0
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
