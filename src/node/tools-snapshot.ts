import { basename } from 'node:path'
import { decodeSnapshot } from '../persistence/snapshot-format.ts'
import { openSnapshot, precheckSnapshot } from '../persistence/snapshot-source.ts'
import { type CompareOptions, compareTrees } from '../tools/snapshot-compare.ts'
import { type LoadedSnapshot, snapshotJson, snapshotText } from '../tools/snapshot-dump.ts'
import { snapshotSummary } from '../tools/snapshot-summary.ts'
import { DataTree } from '../tree/data-tree.ts'
import { ExitCode } from './exit-code.ts'
import { Progress, type ToolContext, ToolError, writeOut } from './tools-context.ts'
import { openSnapshotFile } from './tools-disk.ts'

/** TTL nodes are told from ephemerals whatever the server's settings were. */
const ownerRules = { extendedTypesEnabled: true, emulate353TtlNodes: false }

function loadSnapshot(path: string, context: ToolContext): LoadedSnapshot {
  const { disk, file } = openSnapshotFile(path, new Progress(context))
  const tree = new DataTree(ownerRules, false)
  const content = precheckSnapshot(disk, file) ?? decodeSnapshot(openSnapshot(disk, file), tree)
  if (typeof content === 'string') throw new ToolError(`${path}: ${content}`)
  return { name: basename(path), zxid: file.zxid, tree, content }
}

export interface SnapshotDumpOptions {
  readonly data: boolean
  readonly json: boolean
}

export async function dumpSnapshot(
  path: string,
  options: SnapshotDumpOptions,
  context: ToolContext,
): Promise<ExitCode> {
  const snapshot = loadSnapshot(path, context)
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
  const { tree } = loadSnapshot(path, context)
  const lines = snapshotSummary(tree, startNode, maxDepth)
  if (lines === undefined) throw new ToolError(`${path} holds no node ${startNode}`)
  await writeOut(context, lines, new Progress(context))
  return ExitCode.finished
}

export async function compareSnapshots(
  left: string,
  right: string,
  options: CompareOptions,
  context: ToolContext,
): Promise<ExitCode> {
  const leftTree = loadSnapshot(left, context).tree
  const rightTree = loadSnapshot(right, context).tree
  await writeOut(context, compareTrees(leftTree, rightTree, options), new Progress(context))
  return ExitCode.finished
}
