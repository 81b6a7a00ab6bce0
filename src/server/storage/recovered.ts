import type { Entry } from '../../quorum/ports/replica.ts'
import type { DataTree } from '../../tree/data-tree.ts'

/** What recovery has brought back. */
export interface Recovered {
  readonly tree: DataTree
  /** What is on disk already holds all of it: no snapshot need be taken at once. */
  readonly isSnapshotCurrent?: boolean
  /** Sessions with their timeouts in ms; each gets a fresh full one (spec 05 §8). */
  readonly sessions: ReadonlyMap<bigint, number>
  readonly lastZxid: number
  /** The newest entries of the log, for learners that have missed a few; none if unsaid. */
  readonly recent?: Iterable<Entry>
}
