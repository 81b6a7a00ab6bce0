import { describe, expect, it } from 'vitest'
import { compareTrees } from '../../../src/tools/snapshot-compare.ts'
import { type OnNodes, subtreeSizes } from '../../../src/tools/subtree-sizes.ts'
import { DataTree } from '../../../src/tree/data-tree.ts'
import { Znode } from '../../../src/tree/znode.ts'

describe('the sizes of subtrees', () => {
  it('tell how many nodes have been counted, while they are counted', () => {
    const tree = new DataTree({ extendedTypesEnabled: false, emulate353TtlNodes: false }, false)
    for (let i = 0; i < 24_000; i += 1) {
      const znode = new Znode(Buffer.alloc(1), tree.acls.open, 0n, 1, 1)
      tree.node('/')?.addChild(`n${i}`)
      tree.attach(`/n${i}`, znode)
    }
    const told: unknown[] = []
    const onNodes: OnNodes = (verb, nodes, of) => told.push(`${verb} ${nodes} of ${of}`)
    const sizes = subtreeSizes(tree, onNodes)
    expect(sizes.get('/')).toEqual({ depth: 0, descendants: 24_003, bytes: 24_000 })
    const counted = [5000, 10_000, 15_000, 20_000].map((nodes) => `counted ${nodes} of 24004`)
    expect(told).toEqual(counted)
    for (const _ of compareTrees(tree, tree, { bytes: 1, nodes: 1, debug: false }, onNodes));
    expect(told.slice(4, 8)).toEqual(counted)
    expect(told).toContain('sorted 1 of 24004')
    expect(told).toContain('compared 40002 of 48008')
  })
})
