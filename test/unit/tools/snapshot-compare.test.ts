import { describe, expect, it } from 'vitest'
import { compareTrees } from '../../../src/tools/snapshot-compare.ts'
import { loadSnapshot } from '../../support/golden-snapshot.ts'

describe('the comparison of two snapshots', () => {
  const left = loadSnapshot('datadir-standalone', 'snapshot.2d').tree
  const right = loadSnapshot('datadir-standalone', 'snapshot.59').tree
  const lines = (debug: boolean): string[] =>
    [...compareTrees(left, right, { bytes: 2, nodes: 1, debug }, () => {})].join('').split('\n')

  /** Recorded from the comparer of 3.8.0, with the root's empty name made '/'. */
  const recorded = [
    'Analysis for depth 0',
    'Node / found in both trees. Delta: 178 bytes, 23 descendants',
    'Analysis for depth 1',
    'Node /acl found only in right tree. Descendant size: 5. Descendant count: 5',
    'Node /eph found in both trees. Delta: 8 bytes, -1 descendants',
    'Node /m found only in right tree. Descendant size: 7. Descendant count: 6',
    'Node /q found only in right tree. Descendant size: 15. Descendant count: 2',
    'Node /zookeeper found in both trees. Delta: 142 bytes, 7 descendants',
    'Analysis for depth 2',
    'Node /eph/s4 found only in right tree. Descendant size: 11. Descendant count: 0',
    'Node /q/a found only in right tree. Descendant size: 5. Descendant count: 0',
    'Node /q/old found only in right tree. Descendant size: 5. Descendant count: 0',
    'Node /zookeeper/quota found in both trees. Delta: 142 bytes, 7 descendants',
    'Analysis for depth 3',
    'Node /zookeeper/quota/q found only in right tree. Descendant size: 70. Descendant count: 2',
    'Node /zookeeper/quota/q2 found only in right tree. Descendant size: 72. Descendant count: 2',
    'Analysis for depth 4',
    'Node /zookeeper/quota/q/zookeeper_limits found only in right tree. Descendant size: 54. Descendant count: 0',
    'Node /zookeeper/quota/q/zookeeper_stats found only in right tree. Descendant size: 16. Descendant count: 0',
    'Node /zookeeper/quota/q2/zookeeper_limits found only in right tree. Descendant size: 57. Descendant count: 0',
    'Node /zookeeper/quota/q2/zookeeper_stats found only in right tree. Descendant size: 15. Descendant count: 0',
    'All layers compared.',
    '',
  ]

  it('finds what the original finds', () => {
    const found = lines(false)
    expect(found.slice(found.indexOf('Analysis for depth 0'))).toEqual(recorded)
    expect(found).toContain('Node count: 32')
    expect(found).toContain('Total size: 361')
    expect(found).toContain('Node count: 55')
    expect(found).toContain('Total size: 539')
  })

  it('says what it left out when asked to', () => {
    const found = lines(true)
    expect(found).toContain('Filtered node /cont of left size 15, right size 15')
    expect(found).toContain('Filtered left node /cont-reaped of size 0')
    expect(found).toContain('Filtered right node /q2 of size 1')
  })

  it('finds nothing between a tree and itself', () => {
    const found = [
      ...compareTrees(left, left, { bytes: 0, nodes: 0, debug: false }, () => {}),
    ].join('')
    expect(found).not.toContain('found')
  })
})
