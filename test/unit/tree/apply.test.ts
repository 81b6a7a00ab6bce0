import { describe, expect, it } from 'vitest'
import { openAcl } from '../../../src/data/acl.ts'
import { Err } from '../../../src/data/error-code.ts'
import { OpCode } from '../../../src/data/op-code.ts'
import type { Stat } from '../../../src/data/records.ts'
import type { CreateTxn, SubTxn, Txn } from '../../../src/data/txn.ts'
import { type ApplyResult, applyTxn, type ChangeListener } from '../../../src/tree/apply.ts'
import { DataTree } from '../../../src/tree/data-tree.ts'
import { digestOf } from '../../support/decider.ts'

const rules = { extendedTypesEnabled: true, emulate353TtlNodes: false }
const session = 7n

/** A tree whose changes are noted in order; time is 1000 times the zxid. */
class Applied implements ChangeListener {
  readonly tree = new DataTree(rules, true)
  readonly heard: string[] = []

  apply(zxid: number, txn: Txn, clientId = session): ApplyResult {
    return applyTxn(this.tree, { clientId, zxid, time: zxid * 1000 }, txn, this)
  }

  stat(path: string): Stat {
    const znode = this.tree.node(path)
    if (znode === undefined) throw new Error(`no ${path}`)
    return this.tree.statOf(znode)
  }

  created(path: string, parent: string): void {
    this.heard.push(`+${path} ${parent}`)
  }

  deleted(path: string, parent: string): void {
    this.heard.push(`-${path} ${parent}`)
  }

  dataChanged(path: string): void {
    this.heard.push(`=${path}`)
  }
}

function created(path: string, parentCVersion: number, more: Partial<CreateTxn> = {}): CreateTxn {
  const data = Buffer.from('data')
  const type = OpCode.create
  return { type, path, data, acl: openAcl, ephemeral: false, parentCVersion, ttl: 0n, ...more }
}
const deleted = (path: string): SubTxn => ({ type: OpCode.delete, path })
const written = (path: string, text: string, version: number): SubTxn => ({
  type: OpCode.setData,
  path,
  data: Buffer.from(text),
  version,
})
const failed = (err: number): SubTxn => ({ type: OpCode.error, err })

const fresh: Stat = {
  czxid: 0,
  mzxid: 0,
  ctime: 0,
  mtime: 0,
  version: 0,
  cversion: 0,
  aversion: 0,
  ephemeralOwner: 0n,
  dataLength: 0,
  numChildren: 0,
  pzxid: 0,
}

describe('the Stats of a fresh tree', () => {
  it('are zeros, but for children that nobody created', () => {
    const { tree } = new Applied()
    const stats = [...tree.entries()].map(([path, znode]) => [path, tree.statOf(znode)])
    expect(Object.fromEntries(stats)).toEqual({
      '/': { ...fresh, cversion: -1, numChildren: 1 },
      '/zookeeper': { ...fresh, cversion: -2, numChildren: 2 },
      '/zookeeper/quota': fresh,
      '/zookeeper/config': { ...fresh, aversion: -1 },
    })
  })
})

describe('the Stat rules (spec 05 §2)', () => {
  it('create: all new on the node; cversion and pzxid on the parent, and nothing else', () => {
    const applied = new Applied()
    applied.apply(5, created('/a', 1, { data: null }))
    applied.apply(6, created('/a/b', 1, { ephemeral: true }))
    const own = { czxid: 5, mzxid: 5, ctime: 5000, mtime: 5000 }
    expect(applied.stat('/a')).toEqual({
      ...fresh,
      ...own,
      cversion: 1,
      numChildren: 1,
      pzxid: 6,
    })
    expect(applied.stat('/a/b')).toMatchObject({ ephemeralOwner: session, dataLength: 4, pzxid: 6 })
    expect(applied.stat('/')).toMatchObject({ mzxid: 0, mtime: 0, version: 0, cversion: 0 })
  })

  it('setData: version, mzxid and mtime', () => {
    const applied = new Applied()
    applied.apply(5, created('/a', 1))
    const before = applied.stat('/a')
    applied.apply(6, written('/a', 'longer', 1))
    const changed = { version: 1, mzxid: 6, mtime: 6000, dataLength: 6 }
    expect(applied.stat('/a')).toEqual({ ...before, ...changed })
  })

  it('setACL: aversion only', () => {
    const applied = new Applied()
    applied.apply(5, created('/a', 1))
    const before = applied.stat('/a')
    applied.apply(6, { type: OpCode.setACL, path: '/a', acl: openAcl, version: 1 })
    expect(applied.stat('/a')).toEqual({ ...before, aversion: 1 })
  })

  it('delete: pzxid of the parent, whose raw cversion stays', () => {
    const applied = new Applied()
    applied.apply(5, created('/a', 1))
    applied.apply(6, deleted('/a'))
    expect(applied.tree.node('/')).toMatchObject({ cversion: 1, pzxid: 6 })
    // So clients see creates and deletes, less the children of a fresh root.
    expect(applied.stat('/').cversion).toBe(1)
  })

  it('reconfig: version -1', () => {
    const applied = new Applied()
    const path = '/zookeeper/config'
    applied.apply(5, { type: OpCode.reconfig, path, data: Buffer.from('x'), version: -1 })
    expect(applied.stat(path)).toMatchObject({ version: -1, mzxid: 5, mtime: 5000, aversion: -1 })
  })

  it('containers and TTL nodes show no owner', () => {
    const applied = new Applied()
    applied.apply(5, created('/c', 1, { type: OpCode.createContainer }))
    applied.apply(6, created('/t', 2, { type: OpCode.createTTL, ttl: 9n }))
    expect([applied.stat('/c'), applied.stat('/t')]).toMatchObject([
      { ephemeralOwner: 0n },
      { ephemeralOwner: 0n },
    ])
  })
})

describe('closeSession', () => {
  it('deletes what is listed, then what the tree still knows, and nobody else', () => {
    const applied = new Applied()
    for (const [at, path] of ['/one', '/two'].entries())
      applied.apply(at + 1, created(path, at + 1, { ephemeral: true }))
    applied.apply(3, created('/theirs', 3, { ephemeral: true }), 8n)
    applied.heard.length = 0
    applied.apply(4, { type: OpCode.closeSession, paths2Delete: ['/two', '/gone'] })
    expect(applied.heard).toEqual(['-/two /', '-/one /'])
    expect(applied.stat('/')).toMatchObject({ numChildren: 2, pzxid: 4 })
    expect(applied.tree.ephemeralOwners).toEqual(new Map([[8n, new Set(['/theirs'])]]))
    expect(applied.tree.ephemeralsCount).toBe(1)
  })

  it('without a list deletes what the tree knows', () => {
    const applied = new Applied()
    applied.apply(1, created('/one', 1, { ephemeral: true }))
    applied.apply(2, { type: OpCode.closeSession, paths2Delete: undefined })
    expect(applied.tree.node('/one')).toBeUndefined()
  })
})

// What a fuzzy snapshot already holds is applied again (spec 02 §3).
describe('applied again', () => {
  it('everything comes to the same', () => {
    const applied = new Applied()
    const txns: Txn[] = [
      created('/a', 1),
      created('/a/b', 1, { type: OpCode.create2 }),
      written('/a', 'x', 1),
      { type: OpCode.multi, txns: [created('/a/c', 2), written('/a/b', 'y', 1)] },
      deleted('/a/b'),
      { type: OpCode.setACL, path: '/a', acl: openAcl, version: 1 },
    ]
    for (const [at, txn] of txns.entries()) applied.apply(at + 1, txn)
    const digest = applied.tree.digest.toBigInt()
    const stats = [applied.stat('/'), applied.stat('/a'), applied.stat('/a/c')]
    for (const [at, txn] of txns.entries()) applied.apply(at + 1, txn)
    expect([applied.stat('/'), applied.stat('/a'), applied.stat('/a/c')]).toEqual(stats)
    expect(applied.tree.digest.toBigInt()).toBe(digest)
    expect(digest).toBe(digestOf(applied.tree))
    expect(applied.tree.lastProcessedZxid).toBe(6)
  })

  it.each([
    [OpCode.create, 9, 5],
    [OpCode.create2, 9, 3],
    [OpCode.createContainer, 9, 3],
    [OpCode.createTTL, 9, 3],
  ])('a create (%d) of what is there: only type 1 raises the parent', (type, pzxid, cversion) => {
    const applied = new Applied()
    applied.apply(9, created('/a', 3))
    const node = applied.tree.node('/a')
    const { err } = applied.apply(9, created('/a', 5, { type, ttl: 1n }))
    expect(err).toBe(Err.nodeExists)
    expect(applied.tree.node('/a')).toBe(node)
    expect(applied.tree.node('/')).toMatchObject({ cversion, pzxid })
    expect(applied.tree.digest.toBigInt()).toBe(digestOf(applied.tree))
  })

  it('a create of what came before it replaces that: nothing was there when it committed', () => {
    const applied = new Applied()
    applied.apply(5, created('/a', 1))
    applied.apply(6, created('/a/b', 1))
    expect(applied.apply(9, created('/a', 2)).err).toBe(Err.ok)
    expect([applied.stat('/a').czxid, applied.tree.node('/a/b')]).toEqual([9, undefined])
    expect(applied.tree.node('/')?.children).toEqual(new Set(['zookeeper', 'a']))
    expect(applied.tree.digest.toBigInt()).toBe(digestOf(applied.tree))
  })

  it('a create whose parent is further on leaves it alone', () => {
    const applied = new Applied()
    applied.apply(9, created('/late', 7))
    applied.apply(3, created('/early', 2))
    expect(applied.tree.node('/')).toMatchObject({ cversion: 7, pzxid: 9 })
    expect(applied.stat('/early').czxid).toBe(3)
    expect(applied.tree.lastProcessedZxid).toBe(9)
  })

  it('a delete never takes pzxid back, nor minds that the node is gone', () => {
    const applied = new Applied()
    applied.apply(5, created('/a', 1))
    expect(applied.apply(3, deleted('/a')).err).toBe(Err.ok)
    expect(applied.tree.node('/')?.pzxid).toBe(5)
    expect(applied.apply(8, deleted('/a')).err).toBe(Err.noNode)
    expect(applied.tree.node('/')?.pzxid).toBe(8)
    expect(applied.apply(9, deleted('/none/x')).err).toBe(Err.noNode)
    expect(applied.tree.digest.toBigInt()).toBe(digestOf(applied.tree))
  })

  it('writes to a node that is gone do nothing', () => {
    const applied = new Applied()
    expect(applied.apply(1, written('/none', 'x', 1)).err).toBe(Err.noNode)
    const acl: Txn = { type: OpCode.setACL, path: '/none', acl: openAcl, version: 1 }
    expect(applied.apply(2, acl).err).toBe(Err.noNode)
    expect(applied.apply(3, created('/none/x', 1)).err).toBe(Err.noNode)
    expect(applied.heard).toEqual([])
  })

  it('a create from before 3.4 counts for itself', () => {
    const applied = new Applied()
    applied.apply(1, created('/a', -1))
    applied.apply(2, created('/b', -1))
    expect(applied.tree.node('/')).toMatchObject({ cversion: 2, pzxid: 2 })
  })

  it('counters that have wrapped are further on than those before', () => {
    const applied = new Applied()
    applied.apply(1, created('/a', 2 ** 31 - 1))
    applied.apply(2, created('/b', -(2 ** 31)))
    applied.apply(3, created('/c', 2 ** 31 - 1))
    expect(applied.tree.node('/')).toMatchObject({ cversion: -(2 ** 31), pzxid: 2 })
  })
})

describe('a failed multi', () => {
  const { ok, noNode, badVersion, runtimeInconsistency: after } = Err
  it.each<[string, SubTxn[], number[], number]>([
    ['as it is logged', [created('/a', 1), failed(noNode), failed(after)], [ok, noNode, after], -1],
    ['failed at once', [failed(badVersion), failed(after)], [badVersion, after], -1],
    ['as it is sent on', [failed(ok), failed(noNode), failed(after)], [ok, noNode, after], -1],
    // A path of nine bytes, read as the code of an error (spec 07).
    ['turned to errors too late', [failed(9), failed(noNode)], [ok, noNode], -1],
    ['with a part of its kind behind', [failed(noNode), created('/a', 1)], [noNode, after], -1],
    ['whose code is lost', [created('/a', 1), failed(ok)], [ok, ok], 0],
  ])('%s: nothing is applied, every part has its code', (_, txns, codes) => {
    const applied = new Applied()
    const before = applied.tree.digest.toBigInt()
    const result = applied.apply(4, { type: OpCode.multi, txns })
    expect(result.parts?.map(({ err }) => err)).toEqual(codes)
    expect(result.parts?.every(({ type }) => type === OpCode.error)).toBe(true)
    expect(applied.heard).toEqual([])
    expect(applied.tree.digest.toBigInt()).toBe(before)
    expect(applied.tree.lastProcessedZxid).toBe(4)
  })
})

describe('what a listener hears', () => {
  it('is each change in order, and each part of a multi at its turn', () => {
    const applied = new Applied()
    applied.apply(1, {
      type: OpCode.multi,
      txns: [created('/a', 1), created('/a/b', 1), written('/a', 'x', 1), deleted('/a/b')],
    })
    applied.apply(2, failed(Err.noNode))
    applied.apply(3, { type: OpCode.createSession, timeOut: 4000 })
    expect(applied.heard).toEqual(['+/a /', '+/a/b /a', '=/a', '-/a/b /a'])
  })
})
