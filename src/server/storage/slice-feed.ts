import { JuteWriter } from 'jute-ts'
import type { SnapshotFeed } from '../../quorum/ports/replica.ts'

/** A TreeDump, or the SnapshotEncoder around one. */
interface Sliced {
  readonly zxid: number
  readonly problem: string | undefined
  writeSlice(w: JuteWriter, bytesMax: number): boolean
  close(): void
}

/**
 * Gives out a dump slice by slice, whenever somebody asks for one; the tree goes on changing between
 * two slices. It ends early when there is a `problem`, which is to be looked at behind the last slice.
 */
export class SliceFeed implements SnapshotFeed {
  readonly #dump: Sliced
  readonly #sliceBytes: number
  readonly #w: JuteWriter
  #isDone = false

  constructor(dump: Sliced, sliceBytes: number) {
    this.#dump = dump
    this.#sliceBytes = sliceBytes
    this.#w = new JuteWriter(sliceBytes + sliceBytes / 8)
  }

  get zxid(): number {
    return this.#dump.zxid
  }

  /** Why what was given out is not whole, or no longer what the tree was. */
  get problem(): string | undefined {
    return this.#dump.problem
  }

  next(): Buffer | undefined {
    if (this.#isDone) return undefined
    this.#w.clear()
    this.#isDone = this.#dump.writeSlice(this.#w, this.#sliceBytes)
    if (this.problem === undefined) return this.#w.copy()
    this.close()
    return undefined
  }

  close(): void {
    this.#isDone = true
    this.#dump.close()
  }
}
