import type { DataTree } from '../tree/data-tree.ts'
import { walk } from './snapshot-dump.ts'
import { type OnNodes, subtreeSizes } from './subtree-sizes.ts'
import { escapeControls } from './txn-text.ts'

/**
 * Nodes and bytes below `start` and below each node under it that has children, down to `maxDepth`
 * levels; 0: all. The depth bounds what is shown, not what is counted. Undefined: there is no such
 * node.
 */
export function snapshotSummary(
  tree: DataTree,
  start: string,
  maxDepth: number,
  onNodes: OnNodes,
): Generator<string> | undefined {
  return tree.node(start) === undefined ? undefined : summarize(tree, start, maxDepth, onNodes)
}

function* summarize(
  tree: DataTree,
  start: string,
  maxDepth: number,
  onNodes: OnNodes,
): Generator<string> {
  const sizes = subtreeSizes(tree, onNodes)
  for (const [path, znode, level] of walk(tree, start)) {
    const size = sizes.get(path)
    const isShown = maxDepth === 0 || level <= maxDepth
    if (size === undefined || !isShown || (level > 0 && znode.childCount === 0)) continue
    const indent = '--'.repeat(level)
    yield `${indent} ${escapeControls(path)}\n`
    yield `${indent}   children: ${size.descendants}\n`
    yield `${indent}   data: ${size.bytes}\n`
  }
}
