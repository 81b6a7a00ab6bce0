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

/** Called now and then with how far a tool is with the nodes: a million of them takes seconds. */
export type OnNodes = (verb: 'counted' | 'sorted' | 'compared', nodes: number, of: number) => void

/** Or comparisons of them, when they are sorted. */
export const NODES_PER_CALL = 10_000

/** Of every node, by path; parents stand before their children. */
export function subtreeSizes(tree: DataTree, onNodes: OnNodes): ReadonlyMap<string, SubtreeSize> {
  const sizes = new Map<string, SubtreeSize>()
  const paths: string[] = []
  // Each is looked at twice.
  let looks = 0
  const tick = (): void => {
    looks += 1
    if (looks % NODES_PER_CALL === 0) onNodes('counted', looks / 2, tree.nodeCount - 1)
  }
  for (const [path, znode] of tree.entries()) {
    sizes.set(path, { depth: depthOf(path), descendants: 0, bytes: znode.dataLength })
    paths.push(path)
    tick()
  }
  // Backwards each is complete before it is added.
  for (let at = paths.length - 1; at >= 0; at -= 1) {
    tick()
    const path = paths[at] ?? '/'
    const size = sizes.get(path)
    const above = path === '/' ? undefined : sizes.get(parentOf(path))
    if (above === undefined || size === undefined) continue
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
