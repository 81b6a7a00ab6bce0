import { JuteReader, JuteWriter } from 'jute-ts'
import { describe, expect, it } from 'vitest'
import { Prng } from '../../../src/base/prng.ts'
import { openAcl } from '../../../src/data/acl.ts'
import { OpCode } from '../../../src/data/op-code.ts'
import type { CreateTxn, Txn } from '../../../src/data/txn.ts'
import { applyTxn, deafListener } from '../../../src/tree/apply.ts'
import { DataTree } from '../../../src/tree/data-tree.ts'
import { loadTree } from '../../../src/tree/snapshot-codec.ts'
import type { Znode } from '../../../src/tree/znode.ts'
import { digestOf, strayPaths } from '../../support/decider.ts'
import { type RandomTxn, RandomTxns } from '../../support/random-txns.ts'

/**
 * The original goes down the tree, each node's children as they are when it comes to it: so its
 * snapshots hold nodes, too, that have come after the zxid of the name, and what is below them.
 */

const rules = { extendedTypesEnabled: true, emulate353TtlNodes: false }
const OPEN_ACL_KEY = -1
const newTree = (): DataTree => new DataTree(rules, true)

function writeNode(w: JuteWriter, path: string, znode: Znode): void {
  w.writeString(path)
  w.writeBuffer(znode.data)
  w.writeNumber(OPEN_ACL_KEY)
  for (const at of [znode.czxid, znode.mzxid, znode.ctime, znode.mtime]) w.writeNumber(at)
  for (const version of [znode.version, znode.cversion, znode.aversion]) w.writeInt(version)
  w.writeLong(znode.ephemeralOwner)
  w.writeNumber(znode.pzxid)
}

/** The records of a dump. `meanwhile` is called between any two nodes. */
function dumpOf(tree: DataTree, meanwhile: () => void): Buffer {
  const w = new JuteWriter()
  w.writeInt(0)
  w.writeInt(0)
  const walk = (path: string): void => {
    const znode = tree.node(path === '' ? '/' : path)
    if (znode === undefined) return
    writeNode(w, path, znode)
    const names = [...(znode.children ?? [])]
    for (const name of names) {
      meanwhile()
      walk(`${path}/${name}`)
    }
  }
  walk('')
  w.writeString('/')
  return w.copy()
}

/** The tree after the txns, by way of a dump during which most of them were applied. */
function replayed(dump: Buffer, txns: readonly RandomTxn[]): DataTree {
  const tree = newTree()
  const loaded = loadTree({ reader: new JuteReader(dump), more: () => false }, tree)
  if (typeof loaded === 'string') throw new Error(loaded)
  for (const txn of txns) applyTxn(tree, txn, txn.txn, deafListener)
  return tree
}

const pathsOf = (tree: DataTree): readonly string[] =>
  [...tree.entries()].map(([path]) => path).sort()

function expectSame(found: DataTree, wanted: DataTree): void {
  expect(strayPaths(found)).toEqual([])
  expect(pathsOf(found)).toEqual(pathsOf(wanted))
  expect(found.digest.toBigInt()).toBe(wanted.digest.toBigInt())
  expect(digestOf(found)).toBe(wanted.digest.toBigInt())
  expect(found.subtree('/')).toEqual(wanted.subtree('/'))
  expect(found.nodeCount).toBe(wanted.nodeCount)
  expect(found.ephemeralsCount).toBe(wanted.ephemeralsCount)
}

describe('a dump of the original, and the txns from its zxid on', () => {
  it('give back a node that went, and came again with children, before the dump came to it', () => {
    const tree = newTree()
    const txns: RandomTxn[] = []
    const write = (txn: Txn): void => {
      const zxid = txns.length + 1
      txns.push({ clientId: 7n, zxid, time: zxid, txn })
      applyTxn(tree, { clientId: 7n, zxid, time: zxid }, txn, deafListener)
    }
    const create = (path: string, parentCVersion: number): CreateTxn => {
      const common = { data: Buffer.from('data'), acl: openAcl, ephemeral: false, ttl: 0n }
      return { type: OpCode.create2, path, ...common, parentCVersion }
    }
    write(create('/p', 1))
    write({ type: OpCode.delete, path: '/p' })
    write(create('/p', 2))
    write(create('/p/c', 1))
    write(create('/p/c/d', 1))
    // All of it happens while the root is written; the dump is one of zxid 1.
    const dump = dumpOf(tree, () => {})
    expectSame(replayed(dump, txns.slice(1)), tree)
  })

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('give the tree that there was (seed %i)', (seed) => {
    for (let round = 0; round < 60; round += 1) {
      const prng = new Prng(seed * 1000 + round)
      const tree = newTree()
      const source = new RandomTxns(prng, tree)
      const txns: RandomTxn[] = []
      const write = (count: number): void => {
        for (let i = 0; i < count; i += 1) {
          const txn = source.next()
          applyTxn(tree, txn, txn.txn, deafListener)
          txns.push(txn)
        }
      }
      write(60)
      const before = txns.length
      const dump = dumpOf(tree, () => write(prng.below(6)))
      write(prng.below(20))
      expectSame(replayed(dump, txns.slice(before)), tree)
    }
  })
})
