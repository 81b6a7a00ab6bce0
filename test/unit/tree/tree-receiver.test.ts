import fc from 'fast-check'
import { JuteWriter } from 'jute-ts'
import { describe, expect, it } from 'vitest'
import { Prng } from '../../../src/base/prng.ts'
import { applyTxn, deafListener } from '../../../src/tree/apply.ts'
import { DataTree } from '../../../src/tree/data-tree.ts'
import { TreeDump } from '../../../src/tree/snapshot-codec.ts'
import { TreeReceiver } from '../../../src/tree/tree-receiver.ts'
import { RandomTxns } from '../../support/random-txns.ts'
import { treeText } from '../../support/tree-text.ts'

const rules = { extendedTypesEnabled: true, emulate353TtlNodes: false }
const newTree = (): DataTree => new DataTree(rules, true)
const sessions: ReadonlyMap<bigint, number> = new Map([
  [7n, 1000],
  [-3n, 20_000],
])
/** What follows the stream of a SNAP. */
const behind: Buffer = Buffer.from('\0\0\0\nBenWasHere')

function randomTree(seed: number, txns: number): DataTree {
  const tree = newTree()
  const source = new RandomTxns(new Prng(seed), tree)
  for (let i = 0; i < txns; i += 1) {
    const txn = source.next()
    applyTxn(tree, txn, txn.txn, deafListener)
  }
  return tree
}

function dump(tree: DataTree): Buffer {
  const w = new JuteWriter()
  new TreeDump(tree, sessions).writeSlice(w, Infinity)
  return w.copy()
}

/** Lends the bytes in pieces, and writes over each one afterwards, as a socket's buffer would be. */
function receive(
  receiver: TreeReceiver,
  bytes: Buffer,
  nextCut: () => number,
): { ended: number } | { problem: string } | 'more' {
  for (let at = 0; at < bytes.length; ) {
    const piece = Buffer.from(bytes.subarray(at, at + nextCut()))
    const result = receiver.push(piece)
    piece.fill(0xee)
    if (typeof result === 'number') return { ended: at + result }
    if (result !== 'more') return result
    at += piece.length
  }
  return 'more'
}

describe('a tree that is received', () => {
  it('is the one that was dumped, wherever the stream was cut', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 3000 }), (seed, cutMax) => {
        const tree = randomTree(seed, 120)
        const bytes = dump(tree)
        const cuts = new Prng(seed)
        const again = newTree()
        const receiver = new TreeReceiver(again)
        const result = receive(
          receiver,
          Buffer.concat([bytes, behind]),
          () => 1 + cuts.below(cutMax),
        )
        expect(result).toEqual({ ended: bytes.length })
        expect(treeText(again)).toBe(treeText(tree))
        expect(receiver.loaded.sessions).toEqual(sessions)
        expect(receiver.loaded.zxidMax).toBeLessThanOrEqual(tree.lastProcessedZxid)
      }),
      { numRuns: 100 },
    )
  })

  it('is the one that was dumped, byte by byte and all at once', () => {
    const tree = randomTree(3, 200)
    const bytes = dump(tree)
    for (const cut of [1, bytes.length]) {
      const again = newTree()
      expect(receive(new TreeReceiver(again), bytes, () => cut)).toEqual({ ended: bytes.length })
      expect(treeText(again)).toBe(treeText(tree))
    }
  })

  it('may be larger than a piece, and so may a node', () => {
    const tree = newTree()
    const create = (path: string, size: number, zxid: number): void => {
      const acl = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }]
      const data = Buffer.alloc(size, zxid)
      const header = { clientId: 0n, cxid: 0, zxid, time: zxid, type: 1 }
      const txn = {
        type: 1,
        path,
        data,
        acl,
        ephemeral: false,
        parentCVersion: zxid,
        ttl: 0n,
      } as const
      applyTxn(tree, header, txn, deafListener)
    }
    for (let i = 1; i <= 200; i += 1) create(`/n${i}`, i * 100, i)
    create('/large', 9_000_000, 201)
    create('/small', 10, 202)
    const bytes = dump(tree)
    const again = newTree()
    const result = receive(new TreeReceiver(again), Buffer.concat([bytes, behind]), () => 65_536)
    expect(result).toEqual({ ended: bytes.length })
    expect(treeText(again)).toBe(treeText(tree))
  })

  it('is not complete before its last byte', () => {
    const bytes = dump(randomTree(12, 60))
    const receiver = new TreeReceiver(newTree())
    expect(receiver.push(bytes.subarray(0, -1))).toBe('more')
    expect(() => receiver.loaded).toThrow('has not ended')
    expect(receiver.push(Buffer.alloc(0))).toBe('more')
    expect(receiver.push(bytes.subarray(-1))).toBe(1)
  })

  it('may be any garbage without a throw', () => {
    const bytes = dump(randomTree(13, 60))
    for (let at = 0; at < bytes.length; at += 1) {
      for (const flip of [0x01, 0x80, 0xff]) {
        const damaged = Buffer.from(bytes)
        damaged[at] = (damaged[at] ?? 0) ^ flip
        receive(new TreeReceiver(newTree()), damaged, () => 50)
      }
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (garbage) => {
        receive(new TreeReceiver(newTree()), Buffer.from(garbage), () => 7)
      }),
    )
  })

  it('has no negative count or length, and stays refused', () => {
    const receiver = new TreeReceiver(newTree())
    const problem = { problem: 'the number of sessions is negative' }
    expect(receiver.push(Buffer.from('ffffffff', 'hex'))).toEqual(problem)
    expect(receiver.push(Buffer.from('00000000', 'hex'))).toEqual(problem)
    const nodes = Buffer.from('0000000000000000fffffffe', 'hex')
    expect(new TreeReceiver(newTree()).push(nodes)).toEqual({
      problem: 'a node has a length that no server writes',
    })
  })

  it('has no record beyond the bound', () => {
    const receiver = new TreeReceiver(newTree(), 1000)
    const head = Buffer.from('00000000000000007fffffff', 'hex')
    expect(receiver.push(head)).toBe('more')
    expect(receiver.push(Buffer.alloc(996))).toBe('more')
    expect(receiver.push(Buffer.alloc(1))).toEqual({ problem: 'a record is too large' })
  })
})
