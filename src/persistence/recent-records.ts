/** A power of two. A follower repeats what it had outstanding, which is far less. */
const RECORDS_DEFAULT = 65536

/** Remembers the checksums of the last records by zxid, to tell a repeated record from a rival. */
export class RecentRecords {
  readonly #zxids: Float64Array
  readonly #checksums: Int32Array
  readonly #mask: number

  /** `count` must be a power of two. */
  constructor(count: number = RECORDS_DEFAULT) {
    this.#zxids = new Float64Array(count)
    this.#checksums = new Int32Array(count)
    this.#mask = count - 1
  }

  add(zxid: number, checksum: number): void {
    const slot = (zxid >>> 0) & this.#mask
    this.#zxids[slot] = zxid
    this.#checksums[slot] = checksum
  }

  /** Whether the record of that zxid, if it is remembered, had this checksum. */
  isSame(zxid: number, checksum: number): boolean {
    const slot = (zxid >>> 0) & this.#mask
    return this.#zxids[slot] !== zxid || this.#checksums[slot] === checksum
  }
}
