import { describe, expect, it } from 'vitest'
import { Err } from '../../../../src/data/error-code.ts'
import { OpCode } from '../../../../src/data/op-code.ts'
import { Reaper } from '../../../../src/server/writes/reaper.ts'
import { Znode } from '../../../../src/tree/znode.ts'
import { Decider } from '../../../support/decider.ts'
import { MemoryServer } from '../../../support/memory-server.ts'
import { create, createTtl, exists, remove, setData } from '../../../support/requests.ts'

const settings = { extendedTypesEnabled: 'true', 'znode.container.checkIntervalMs': '1000' }

/** A container that has lost its last child. */
function used(decider: Decider, path: string): void {
  decider.run(OpCode.createContainer, create(path, { flags: 4 }))
  decider.run(OpCode.create, create(`${path}/x`))
  decider.run(OpCode.delete, remove(`${path}/x`))
}

function reaperOf(decider: Decider): (mono: number, wall?: number) => readonly string[] {
  const reaper = new Reaper(decider.tree, decider.config, 0)
  return (mono, wall = decider.wall) => reaper.take(mono, wall)
}

describe('the reaper', () => {
  it('finds containers without children, if they ever had one', () => {
    const decider = new Decider(settings)
    used(decider, '/used')
    used(decider, '/refilled')
    decider.run(OpCode.create, create('/refilled/y'))
    decider.run(OpCode.createContainer, create('/unused', { flags: 4 }))
    decider.run(OpCode.create, create('/plain'))
    const take = reaperOf(decider)
    expect(take(999)).toEqual([])
    expect(take(1000)).toEqual(['/used'])
  })

  it('takes one that was never used when that has lasted too long, if so configured', () => {
    const never = { ...settings, 'znode.container.maxNeverUsedIntervalMs': '500' }
    const decider = new Decider(never)
    decider.run(OpCode.createContainer, create('/unused', { flags: 4 }))
    expect(reaperOf(decider)(1000, decider.wall + 500)).toEqual([])
    expect(reaperOf(decider)(1000, decider.wall + 501)).toEqual(['/unused'])
  })

  it('finds TTL nodes that nobody has written to for so long', () => {
    const decider = new Decider(settings)
    decider.run(OpCode.createTTL, createTtl('/t', 500n))
    decider.run(OpCode.createTTL, createTtl('/full', 500n))
    decider.run(OpCode.create, create('/full/x'))
    decider.run(OpCode.createTTL, createTtl('/written', 500n))
    const { wall } = decider
    decider.wall += 300
    decider.run(OpCode.setData, setData('/written', 'x'))
    expect(reaperOf(decider)(1000, wall)).toEqual([])
    expect(reaperOf(decider)(1000, wall + 501)).toEqual(['/t'])
    expect(reaperOf(decider)(1000, decider.wall + 501).toSorted()).toEqual(['/t', '/written'])
  })

  it('reads the layout of 3.5.3 if told to', () => {
    const decider = new Decider({ ...settings, emulate353TTLNodes: 'true' })
    const owner = BigInt.asIntN(64, 0x8000_0000_0000_01f4n)
    const old = new Znode(null, decider.tree.acls.open, owner, 1, decider.wall)
    decider.tree.node('/')?.addChild('old')
    decider.tree.attach('/old', old)
    expect(reaperOf(decider)(1000, decider.wall + 500)).toEqual([])
    expect(reaperOf(decider)(1000, decider.wall + 501)).toEqual(['/old'])
  })

  it('looks again after each interval, and not sooner', () => {
    const decider = new Decider(settings)
    const take = reaperOf(decider)
    expect(take(1000)).toEqual([])
    used(decider, '/a')
    expect(take(1999)).toEqual([])
    expect(take(2000)).toEqual(['/a'])
  })

  it.each([
    ['60', [['/c0'], ['/c1'], ['/c2'], ['/c3'], ['/c4']], 1000],
    ['120', [['/c0', '/c1'], ['/c2', '/c3'], ['/c4']], 1000],
    ['6', [['/c0'], ['/c1']], 10_000],
  ])('keeps to maxPerMinute=%s', (maxPerMinute, slices, everyMs) => {
    const decider = new Decider({ ...settings, 'znode.container.maxPerMinute': maxPerMinute })
    for (let i = 0; i < 5; i += 1) used(decider, `/c${i}`)
    const take = reaperOf(decider)
    for (const [at, slice] of slices.entries()) {
      const due = 1000 + at * everyMs
      if (at > 0) expect(take(due - 1)).toEqual([])
      expect(take(due)).toEqual(slice)
    }
  })

  it('lets those go that have come to life again while they waited for their turn', () => {
    const decider = new Decider({ ...settings, 'znode.container.maxPerMinute': '60' })
    for (const path of ['/first', '/refilled', '/replaced']) used(decider, path)
    decider.run(OpCode.createTTL, createTtl('/written', 100n))
    decider.run(OpCode.createTTL, createTtl('/taken', 100n))
    decider.run(OpCode.createTTL, createTtl('/t', 100n))
    const take = reaperOf(decider)
    decider.wall += 200
    expect(take(1000)).toEqual(['/first'])
    decider.run(OpCode.create, create('/refilled/x'))
    decider.run(OpCode.delete, remove('/replaced'))
    decider.run(OpCode.create, create('/replaced'))
    decider.run(OpCode.setData, setData('/written', 'x'))
    decider.run(OpCode.delete, remove('/taken'))
    decider.run(OpCode.create, create('/taken', { flags: 1 }))
    const wall = decider.wall + 50
    const later = [2000, 3000, 4000, 5000, 6000].flatMap((mono) => take(mono, wall))
    expect(later).toEqual(['/t'])
  })
})

describe('a server', () => {
  it('deletes what the reaper finds by a txn of its own, of session 0', () => {
    const server = new MemoryServer({ settings })
    const client = server.connect(40_000)
    client.call(OpCode.createTTL, createTtl('/t', 500n))
    client.call(OpCode.createContainer, create('/c', { flags: 4 }))
    client.call(OpCode.create, create('/c/x'))
    client.call(OpCode.getData, exists('/t', true))
    client.call(OpCode.delete, remove('/c/x'))
    const zxid = server.member.tree.lastProcessedZxid
    server.pass(2100)
    const [event] = client.takeReplies()
    expect(event).toMatchObject({ xid: -1, zxid: zxid + 2 })
    expect(client.call(OpCode.exists, exists('/t')).err).toBe(Err.noNode)
    expect(client.call(OpCode.exists, exists('/c')).err).toBe(Err.noNode)
    const [op] = server.diskOps.slice(-1)
    if (op?.kind !== 'appendTxns') throw new Error('nothing was logged')
    const entry = op.bytes.subarray(12)
    expect(entry.readBigInt64BE(0)).toBe(0n)
    expect(entry.readInt32BE(8)).toBe(0)
    expect(entry.readInt32BE(28)).toBe(OpCode.deleteContainer)
  })
})
