import { DataTree } from '../tree/data-tree.ts'
import type { DiskReader, SnapshotFileInfo } from './disk.ts'
import { decodeSnapshot } from './snapshot-format.ts'
import { openSnapshot, precheckSnapshot } from './snapshot-source.ts'

/** What nodes are told apart by does not matter here: no zxid depends on it. */
const anyRules = { extendedTypesEnabled: false, emulate353TtlNodes: false } as const

/**
 * The newest txn that a snapshot may hold something of. Its name says only where it began: what was
 * applied while it was written is in it by half, and nothing but the log makes that whole. Reads all
 * of it. A string says what is wrong with it.
 */
export function snapshotReach(disk: DiskReader, file: SnapshotFileInfo): number | string {
  const problem = precheckSnapshot(disk, file)
  if (problem !== undefined) return problem
  const content = decodeSnapshot(openSnapshot(disk, file), new DataTree(anyRules, false))
  if (typeof content === 'string') return content
  const { zxidMax, digest, lastProcessedZxid } = content
  return Math.max(file.zxid, zxidMax, digest?.zxid ?? 0, lastProcessedZxid ?? 0)
}
