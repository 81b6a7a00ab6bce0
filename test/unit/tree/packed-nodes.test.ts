import fc from 'fast-check'
import { JuteReader, JuteWriter } from 'jute-ts'
import { describe, expect, it } from 'vitest'
import { crc32 } from '../../../src/base/crc32.ts'
import { Prng } from '../../../src/base/prng.ts'
import { openAcl } from '../../../src/data/acl.ts'
import { OpCode } from '../../../src/data/op-code.ts'
import { applyTxn, deafListener } from '../../../src/tree/apply.ts'
import { DataTree } from '../../../src/tree/data-tree.ts'
import { loadTree } from '../../../src/tree/snapshot-codec.ts'
import { TreeDump } from '../../../src/tree/tree-dump.ts'
import { type RandomTxn, RandomTxns } from '../../support/random-txns.ts'
import { treeText } from '../../support/tree-text.ts'

const rules = { extendedTypesEnabled: true, emulate353TtlNodes: false }
/** Few, so that most nodes that were loaded are not in the map. */
const IN_MAP_MAX = 10
const newTree = (): DataTree => new DataTree(rules, true, IN_MAP_MAX)
const apply = (tree: DataTree, txn: RandomTxn): void => {
  applyTxn(tree, txn, txn.txn, deafListener)
}

function dump(tree: DataTree): Buffer {
  const w = new JuteWriter()
  new TreeDump(tree, []).writeSlice(w, Infinity)
  return w.copy()
}

/** In pieces of that many bytes or a little more. */
function tryLoad(bytes: Buffer, pieceBytes: number = bytes.length): DataTree | string {
  const tree = newTree()
  const reader = new JuteReader()
  let end = 0
  const more = (at: number): boolean => {
    if (end === bytes.length) return false
    const from = end - (reader.buffer.length - at)
    end = Math.min(bytes.length, end + pieceBytes)
    reader.reset(Buffer.from(bytes.subarray(from, end)))
    return true
  }
  more(0)
  const loaded = loadTree({ reader, more }, tree)
  return typeof loaded === 'string' ? loaded : tree
}

function load(bytes: Buffer, pieceBytes?: number): DataTree {
  const tree = tryLoad(bytes, pieceBytes)
  if (typeof tree === 'string') throw new Error(tree)
  tree.lastProcessedZxid = 1_000_000
  return tree
}

function randomTree(prng: Prng, txns: number): { tree: DataTree; source: RandomTxns } {
  const tree = newTree()
  const source = new RandomTxns(prng, tree)
  for (let i = 0; i < txns; i += 1) apply(tree, source.next())
  return { tree, source }
}

function create(tree: DataTree, path: string, data = ''): void {
  const zxid = tree.lastProcessedZxid + 1
  const common = { data: Buffer.from(data), acl: openAcl, ephemeral: false, ttl: 0n }
  const txn = { type: OpCode.create, path, ...common, parentCVersion: -1 } as const
  applyTxn(tree, { clientId: 1n, zxid, time: zxid }, txn, deafListener)
}

function remove(tree: DataTree, path: string): void {
  const zxid = tree.lastProcessedZxid + 1
  applyTxn(tree, { clientId: 1n, zxid, time: zxid }, { type: OpCode.delete, path }, deafListener)
}

const countsOf = (tree: DataTree, paths: readonly string[]): unknown[] =>
  paths.map((path) => [path, tree.descendantCount(path), tree.subtree(path)])

/** The same, counted by looking at every node. */
function trueCountsOf(tree: DataTree, paths: readonly string[]): unknown[] {
  const all = [...tree.entries()]
  return paths.map((path) => {
    const below = all.filter(([other]) => other.startsWith(path === '/' ? '/' : `${path}/`))
    const own = all.filter(([other]) => other === path && path !== '/')
    const nodes = [...own, ...below]
    const dataBytes = nodes.reduce((sum, [, { dataLength }]) => sum + dataLength, 0)
    return [path, nodes.length - 1, { nodes: nodes.length, dataBytes }]
  })
}

describe('a tree that was loaded', () => {
  it('goes on as the one that it is a copy of', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const prng = new Prng(seed)
        const { tree, source } = randomTree(prng, 20 + prng.below(200))
        const copy = load(dump(tree), 1 + prng.below(3000))
        for (let i = prng.below(150); i > 0; i -= 1) {
          const txn = source.next()
          apply(tree, txn)
          apply(copy, txn)
          expect(copy.digest.toBigInt()).toBe(tree.digest.toBigInt())
          expect(copy.nodeCount).toBe(tree.nodeCount)
        }
        const paths = [...tree.entries()].map(([path]) => path).filter((path) => path !== '/')
        const some = paths.filter(() => prng.below(2) === 0)
        expect(countsOf(copy, some)).toEqual(countsOf(tree, some))
        const every = ['/', ...paths]
        expect(countsOf(copy, every)).toEqual(trueCountsOf(tree, every))
        expect(countsOf(load(dump(copy)), every)).toEqual(trueCountsOf(tree, every))
        expect(treeText(copy)).toBe(treeText(tree))
        expect(treeText(load(dump(copy)))).toBe(treeText(tree))
        for (const [path, znode] of tree.entries())
          expect(copy.node(path)?.childCount).toBe(znode.childCount)
      }),
      { numRuns: 200 },
    )
  })

  it('is dumped as it was, or so that the replay makes it so, while it changes', () => {
    fc.assert(
      fc.property(fc.integer(), fc.boolean(), (seed, isExact) => {
        const prng = new Prng(seed)
        const { tree, source } = randomTree(prng, 40 + prng.below(150))
        const copy = load(dump(tree))
        copy.lastProcessedZxid = tree.lastProcessedZxid
        for (let i = prng.below(40); i > 0; i -= 1) {
          const txn = source.next()
          apply(tree, txn)
          apply(copy, txn)
        }
        const before = treeText(tree)
        const all = new TreeDump(copy, [], isExact ? 'exact' : 'fuzzy')
        const w = new JuteWriter()
        const parts: Buffer[] = []
        const since: RandomTxn[] = []
        for (let isLast = false; !isLast; ) {
          w.clear()
          isLast = all.writeSlice(w, 1 + prng.below(300))
          parts.push(w.copy())
          for (let i = prng.below(6); i > 0; i -= 1) {
            const txn = source.next()
            apply(tree, txn)
            apply(copy, txn)
            since.push(txn)
          }
        }
        const again = load(Buffer.concat(parts))
        if (!isExact) for (const txn of since) apply(again, txn)
        expect(treeText(again)).toBe(isExact ? before : treeText(tree))
        expect(treeText(copy)).toBe(treeText(tree))
      }),
      { numRuns: 400 },
    )
  })

  it('is dumped again byte by byte, though nobody has asked for any of its nodes', () => {
    const { tree } = randomTree(new Prng(3), 300)
    const bytes = dump(load(dump(tree)))
    const again = load(bytes)
    expect(dump(again)).toEqual(bytes)
    for (const _ of again.entries());
    expect(dump(again)).toEqual(bytes)
    expect(treeText(again)).toBe(treeText(tree))
  })

  it('is dumped whole though the leader that sent it had already gone further', () => {
    const { tree } = randomTree(new Prng(4), 200)
    const copy = load(dump(tree))
    copy.lastProcessedZxid = 50
    expect(treeText(load(dump(copy)))).toBe(treeText(tree))
    const some = [...tree.entries()].map(([path]) => path).slice(-5)
    for (const path of some) expect(copy.node(path)).toBeDefined()
    expect(treeText(load(dump(copy)))).toBe(treeText(tree))
  })

  it('finds each of very many nodes, new and old, and none that is gone', () => {
    const NODES = 70_000
    const tree = newTree()
    for (const path of ['/a', '/a/b', '/c']) create(tree, path)
    for (let i = 0; i < NODES; i += 1) create(tree, `/a/b/${i}`, `${i % 1000}`)
    const copy = load(dump(tree), 1 << 16)
    expect(copy.nodeCount).toBe(tree.nodeCount)
    expect(copy.node('/a/b')?.childCount).toBe(NODES)
    // Of 0 to 999, 70 times each.
    const dataBytes = 70 * (10 + 90 * 2 + 900 * 3)
    expect(copy.subtree('/a/b')).toEqual({ nodes: NODES + 1, dataBytes })
    expect(copy.subtree('/a/b')).toEqual(tree.subtree('/a/b'))
    let found = 0
    for (let i = 0; i < NODES; i += 1)
      if (copy.node(`/a/b/${i}`)?.data?.toString() === `${i % 1000}`) found += 1
    expect(found).toBe(NODES)
    for (let i = 0; i < NODES; i += 2) remove(copy, `/a/b/${i}`)
    for (let i = 0; i < NODES; i += 4) create(copy, `/a/b/${i}`)
    let missing = 0
    for (let i = 0; i < NODES; i += 1) if (copy.node(`/a/b/${i}`) === undefined) missing += 1
    expect(missing).toBe(NODES / 4)
    expect(copy.node('/a/b')?.childCount).toBe(NODES - NODES / 4)
    expect(copy.descendantCount('/a')).toBe(NODES - NODES / 4 + 1)
    expect(copy.node('/a/b')?.children?.size).toBe(NODES - NODES / 4)
    for (const name of [...(copy.node('/a/b')?.children ?? [])]) remove(copy, `/a/b/${name}`)
    for (const path of ['/a/b', '/a', '/c']) remove(copy, path)
    expect(copy.nodeCount).toBe(newTree().nodeCount)
  })

  it('does not slow down for paths that were chosen to have one hash', () => {
    const paths = collidingPaths(200)
    expect(new Set(paths.map((path) => crc32(Buffer.from(path), 0, path.length))).size).toBe(1)
    const tree = newTree()
    for (const path of paths) create(tree, path, path)
    const child = `${paths.at(-1)}/child`
    create(tree, child)
    const copy = load(dump(tree))
    expect(copy.packedNodes().overflowed).toBeGreaterThan(150)
    for (const path of paths) expect(copy.node(path)?.data?.toString()).toBe(path)
    expect(copy.node(child)).toBeDefined()
    for (const path of paths) if (path !== paths.at(-1)) remove(copy, path)
    expect(paths.filter((path) => copy.node(path) !== undefined)).toEqual([paths.at(-1)])
    expect(dump(load(dump(copy)))).toEqual(dump(copy))
  })
})

/** CRC-32 is linear: flipping the last bit of some letters changes it by the sum of what each does. */
function collidingPaths(count: number): string[] {
  const LETTERS = 41
  const base = Buffer.from(`/${'b'.repeat(LETTERS)}`)
  const sum = (flips: bigint): { bytes: Buffer; crc: number } => {
    const bytes = Buffer.from(base)
    for (let i = 0; i < LETTERS; i += 1)
      if ((flips >> BigInt(i)) & 1n) bytes[i + 1] = (bytes[i + 1] ?? 0) ^ 1
    return { bytes, crc: crc32(bytes, 0, bytes.length) ^ crc32(base, 0, base.length) }
  }
  const pivots = new Map<number, bigint>()
  const kernel: bigint[] = []
  for (let i = 0; i < LETTERS; i += 1) {
    let flips = 1n << BigInt(i)
    for (;;) {
      const { crc } = sum(flips)
      if (crc === 0) {
        kernel.push(flips)
        break
      }
      const top = Math.clz32(crc)
      const pivot = pivots.get(top)
      if (pivot === undefined) {
        pivots.set(top, flips)
        break
      }
      flips ^= pivot
    }
  }
  return Array.from({ length: count }, (_, n) => {
    let flips = 0n
    for (const [bit, one] of kernel.entries()) if ((n >> bit) & 1) flips ^= one
    return sum(flips).bytes.toString()
  })
}

describe('what is no dump of a tree', () => {
  /** A list of nodes with open ACLs, behind no sessions and no ACLs. */
  function nodes(...paths: readonly string[]): Buffer {
    const w = new JuteWriter()
    w.writeInt(0)
    w.writeInt(0)
    for (const path of paths) {
      w.writeString(path)
      w.writeInt(-1)
      w.writeNumber(-1)
      w.writeBytes(Buffer.alloc(60))
    }
    w.writeString('/')
    return w.copy()
  }

  it.each([
    [['', '/a', '/a'], 'node /a stands there twice'],
    [['', '/ü', '/ü'], 'node /ü stands there twice'],
    [['', '/zookeeper', '/zookeeper/x', '/zookeeper/x'], 'node /zookeeper/x stands there twice'],
    [['', '/zookeeper', '/zookeeper'], 'node /zookeeper stands there twice'],
    [['', ''], 'node  stands there twice'],
    [['', '/a/b'], 'node /a/b stands before its parent'],
    [['', '/ü/b'], 'node /ü/b stands before its parent'],
    [['', 'a'], 'node a has no valid path'],
    [['', '/a/'], 'node /a/ has no name'],
  ])('%j is refused', (paths, reason) => {
    expect(tryLoad(nodes(...paths))).toBe(reason)
    expect(tryLoad(nodes(...paths), 10)).toBe(reason)
  })

  it('may lack what every tree is born with, though', () => {
    const tree = load(nodes('/a', '/zookeeper/quota/x', '/a/b'))
    expect([...(tree.node('/')?.children ?? [])].sort()).toEqual(['a', 'zookeeper'])
    expect([...(tree.node('/zookeeper/quota')?.children ?? [])]).toEqual(['x'])
    expect(treeText(load(dump(tree)))).toBe(treeText(tree))
  })

  it('may have its root anywhere', () => {
    const tree = load(nodes('/a', '', '/b'))
    expect([...(tree.node('/')?.children ?? [])].sort()).toEqual(['a', 'b', 'zookeeper'])
    expect(tree.node('/')?.childCount).toBe(3)
  })

  it('takes a path twice for one even where the first was not to be found by its hash', () => {
    const paths = collidingPaths(100)
    expect(tryLoad(nodes('', ...paths, paths[99] ?? ''))).toContain('stands there twice')
  })
})
