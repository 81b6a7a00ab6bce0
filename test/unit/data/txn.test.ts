import fc from 'fast-check'
import { JuteReader, JuteWriter } from 'jute-ts'
import { describe, expect, it } from 'vitest'
import { OpCode } from '../../../src/data/op-code.ts'
import { encodeTxn, readTxn, type SubTxn, type Txn } from '../../../src/data/txn.ts'

const text = fc.string({ maxLength: 8 })
const nodePath = text.map((name) => `/${name}`)
const data = fc.option(fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)))
const int = fc.integer()
const acl = fc.array(fc.record({ perms: int, id: fc.record({ scheme: text, id: text }) }), {
  maxLength: 3,
})
const made = { path: text, data, acl, parentCVersion: int }
const no = fc.constant(false)
const zero = fc.constant(0n)

const sub: fc.Arbitrary<SubTxn> = fc.oneof(
  fc.record({
    type: fc.constantFrom(OpCode.create, OpCode.create2),
    ...made,
    ephemeral: fc.boolean(),
    ttl: zero,
  }),
  fc.record({ type: fc.constant(OpCode.createContainer), ...made, ephemeral: no, ttl: zero }),
  fc.record({
    type: fc.constant(OpCode.createTTL),
    ...made,
    ephemeral: no,
    ttl: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
  }),
  fc.record({ type: fc.constantFrom(OpCode.delete, OpCode.deleteContainer), path: text }),
  fc.record({
    type: fc.constantFrom(OpCode.setData, OpCode.reconfig),
    path: text,
    data,
    version: int,
  }),
  fc.record({ type: fc.constant(OpCode.check), path: text, version: int }),
  fc.record({ type: fc.constant(OpCode.error), err: int }),
)
const anyTxn: fc.Arbitrary<Txn> = fc.oneof(
  { weight: 3, arbitrary: sub },
  fc.record({ type: fc.constant(OpCode.setACL), path: text, acl, version: int }),
  fc.record({ type: fc.constant(OpCode.createSession), timeOut: int }),
  fc.record({
    type: fc.constant(OpCode.closeSession),
    paths2Delete: fc.option(fc.array(nodePath, { maxLength: 3 }), { nil: undefined }),
  }),
  fc.record({ type: fc.constant(OpCode.multi), txns: fc.array(sub, { maxLength: 4 }) }),
)

const digest = Buffer.from('000000020102030405060708', 'hex')

describe('a txn', () => {
  it('comes back as it was written, and the reader stands behind it', () => {
    fc.assert(
      fc.property(anyTxn, fc.boolean(), (txn, hasDigest) => {
        const body = encodeTxn(txn)
        const r = new JuteReader(hasDigest ? Buffer.concat([body, digest]) : body)
        expect(readTxn(r, txn.type)).toEqual(txn)
        expect([r.ok, r.remaining]).toEqual([true, hasDigest ? 12 : 0])
      }),
      { numRuns: 500 },
    )
  })

  it('that is cut short is not taken for a whole one', () => {
    fc.assert(
      fc.property(anyTxn, fc.nat(), (txn, cut) => {
        const body = encodeTxn(txn)
        fc.pre(body.length > 0)
        const kept = cut % body.length
        // A closeSession of 3.5 has nothing or a digest, and a create of 3.3 has no last int.
        fc.pre(!(txn.type === OpCode.closeSession && (kept === 0 || kept === 12)))
        const isCreate = txn.type === OpCode.create || txn.type === OpCode.create2
        fc.pre(!(isCreate && kept >= body.length - 4))
        const r = new JuteReader(body.subarray(0, kept))
        const read = readTxn(r, txn.type)
        expect(read === undefined || !r.ok).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  it.each([0, 3, 11, 22, 100, -12])('of type %d can be in no log', (type) => {
    expect(readTxn(new JuteReader(Buffer.alloc(40)), type)).toBeUndefined()
  })

  it('inside a multi may not be one of those that stand alone', () => {
    for (const type of [OpCode.setACL, OpCode.createSession, OpCode.multi]) {
      const w = new JuteWriter()
      w.writeInt(1)
      w.writeInt(type)
      w.writeBuffer(Buffer.alloc(20))
      expect(readTxn(new JuteReader(w.copy()), OpCode.multi)).toBeUndefined()
    }
  })
})

describe('a create from before 3.4', () => {
  it('ends after the flag: its parent counts for itself', () => {
    const txn: Txn = {
      type: OpCode.create,
      path: '/a',
      data: null,
      acl: [],
      ephemeral: true,
      parentCVersion: 5,
      ttl: 0n,
    }
    const r = new JuteReader(encodeTxn(txn).subarray(0, -4))
    expect(readTxn(r, OpCode.create)).toEqual({ ...txn, parentCVersion: -1 })
    expect([r.ok, r.remaining]).toEqual([true, 0])
  })
})

describe('a closeSession', () => {
  const closed = (paths2Delete: string[] | undefined): Txn => ({
    type: OpCode.closeSession,
    paths2Delete,
  })

  it.each([
    ['no body', Buffer.alloc(0), undefined, 0],
    ['no body but a digest', digest, undefined, 12],
    ['an empty list', encodeTxn(closed([])), [], 0],
    ['an empty list and a digest', Buffer.concat([encodeTxn(closed([])), digest]), [], 12],
    // As long as a digest, and no digest.
    ['a list of twelve bytes', encodeTxn(closed(['/abc'])), ['/abc'], 0],
    ['a list that begins like a digest', encodeTxn(closed(['/a', '/b'])), ['/a', '/b'], 0],
  ])('with %s', (_, bytes, paths2Delete, remaining) => {
    const r = new JuteReader(bytes)
    expect(readTxn(r, OpCode.closeSession)).toEqual({ type: OpCode.closeSession, paths2Delete })
    expect([r.ok, r.remaining]).toEqual([true, remaining])
  })
})

describe('a failed multi', () => {
  it('may hold bodies of old types behind parts that are errors now (spec 07)', () => {
    const body = encodeTxn({ type: OpCode.delete, path: '/nine-byte' })
    const w = new JuteWriter()
    w.writeInt(2)
    for (const [type, bytes] of [
      [OpCode.error, body],
      [OpCode.error, encodeTxn({ type: OpCode.error, err: -101 })],
    ] as const) {
      w.writeInt(type)
      w.writeBuffer(bytes)
    }
    w.writeBytes(digest)
    const r = new JuteReader(w.copy())
    expect(readTxn(r, OpCode.multi)).toEqual({
      type: OpCode.multi,
      txns: [
        { type: OpCode.error, err: 10 },
        { type: OpCode.error, err: -101 },
      ],
    })
    expect([r.ok, r.remaining]).toEqual([true, 12])
  })

  it.each([
    ['a part longer than the rest', [1, OpCode.delete, 99]],
    ['a part of negative length', [1, OpCode.delete, -1]],
    ['more parts than bytes', [1000, OpCode.error, 4, -101]],
    ['a part shorter than its body', [1, OpCode.delete, 4, 1, 0]],
  ])('does not decode with %s', (_, ints) => {
    const w = new JuteWriter()
    for (const value of ints) w.writeInt(value)
    const r = new JuteReader(w.copy())
    readTxn(r, OpCode.multi)
    expect(r.ok).toBe(false)
  })
})
