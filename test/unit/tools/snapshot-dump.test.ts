import { describe, expect, it } from 'vitest'
import { snapshotJson, snapshotText } from '../../../src/tools/snapshot-dump.ts'
import { loadSnapshot } from '../../support/golden-snapshot.ts'
import { goldenJson } from '../../support/memory-disk.ts'

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
    const lines = [...snapshotJson(loadSnapshot(folder, file))].map((line): unknown =>
      JSON.parse(line),
    )
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
    const text = [...snapshotText(loadSnapshot('datadir-standalone', 'snapshot.2d'), false)].join(
      '',
    )
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
    const text = [...snapshotText(loadSnapshot('datadir-standalone', 'snapshot.2d'), true)].join('')
    expect(text).toContain('  data = cm9vdCBkYXRh\n')
    expect(text).not.toContain('dataLength')
  })
})
