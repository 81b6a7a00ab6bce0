import { describe, expect, it } from 'vitest'
import {
  HierarchicalQuorum,
  MajorityQuorum,
} from '../../../../src/quorum/membership/quorum-verifier.ts'

const groups = [
  [1, 2, 3],
  [4, 5, 6],
  [7, 8, 9],
]

describe('a majority', () => {
  it('knows its voters, who weigh the same', () => {
    const quorum = new MajorityQuorum([3, 10, 2])
    expect(quorum.voters).toEqual([2, 3, 10])
    expect([2, 10, 4].map((sid) => quorum.weightOf(sid))).toEqual([1, 1, 0])
  })
})

describe('groups', () => {
  const light = new Map([
    [1, 3],
    [4, 0],
    [5, 0],
    [6, 0],
  ])

  it.each([
    // Two of three groups, two of three in each.
    [new Map(), [1, 2, 4, 5], true],
    [new Map(), [1, 2, 3, 4, 7], false],
    [new Map(), [1, 2, 3], false],
    [new Map(), [], false],
    [new Map(), [1, 2, 4, 5, 11], true],
    // The second group weighs nothing: both others are needed. 1 alone is most of the first.
    [light, [1, 7, 8], true],
    [light, [2, 3, 7, 8], false],
    [light, [1, 4, 5, 6], false],
    // Half is not more than half.
    [new Map([[1, 2]]), [1, 4, 5], false],
    [new Map([[1, 2]]), [1, 2, 4, 5], true],
  ])('with weights %j: are %j enough', (weights, those: number[], enough) => {
    const quorum = new HierarchicalQuorum(groups, weights)
    expect(quorum.containsQuorum((sid) => those.includes(sid))).toBe(enough)
  })

  it('know their voters and what they weigh', () => {
    const quorum = new HierarchicalQuorum(groups, light)
    expect(quorum.voters).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect([1, 2, 4, 11].map((sid) => quorum.weightOf(sid))).toEqual([3, 1, 0, 0])
  })
})
