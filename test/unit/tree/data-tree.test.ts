import { describe, expect, it } from 'vitest'
import { crc32 } from '../../../src/base/crc32.ts'
import { openAcl, Perms } from '../../../src/data/acl.ts'
import { CONTAINER_OWNER, ttlOwner } from '../../../src/data/create-mode.ts'
import type { ACL } from '../../../src/data/records.ts'
import { AclTable } from '../../../src/tree/acl-table.ts'
import { DataTree } from '../../../src/tree/data-tree.ts'
import { nodeDigest, TreeDigest } from '../../../src/tree/digest.ts'
import { Znode } from '../../../src/tree/znode.ts'
import { goldenJson } from '../../support/memory-disk.ts'

/** Negative as a long. */
const ofServer254 = BigInt.asIntN(64, 0xfe_0000000000_0005n)
const rules = { extendedTypesEnabled: true, emulate353TtlNodes: false }

function add(tree: DataTree, path: string, owner = 0n, data: Buffer | null = null): Znode {
  const at = path.lastIndexOf('/')
  const znode = new Znode(data, tree.acls.open, owner, 1, 1)
  tree.node(path.slice(0, at))?.addChild(path.slice(at + 1))
  tree.attach(path, znode)
  return znode
}

describe('a tree', () => {
  it('is born with four nodes, the root counted twice', () => {
    const tree = new DataTree(rules, true)
    expect([...tree.entries()].map(([path]) => path)).toEqual([
      '/',
      '/zookeeper',
      '/zookeeper/quota',
      '/zookeeper/config',
    ])
    expect(tree.nodeCount).toBe(5)
    expect(tree.node('')).toBe(tree.node('/'))
    expect(tree.node('/zookeeper/config')?.acl.acl).toEqual([
      { perms: Perms.read, id: { scheme: 'world', id: 'anyone' } },
    ])
    // zk_approximate_data_size of a fresh server: golden/4lw/empty-mntr.txt.
    expect(tree.approximateDataBytes).toBe(44)
  })

  it('counts what is below a path, whole names only', () => {
    const tree = new DataTree(rules, true)
    for (const path of ['/a', '/a/b', '/a/b/c', '/ab', '/ab/c']) add(tree, path)
    const counts = ['/', '', '/a', '/a/b', '/a/b/c', '/ab', '/none'].map((path) =>
      tree.descendantCount(path),
    )
    // The other name of the root is no prefix of itself, and one of '/'.
    expect(counts).toEqual([8, 9, 2, 1, 0, 1, 0])
  })

  it('knows its ephemerals, containers and TTL nodes until they go', () => {
    const tree = new DataTree(rules, true)
    const nodes = [
      ['/e1', 5n],
      ['/e2', 5n],
      ['/f', ofServer254],
      ['/c', CONTAINER_OWNER],
      ['/t', ttlOwner(9n)],
      ['/p', 0n],
    ] as const
    const znodes = nodes.map(([path, owner]) => [path, add(tree, path, owner)] as const)
    expect(tree.ephemeralOwners).toEqual(
      new Map([
        [5n, new Set(['/e1', '/e2'])],
        [ofServer254, new Set(['/f'])],
      ]),
    )
    expect([tree.containers, tree.ttls]).toEqual([new Set(['/c']), new Set(['/t'])])
    expect(tree.ephemeralsCount).toBe(3)
    for (const [path, znode] of znodes) tree.detach(path, znode)
    expect([tree.ephemeralOwners.size, tree.ephemeralsCount]).toEqual([0, 0])
    expect([tree.containers.size, tree.ttls.size]).toEqual([0, 0])
    expect([...tree.ephemeralsOf(5n)]).toEqual([])
    expect(tree.node('/')?.childCount).toBe(1)
  })

  it('adds up the bytes of paths and data', () => {
    const tree = new DataTree(rules, true)
    const znode = add(tree, '/ab', 0n, Buffer.alloc(10))
    expect(tree.approximateDataBytes).toBe(44 + 13)
    tree.setData(znode, Buffer.alloc(4))
    expect(tree.approximateDataBytes).toBe(44 + 7)
    tree.setData(znode, null)
    tree.detach('/ab', znode)
    expect(tree.approximateDataBytes).toBe(44)
  })

  it('without digests has none, and says so with a zero', () => {
    const tree = new DataTree(rules, false)
    const znode = add(tree, '/a')
    tree.touched('/a', znode)
    expect([tree.digest.toBigInt(), znode.digest]).toEqual([0n, 0])
  })
})

describe('lists of permissions', () => {
  const list = (perms: number): ACL[] => [{ perms, id: { scheme: 'world', id: 'anyone' } }]

  it('are held once for equal ones, and go with the last node', () => {
    const table = new AclTable()
    const [one, two, other] = [
      table.acquire(list(1)),
      table.acquire(list(1)),
      table.acquire(list(2)),
    ]
    expect(one).toBe(two)
    expect(one).not.toBe(other)
    expect(table.size).toBe(3)
    table.release(one)
    expect(table.acquire(list(1))).toBe(one)
    for (const entry of [one, one, other]) table.release(entry)
    expect(table.size).toBe(1)
  })

  it('open to all stay, however often they are released', () => {
    const table = new AclTable()
    for (let i = 0; i < 3; i += 1) table.release(table.acquire(openAcl))
    expect(table.acquire([...openAcl])).toBe(table.open)
    expect(table.size).toBe(1)
  })

  it('of a node that is replaced or deleted do not pile up', () => {
    const tree = new DataTree(rules, true)
    const before = tree.acls.size
    const znode = add(tree, '/a')
    for (const perms of [1, 2, 3, 2]) tree.setAcl(znode, list(perms))
    expect(tree.acls.size).toBe(before + 1)
    tree.detach('/a', znode)
    expect(tree.acls.size).toBe(before)
  })
})

interface GoldenNode {
  readonly data: string | null
  readonly stat: Readonly<Record<string, string | number>>
  readonly persisted: {
    readonly cversion: number
    readonly ephemeralOwner: string
    readonly nodeDigest: string
  }
}

describe('the digest of a node', () => {
  it('is the recorded one, for every node of a golden tree', () => {
    const { nodes } = goldenJson<{ nodes: Record<string, GoldenNode> }>(
      'datadir-standalone/expected.json',
    )
    const found = Object.entries(nodes).map(([path, { data, stat, persisted }]) => {
      const of = (name: string): number => Number(stat[name])
      const digest = nodeDigest(path, {
        data: data === null ? null : Buffer.from(data, 'base64'),
        czxid: of('czxid'),
        mzxid: of('mzxid'),
        pzxid: of('pzxid'),
        ctime: of('ctime'),
        mtime: of('mtime'),
        version: of('version'),
        aversion: of('aversion'),
        cversion: persisted.cversion,
        ephemeralOwner: BigInt(persisted.ephemeralOwner),
      })
      return [path, String(digest >>> 0)]
    })
    const recorded = Object.entries(nodes).map(([path, { persisted }]) => [
      path,
      persisted.nodeDigest,
    ])
    expect(found).toEqual(recorded)
    expect(found.length).toBeGreaterThan(50)
  })

  // The buffer for paths grows: each is longer in bytes than the one before.
  it.each([3, 100, 200, 500, 2000])('takes a path of %d two-byte letters in UTF-8', (letters) => {
    const node = new Znode(Buffer.from('data'), new AclTable().open, -5n, 2 ** 33 + 1, 1)
    node.version = -2
    const path = `/${'ü'.repeat(letters)}`
    const stat = Buffer.alloc(60)
    for (const [at, value] of [node.czxid, node.mzxid, node.pzxid, 1, 1].entries())
      stat.writeBigInt64BE(BigInt(value), at * 8)
    stat.writeInt32BE(-2, 40)
    stat.writeBigInt64BE(-5n, 52)
    const all = Buffer.concat([Buffer.from(path), Buffer.from('data'), stat])
    expect(nodeDigest(path, node)).toBe(crc32(all, 0, all.length) | 0)
  })
})

describe('the digest of a tree', () => {
  it('is a sum of 64 bits that carries, borrows and wraps', () => {
    const digest = new TreeDigest()
    digest.add(-1)
    digest.add(2)
    expect(digest.toBigInt()).toBe(0x1_0000_0001n)
    digest.subtract(2)
    digest.subtract(-1)
    expect(digest.toBigInt()).toBe(0n)
    digest.subtract(1)
    expect(digest.toBigInt()).toBe(-1n)
    expect(digest.equals(-1, -1)).toBe(true)
    expect(digest.equals(0xffffffff, 0xffffffff)).toBe(true)
    expect(digest.equals(0, -1)).toBe(false)
    expect(digest.equals(-1, 0)).toBe(false)
    digest.add(1)
    expect(digest.toBigInt()).toBe(0n)
  })
})
