import { describe, expect, it } from 'vitest'
import { anyone, openAcl, Perms } from '../../../../src/data/acl.ts'
import { Err } from '../../../../src/data/error-code.ts'
import { OpCode } from '../../../../src/data/op-code.ts'
import type { Id } from '../../../../src/data/records.ts'
import { Decider, digestOf, somebody } from '../../../support/decider.ts'
import { create, createTtl, remove, setData } from '../../../support/requests.ts'

const bob: Id = { scheme: 'digest', id: 'bob:ikIaKsbtGweaHnb/jKn7OHqbunM=' }
const bobOnly = [{ perms: Perms.all, id: bob }]
const withTtl = { extendedTypesEnabled: 'true' }

/** `/closed` is bob's, `/full` has a hard quota of nodes that is used up. */
function world(settings: Readonly<Record<string, string>> = withTtl): Decider {
  const decider = new Decider({ ...settings, enforceQuota: 'true' })
  decider.run(OpCode.create, create('/open'))
  decider.run(OpCode.create, create('/closed', { acl: bobOnly }))
  for (const path of ['/full', '/full/one', '/zookeeper/quota/full'])
    decider.run(OpCode.create, create(path))
  const limits = Buffer.from('count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=2')
  decider.run(OpCode.create, create('/zookeeper/quota/full/zookeeper_limits', { data: limits }))
  decider.run(OpCode.create, create('/zookeeper/quota/full/zookeeper_stats'))
  return decider
}

/** Makes a node the ephemeral of some session, whatever stands below it. */
function makeEphemeral(decider: Decider, path: string): void {
  const znode = decider.tree.node(path)
  if (znode === undefined) throw new Error(`no ${path}`)
  znode.ephemeralOwner = 99n
  decider.tree.touched(path, znode)
}

// Each request but the last is also wrong in the way that the next check finds (spec 05 §4).
describe('the checks of create, first failure wins', () => {
  it('body before flags', () => {
    expect(world().refusal(OpCode.create, (w) => w.writeInt(99))).toBe(Err.marshallingError)
  })

  it.each([-1, 7, 99])('unknown flags %d before the session', (flags) => {
    const decider = world()
    decider.gate = Err.sessionExpired
    expect(decider.refusal(OpCode.create, create('/open/x', { flags }))).toBe(Err.badArguments)
  })

  it('TTL at all before its value', () => {
    const decider = world({})
    expect(decider.refusal(OpCode.createTTL, createTtl('/open/x', 0n))).toBe(Err.unimplemented)
    expect(decider.refusal(OpCode.create2, create('/x', { flags: 5 }))).toBe(Err.unimplemented)
    // One that asks for none is no matter of whether there are any.
    expect(decider.refusal(OpCode.createTTL, createTtl('/x', 1n, 0))).toBe(Err.badArguments)
  })

  it.each([0n, -1n, 0x100_0000_0000n])('TTL value %d before the session', (ttl) => {
    const decider = world()
    decider.gate = Err.sessionExpired
    expect(decider.refusal(OpCode.createTTL, createTtl('/open/x', ttl))).toBe(Err.badArguments)
  })

  it.each([
    ['TTL flags in another op', OpCode.create2, create('/open/x', { flags: 6 })],
    ['other flags in a TTL op', OpCode.createTTL, createTtl('/open/x', 5n, 0)],
    ['other flags in a TTL op, no TTL', OpCode.createTTL, createTtl('/open/x', -1n, 0)],
    ['container flags in a TTL op', OpCode.createTTL, createTtl('/open/x', -1n, 4)],
    ['other flags in a container op', OpCode.createContainer, create('/open/x')],
  ])('%s before the session', (_, op, body) => {
    const decider = world()
    decider.gate = Err.sessionExpired
    expect(decider.refusal(op, body)).toBe(Err.badArguments)
  })

  it('session before path', () => {
    const decider = world()
    decider.gate = Err.sessionExpired
    expect(decider.refusal(OpCode.create, create('no-slash'))).toBe(Err.sessionExpired)
  })

  it.each([
    ['without a slash', 'no-slash', null, Err.badArguments],
    ['with NUL', '/none/\0', null, Err.badArguments],
  ])('path %s before ACL', (_, path, acl, err) => {
    expect(world().refusal(OpCode.create, create(path, { acl }))).toBe(err)
  })

  it.each([
    ['no list', null],
    ['an empty list', []],
    ['an unknown scheme', [{ perms: 31, id: { scheme: 'nosuch', id: 'x' } }]],
    ['auth of somebody unknown', [{ perms: 31, id: { scheme: 'auth', id: '' } }]],
  ])('ACL (%s) before parent', (_, acl) => {
    expect(world().refusal(OpCode.create, create('/none/x', { acl }))).toBe(Err.invalidACL)
  })

  it('parent before the final path', () => {
    expect(world().refusal(OpCode.create, create('/none/../x'))).toBe(Err.noNode)
    expect(world().refusal(OpCode.create, create('/open//x'))).toBe(Err.noNode)
    expect(world().refusal(OpCode.create, create('relative/x'))).toBe(Err.noNode)
  })

  it('permission before the final path', () => {
    expect(world().refusal(OpCode.create, create('/closed/.'))).toBe(Err.noAuth)
    const bobHimself = { ...somebody, ids: [bob] }
    expect(world().refusal(OpCode.create, create('/closed/x'), bobHimself)).toBe(Err.ok)
  })

  it.each(['/open/.', '/open/..', '/open/', '/open/\u0001', '/open/\u{1f600}', '//'])(
    'final path %j',
    (path) => {
      expect(world().refusal(OpCode.create, create(path))).toBe(Err.badArguments)
    },
  )

  it('existence before an ephemeral parent before quota', () => {
    const decider = world()
    makeEphemeral(decider, '/full')
    expect(decider.refusal(OpCode.create, create('/full/one'))).toBe(Err.nodeExists)
    expect(decider.refusal(OpCode.create, create('/full/two'))).toBe(Err.noChildrenForEphemerals)
    expect(world().refusal(OpCode.create, create('/full/two'))).toBe(Err.quotaExceeded)
    expect(world().refusal(OpCode.create, create('/'))).toBe(Err.nodeExists)
  })
})

describe('a create', () => {
  it.each([
    ['plain', OpCode.create, create('/open/x'), OpCode.create, 0n],
    ['with Stat', OpCode.create2, create('/open/x'), OpCode.create2, 0n],
    ['ephemeral', OpCode.create2, create('/open/x', { flags: 1 }), OpCode.create2, 7n],
    ['container by op', 19, create('/open/x', { flags: 4 }), 19, -(2n ** 63n)],
    // What 3.8 gets wrong: a plain node with the digest of a container (spec 05 §14).
    ['container by flags', OpCode.create, create('/open/x', { flags: 4 }), 19, -(2n ** 63n)],
    ['TTL', OpCode.createTTL, createTtl('/open/x', 1n), 21, -(2n ** 56n) + 1n],
    ['longest TTL', 21, createTtl('/open/x', 2n ** 40n - 1n), 21, -(2n ** 56n) + 2n ** 40n - 1n],
  ])('%s has its txn type and its owner', (_, op, body, type, owner) => {
    const decider = world()
    expect(decider.decide(op, body).txn).toMatchObject({ type, path: '/open/x', parentCVersion: 1 })
    decider.apply()
    expect(decider.tree.node('/open/x')?.ephemeralOwner).toBe(owner)
    expect(decider.tree.digest.toBigInt()).toBe(digestOf(decider.tree))
  })

  it('may be under a container and under a TTL node', () => {
    const decider = world()
    decider.run(OpCode.createContainer, create('/c', { flags: 4 }))
    decider.run(OpCode.createTTL, createTtl('/t', 5n))
    expect(decider.refusal(OpCode.create, create('/c/x', { flags: 1 }))).toBe(Err.ok)
    expect(decider.refusal(OpCode.create, create('/t/x'))).toBe(Err.ok)
  })

  it('may not be under an ephemeral that is only on its way', () => {
    const decider = world()
    decider.decide(OpCode.create, create('/e', { flags: 1 }))
    expect(decider.refusal(OpCode.create, create('/e/x'))).toBe(Err.noChildrenForEphemerals)
  })

  it('keeps a copy of data that is borrowed, and tells null from empty', () => {
    const decider = world()
    decider.run(OpCode.create, create('/null', { data: null }))
    decider.run(OpCode.create, create('/empty', { data: Buffer.alloc(0) }))
    expect(decider.tree.node('/null')?.data).toBeNull()
    expect(decider.tree.node('/empty')?.data).toEqual(Buffer.alloc(0))
  })

  it('stores the list fixed up', () => {
    const decider = world()
    const asker = { ...somebody, ids: [...somebody.ids, bob] }
    const auth = { perms: Perms.read, id: { scheme: 'auth', id: '' } }
    const acl = [auth, { perms: 1, id: anyone }, auth]
    decider.run(OpCode.create, create('/a', { acl }), asker)
    expect(decider.tree.node('/a')?.acl.acl).toEqual([
      { perms: Perms.read, id: bob },
      { perms: 1, id: anyone },
    ])
    expect(decider.tree.node('/open')?.acl.acl).toBe(openAcl)
  })
})

describe('a sequential name', () => {
  const nameOf = (decider: Decider, path: string, flags = 2): string => {
    const { txn } = decider.decide(OpCode.create, create(path, { flags }))
    return 'path' in txn ? txn.path : 'none'
  }

  it('counts all creates under the parent, not the deletes, outstanding ones too', () => {
    const decider = world()
    decider.run(OpCode.create, create('/open/a'))
    decider.run(OpCode.delete, remove('/open/a'))
    expect(nameOf(decider, '/open/n-')).toBe('/open/n-0000000001')
    expect(nameOf(decider, '/open/n-', 3)).toBe('/open/n-0000000002')
    decider.decide(OpCode.setData, setData('/open', 'x'))
    expect(nameOf(decider, '/open/')).toBe('/open/0000000003')
    decider.apply()
  })

  it('may be a TTL node', () => {
    const decider = world()
    const { txn } = decider.decide(OpCode.createTTL, createTtl('/open/t', 9n, 6))
    expect(txn).toMatchObject({ type: OpCode.createTTL, path: '/open/t0000000000', ttl: 9n })
  })

  it('is no use where the name after it is invalid', () => {
    expect(world().refusal(OpCode.create, create('/open/\u0001', { flags: 2 }))).toBe(
      Err.badArguments,
    )
    expect(nameOf(world(), '/open/..')).toBe('/open/..0000000000')
  })

  it('goes on over the end of an int, and so does the tree', () => {
    const decider = world()
    const parent = decider.tree.node('/open')
    if (parent === undefined) throw new Error('no /open')
    parent.cversion = 2 ** 31 - 1
    decider.tree.touched('/open', parent)
    const names = [nameOf(decider, '/open/n')]
    decider.apply()
    expect(parent.cversion).toBe(-(2 ** 31))
    names.push(nameOf(decider, '/open/n'), nameOf(decider, '/open/n'))
    expect(names).toEqual(['/open/n2147483647', '/open/n-2147483648', '/open/n-2147483647'])
    decider.apply()
  })
})
