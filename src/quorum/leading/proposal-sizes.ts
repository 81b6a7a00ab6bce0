/** Sizes of proposals in bytes; -1 as long as there was none. */
export class ProposalSizes {
  last = -1
  min = -1
  max = -1

  add(bytes: number): void {
    this.last = bytes
    if (this.min < 0 || bytes < this.min) this.min = bytes
    if (bytes > this.max) this.max = bytes
  }

  /** `crst` and `srst` of the original's clients. */
  reset(): void {
    this.last = -1
    this.min = -1
    this.max = -1
  }
}
