import { JuteReader } from 'jute-ts'
import { describe, expect, it } from 'vitest'
import { Err } from '../../../../src/data/error-code.ts'
import { OpCode } from '../../../../src/data/op-code.ts'
import { readTxnDigest, readTxnHeader } from '../../../../src/data/records.ts'
import { readTxn } from '../../../../src/data/txn.ts'
import { partsOf } from '../../../support/answers.ts'
import { MemoryServer } from '../../../support/memory-server.ts'
import {
  type Body,
  check,
  create,
  createTtl,
  exists,
  getChildren,
  getData,
  multi,
  remove,
  setData,
} from '../../../support/requests.ts'

/** Without its last bytes: the end mark has nine. */
const shortened =
  (body: Body, bytes: number): Body =>
  (w) => {
    body(w)
    w.truncate(w.length - bytes)
  }

/** Of a check; and, but for its version, of a setData. */
const nullPath: Body = (w) => {
  w.writeString(null)
  w.writeInt(-1)
  w.writeInt(-1)
}
const nullId: Body = (w) => {
  w.writeString('/b')
  w.writeBuffer(null)
  w.writeInt(1)
  w.writeInt(31)
  w.writeString('digest')
  w.writeString(null)
  w.writeInt(0)
}

const settings = { extendedTypesEnabled: 'true' }
const mismatches = (server: MemoryServer): number =>
  server.logged.filter(({ level }) => level === 'error').length

describe('the reply to a multi', () => {
  it('has a result of the right type for every kind of part', () => {
    const server = new MemoryServer({ settings })
    const client = server.connect()
    const reply = client.call(
      OpCode.multi,
      multi([
        [OpCode.create, create('/m')],
        [OpCode.create2, create('/m/two')],
        [OpCode.create, create('/m/s-', { flags: 2 })],
        [OpCode.create2, create('/m/e', { flags: 1 })],
        [OpCode.create, create('/m/c1', { flags: 4 })],
        [OpCode.createContainer, create('/m/c2', { flags: 4 })],
        [OpCode.createTTL, createTtl('/m/t-', 60_000n, 6)],
        [OpCode.setData, setData('/m', 'new', 0)],
        [OpCode.check, check('/m', 1)],
        [OpCode.delete, remove('/m/two', 0)],
      ]),
    )
    expect(reply.err).toBe(Err.ok)
    const zxid = server.member.tree.lastProcessedZxid
    const parts = partsOf(reply)
    expect(parts.map(({ type, err, path }) => [type, err, path])).toEqual([
      [OpCode.create, 0, '/m'],
      [OpCode.create2, 0, '/m/two'],
      [OpCode.create, 0, '/m/s-0000000001'],
      [OpCode.create2, 0, '/m/e'],
      [OpCode.create2, 0, '/m/c1'],
      [OpCode.create2, 0, '/m/c2'],
      [OpCode.create2, 0, '/m/t-0000000005'],
      [OpCode.setData, 0, undefined],
      [OpCode.check, 0, undefined],
      [OpCode.delete, 0, undefined],
    ])
    expect(parts[1]?.stat).toMatchObject({ czxid: zxid, version: 0, numChildren: 0 })
    expect(parts[3]?.stat?.ephemeralOwner).toBe(client.sessionId)
    expect(parts[4]?.stat?.ephemeralOwner).toBe(0n)
    // As it was at its turn: one child was still there.
    expect(parts[7]?.stat).toMatchObject({ version: 1, mzxid: zxid, numChildren: 6 })
    expect(mismatches(server)).toBe(0)
  })

  it('is just the end mark when the multi is empty, and takes a zxid', () => {
    const server = new MemoryServer()
    const client = server.connect()
    const reply = client.call(OpCode.multi, multi([]))
    expect(reply).toMatchObject({ err: Err.ok, zxid: 2 })
    expect(partsOf(reply)).toEqual([])
    expect(mismatches(server)).toBe(0)
  })

  it('has an error in the place of every part when one fails', () => {
    const server = new MemoryServer()
    const client = server.connect()
    const reply = client.call(
      OpCode.multi,
      multi([
        [OpCode.create, create('/a')],
        [OpCode.setData, setData('/a', 'x')],
        [OpCode.delete, remove('/none')],
        [OpCode.create, create('/a')],
        [OpCode.check, check('/none')],
      ]),
    )
    expect(reply).toMatchObject({ err: Err.ok, zxid: 2 })
    const codes = [Err.ok, Err.ok, Err.noNode, Err.runtimeInconsistency, Err.runtimeInconsistency]
    expect(partsOf(reply)).toEqual(codes.map((err) => ({ type: OpCode.error, err })))
    expect(client.call(OpCode.exists, exists('/a')).err).toBe(Err.noNode)
    expect(mismatches(server)).toBe(0)
  })
})

describe('a multi that is refused as a whole', () => {
  const server = new MemoryServer()
  const client = server.connect()
  const good = [OpCode.create, create('/a')] as const

  it.each<[string, Body]>([
    ['a read among writes', multi([good, [OpCode.getData, getData('/')]])],
    ['a write of another kind', multi([good, [OpCode.setACL, create('/b')]])],
    [
      'a read behind a check',
      multi([
        [OpCode.check, check('/')],
        [OpCode.exists, exists('/')],
      ]),
    ],
    ['a write of the server itself', multi([good, [OpCode.deleteContainer, remove('/b')]])],
    ['unknown create flags', multi([good, [OpCode.create, create('/b', { flags: 9 })]])],
    ['TTL flags in a create', multi([good, [OpCode.create2, create('/b', { flags: 5 })]])],
    [
      'TTL flags in a createContainer',
      multi([good, [OpCode.createContainer, create('/b', { flags: 6 })]]),
    ],
    ['no ACL', multi([good, [OpCode.create, create('/b', { acl: null })]])],
    ['no path', multi([good, [OpCode.check, nullPath]])],
    ['no path in a setData', multi([good, [OpCode.setData, nullPath]])],
    ['an entry of an ACL without its id', multi([good, [OpCode.create, nullId]])],
    ['a part that is cut short', shortened(multi([good]), 20)],
    ['no end mark', shortened(multi([good]), 9)],
    ['an error as part', multi([[OpCode.error, (w) => w.writeInt(0)]])],
  ])('%s: -5, no body, one zxid', (_, body) => {
    const zxid = server.member.tree.lastProcessedZxid
    const reply = client.call(OpCode.multi, body)
    expect(reply).toMatchObject({ err: Err.marshallingError, zxid: zxid + 1 })
    expect(reply.body.remaining).toBe(0)
    expect(server.member.tree.node('/a')).toBeUndefined()
  })
})

describe('a createTTL in a multi', () => {
  it.each([
    [0, 0n],
    [2, 0n],
    [4, 0n],
  ])('with flags %i, which ask for no TTL, makes what a create makes', (flags, owner) => {
    const server = new MemoryServer({ settings })
    const reply = server
      .connect()
      .call(OpCode.multi, multi([[OpCode.createTTL, createTtl('/n', -1n, flags)]]))
    const [part] = partsOf(reply)
    expect(part?.err).toBe(Err.ok)
    const znode = server.member.tree.node(part?.path ?? '')
    if (znode === undefined) throw new Error('no node was made')
    expect(server.member.tree.visibleOwner(znode)).toBe(owner)
    expect(mismatches(server)).toBe(0)
  })

  it('with unknown flags is an error of its part', () => {
    const client = new MemoryServer({ settings }).connect()
    const parts = multi([[OpCode.createTTL, createTtl('/n', -1n, 9)]])
    expect(partsOf(client.call(OpCode.multi, parts)).map(({ err }) => err)).toEqual([
      Err.badArguments,
    ])
  })
})

describe('a multi while others are outstanding', () => {
  it('leaves versions, names and digests to those behind it', () => {
    const server = new MemoryServer()
    const client = server.connect()
    server.isDiskHeld = true
    client.send(OpCode.create, create('/p'))
    client.send(OpCode.setData, setData('/p', 'one', 0))
    client.send(
      OpCode.multi,
      multi([
        [OpCode.setData, setData('/p', 'two', 1)],
        [OpCode.create, create('/p/s-', { flags: 2 })],
        [OpCode.create, create('/p')],
      ]),
    )
    client.send(OpCode.create, create('/p/s-', { flags: 2 }))
    client.send(OpCode.setData, setData('/p', 'three', 1))
    server.isDiskHeld = false
    server.releaseDisk()
    const [, , failed, created, set] = client.takeReplies()
    if (failed === undefined || created === undefined) throw new Error('replies are missing')
    expect(partsOf(failed).map(({ err }) => err)).toEqual([0, 0, Err.nodeExists])
    expect(created.body.readString()).toBe('/p/s-0000000000')
    expect(set?.err).toBe(Err.ok)
    expect(mismatches(server)).toBe(0)
  })

  it('is a txn with the errors of its parts in the log, and with a digest', () => {
    const server = new MemoryServer()
    const client = server.connect()
    const before = server.member.tree.digest.toBigInt()
    const failing = [OpCode.check, check('/none')] as const
    client.call(OpCode.multi, multi([[OpCode.create, create('/a')], failing, failing]))
    const [op] = server.diskOps.slice(-1)
    if (op?.kind !== 'appendTxns') throw new Error('nothing was logged')
    // Behind checksum and length of the record; before its end mark.
    const r = new JuteReader(op.bytes.subarray(12, -1))
    const { type } = readTxnHeader(r)
    const txn = readTxn(r, type)
    const { noNode, runtimeInconsistency } = Err
    expect(txn?.type === OpCode.multi && txn.txns).toMatchObject([
      { type: OpCode.create, path: '/a' },
      { type: OpCode.error, err: noNode },
      { type: OpCode.error, err: runtimeInconsistency },
    ])
    expect(readTxnDigest(r)).toEqual({ version: 2, treeDigest: before })
    expect([r.ok, r.remaining]).toEqual([true, 0])
  })
})

describe('multiRead', () => {
  it('answers each part alone, and mixes results with errors', () => {
    const client = new MemoryServer().connect()
    client.call(OpCode.create, create('/a', { data: Buffer.from('A') }))
    client.call(OpCode.create, create('/null', { data: null }))
    const reply = client.call(
      OpCode.multiRead,
      multi([
        [OpCode.getData, getData('/a')],
        [OpCode.getChildren, getChildren('/none')],
        [OpCode.getData, getData('/null')],
        [OpCode.getChildren, getChildren('/zookeeper')],
      ]),
    )
    const zxid = client.server.member.tree.lastProcessedZxid
    expect(reply).toMatchObject({ err: Err.ok, zxid })
    expect(partsOf(reply)).toMatchObject([
      { type: OpCode.getData, err: 0, data: 'A', stat: { dataLength: 1 } },
      { type: OpCode.error, err: Err.noNode },
      { type: OpCode.getData, err: 0, data: undefined },
      { type: OpCode.getChildren, err: 0, children: ['quota', 'config'] },
    ])
  })

  it('asks for READ part by part', () => {
    const client = new MemoryServer().connect()
    const acl = [{ perms: 2, id: { scheme: 'world', id: 'anyone' } }]
    client.call(OpCode.create, create('/closed', { acl }))
    const parts = multi([
      [OpCode.getData, getData('/closed')],
      [OpCode.getChildren, getChildren('/closed')],
      [OpCode.getData, getData('/')],
    ])
    const errs = partsOf(client.call(OpCode.multiRead, parts)).map(({ err }) => err)
    expect(errs).toEqual([Err.noAuth, Err.noAuth, Err.ok])
  })

  it('sets no watch, whatever the flag of a part says', () => {
    const client = new MemoryServer().connect()
    client.call(
      OpCode.multiRead,
      multi([
        [OpCode.getData, getData('/', true)],
        [OpCode.getChildren, getChildren('/', true)],
      ]),
    )
    expect(client.server.member.watches.table.watchCount).toBe(0)
  })

  it.each<[string, Body]>([
    [
      'a write',
      multi([
        [OpCode.getData, getData('/')],
        [OpCode.delete, remove('/a')],
      ]),
    ],
    ['another read', multi([[OpCode.exists, exists('/')]])],
    ['no end', shortened(multi([[OpCode.getData, getData('/')]]), 9)],
  ])('is refused as a whole for %s', (_, body) => {
    const reply = new MemoryServer().connect().call(OpCode.multiRead, body)
    expect(reply.err).toBe(Err.marshallingError)
    expect(reply.body.remaining).toBe(0)
  })

  it('gives up where one node asked for many times would fill the memory', () => {
    const limits = { replyBytesPause: 1000, replyBytesMax: 4000, frameBytesMax: 3000 }
    const client = new MemoryServer({ limits }).connect()
    client.call(OpCode.create, create('/a', { data: Buffer.alloc(1500) }))
    const times = (count: number): Body =>
      multi(Array.from({ length: count }, () => [OpCode.getData, getData('/a')] as const))
    expect(partsOf(client.call(OpCode.multiRead, times(2)))).toHaveLength(2)
    expect(client.call(OpCode.multiRead, times(4)).err).toBe(Err.badArguments)
    expect(client.call(OpCode.ping, undefined, -2).err).toBe(Err.ok)
  })
})
