import type { DataTree } from '../../../src/tree/data-tree.ts'
import type { Znode } from '../../../src/tree/znode.ts'
import { hex, Violation } from '../history.ts'
import type { Model } from '../model.ts'

interface Holder {
  readonly host: string
  readonly member: { readonly tree: DataTree } | undefined
}

/**
 * In the end all members hold the same, and it is what the model says; no session lives that nobody
 * has, and no ephemeral whose session has gone.
 */
export function checkTrees(
  holders: readonly Holder[],
  model: Model,
  living: ReadonlySet<bigint>,
): void {
  const right = modelText(model)
  const first = holders[0]?.member?.tree.lastProcessedZxid ?? 0
  for (const { host, member } of holders) {
    if (member === undefined) throw new Violation('members come back', `${host} is down`)
    const { lastProcessedZxid } = member.tree
    if (lastProcessedZxid !== first)
      throw new Violation(
        'members catch up',
        `${host} is at ${hex(lastProcessedZxid)}, ${holders[0]?.host} at ${hex(first)}`,
      )
    const found = treeText(member.tree)
    if (found !== right)
      throw new Violation(
        'acknowledged is durable',
        `${host} holds\n${firstDifference(found, right)}`,
      )
  }
  for (const session of model.sessions.keys())
    if (!living.has(session))
      throw new Violation(
        'ephemerals live as long as their session',
        `session 0x${session.toString(16)} lives, and nobody has it`,
      )
  for (const path of model.paths) {
    const owner = model.ownerOf(path)
    if (owner !== 0n && !model.sessions.has(owner))
      throw new Violation('ephemerals live as long as their session', `${path} is still there`)
  }
}

const isInternal = (path: string): boolean => path.startsWith('/zookeeper/config')

function modelText(model: Model): string {
  const lines: string[] = []
  for (const path of model.paths) {
    if (isInternal(path)) continue
    const { stat, data } = model.read({ op: 'getData', path, watch: false }, 0n).result
    if (stat !== undefined)
      lines.push(
        [
          path,
          data,
          stat.czxid,
          stat.mzxid,
          stat.pzxid,
          stat.version,
          stat.cversion,
          stat.aversion,
        ].join(' '),
      )
  }
  return lines.sort().join('\n')
}

function treeText(tree: DataTree): string {
  const lines: string[] = []
  for (const [path, znode] of tree.entries()) if (!isInternal(path)) lines.push(line(path, znode))
  return lines.sort().join('\n')
}

function line(path: string, znode: Znode): string {
  const { data, czxid, mzxid, pzxid, version, cversion, aversion, childCount } = znode
  const visible = 2 * cversion - childCount
  return [path, data?.toString() ?? '', czxid, mzxid, pzxid, version, visible, aversion].join(' ')
}

function firstDifference(found: string, right: string): string {
  const [a, b] = [found.split('\n'), right.split('\n')]
  for (let i = 0; i < Math.max(a.length, b.length); i += 1)
    if (a[i] !== b[i]) return `${a[i] ?? 'nothing'}\nand should hold\n${b[i] ?? 'nothing'}`
  return ''
}
