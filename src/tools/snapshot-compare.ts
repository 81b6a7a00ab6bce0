import type { DataTree } from '../tree/data-tree.ts'
import { NODES_PER_CALL, type OnNodes, type SubtreeSize, subtreeSizes } from './subtree-sizes.ts'
import { escapeControls } from './txn-text.ts'

export interface CompareOptions {
  /** A node is shown if its subtree differs by more than this, in bytes of data. */
  readonly bytes: number
  /** Or by more than this, in nodes. */
  readonly nodes: number
  /** Says of the others that they were left out. */
  readonly debug: boolean
}

type Sized = readonly [path: string, size: SubtreeSize]

/** What of two trees differs, level by level, as the original's comparer prints it. */
export function* compareTrees(
  left: DataTree,
  right: DataTree,
  options: CompareOptions,
  onNodes: OnNodes,
): Generator<string> {
  const leftLevels = levelsOf(left, onNodes)
  const rightLevels = levelsOf(right, onNodes)
  yield* describeTree('Left', leftLevels)
  yield* describeTree('Right', rightLevels)
  yield `Nodes whose subtrees differ by more than ${options.bytes} bytes or ${options.nodes} nodes:\n`
  const depths = Math.max(leftLevels.length, rightLevels.length)
  const all = left.nodeCount + right.nodeCount - 2
  let compared = 0
  for (let depth = 0; depth < depths; depth += 1) {
    yield `Analysis for depth ${depth}\n`
    const ofLeft = leftLevels[depth] ?? []
    const ofRight = rightLevels[depth] ?? []
    yield* compareLevel(ofLeft, ofRight, options, (done) => {
      onNodes('compared', compared + done, all)
    })
    compared += ofLeft.length + ofRight.length
  }
  yield 'All layers compared.\n'
}

/** The nodes of each depth, by name. */
function levelsOf(tree: DataTree, onNodes: OnNodes): readonly (readonly Sized[])[] {
  const levels: Sized[][] = []
  for (const entry of subtreeSizes(tree, onNodes)) {
    const { depth } = entry[1]
    const level = levels[depth]
    if (level === undefined) levels[depth] = [entry]
    else level.push(entry)
  }
  let comparisons = 0
  let sorted = 0
  for (const level of levels) {
    level.sort(([a], [b]) => {
      comparisons += 1
      if (comparisons % NODES_PER_CALL === 0) onNodes('sorted', sorted, tree.nodeCount - 1)
      return a < b ? -1 : 1
    })
    sorted += level.length
  }
  return levels
}

function* describeTree(side: string, levels: readonly (readonly Sized[])[]): Generator<string> {
  const root = levels[0]?.[0]?.[1]
  yield `${side} tree\n`
  yield `Node count: ${(root?.descendants ?? 0) + 1}\n`
  yield `Total size: ${root?.bytes ?? 0}\n`
  yield `Max depth: ${levels.length}\n`
  for (const [depth, level] of levels.entries())
    yield `Count of nodes at depth ${depth}: ${level.length}\n`
  yield '\n'
}

function* compareLevel(
  left: readonly Sized[],
  right: readonly Sized[],
  options: CompareOptions,
  onCompared: (nodes: number) => void,
): Generator<string> {
  let leftAt = 0
  let rightAt = 0
  for (;;) {
    // Pairs move both on, so that every other number of nodes may be passed over.
    if ((leftAt + rightAt) % NODES_PER_CALL < 2) onCompared(leftAt + rightAt)
    const one = left[leftAt]
    const other = right[rightAt]
    if (one === undefined && other === undefined) return
    const isLeft = one !== undefined && (other === undefined || one[0] <= other[0])
    const isRight = other !== undefined && (one === undefined || other[0] <= one[0])
    if (isLeft) leftAt += 1
    if (isRight) rightAt += 1
    yield* comparePair(isLeft ? one : undefined, isRight ? other : undefined, options)
  }
}

/** One node, of which at least one side has something. */
function* comparePair(
  left: Sized | undefined,
  right: Sized | undefined,
  options: CompareOptions,
): Generator<string> {
  const bytes = (right?.[1].bytes ?? 0) - (left?.[1].bytes ?? 0)
  const nodes = (right?.[1].descendants ?? 0) - (left?.[1].descendants ?? 0)
  const path = escapeControls((left ?? right)?.[0] ?? '')
  const isShown = Math.abs(bytes) > options.bytes || Math.abs(nodes) > options.nodes
  if (!isShown) {
    if (options.debug) yield `${filteredText(path, left, right)}\n`
    return
  }
  if (left !== undefined && right !== undefined) {
    yield `Node ${path} found in both trees. Delta: ${bytes} bytes, ${nodes} descendants\n`
    return
  }
  const side = left === undefined ? 'right' : 'left'
  const size = `Descendant size: ${Math.abs(bytes)}. Descendant count: ${Math.abs(nodes)}`
  yield `Node ${path} found only in ${side} tree. ${size}\n`
}

function filteredText(path: string, left: Sized | undefined, right: Sized | undefined): string {
  if (left !== undefined && right !== undefined)
    return `Filtered node ${path} of left size ${left[1].bytes}, right size ${right[1].bytes}`
  const side = left === undefined ? 'right' : 'left'
  return `Filtered ${side} node ${path} of size ${(left ?? right)?.[1].bytes}`
}
