import fc from 'fast-check'
import { JuteReader, JuteWriter } from 'jute-ts'
import { describe, expect, it } from 'vitest'
import { Prng } from '../../../src/base/prng.ts'
import { openAcl } from '../../../src/data/acl.ts'
import { OpCode } from '../../../src/data/op-code.ts'
import { applyTxn, deafListener } from '../../../src/tree/apply.ts'
import { DataTree } from '../../../src/tree/data-tree.ts'
import { loadTree } from '../../../src/tree/snapshot-codec.ts'
import { TreeDump } from '../../../src/tree/tree-dump.ts'
import { RandomTxns } from '../../support/random-txns.ts'
import { treeText } from '../../support/tree-text.ts'

const rules = { extendedTypesEnabled: true, emulate353TtlNodes: false }
const newTree = (): DataTree => new DataTree(rules, true)

function grow(tree: DataTree, source: RandomTxns, txns: number): void {
  for (let i = 0; i < txns; i += 1) {
    const next = source.next()
    applyTxn(tree, next, next.txn, deafListener)
  }
}

/** Two of the same seed are equal, and hold nothing of each other. */
function randomTree(seed: number, txns: number): { tree: DataTree; source: RandomTxns } {
  const tree = newTree()
  const source = new RandomTxns(new Prng(seed), tree)
  grow(tree, source, txns)
  return { tree, source }
}

function dumpOf(tree: DataTree): Buffer {
  const w = new JuteWriter()
  new TreeDump(tree, [[7n, 1000]]).writeSlice(w, Infinity)
  return w.copy()
}

function create(tree: DataTree, path: string, data: string): void {
  const zxid = tree.lastProcessedZxid + 1
  const context = { clientId: 1n, zxid, time: zxid }
  const common = { data: Buffer.from(data), acl: openAcl, ephemeral: false, ttl: 0n }
  const txn = { type: OpCode.create, path, ...common, parentCVersion: -1 } as const
  applyTxn(tree, context, txn, deafListener)
}

function limit(tree: DataTree, path: string): void {
  create(tree, `/zookeeper/quota${path}`, '')
  create(tree, `/zookeeper/quota${path}/zookeeper_limits`, 'count=1,bytes=1')
  create(tree, `/zookeeper/quota${path}/zookeeper_stats`, '')
}

const statsOf = (tree: DataTree, path: string): string | undefined =>
  tree.node(`/zookeeper/quota${path}/zookeeper_stats`)?.data?.toString()

describe('a tree that takes over another', () => {
  it('is that other in all it shows, and goes on as that would have', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), (seed, otherSeed) => {
        const { tree } = randomTree(seed, 120)
        const twin = randomTree(otherSeed, 150)
        tree.adopt(randomTree(otherSeed, 150).tree)
        expect(treeText(tree)).toBe(treeText(twin.tree))
        expect(tree.lastProcessedZxid).toBe(twin.tree.lastProcessedZxid)
        expect(dumpOf(tree)).toEqual(dumpOf(twin.tree))
        for (let i = 0; i < 100; i += 1) {
          const next = twin.source.next()
          applyTxn(twin.tree, next, next.txn, deafListener)
          applyTxn(tree, next, next.txn, deafListener)
        }
        expect(treeText(tree)).toBe(treeText(twin.tree))
      }),
      { numRuns: 60 },
    )
  })

  it('takes over a tree that was loaded from a dump, too', () => {
    const { tree: source } = randomTree(21, 200)
    const other = newTree()
    loadTree({ reader: new JuteReader(dumpOf(source)), more: () => false }, other)
    const { tree } = randomTree(22, 80)
    tree.adopt(other)
    expect(treeText(tree)).toBe(treeText(source))
    expect(tree.node('')).toBe(tree.node('/'))
  })

  it('counts for the quotas of the other, no longer for its own', () => {
    const tree = newTree()
    create(tree, '/mine', '')
    limit(tree, '/mine')
    const other = newTree()
    create(other, '/mine', '')
    create(other, '/theirs', 'abc')
    limit(other, '/theirs')
    tree.adopt(other)
    create(tree, '/theirs/a', 'de')
    expect(statsOf(tree, '/theirs')).toBe('count=2,bytes=5')
    tree.quota.recountAll()
    expect(statsOf(tree, '/theirs')).toBe('count=2,bytes=5')
    expect([...tree.quota.usages()].map(({ path }) => path)).toEqual(['/theirs'])
    expect(tree.quota.excessOf('/mine/a', 9, 1)).toBeUndefined()
    expect(tree.quota.excessOf('/theirs/b', 9, 1)?.path).toBe('/theirs')
  })

  it('still tells those who listen of an ACL that is replaced', () => {
    const { tree } = randomTree(31, 50)
    let told = 0
    tree.aclListeners.add(() => {
      told += 1
    })
    tree.adopt(randomTree(32, 50).tree)
    const root = tree.node('/')
    if (root !== undefined) tree.setAcl(root, [])
    expect(told).toBe(1)
  })

  it('counts how often', () => {
    const tree = newTree()
    for (let i = 0; i < 3; i += 1) tree.adopt(newTree())
    expect(tree.replacements).toBe(3)
  })

  it('refuses itself, and a tree without digests', () => {
    const tree = newTree()
    expect(() => tree.adopt(tree)).toThrow('itself')
    expect(() => tree.adopt(new DataTree(rules, false))).toThrow('no digests')
  })
})
