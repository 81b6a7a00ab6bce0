import { parentOf } from '../data/path.ts'
import type { DataTree } from '../tree/data-tree.ts'

/** What a node and all below it hold together. */
export interface SubtreeSize {
  /** The levels above the node; 0 for the root. */
  readonly depth: number
  /** Nodes below it. */
  descendants: number
  /** Of data, its own included. */
  bytes: number
}

/** Of every node, by path. */
export function subtreeSizes(tree: DataTree): ReadonlyMap<string, SubtreeSize> {
  const sizes = new Map<string, SubtreeSize>()
  for (const [path, znode] of tree.entries())
    sizes.set(path, { depth: depthOf(path), descendants: 0, bytes: znode.dataLength })
  // Children stand behind their parents, so backwards each is complete before it is added.
  for (const [path, size] of [...sizes].reverse()) {
    const above = path === '/' ? undefined : sizes.get(parentOf(path))
    if (above === undefined) continue
    above.descendants += size.descendants + 1
    above.bytes += size.bytes
  }
  return sizes
}

function depthOf(path: string): number {
  if (path === '/') return 0
  let depth = 0
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) depth += 1
  return depth
}
