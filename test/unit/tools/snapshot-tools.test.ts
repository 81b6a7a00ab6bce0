import { describe, expect, it } from 'vitest'
import { decodeSnapshot } from '../../../src/persistence/snapshot-format.ts'
import { openSnapshot } from '../../../src/persistence/snapshot-source.ts'
import { compareTrees } from '../../../src/tools/snapshot-compare.ts'
import {
  type LoadedSnapshot,
  snapshotJson,
  snapshotText,
} from '../../../src/tools/snapshot-dump.ts'
import { snapshotSummary } from '../../../src/tools/snapshot-summary.ts'
import { type OnNodes, subtreeSizes } from '../../../src/tools/subtree-sizes.ts'
import { DataTree } from '../../../src/tree/data-tree.ts'
import { Znode } from '../../../src/tree/znode.ts'
import { goldenDisk, goldenJson } from '../persistence/memory-disk.ts'

function load(folder: string, name: string): LoadedSnapshot {
  const disk = goldenDisk(folder)
  const file = disk.listSnapshots().find((one) => one.name === name)
  if (file === undefined) throw new Error(`no snapshot ${name}`)
  const tree = new DataTree({ extendedTypesEnabled: true, emulate353TtlNodes: false }, false)
  const content = decodeSnapshot(openSnapshot(disk, file), tree)
  if (typeof content === 'string') throw new Error(content)
  return { name, zxid: file.zxid, tree, content }
}

interface GoldenSnapshot {
  readonly file: string
  readonly sessions: readonly { readonly id: string; readonly timeout: number }[]
  readonly acls: readonly { readonly id: string; readonly acl: readonly object[] }[]
  readonly nodes: readonly {
    readonly path: string
    readonly data: string | null
    readonly acl: string
    readonly stat: object
  }[]
  readonly digest?: object
}

const openAcl = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }]

/** The golden snapshot in our lines, in no order. */
function expectedLines(snapshot: GoldenSnapshot): Set<unknown> {
  const acls = new Map([
    ['-1', openAcl as readonly object[]],
    ...snapshot.acls.map(({ id, acl }) => [id, acl] as const),
  ])
  return new Set<unknown>([
    ...snapshot.sessions.map((session) => ({ kind: 'session', ...session })),
    ...snapshot.nodes.map((node) => ({
      kind: 'node',
      ...node,
      path: node.path === '' ? '/' : node.path,
      acl: acls.get(node.acl),
    })),
    ...(snapshot.digest === undefined ? [] : [{ kind: 'digest', ...snapshot.digest }]),
  ])
}

describe.each(['standalone', 'gz', 'snappy'])('the snapshots of datadir-%s', (name) => {
  const folder = `datadir-${name}`
  const expected = goldenJson<readonly GoldenSnapshot[]>(`${folder}/snapshots.json`)

  it.each(expected.map((one) => [one.file, one] as const))('%s is dumped whole', (file, golden) => {
    const lines = [...snapshotJson(load(folder, file))].map((line): unknown => JSON.parse(line))
    expect(lines[0]).toMatchObject({
      kind: 'snapshot',
      file,
      sessions: golden.sessions.length,
      nodes: golden.nodes.length,
    })
    expect(new Set(lines.slice(1))).toEqual(expectedLines(golden))
  })
})

describe('the text of a snapshot', () => {
  it('is what the toolkit of the original prints', () => {
    const text = [...snapshotText(load('datadir-standalone', 'snapshot.2d'), false)].join('')
    expect(text.split('\n').slice(0, 13)).toEqual([
      'ZNode Details (count=33):',
      '----',
      '/',
      '  cZxid = 0x00000000000000',
      '  ctime = Thu Jan 01 00:00:00 UTC 1970',
      '  mZxid = 0x00000000000028',
      '  mtime = Sat Nov 21 22:38:10 UTC 2026',
      '  pZxid = 0x00000000000023',
      '  cversion = 11',
      '  dataVersion = 1',
      '  aclVersion = 0',
      '  ephemeralOwner = 0x00000000000000',
      '  dataLength = 9',
    ])
    expect(text).toContain('  ephemeralOwner = 0xff0000ffffffffff\n')
    expect(text).toContain('0x100000d0e020002, 20000, 2\n')
    expect(text.endsWith('----\nLast zxid: 0x2d\n')).toBe(true)
  })

  it('shows data when asked to', () => {
    const text = [...snapshotText(load('datadir-standalone', 'snapshot.2d'), true)].join('')
    expect(text).toContain('  data = cm9vdCBkYXRh\n')
    expect(text).not.toContain('dataLength')
  })
})

describe('the summary of a snapshot', () => {
  const { tree } = load('datadir-standalone', 'snapshot.59')
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

describe('the comparison of two snapshots', () => {
  const left = load('datadir-standalone', 'snapshot.2d').tree
  const right = load('datadir-standalone', 'snapshot.59').tree
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
