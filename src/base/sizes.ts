/** Of messages of one kind, in bytes; -1 as long as there was none. */
export interface Sizes {
  readonly last: number
  readonly min: number
  readonly max: number
  reset(): void
}

/** Last, smallest and largest size in bytes; -1 before the first. */
export class SizeStats implements Sizes {
  #last = -1
  #min = -1
  #max = -1

  get last(): number {
    return this.#last
  }

  get min(): number {
    return this.#min
  }

  get max(): number {
    return this.#max
  }

  add(bytes: number): void {
    this.#last = bytes
    if (this.#min === -1 || bytes < this.#min) this.#min = bytes
    if (bytes > this.#max) this.#max = bytes
  }

  reset(): void {
    this.#last = -1
    this.#min = -1
    this.#max = -1
  }
}
