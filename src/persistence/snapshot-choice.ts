import type { DataTree } from '../tree/data-tree.ts'
import type { DiskReader } from './disk.ts'
import { decodeSnapshot, type SnapshotContent } from './snapshot-format.ts'
import { openSnapshot, precheckSnapshot } from './snapshot-source.ts'

/**
 * Snapshots that a start tries, the newest first, as many as the original.
 * @bound snapshots: the start is refused
 */
const SNAPSHOTS_TRIED_MAX = 100

/** A snapshot that was passed over. */
interface RejectedSnapshot {
  readonly name: string
  readonly reason: string
}

export interface ChosenSnapshot extends SnapshotContent {
  readonly name: string
  /** Of the name: replay begins behind it. */
  readonly zxid: number
  readonly tree: DataTree
}

interface SnapshotChoice {
  /** Undefined: there is none, or none of those tried is whole. */
  readonly chosen: ChosenSnapshot | undefined
  readonly rejected: readonly RejectedSnapshot[]
}

/** Loads the newest snapshot that is whole, each into a tree of its own. */
export function loadNewestSnapshot(disk: DiskReader, makeTree: () => DataTree): SnapshotChoice {
  const rejected: RejectedSnapshot[] = []
  const files = disk.listSnapshots().toReversed().slice(0, SNAPSHOTS_TRIED_MAX)
  for (const file of files) {
    const { name, zxid } = file
    const reason = precheckSnapshot(disk, file)
    const tree = makeTree()
    const content = reason ?? decodeSnapshot(openSnapshot(disk, file), tree)
    if (typeof content === 'string') {
      rejected.push({ name, reason: content })
      continue
    }
    tree.lastProcessedZxid = zxid
    return { chosen: { ...content, name, zxid, tree }, rejected }
  }
  return { chosen: undefined, rejected }
}
