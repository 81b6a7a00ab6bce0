import { javaDate } from '../base/utc.ts'
import { formatZxid } from '../data/zxid.ts'
import type { SnapshotContent } from '../persistence/snapshot-format.ts'
import type { DataTree } from '../tree/data-tree.ts'
import type { Znode } from '../tree/znode.ts'
import { aclJson, dataJson, type Json } from './txn-json.ts'
import { escapeControls } from './txn-text.ts'

/** A snapshot that has been read. */
export interface LoadedSnapshot {
  readonly name: string
  /** Of the name; 0 if the file is called otherwise. */
  readonly zxid: number
  readonly tree: DataTree
  readonly content: SnapshotContent
}

/** The text of the original's snapshot toolkit; `withData` shows the data in base64. */
export function* snapshotText(snapshot: LoadedSnapshot, withData: boolean): Generator<string> {
  const { tree, content } = snapshot
  let lastZxid = snapshot.zxid
  yield `ZNode Details (count=${tree.nodeCount}):\n`
  for (const [path, znode] of walk(tree, '/')) {
    lastZxid = Math.max(lastZxid, znode.mzxid, znode.pzxid)
    yield `----\n${escapeControls(path)}\n${znodeText(znode, withData)}`
  }
  yield '----\nSession Details (sid, timeout, ephemeralCount):\n'
  for (const [id, timeoutMs] of content.sessions)
    yield `${wideHex(id)}, ${timeoutMs}, ${tree.ephemeralsOf(id).size}\n`
  const { digest } = content
  if (digest !== undefined)
    yield `Target zxid digest is: ${digest.zxid.toString(16)}, ${digest.value ?? 'unknown'}\n`
  yield `----\nLast zxid: ${formatZxid(lastZxid)}\n`
}

function znodeText(znode: Znode, withData: boolean): string {
  const lines = [
    `cZxid = ${wideHex(znode.czxid)}`,
    `ctime = ${javaDate(znode.ctime)}`,
    `mZxid = ${wideHex(znode.mzxid)}`,
    `mtime = ${javaDate(znode.mtime)}`,
    `pZxid = ${wideHex(znode.pzxid)}`,
    `cversion = ${znode.cversion}`,
    `dataVersion = ${znode.version}`,
    `aclVersion = ${znode.aversion}`,
    `ephemeralOwner = ${wideHex(znode.ephemeralOwner)}`,
    withData
      ? `data = ${znode.data?.toString('base64') ?? ''}`
      : `dataLength = ${znode.dataLength}`,
  ]
  return lines.map((line) => `  ${line}\n`).join('')
}

/** Sixteen characters, the 0x among them, or more. */
function wideHex(value: number | bigint): string {
  return `0x${BigInt.asUintN(64, BigInt(value)).toString(16).padStart(14, '0')}`
}

/** One object a line: the snapshot, its sessions, its nodes with their ACLs, its digest. */
export function* snapshotJson(snapshot: LoadedSnapshot): Generator<string> {
  const { tree, content } = snapshot
  const nodes = tree.nodeCount - 1
  yield line({
    kind: 'snapshot',
    file: snapshot.name,
    zxid: String(snapshot.zxid),
    sessions: content.sessions.size,
    nodes,
  })
  for (const [id, timeout] of content.sessions)
    yield line({ kind: 'session', id: String(id), timeout })
  for (const [path, znode] of tree.entries()) yield line(nodeJson(path, znode))
  const { digest } = content
  if (digest === undefined) return
  const value = digest.value === undefined ? null : String(digest.value)
  yield line({
    kind: 'digest',
    zxid: String(digest.zxid),
    version: digest.version,
    digest: value,
  })
}

const line = (json: Json): string => `${JSON.stringify(json)}\n`

function nodeJson(path: string, znode: Znode): Json {
  return {
    kind: 'node',
    path,
    data: dataJson(znode.data),
    acl: znode.acl.acl.map(aclJson),
    stat: {
      czxid: String(znode.czxid),
      mzxid: String(znode.mzxid),
      ctime: String(znode.ctime),
      mtime: String(znode.mtime),
      version: znode.version,
      cversion: znode.cversion,
      aversion: znode.aversion,
      ephemeralOwner: String(znode.ephemeralOwner),
      pzxid: String(znode.pzxid),
    },
  }
}

/** A node and all below it, parents first, siblings by name. Depth costs no stack. */
export function* walk(
  tree: DataTree,
  start: string,
): Generator<readonly [path: string, znode: Znode, level: number]> {
  const open: [string, number][] = [[start, 0]]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [path, level] = next
    const znode = tree.node(path)
    if (znode === undefined) continue
    yield [path, znode, level]
    const prefix = path === '/' ? '/' : `${path}/`
    const names = [...(znode.children ?? [])].sort().reverse()
    for (const name of names) open.push([prefix + name, level + 1])
  }
}
