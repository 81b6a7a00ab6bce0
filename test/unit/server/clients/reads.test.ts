import { describe, expect, it } from 'vitest'
import { anyone, openAcl, Perms } from '../../../../src/data/acl.ts'
import { Err } from '../../../../src/data/error-code.ts'
import { OpCode } from '../../../../src/data/op-code.ts'
import {
  type ACL,
  type Id,
  readGetACLResponse,
  readGetChildren2Response,
  readGetDataResponse,
  readGetEphemeralsResponse,
  readStat,
  readWhoAmIResponse,
  writeAuthPacket,
} from '../../../../src/data/records.ts'
import { type MemoryClient, MemoryServer } from '../../../support/memory-server.ts'
import {
  create,
  createTtl,
  exists,
  getChildren,
  getData,
  pathOnly,
  setAcl,
} from '../../../support/requests.ts'

const bob: Id = { scheme: 'digest', id: 'bob:ikIaKsbtGweaHnb/jKn7OHqbunM=' }

function login(client: MemoryClient, userAndPassword: string): number {
  const auth = Buffer.from(userAndPassword)
  return client.call(
    OpCode.auth,
    (w) => writeAuthPacket(w, { type: 0, scheme: 'digest', auth }),
    -4,
  ).err
}

const entry = (perms: number, id: Id): ACL => ({ perms, id })

describe('getData, exists and getChildren', () => {
  it('show data and Stat, null and empty data apart', () => {
    const client = new MemoryServer().connect()
    client.call(OpCode.create, create('/null', { data: null }))
    client.call(OpCode.create, create('/empty', { data: Buffer.alloc(0) }))
    const data = ['/null', '/empty'].map(
      (path) => readGetDataResponse(client.call(OpCode.getData, getData(path)).body).data,
    )
    expect(data).toEqual([null, Buffer.alloc(0)])
    const reply = client.call(OpCode.exists, exists('/null'))
    const zxid = client.server.member.tree.lastProcessedZxid
    expect(reply.zxid).toBe(zxid)
    expect(readStat(reply.body)).toMatchObject({ czxid: zxid - 1, dataLength: 0, numChildren: 0 })
    expect(reply.body.remaining).toBe(0)
  })

  it('do not validate paths, and know the root by its empty name', () => {
    const client = new MemoryServer().connect()
    const errs = ['', '/', 'zookeeper', '/zookeeper/', '//'].map(
      (path) => client.call(OpCode.getData, getData(path)).err,
    )
    expect(errs).toEqual([Err.ok, Err.ok, Err.noNode, Err.noNode, Err.noNode])
    expect(client.call(OpCode.exists, exists('/\0')).err).toBe(Err.badArguments)
    expect(client.call(OpCode.getData, getData('/\0')).err).toBe(Err.noNode)
  })

  it('list children by name, with a Stat if asked', () => {
    const client = new MemoryServer().connect()
    for (const path of ['/a', '/a/x', '/a/ü', '/a/x/y']) client.call(OpCode.create, create(path))
    const reply = client.call(OpCode.getChildren2, getChildren('/a'))
    const { children, stat } = readGetChildren2Response(reply.body)
    expect([...children].sort()).toEqual(['x', 'ü'])
    expect(stat).toMatchObject({ cversion: 2, numChildren: 2 })
    const plain = client.call(OpCode.getChildren, getChildren('/a/x/y'))
    expect([plain.body.readInt(), plain.body.remaining]).toEqual([0, 0])
  })

  it('ask for READ', () => {
    const client = new MemoryServer().connect()
    const acl = [entry(Perms.all & ~Perms.read, anyone)]
    client.call(OpCode.create, create('/a', { acl }))
    const ops = [
      OpCode.getData,
      OpCode.exists,
      OpCode.getChildren,
      OpCode.getChildren2,
      OpCode.getAllChildrenNumber,
    ]
    const errs = ops.map((op) => client.call(op, getData('/a')).err)
    expect(errs).toEqual(ops.map(() => Err.noAuth))
    expect(client.call(OpCode.sync, pathOnly('/a')).err).toBe(Err.ok)
  })

  it('show containers and TTL nodes as owned by nobody', () => {
    const client = new MemoryServer({ settings: { extendedTypesEnabled: 'true' } }).connect()
    client.call(OpCode.createContainer, create('/c', { flags: 4 }))
    client.call(OpCode.createTTL, createTtl('/t', 9n))
    client.call(OpCode.create, create('/e', { flags: 1 }))
    const owners = ['/c', '/t', '/e'].map(
      (path) => readStat(client.call(OpCode.exists, exists(path)).body).ephemeralOwner,
    )
    expect(owners).toEqual([0n, 0n, client.sessionId])
  })
})

describe('getACL', () => {
  const acl = [entry(Perms.admin, bob), entry(Perms.read, anyone)]

  it('shows all to those with ADMIN, and to those without no password hash', () => {
    const client = new MemoryServer().connect()
    login(client, 'bob:pw')
    client.call(OpCode.create, create('/a', { acl }))
    const other = client.server.connect()
    const seen = [client, other].map(
      (one) => readGetACLResponse(one.call(OpCode.getACL, pathOnly('/a')).body).acl,
    )
    const masked = entry(Perms.admin, { scheme: 'digest', id: 'bob:x' })
    expect(seen).toEqual([acl, [masked, acl[1]]])
  })

  it('asks for READ or ADMIN', () => {
    const client = new MemoryServer().connect()
    const of = (perms: number): number => {
      client.call(OpCode.create, create(`/${perms}`, { acl: [entry(perms, anyone)] }))
      return client.call(OpCode.getACL, pathOnly(`/${perms}`)).err
    }
    const others = Perms.all & ~Perms.read & ~Perms.admin
    expect([of(Perms.read), of(Perms.admin), of(others)]).toEqual([Err.ok, Err.ok, Err.noAuth])
    expect(client.call(OpCode.getACL, pathOnly('/none')).err).toBe(Err.noNode)
  })

  it('shows the aversion that setACL compares with', () => {
    const client = new MemoryServer().connect()
    client.call(OpCode.create, create('/a'))
    const stat = readStat(client.call(OpCode.setACL, setAcl('/a', openAcl, 0)).body)
    expect(stat.aversion).toBe(1)
    const { body } = client.call(OpCode.getACL, pathOnly('/zookeeper/config'))
    expect(readGetACLResponse(body)).toMatchObject({
      acl: [{ perms: Perms.read, id: anyone }],
      stat: { aversion: -1 },
    })
  })
})

describe('getEphemerals', () => {
  it('lists those of the session whose path begins so, in whole names or not', () => {
    const server = new MemoryServer()
    const [client, other] = [server.connect(), server.connect()]
    for (const path of ['/a', '/ab']) client.call(OpCode.create, create(path))
    for (const path of ['/a/1', '/a/2', '/ab/1', '/e'])
      client.call(OpCode.create, create(path, { flags: 1 }))
    other.call(OpCode.create, create('/a/theirs', { flags: 1 }))
    const list = (prefix: string | null): string[] => {
      const { body } = client.call(OpCode.getEphemerals, (w) => w.writeString(prefix))
      return [...readGetEphemeralsResponse(body).ephemerals].sort()
    }
    const all = ['/a/1', '/a/2', '/ab/1', '/e']
    for (const prefix of ['', '/', null, '  ', ' / ']) expect(list(prefix)).toEqual(all)
    expect(list('/a')).toEqual(['/a/1', '/a/2', '/ab/1'])
    expect(list('/a/')).toEqual(['/a/1', '/a/2'])
    expect(list('/none')).toEqual([])
  })
})

describe('getAllChildrenNumber', () => {
  it('counts all that is below, in the root all but itself', () => {
    const client = new MemoryServer().connect()
    for (const path of ['/a', '/a/b', '/a/b/c', '/ab']) client.call(OpCode.create, create(path))
    const count = (path: string): number =>
      client.call(OpCode.getAllChildrenNumber, pathOnly(path)).body.readInt()
    expect(['/', '/a', '/a/b/c', '/zookeeper'].map(count)).toEqual([7, 2, 0, 2])
    expect(client.call(OpCode.getAllChildrenNumber, pathOnly('/none')).err).toBe(Err.noNode)
  })
})

describe('whoAmI', () => {
  it('lists the ids, of digest only the user', () => {
    const client = new MemoryServer().connect()
    login(client, 'bob:pw')
    const { clientInfo } = readWhoAmIResponse(client.call(OpCode.whoAmI).body)
    expect(clientInfo).toEqual([
      { authScheme: 'ip', user: '127.0.0.1' },
      { authScheme: 'digest', user: 'bob' },
    ])
  })
})
