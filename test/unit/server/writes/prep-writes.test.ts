import { describe, expect, it } from 'vitest'
import { anyone, openAcl, Perms } from '../../../../src/data/acl.ts'
import { Err } from '../../../../src/data/error-code.ts'
import { OpCode } from '../../../../src/data/op-code.ts'
import type { ACL, Id } from '../../../../src/data/records.ts'
import { Decider, somebody } from '../../../support/decider.ts'
import {
  type Body,
  check,
  create,
  createTtl,
  multi,
  pathOnly,
  remove,
  setAcl,
  setData,
} from '../../../support/requests.ts'

const bob: Id = { scheme: 'digest', id: 'bob:ikIaKsbtGweaHnb/jKn7OHqbunM=' }
const only = (perms: number): ACL[] => [{ perms, id: anyone }]

/** `/open` has a child; `/closed` has one too, and everybody may do nothing with either. */
function world(settings: Readonly<Record<string, string>> = {}): Decider {
  const decider = new Decider({ extendedTypesEnabled: 'true', ...settings })
  const bobOnly = [{ perms: Perms.all, id: bob }]
  for (const path of ['/open', '/open/x', '/open/x/y', '/closed', '/closed/x'])
    decider.run(OpCode.create, create(path))
  for (const path of ['/closed', '/closed/x'])
    decider.run(OpCode.setACL, setAcl(path, bobOnly, -1), { ...somebody, ids: [bob] })
  return decider
}

const expired = (decider: Decider): Decider => {
  decider.gate = Err.sessionExpired
  return decider
}
const garbage: Body = (w) => w.writeInt(99)

// Each request is also wrong in the way that the next check finds (spec 05 §4).
describe('the checks of delete', () => {
  it.each([
    ['body', world(), garbage, Err.marshallingError],
    ['session', expired(world()), remove('/'), Err.sessionExpired],
    ['no slash', world(), remove('x'), Err.badArguments],
    ['NUL', world(), remove('/none/\0'), Err.badArguments],
    ['parent', world(), remove('/none/x'), Err.noNode],
    ['permission on the parent', world(), remove('/closed/none'), Err.noAuth],
    ['node', world(), remove('/open/none', 5), Err.noNode],
    ['version', world(), remove('/open/x', 5), Err.badVersion],
    ['children', world(), remove('/open/x', 0), Err.notEmpty],
  ])('%s', (_, decider, body, err) => {
    expect(decider.refusal(OpCode.delete, body)).toBe(err)
  })

  it.each(['/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config'])('%s stays', (path) => {
    expect(world().refusal(OpCode.delete, remove(path, 9))).toBe(Err.badArguments)
  })

  it('do not ask for a permission on the node', () => {
    const decider = world()
    decider.run(OpCode.create, create('/none', { acl: only(0) }))
    expect(decider.refusal(OpCode.delete, remove('/none', 0))).toBe(Err.ok)
  })

  it('see what is outstanding', () => {
    const decider = world()
    decider.decide(OpCode.create, create('/closed/y'), { ...somebody, ids: [bob] })
    decider.decide(OpCode.create, create('/new'))
    decider.decide(OpCode.create, create('/new/x'))
    expect(decider.refusal(OpCode.delete, remove('/new'))).toBe(Err.notEmpty)
    decider.decide(OpCode.delete, remove('/open/x/y'))
    expect(decider.refusal(OpCode.delete, remove('/open/x/y'))).toBe(Err.noNode)
    expect(decider.refusal(OpCode.delete, remove('/open/x'))).toBe(Err.ok)
    decider.apply()
    expect(decider.tree.node('/open')?.childCount).toBe(0)
  })
})

describe('the checks of setData', () => {
  const hard = Buffer.from('count=-1,bytes=-1=;byteHardLimit=9;countHardLimit=-1')
  const withQuota = (): Decider => {
    const decider = world({ enforceQuota: 'true' })
    decider.run(OpCode.create, create('/zookeeper/quota/open'))
    decider.run(OpCode.create, create('/zookeeper/quota/open/zookeeper_limits', { data: hard }))
    decider.run(OpCode.create, create('/zookeeper/quota/open/zookeeper_stats'))
    return decider
  }

  it.each([
    ['body', world(), garbage, Err.marshallingError],
    ['session', expired(world()), setData('/a/', 'x'), Err.sessionExpired],
    ['path', world(), setData('/none/', 'x'), Err.badArguments],
    ['node', world(), setData('/none', 'x', 5), Err.noNode],
    ['permission', world(), setData('/closed', 'x', 5), Err.noAuth],
    ['quota', withQuota(), setData('/open', 'longer data', 5), Err.quotaExceeded],
    ['version', world(), setData('/open', 'x', 5), Err.badVersion],
    ['nothing', world(), setData('/open', 'x', 0), Err.ok],
  ])('%s', (_, decider, body, err) => {
    expect(decider.refusal(OpCode.setData, body)).toBe(err)
  })

  it('let the roots be written, and leave the config node to its ACL', () => {
    for (const path of ['/', '/zookeeper', '/zookeeper/quota'])
      expect(world().refusal(OpCode.setData, setData(path, 'x', 0))).toBe(Err.ok)
    expect(world().refusal(OpCode.setData, setData('/zookeeper/config', 'x'))).toBe(Err.noAuth)
  })

  it('count versions on, over the end of an int, and pass by -1', () => {
    const decider = world()
    const znode = decider.tree.node('/open')
    if (znode === undefined) throw new Error('no /open')
    const versions = [0, 2 ** 31 - 1, -2].map((version) => {
      znode.version = version
      decider.tree.touched('/open', znode)
      decider.run(OpCode.setData, setData('/open', 'x', version))
      return znode.version
    })
    expect(versions).toEqual([1, -(2 ** 31), 0])
  })
})

describe('the checks of setACL', () => {
  it.each([
    ['body', world(), garbage, Err.marshallingError],
    ['session', expired(world()), setAcl('/a/', null), Err.sessionExpired],
    ['path', world(), setAcl('/open/', null), Err.badArguments],
    ['list', world(), setAcl('/none', []), Err.invalidACL],
    ['node', world(), setAcl('/none', openAcl, 5), Err.noNode],
    ['permission', world(), setAcl('/closed', openAcl, 5), Err.noAuth],
    ['version', world(), setAcl('/open', openAcl, 5), Err.badVersion],
    ['nothing', world(), setAcl('/open', openAcl, 0), Err.ok],
  ])('%s', (_, decider, body, err) => {
    expect(decider.refusal(OpCode.setACL, body)).toBe(err)
  })

  it('compare with the version of the list, not of the data', () => {
    const decider = world()
    decider.run(OpCode.setData, setData('/open', 'x'))
    decider.run(OpCode.setACL, setAcl('/open', only(Perms.all & ~Perms.write), 0))
    expect(decider.refusal(OpCode.setACL, setAcl('/open', openAcl, 0))).toBe(Err.badVersion)
    expect(decider.refusal(OpCode.setData, setData('/open', 'x'))).toBe(Err.noAuth)
    expect(decider.refusal(OpCode.setACL, setAcl('/open', openAcl, 1))).toBe(Err.ok)
    // The new list counts at once, though the tree does not have it yet.
    expect(decider.refusal(OpCode.setData, setData('/open', 'x'))).toBe(Err.ok)
    decider.apply()
  })
})

describe('the checks of check, in a multi', () => {
  const refusal = (decider: Decider, body: Body): number => {
    const { txn } = decider.decide(OpCode.multi, multi([[OpCode.check, body]]))
    const [part] = txn.type === OpCode.multi ? txn.txns : []
    return part?.type === OpCode.error ? part.err : Err.ok
  }

  it.each([
    ['session', expired(world()), check('/a/'), Err.sessionExpired],
    ['path', world(), check('/none/'), Err.badArguments],
    ['node', world(), check('/none', 5), Err.noNode],
    ['permission', world(), check('/closed', 5), Err.noAuth],
    ['version', world(), check('/open', 5), Err.badVersion],
    ['nothing', world(), check('/open', 0), Err.ok],
    ['any version', world(), check('/open'), Err.ok],
  ])('%s', (_, decider, body, err) => {
    expect(refusal(decider, body)).toBe(err)
  })
})

describe('deleteContainer, which the server asks itself', () => {
  const nobody = { sessionId: 0n, ids: [] }
  const reap = (decider: Decider, path: string): number =>
    decider.refusal(OpCode.deleteContainer, pathOnly(path), nobody)

  it.each([
    ['special nodes', '/zookeeper/quota', Err.badArguments],
    ['a missing one', '/none', Err.noNode],
    ['one with children', '/full', Err.notEmpty],
    ['an ephemeral', '/e', Err.badVersion],
    // It may have taken the place of a container since the reaper looked.
    ['a persistent one', '/open/x/y', Err.badVersion],
    ['a container', '/c', Err.ok],
    ['a TTL node', '/t', Err.ok],
    ['without asking the ACL', '/mine', Err.ok],
  ])('%s', (_, path, err) => {
    const decider = world()
    for (const container of ['/full', '/c'])
      decider.run(OpCode.createContainer, create(container, { flags: 4 }))
    decider.run(OpCode.create, create('/full/x'))
    decider.run(OpCode.create, create('/e', { flags: 1 }))
    decider.run(OpCode.createTTL, createTtl('/t', 5n))
    decider.run(OpCode.create, create('/mine', { flags: 4, acl: only(0) }))
    expect(reap(decider, path)).toBe(err)
    if (err !== Err.ok) return
    decider.apply()
    expect(decider.tree.node(path)).toBeUndefined()
    expect(decider.tree.node('/')?.pzxid).toBe(decider.tree.lastProcessedZxid)
  })
})

describe('reconfig on one server', () => {
  const reconfig: Body = (w) => {
    for (let i = 0; i < 3; i += 1) w.writeString(null)
    w.writeLong(-1n)
  }

  it.each([
    ['is disabled', {}, reconfig, Err.reconfigDisabled],
    ['has nothing to change', { reconfigEnabled: 'true' }, reconfig, Err.unimplemented],
    ['must decode', {}, garbage, Err.marshallingError],
  ])('%s', (_, settings, body, err) => {
    expect(world(settings).refusal(OpCode.reconfig, body)).toBe(err)
  })
})
