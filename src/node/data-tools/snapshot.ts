import { basename } from 'node:path'
import { decodeSnapshot } from '../../persistence/snapshot-format.ts'
import {
  openSnapshot,
  precheckSnapshot,
  type SnapshotSource,
} from '../../persistence/snapshot-source.ts'
import { type CompareOptions, compareTrees } from '../../tools/snapshot-compare.ts'
import { type LoadedSnapshot, snapshotJson, snapshotText } from '../../tools/snapshot-dump.ts'
import { snapshotSummary } from '../../tools/snapshot-summary.ts'
import type { OnNodes } from '../../tools/subtree-sizes.ts'
import { DataTree } from '../../tree/data-tree.ts'
import { ExitCode } from '../process/exit-code.ts'
import { Progress, type ToolContext, ToolError, writeOut } from './context.ts'
import { openSnapshotFile } from './disk.ts'

/** TTL nodes are told from ephemerals whatever the server's settings were. */
const ownerRules = { extendedTypesEnabled: true, emulate353TtlNodes: false }

async function loadSnapshot(path: string, context: ToolContext): Promise<LoadedSnapshot> {
  const progress = new Progress(context)
  const { disk, file } = openSnapshotFile(path, progress)
  await disk.unpack(file.name)
  const tree = new DataTree(ownerRules, false)
  const source = toldBy(openSnapshot(disk, file), (bytes) => progress.onLoaded(path, bytes))
  const content = precheckSnapshot(disk, file) ?? decodeSnapshot(source, tree)
  if (typeof content === 'string') throw new ToolError(`${path}: ${content}`)
  return { name: basename(path), zxid: file.zxid, tree, content }
}

/** The same, but that it is told how many bytes of its content have been given out. */
function toldBy(source: SnapshotSource, onBytes: (bytes: number) => void): SnapshotSource {
  let bytes = 0
  return {
    next: (held) => {
      onBytes(bytes)
      const piece = source.next(held)
      if (Buffer.isBuffer(piece)) bytes += piece.length - held.length
      return piece
    },
  }
}

const onNodesOf =
  (progress: Progress): OnNodes =>
  (verb, nodes, of) =>
    progress.onNodes(verb, nodes, of)

interface SnapshotDumpOptions {
  readonly data: boolean
  readonly json: boolean
}

export async function dumpSnapshot(
  path: string,
  options: SnapshotDumpOptions,
  context: ToolContext,
): Promise<ExitCode> {
  const snapshot = await loadSnapshot(path, context)
  await writeOut(
    context,
    options.json ? snapshotJson(snapshot) : snapshotText(snapshot, options.data),
    new Progress(context),
  )
  return ExitCode.finished
}

export async function summarizeSnapshot(
  path: string,
  startNode: string,
  maxDepth: number,
  context: ToolContext,
): Promise<ExitCode> {
  const { tree } = await loadSnapshot(path, context)
  const progress = new Progress(context)
  const lines = snapshotSummary(tree, startNode, maxDepth, onNodesOf(progress))
  if (lines === undefined) throw new ToolError(`${path} holds no node ${startNode}`)
  await writeOut(context, lines, progress)
  return ExitCode.finished
}

export async function compareSnapshots(
  left: string,
  right: string,
  options: CompareOptions,
  context: ToolContext,
): Promise<ExitCode> {
  const leftTree = (await loadSnapshot(left, context)).tree
  const rightTree = (await loadSnapshot(right, context)).tree
  const progress = new Progress(context)
  const lines = compareTrees(leftTree, rightTree, options, onNodesOf(progress))
  await writeOut(context, lines, progress)
  return ExitCode.finished
}
