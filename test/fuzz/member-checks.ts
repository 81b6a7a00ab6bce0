import { expect } from 'vitest'
import { ownerKind } from '../../src/data/create-mode.ts'
import { parentOf } from '../../src/data/path.ts'
import { loadMember } from '../../src/server/storage/load.ts'
import type { DataTree } from '../../src/tree/data-tree.ts'
import { nodeDigest } from '../../src/tree/digest.ts'
import type { Znode } from '../../src/tree/znode.ts'
import { logFile, MemoryDisk } from '../support/memory-disk.ts'
import type { MemoryServer } from '../support/memory-server.ts'

/** Asked thousands of times a case, for which `expect` is too slow. */
export function demand(holds: boolean, what: string): void {
  if (!holds) throw new Error(`does not hold: ${what}`)
}

/** Whatever follows from the nodes of a tree, worked out anew from them. */
function derived(tree: DataTree): object {
  let digest = 0n
  let bytes = 0
  const owners = new Map<bigint, string[]>()
  const containers: string[] = []
  const ttls: string[] = []
  const lists = new Set([tree.acls.open.key])
  for (const [path, znode] of tree.entries()) {
    digest += BigInt(nodeDigest(path, znode) >>> 0)
    bytes += path.length + (znode.data?.length ?? 0)
    lists.add(znode.acl.key)
    const kind = ownerKind(znode.ephemeralOwner, tree.ownerRules)
    if (kind === 'container') containers.push(path)
    if (kind === 'ttl') ttls.push(path)
    if (kind !== 'ephemeral') continue
    const paths = owners.get(znode.ephemeralOwner) ?? []
    owners.set(znode.ephemeralOwner, [...paths, path].sort())
  }
  return {
    digest: BigInt.asIntN(64, digest),
    bytes,
    owners,
    containers: containers.sort(),
    ttls: ttls.sort(),
    lists: lists.size,
  }
}

/** The same as the tree keeps it up to date. */
const kept = (tree: DataTree): object => ({
  digest: tree.digest.toBigInt(),
  bytes: tree.approximateDataBytes,
  owners: new Map([...tree.ephemeralOwners].map(([id, paths]) => [id, [...paths].sort()])),
  containers: [...tree.containers].sort(),
  ttls: [...tree.ttls].sort(),
  lists: tree.acls.size,
})

/** Every node is a child of its parent, and every child a node. */
function expectLinked(tree: DataTree): void {
  let children = 0
  let nodes = 0
  for (const [path, znode] of tree.entries()) {
    nodes += 1
    children += znode.childCount
    if (path === '/') continue
    const name = path.slice(path.lastIndexOf('/') + 1)
    demand(tree.node(parentOf(path))?.children?.has(name) === true, `${path} is a child`)
  }
  demand(children === nodes - 1, 'every child is a node')
}

/** What of a node a restart must bring back. Counted quotas are counted anew. */
const persisted = (path: string, znode: Znode): object => {
  const { data, czxid, mzxid, pzxid, ctime, mtime, version, cversion, aversion } = znode
  const isCounted = path.endsWith('/zookeeper_stats')
  const stat = { czxid, mzxid, pzxid, ctime, mtime, version, cversion, aversion }
  const { ephemeralOwner, childCount } = znode
  const shown = isCounted ? undefined : (data?.toString('hex') ?? null)
  return { path, data: shown, acl: znode.acl.key, ...stat, ephemeralOwner, childCount }
}

const nodesOf = (tree: DataTree): object[] =>
  [...tree.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, znode]) => persisted(path, znode))

/** The tree agrees with itself, and with what a restart would make of the log. */
export function expectSoundTree(server: MemoryServer, bystander: bigint): void {
  const { tree, sessions } = server.member
  expect(kept(tree)).toEqual(derived(tree))
  expectLinked(tree)
  const appended = server.diskOps.map((op) =>
    op.kind === 'appendTxns' ? op.bytes : Buffer.alloc(0),
  )
  const disk = new MemoryDisk({ 'log.1': logFile(appended) })
  const complaints: string[] = []
  const complain = (message: string): void => {
    complaints.push(message)
  }
  const logger = { debug: complain, info: complain, warn: complain, error: complain }
  const loaded = loadMember(disk, { ...tree.ownerRules, digestEnabled: true }, logger)
  if (loaded.kind !== 'loaded') throw new Error(JSON.stringify(loaded))
  expect(complaints).toEqual([])
  expect(loaded.lastZxid).toBe(tree.lastProcessedZxid)
  expect(nodesOf(loaded.tree)).toEqual(nodesOf(tree))
  expect(loaded.tree.digest.toBigInt()).toBe(tree.digest.toBigInt())
  const restored = new Set([...loaded.sessions.keys(), bystander])
  expect(restored).toEqual(new Set(sessions.all.keys()))
}

/** All but the bystander have left: nothing is kept for them. */
export function expectSoundState(server: MemoryServer, bystander: bigint): void {
  const { member } = server
  expect({
    connections: member.clients.cnxns.size,
    outstanding: member.clients.outstandingRequests,
    sessions: [...member.sessions.all.keys()],
    watches: member.watches.table.watchCount,
    ephemerals: member.tree.ephemeralsCount,
    owners: member.tree.ephemeralOwners.size,
    isWaiting: member.wantsTurn,
  }).toEqual({
    connections: 1,
    outstanding: 0,
    sessions: [bystander],
    watches: 1,
    ephemerals: 0,
    owners: 0,
    isWaiting: false,
  })
}
