import { describe, expect, it } from 'vitest'
import { Perms } from '../../../../src/data/acl.ts'
import { Err } from '../../../../src/data/error-code.ts'
import { OpCode } from '../../../../src/data/op-code.ts'
import type { ACL } from '../../../../src/data/records.ts'
import { MemoryEnsemble } from '../../../support/memory-ensemble.ts'
import { MemoryServer } from '../../../support/memory-server.ts'
import { create, getData, remove, setAcl, setData } from '../../../support/requests.ts'

const eager = { enableEagerACLCheck: 'true' }
const readOnly: readonly ACL[] = [{ perms: Perms.read, id: { scheme: 'world', id: 'anyone' } }]
const badAcl: readonly ACL[] = [{ perms: Perms.all, id: { scheme: 'nosuch', id: 'x' } }]

describe('enableEagerACLCheck', () => {
  it.each([1, 2, 3])(
    'refuses on member %i before a zxid is taken, and without one in the reply',
    (sid) => {
      const ensemble = new MemoryEnsemble([1, 2, 3], eager)
      const leader = ensemble.awaitLeader()
      const client = ensemble.server(sid).connect()
      client.call(OpCode.create, create('/locked', { acl: readOnly }))
      client.call(OpCode.create, create('/open'))
      const zxid = (): number => ensemble.server(leader).member.tree.lastProcessedZxid
      const before = zxid()
      for (const [op, body] of [
        [OpCode.create, create('/locked/a')],
        [OpCode.create2, create('/locked/a')],
        [OpCode.delete, remove('/locked/a')],
        [OpCode.setData, setData('/locked', 'x')],
        [OpCode.setACL, setAcl('/locked', readOnly)],
      ] as const)
        expect(client.call(op, body)).toMatchObject({ err: Err.noAuth, zxid: 0 })
      for (const [op, body] of [
        [OpCode.create, create('/open/a', { acl: badAcl })],
        [OpCode.setACL, setAcl('/open', badAcl)],
      ] as const)
        expect(client.call(op, body)).toMatchObject({ err: Err.invalidACL, zxid: 0 })
      expect(zxid()).toBe(before)
      // What is wrong in another way is for whoever decides, and what is right is done.
      expect(client.call(OpCode.setData, setData('/none', 'x')).err).toBe(Err.noNode)
      expect(client.call(OpCode.setData, setData('/open', 'x')).err).toBe(Err.ok)
      expect(zxid()).toBe(before + 2)
    },
  )

  it('keeps the order of replies', () => {
    const ensemble = new MemoryEnsemble([1, 2, 3], eager)
    const leader = ensemble.awaitLeader()
    const server = ensemble.server(leader)
    const client = server.connect()
    client.call(OpCode.create, create('/locked', { acl: readOnly }))
    server.isDiskHeld = true
    for (const [, other] of ensemble.servers) other.isDiskHeld = true
    const xids = [
      client.send(OpCode.create, create('/n')),
      client.send(OpCode.setData, setData('/locked', 'x')),
      client.send(OpCode.getData, getData('/n')),
    ]
    expect(client.takeReplies()).toEqual([])
    for (const [, other] of ensemble.servers) other.isDiskHeld = false
    ensemble.settle()
    const replies = client.takeReplies()
    expect(replies.map(({ xid }) => xid)).toEqual(xids)
    expect(replies.map(({ err }) => err)).toEqual([Err.ok, Err.noAuth, Err.ok])
  })

  it('means nothing on a standalone server, as in the original', () => {
    const server = new MemoryServer({ settings: eager })
    const client = server.connect()
    client.call(OpCode.create, create('/locked', { acl: readOnly }))
    const zxid = server.member.tree.lastProcessedZxid
    expect(client.call(OpCode.setData, setData('/locked', 'x'))).toMatchObject({
      err: Err.noAuth,
      zxid: zxid + 1,
    })
  })
})
