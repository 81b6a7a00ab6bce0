import { describe, expect, it } from 'vitest'
import { snapshotSummary } from '../../../src/tools/snapshot-summary.ts'
import { loadSnapshot } from '../../support/golden-snapshot.ts'

describe('the summary of a snapshot', () => {
  const { tree } = loadSnapshot('datadir-standalone', 'snapshot.59')
  const summary = (start: string, depth: number): string | undefined => {
    const lines = snapshotSummary(tree, start, depth, () => {})
    return lines === undefined ? undefined : [...lines].join('')
  }

  it('counts all below a node and shows the levels that are wanted', () => {
    expect(summary('/zookeeper', 1)).toBe(
      [
        ' /zookeeper',
        '   children: 9',
        '   data: 142',
        '-- /zookeeper/quota',
        '--   children: 7',
        '--   data: 142',
        '',
      ].join('\n'),
    )
    expect(summary('/', 0)).toMatch(/^ \/\n {3}children: 54\n {3}data: 539\n/)
    expect(summary('/zookeeper', 0)).toContain(
      '---- /zookeeper/quota/q\n----   children: 2\n----   data: 70\n',
    )
  })

  it('shows a node without children, if it is the one', () => {
    expect(summary('/zookeeper/config', 0)).toBe(' /zookeeper/config\n   children: 0\n   data: 0\n')
    expect(summary('/nowhere', 0)).toBeUndefined()
  })
})
