import { describe, expect, it } from 'vitest'
import { Perms } from '../../../../src/data/acl.ts'
import { Err } from '../../../../src/data/error-code.ts'
import { OpCode } from '../../../../src/data/op-code.ts'
import { type Id, writeAuthPacket } from '../../../../src/data/records.ts'
import { type MemoryClient, MemoryServer, type Reply } from '../../../support/memory-server.ts'
import { create, exists, getData, remove, setData } from '../../../support/requests.ts'

const bob: Id = { scheme: 'digest', id: 'bob:ikIaKsbtGweaHnb/jKn7OHqbunM=' }
const bobOnly = [{ perms: Perms.all, id: bob }]
const auth = Perms.all
const superSettings = {
  'DigestAuthenticationProvider.superDigest': 'super:lK75jTNcA+U9vtVEw5vB51mj/w4=',
}

function login(client: MemoryClient, secret: string | null, scheme = 'digest'): Reply {
  const packet = { type: 0, scheme, auth: secret === null ? null : Buffer.from(secret) }
  return client.call(OpCode.auth, (w) => writeAuthPacket(w, packet), -4)
}

describe('auth', () => {
  it('adds an id for the rest of the connection, and no longer', () => {
    const client = new MemoryServer().connect()
    client.call(OpCode.create, create('/a', { acl: bobOnly }))
    expect(client.call(OpCode.getData, getData('/a')).err).toBe(Err.noAuth)
    expect(login(client, 'bob:pw')).toMatchObject({ xid: -4, zxid: 0, err: Err.ok })
    expect(client.call(OpCode.getData, getData('/a')).err).toBe(Err.ok)
    const second = client.server.open()
    second.handshake({ sessionId: client.sessionId, passwd: client.passwd })
    expect(second.call(OpCode.getData, getData('/a')).err).toBe(Err.noAuth)
  })

  it('with a wrong password is only another id', () => {
    const client = new MemoryServer().connect()
    client.call(OpCode.create, create('/a', { acl: bobOnly }))
    expect(login(client, 'bob:wrong').err).toBe(Err.ok)
    expect(client.call(OpCode.getData, getData('/a')).err).toBe(Err.noAuth)
  })

  it.each([
    ['nosuch', 'x'],
    ['world', 'anyone'],
    ['super', ''],
    ['digest', null],
  ])('of scheme %s with %j fails, and ends the connection', (scheme, secret) => {
    const client = new MemoryServer().connect()
    expect(login(client, secret, scheme)).toMatchObject({ xid: -4, zxid: 0, err: Err.authFailed })
    expect(client.isClosed).toBe(true)
    expect(client.server.member.stats.authFailedCount).toBe(1)
  })

  it('of scheme ensemble names the ensemble that is meant, and another one is told nothing', () => {
    const settings = {
      'authProvider.1': 'org.apache.zookeeper.server.auth.EnsembleAuthenticationProvider',
      ensembleAuthName: 'east, alias',
    }
    const server = new MemoryServer({ settings })
    const client = server.connect()
    for (const name of ['east', 'alias', '', null])
      expect(login(client, name, 'ensemble').err).toBe(Err.ok)
    const acl = [{ perms: Perms.all, id: { scheme: 'ensemble', id: 'east' } }]
    expect(client.call(OpCode.create, create('/e', { acl })).err).toBe(Err.invalidACL)
    const stranger = server.connect()
    stranger.send(
      OpCode.auth,
      (w) => writeAuthPacket(w, { type: 0, scheme: 'ensemble', auth: Buffer.from('west') }),
      -4,
    )
    expect([stranger.takeReplies(), stranger.isClosed]).toEqual([[], true])
    const { metrics } = server.member
    const counts: string[] = []
    metrics.registry.dump((key, text) => {
      if (key.startsWith('ensemble_auth')) counts.push(`${key} ${text}`)
    })
    expect(counts.sort()).toEqual([
      'ensemble_auth_fail 1',
      'ensemble_auth_skip 2',
      'ensemble_auth_success 2',
    ])
    const any = new MemoryServer({ settings: { 'authProvider.1': settings['authProvider.1'] } })
    expect(login(any.connect(), 'west', 'ensemble').err).toBe(Err.ok)
  })

  it('is answered on receipt, before writes that wait', () => {
    const client = new MemoryServer().connect()
    client.server.isDiskHeld = true
    client.send(OpCode.create, create('/a'))
    expect(login(client, 'bob:pw').xid).toBe(-4)
    client.server.releaseDisk()
    expect(client.takeReplies()).toHaveLength(1)
  })

  it('again and again is refused in the end', () => {
    const client = new MemoryServer({ limits: { cnxnIdsMax: 3 } }).connect()
    const errs = ['a:1', 'b:2', 'a:1', 'c:3'].map((secret) => login(client, secret).err)
    expect(errs).toEqual([Err.ok, Err.ok, Err.ok, Err.authFailed])
  })

  it('that does not decode ends the connection without a word', () => {
    const client = new MemoryServer().connect()
    client.send(OpCode.auth, (w) => w.writeInt(0), -4)
    expect(client.takeReplies()).toEqual([])
    expect(client.isClosed).toBe(true)
  })
})

describe('what may be done to a node of somebody else', () => {
  const attempts = (client: MemoryClient): number[] => [
    client.call(OpCode.getData, getData('/a')).err,
    client.call(OpCode.setData, setData('/a', 'x')).err,
    client.call(OpCode.create, create('/a/b')).err,
    client.call(OpCode.delete, remove('/a/b')).err,
  ]
  const ofBob = (settings: Readonly<Record<string, string>>): MemoryServer => {
    const server = new MemoryServer({ settings })
    const client = server.connect()
    login(client, 'bob:pw')
    client.call(OpCode.create, create('/a', { acl: bobOnly }))
    return server
  }

  it.each([
    ['nothing', {}, undefined, Err.noAuth],
    ['all by the super user', superSettings, 'super:secret', Err.ok],
    ['nothing by who is not quite', superSettings, 'super:secrets', Err.noAuth],
    ['nothing by a super user of no server', {}, 'super:secret', Err.noAuth],
    ['all with skipACL', { skipACL: 'yes' }, undefined, Err.ok],
  ])('%s', (_, settings, secret, err) => {
    const client = ofBob(settings).connect()
    if (secret !== undefined) login(client, secret)
    expect(attempts(client)).toEqual([err, err, err, err])
  })

  it('/zookeeper/config is written by the super user only', () => {
    const client = new MemoryServer({ settings: superSettings }).connect()
    const write = (): number => client.call(OpCode.setData, setData('/zookeeper/config', 'x')).err
    expect(write()).toBe(Err.noAuth)
    login(client, 'super:secret')
    expect(write()).toBe(Err.ok)
  })

  it('an ACL of scheme auth stands for the ids of its maker, ip not among them', () => {
    const client = new MemoryServer().connect()
    const acl = [{ perms: auth, id: { scheme: 'auth', id: '' } }]
    expect(client.call(OpCode.create, create('/mine', { acl })).err).toBe(Err.invalidACL)
    login(client, 'bob:pw')
    expect(client.call(OpCode.create, create('/mine', { acl })).err).toBe(Err.ok)
    expect(client.server.connect().call(OpCode.getData, getData('/mine')).err).toBe(Err.noAuth)
  })
})

describe('enforce.auth', () => {
  const settings = { 'enforce.auth.enabled': 'true', 'enforce.auth.schemes': 'digest' }

  it.each([
    ['a read', OpCode.exists, exists('/')],
    ['a write', OpCode.create, create('/a')],
    ['a ping', OpCode.ping, undefined],
  ])('refuses %s of a client that has not logged in, and closes', (_, op, body) => {
    const client = new MemoryServer({ settings }).connect()
    const reply = client.call(op, body)
    expect(reply).toMatchObject({ err: Err.sessionClosedRequireSaslAuth, zxid: 0 })
    expect(client.isClosed).toBe(true)
    expect(client.server.member.tree.node('/a')).toBeUndefined()
  })

  it('serves one that has', () => {
    const client = new MemoryServer({ settings }).connect()
    expect(login(client, 'bob:pw').err).toBe(Err.ok)
    expect(client.call(OpCode.create, create('/a')).err).toBe(Err.ok)
  })
})
