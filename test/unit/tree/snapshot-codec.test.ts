import fc from 'fast-check'
import { JuteReader, JuteWriter } from 'jute-ts'
import { describe, expect, it } from 'vitest'
import { Prng } from '../../../src/base/prng.ts'
import { applyTxn, deafListener } from '../../../src/tree/apply.ts'
import { DataTree } from '../../../src/tree/data-tree.ts'
import { type LoadedTree, loadTree, type RecordInput } from '../../../src/tree/snapshot-codec.ts'
import { TreeDump } from '../../../src/tree/tree-dump.ts'
import { type RandomTxn, RandomTxns } from '../../support/random-txns.ts'
import { treeText } from '../../support/tree-text.ts'

const rules = { extendedTypesEnabled: true, emulate353TtlNodes: false }
const newTree = (): DataTree => new DataTree(rules, true)

/** All at once. */
function inputOf(bytes: Buffer): RecordInput {
  return { reader: new JuteReader(bytes), more: () => false }
}

function load(bytes: Buffer): { tree: DataTree; loaded: LoadedTree } {
  const tree = newTree()
  const loaded = loadTree(inputOf(bytes), tree)
  if (typeof loaded === 'string') throw new Error(loaded)
  return { tree, loaded }
}

function dump(tree: DataTree, sessions: ReadonlyMap<bigint, number> = new Map()): Buffer {
  const w = new JuteWriter()
  new TreeDump(tree, sessions).writeSlice(w, Infinity)
  return w.copy()
}

const apply = (tree: DataTree, txn: RandomTxn): void => {
  applyTxn(tree, txn, txn.txn, deafListener)
}

function randomTree(prng: Prng, txns: number): { tree: DataTree; source: RandomTxns } {
  const tree = newTree()
  const source = new RandomTxns(prng, tree)
  for (let i = 0; i < txns; i += 1) apply(tree, source.next())
  return { tree, source }
}

describe('a dump', () => {
  it('of a quiet tree is that tree', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const { tree } = randomTree(new Prng(seed), 150)
        const sessions = new Map([
          [7n, 1000],
          [-3n, 20_000],
        ])
        const again = load(dump(tree, sessions))
        expect(treeText(again.tree)).toBe(treeText(tree))
        expect(again.loaded.sessions).toEqual(sessions)
        expect(again.loaded.zxidMax).toBeLessThanOrEqual(tree.lastProcessedZxid)
      }),
      { numRuns: 60 },
    )
  })

  it('of a tree that changes meanwhile is that tree after the replay', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const prng = new Prng(seed)
        const { tree, source } = randomTree(prng, 40 + prng.below(150))
        const all = new TreeDump(tree, [])
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
            since.push(txn)
          }
        }
        const { tree: again } = load(Buffer.concat(parts))
        for (const txn of since) apply(again, txn)
        expect(treeText(again)).toBe(treeText(tree))
        expect(tree.aclListeners.size).toBe(0)
      }),
      { numRuns: 400 },
    )
  })

  it('names no path twice, though a node came again', () => {
    const tree = newTree()
    const source = new RandomTxns(new Prng(5), tree)
    for (let i = 0; i < 100; i += 1) apply(tree, source.next())
    const all = new TreeDump(tree, [])
    const w = new JuteWriter()
    while (!all.writeSlice(w, w.length + 1)) apply(tree, source.next())
    // loadTree refuses a path that stands there twice.
    expect(load(w.copy()).tree.nodeCount).toBeGreaterThan(5)
  })
})

describe('loading', () => {
  it('takes records from pieces of any size', () => {
    const { tree } = randomTree(new Prng(11), 200)
    const bytes = dump(tree, new Map([[1n, 2]]))
    const reader = new JuteReader(bytes, 0, 0)
    const input: RecordInput = {
      reader,
      more: (at) => {
        if (reader.end === bytes.length) return false
        reader.reset(bytes, at, Math.min(bytes.length, reader.end + 1))
        return true
      },
    }
    const again = newTree()
    expect(loadTree(input, again)).toMatchObject({ sessions: new Map([[1n, 2]]) })
    expect(treeText(again)).toBe(treeText(tree))
  })

  it('refuses what is cut short, wherever', () => {
    const { tree } = randomTree(new Prng(12), 60)
    const bytes = dump(tree, new Map([[1n, 2]]))
    for (let end = 0; end < bytes.length; end += 1)
      expect(typeof loadTree(inputOf(bytes.subarray(0, end)), newTree())).toBe('string')
  })

  it('refuses or reads, and never throws, whatever byte is wrong', () => {
    const { tree } = randomTree(new Prng(13), 60)
    const bytes = dump(tree, new Map([[1n, 2]]))
    for (let at = 0; at < bytes.length; at += 1) {
      for (const flip of [0x01, 0x80, 0xff]) {
        const damaged = Buffer.from(bytes)
        damaged[at] = (damaged[at] ?? 0) ^ flip
        loadTree(inputOf(damaged), newTree())
      }
    }
  })
})
