import type { DataTree } from '../../src/tree/data-tree.ts'

/** All of a node that a client or a server can ever see of it, as one line. */
function nodeText(tree: DataTree, path: string): string {
  const znode = tree.node(path)
  if (znode === undefined) return `${path} is not there`
  const { czxid, mzxid, pzxid, ctime, mtime, version, cversion, aversion, ephemeralOwner } = znode
  const data = znode.data === null ? 'null' : znode.data.toString('base64')
  const stat = [czxid, mzxid, pzxid, ctime, mtime, version, cversion, aversion].join(' ')
  const names = [...(znode.children ?? [])].sort().join(',')
  return `${path} ${data} ${stat} ${ephemeralOwner} ${znode.acl.key} [${names}]`
}

/** A tree as text: equal texts are equal trees, digest, indexes and counts included. */
export function treeText(tree: DataTree): string {
  const lines = [...tree.entries()].map(([path]) => nodeText(tree, path)).sort()
  const ephemerals = [...tree.ephemeralOwners]
    .map(([session, paths]) => `${session}: ${[...paths].sort().join(',')}`)
    .sort()
  const acls = [...tree.acls.entries()]
    .map(({ key, nodes }) => (key === tree.acls.open.key ? key : `${key} ${nodes}`))
    .sort()
  return [
    ...lines,
    ...ephemerals,
    ...acls,
    `containers ${[...tree.containers].sort().join(',')}`,
    `ttls ${[...tree.ttls].sort().join(',')}`,
    `digest ${tree.digest.toBigInt()} bytes ${tree.approximateDataBytes}`,
    `nodes ${tree.nodeCount} ephemerals ${tree.ephemeralsCount}`,
  ].join('\n')
}
