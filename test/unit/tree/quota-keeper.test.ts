import { describe, expect, it } from 'vitest'
import { OpCode } from '../../../src/data/op-code.ts'
import { Decider } from '../../support/decider.ts'
import { create, multi, remove, setData } from '../../support/requests.ts'

const base = '/zookeeper/quota'

/** `count` and `bytes` are the soft limits. */
function limit(decider: Decider, path: string, text = 'count=5,bytes=100'): void {
  for (const node of parents(`${base}${path}`))
    if (decider.tree.node(node) === undefined) decider.run(OpCode.create, create(node))
  const data = Buffer.from(text)
  decider.run(OpCode.create, create(`${base}${path}/zookeeper_limits`, { data }))
  decider.run(OpCode.create, create(`${base}${path}/zookeeper_stats`, { data: null }))
}

function parents(path: string): string[] {
  const names = path.split('/').slice(1)
  return names.map((_, at) => `/${names.slice(0, at + 1).join('/')}`).slice(2)
}

const statsOf = (decider: Decider, path: string): string | undefined =>
  decider.tree.node(`${base}${path}/zookeeper_stats`)?.data?.toString()

function world(): Decider {
  const decider = new Decider()
  decider.run(OpCode.create, create('/q', { data: Buffer.alloc(3) }))
  decider.run(OpCode.create, create('/q/a', { data: null }))
  decider.run(OpCode.create, create('/q/a/b', { data: Buffer.alloc(10) }))
  decider.run(OpCode.create, create('/other'))
  limit(decider, '/q')
  return decider
}

describe('the stats of a quota', () => {
  it('are counted when their node is made, its own top included', () => {
    expect(statsOf(world(), '/q')).toBe('count=3,bytes=13')
  })

  it('follow what comes, goes and changes below, and nothing else', () => {
    const decider = world()
    const story = [
      [OpCode.create, create('/q/c', { data: Buffer.alloc(5) })],
      [OpCode.setData, setData('/q/c', 'x')],
      [OpCode.setData, setData('/q/a', null)],
      [OpCode.delete, remove('/q/a/b')],
      [OpCode.create, create('/qq', { data: Buffer.alloc(50) })],
      [OpCode.setData, setData('/other', 'longer than before')],
      [OpCode.multi, multi([[OpCode.create, create('/q/d', { data: Buffer.alloc(2) })]])],
    ] as const
    const stats = story.map(([op, body]) => {
      decider.run(op, body)
      return statsOf(decider, '/q')
    })
    expect(stats).toEqual([
      'count=4,bytes=18',
      'count=4,bytes=14',
      'count=4,bytes=14',
      'count=3,bytes=4',
      'count=3,bytes=4',
      'count=3,bytes=4',
      'count=4,bytes=6',
    ])
  })

  it('show neither in the Stat of their node nor in the digest', () => {
    const decider = world()
    const node = decider.tree.node(`${base}/q/zookeeper_stats`)
    const before = node && decider.tree.statOf(node)
    // Decider compares the digest after each.
    decider.run(OpCode.create, create('/q/c'))
    expect(node && decider.tree.statOf(node)).toEqual(before)
  })

  it('count for the nearest quota only', () => {
    const decider = world()
    limit(decider, '/q/a')
    decider.run(OpCode.create, create('/q/a/c', { data: Buffer.alloc(1) }))
    expect([statsOf(decider, '/q'), statsOf(decider, '/q/a')]).toEqual([
      'count=3,bytes=13',
      'count=3,bytes=11',
    ])
  })

  it('stand still once the limits are gone', () => {
    const decider = world()
    decider.run(OpCode.delete, remove(`${base}/q/zookeeper_limits`))
    decider.run(OpCode.create, create('/q/c'))
    expect(statsOf(decider, '/q')).toBe('count=3,bytes=13')
    expect([...decider.tree.quota.usages()]).toEqual([])
  })

  it('that somebody has spoilt are left as they are, and nobody is stopped', () => {
    const decider = world()
    decider.run(OpCode.setData, setData(`${base}/q/zookeeper_stats`, 'count=many'))
    decider.run(OpCode.create, create('/q/c'))
    expect(statsOf(decider, '/q')).toBe('count=many')
    decider.run(OpCode.setData, setData(`${base}/q/zookeeper_limits`, '='))
    decider.run(OpCode.create, create('/q/d'))
    expect(decider.tree.node('/q')?.childCount).toBe(3)
  })

  it('are counted anew for every quota when asked', () => {
    const decider = world()
    limit(decider, '/other')
    for (const path of ['/q', '/other'])
      decider.run(OpCode.setData, setData(`${base}${path}/zookeeper_stats`, 'count=0,bytes=0'))
    decider.tree.quota.recountAll()
    expect([...decider.tree.quota.usages()].map(({ path, stats }) => [path, stats])).toMatchObject([
      ['/q', { count: 3, bytes: 13 }],
      ['/other', { count: 1, bytes: 4 }],
    ])
  })

  it('of the root are never kept', () => {
    const decider = new Decider()
    limit(decider, '')
    decider.run(OpCode.create, create('/a'))
    expect(decider.tree.quota.excessOf('/b', 1000, 1)).toBeUndefined()
  })
})

describe('an excess', () => {
  it('of a soft limit is told of, and refuses nothing even if quotas are enforced', () => {
    const decider = new Decider({ enforceQuota: 'true' })
    decider.run(OpCode.create, create('/q'))
    limit(decider, '/q', 'count=1,bytes=-1')
    expect(decider.refusal(OpCode.create, create('/q/a'))).toBe(0)
    expect(decider.exceeded).toEqual([
      { path: '/q', kind: 'soft', what: 'count', wanted: 2, limit: 1 },
    ])
  })

  it.each([
    ['false', 0],
    ['true', -125],
  ])('of a hard limit, with enforceQuota=%s: %d', (enforceQuota, err) => {
    const decider = new Decider({ enforceQuota })
    decider.run(OpCode.create, create('/q', { data: Buffer.alloc(8) }))
    limit(decider, '/q', 'count=-1,bytes=-1=;byteHardLimit=9;countHardLimit=1')
    expect(decider.refusal(OpCode.create, create('/q/a', { data: null }))).toBe(err)
    expect(decider.refusal(OpCode.setData, setData('/q', 'ten bytes!'))).toBe(err)
    expect(decider.refusal(OpCode.setData, setData('/q', 'nine byte'))).toBe(0)
    expect(decider.refusal(OpCode.create, create('/elsewhere'))).toBe(0)
    expect(decider.exceeded).toEqual([
      { path: '/q', kind: 'hard', what: 'count', wanted: 2, limit: 1 },
      { path: '/q', kind: 'hard', what: 'bytes', wanted: 10, limit: 9 },
    ])
  })
})
