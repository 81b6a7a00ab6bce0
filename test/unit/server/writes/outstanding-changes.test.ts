import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OpCode } from '../../../../src/data/op-code.ts'
import { nodeDigest } from '../../../../src/tree/digest.ts'
import { type Asker, Decider, digestOf, somebody, strayPaths } from '../../../support/decider.ts'
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

const other: Asker = { ...somebody, sessionId: 8n }
const ephemeral = { flags: 1 }

function closing(decider: Decider, asker: Asker = somebody): readonly string[] | undefined {
  const { txn } = decider.decide(OpCode.closeSession, undefined, asker)
  if (txn.type !== OpCode.closeSession) throw new Error(`txn type ${txn.type}`)
  return txn.paths2Delete === undefined ? undefined : [...txn.paths2Delete].sort()
}

describe('closeSession lists the ephemerals that the session will have', () => {
  it('those of the tree, and those on their way', () => {
    const decider = new Decider()
    decider.run(OpCode.create, create('/a', ephemeral))
    decider.run(OpCode.create, create('/theirs', ephemeral), other)
    decider.decide(OpCode.create, create('/b', ephemeral))
    decider.decide(OpCode.create, create('/their-second', ephemeral), other)
    decider.decide(OpCode.create, create('/stays'))
    expect(closing(decider)).toEqual(['/a', '/b'])
    decider.apply()
    expect([...(decider.tree.node('/')?.children ?? [])].sort()).toEqual([
      'stays',
      'their-second',
      'theirs',
      'zookeeper',
    ])
  })

  it('less those that are being deleted, and with one that is made anew', () => {
    const decider = new Decider()
    for (const path of ['/a', '/b']) decider.run(OpCode.create, create(path, ephemeral))
    for (const path of ['/a', '/b']) decider.decide(OpCode.delete, remove(path), other)
    decider.decide(OpCode.create, create('/b', ephemeral))
    expect(closing(decider)).toEqual(['/b'])
    decider.apply()
  })

  it('but not a node that somebody else has put in the place of one', () => {
    const decider = new Decider()
    for (const path of ['/a', '/b']) decider.run(OpCode.create, create(path, ephemeral))
    for (const path of ['/a', '/b']) decider.decide(OpCode.delete, remove(path), other)
    decider.decide(OpCode.create, create('/a'), other)
    decider.decide(OpCode.create, create('/b', ephemeral), other)
    expect(closing(decider)).toEqual([])
    decider.apply()
    expect(decider.tree.node('/a')?.ephemeralOwner).toBe(0n)
    expect(decider.tree.node('/b')?.ephemeralOwner).toBe(8n)
  })

  it('nothing of a multi that failed', () => {
    const decider = new Decider()
    decider.run(OpCode.create, create('/a', ephemeral))
    decider.decide(
      OpCode.multi,
      multi([
        [OpCode.create, create('/b', ephemeral)],
        [OpCode.delete, remove('/a')],
        [OpCode.check, check('/none')],
      ]),
    )
    expect(closing(decider)).toEqual(['/a'])
    decider.apply()
  })

  it('in a txn without a list, if so configured, and the tree knows them', () => {
    const decider = new Decider({ 'closeSessionTxn.enabled': 'false' })
    decider.run(OpCode.create, create('/a', ephemeral))
    decider.decide(OpCode.create, create('/b', ephemeral))
    expect(closing(decider)).toBeUndefined()
    decider.apply()
    expect(decider.tree.ephemeralsCount).toBe(0)
  })

  it('and ends the session for what comes behind', () => {
    const decider = new Decider()
    decider.decide(OpCode.closeSession)
    expect(decider.closing).toEqual([somebody.sessionId])
    expect(decider.refusal(OpCode.create, create('/late', ephemeral))).toBe(-112)
  })
})

describe('outstanding changes', () => {
  it('go when the tree has caught up, not before', () => {
    const decider = new Decider()
    for (let i = 0; i < 3; i += 1) decider.decide(OpCode.setData, setData('/', `${i}`, i))
    expect(decider.prep.changes.length).toBe(3)
    decider.apply(2)
    expect(decider.prep.changes.length).toBe(1)
    expect(decider.prep.changes.view('/')?.version).toBe(3)
    decider.apply()
    expect(decider.prep.changes.length).toBe(0)
    expect(decider.prep.changes.view('/')).toBe(decider.tree.node('/'))
  })

  it('of a refused request leave no trace', () => {
    const decider = new Decider()
    decider.decide(OpCode.create, create('/a'))
    const before = decider.prep.changes.digest.toBigInt()
    const { txn } = decider.decide(
      OpCode.multi,
      multi([
        [OpCode.setData, setData('/a', 'x')],
        [OpCode.setData, setData('/a', 'y')],
        [OpCode.create, create('/a/b')],
        [OpCode.delete, remove('/a/b')],
        [OpCode.create, create('/a')],
      ]),
    )
    expect(txn.type).toBe(OpCode.multi)
    expect(decider.prep.changes.digest.toBigInt()).toBe(before)
    expect(decider.prep.changes.view('/a')).toMatchObject({ version: 0, cversion: 0 })
    expect(decider.prep.changes.length).toBe(2)
    decider.apply()
  })
})

type Step = { readonly op: number; readonly body: Body; readonly asker: Asker } | number

const names = ['a', 'b', 'c']
const path = fc
  .array(fc.constantFrom(...names), { minLength: 1, maxLength: 3 })
  .map((parts) => `/${parts.join('/')}`)
const flags = fc.constantFrom(0, 0, 0, 1, 2, 3, 4)
const part = fc.oneof(
  fc.record({ path, flags }).map(({ path, flags }) => [1, create(path, { flags })] as const),
  path.map((at) => [OpCode.create2, create(at, { data: null })] as const),
  path.map((at) => [OpCode.createTTL, createTtl(at, 5n)] as const),
  path.map((at) => [OpCode.delete, remove(at)] as const),
  path.map((at) => [OpCode.setData, setData(at, 'ü')] as const),
  path.map((at) => [OpCode.check, check(at)] as const),
)
const write = fc.oneof(
  { weight: 8, arbitrary: part.filter(([op]) => op !== OpCode.check) },
  {
    weight: 3,
    arbitrary: fc
      .array(part, { maxLength: 4 })
      .map((parts) => [OpCode.multi, multi(parts)] as const),
  },
  { weight: 1, arbitrary: path.map((at) => [OpCode.setACL, setAcl(at, null)] as const) },
  {
    weight: 2,
    arbitrary: path.map(
      (at) => [7, setAcl(at, [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }])] as const,
    ),
  },
  { weight: 1, arbitrary: path.map((at) => [OpCode.deleteContainer, pathOnly(at)] as const) },
  { weight: 1, arbitrary: fc.constant([OpCode.closeSession, () => {}] as const) },
)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .tuple(write, fc.constantFrom(somebody, other))
      .map(([[op, body], asker]) => ({ op, body, asker })),
  },
  { weight: 1, arbitrary: fc.nat(4) },
)

const allPaths = names.flatMap((a) => [
  `/${a}`,
  ...names.flatMap((b) => [`/${a}/${b}`, ...names.map((c) => `/${a}/${b}/${c}`)]),
])

/** Asked of every node that there may be, as prep sees it: without an index. */
function ownedBy(decider: Decider, session: bigint): string[] {
  const suffixed = [...decider.tree.entries()].map(([path]) => path)
  const under = decider.prep.changes.paths()
  return [...new Set([...allPaths, ...suffixed, ...under])]
    .filter((at) => decider.prep.changes.view(at)?.ephemeralOwner === session)
    .sort()
}

describe('whatever is written, and whenever it is applied', () => {
  it.each([
    ['computes it', false],
    ['is told of it', true],
  ])('the tree has the digest that prep foresaw, be it that it %s', (_, takesHints) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const decider = new Decider({ extendedTypesEnabled: 'true' })
        decider.takesHints = takesHints
        for (const one of steps) {
          // A number: so many of the outstanding are applied, each compared with its digest.
          if (typeof one === 'number') decider.apply(one)
          else {
            decider.decide(one.op, one.body, one.asker)
            // A session that has ended comes back: the tests are about its nodes.
            decider.closing.length = 0
          }
          for (const { sessionId } of [somebody, other])
            expect(decider.prep.changes.ephemeralsOf(sessionId).sort()).toEqual(
              ownedBy(decider, sessionId),
            )
        }
        decider.apply()
        expect(decider.tree.digest.toBigInt()).toBe(digestOf(decider.tree))
        for (const [path, znode] of decider.tree.entries())
          expect(znode.digest).toBe(nodeDigest(path, znode))
        expect(strayPaths(decider.tree)).toEqual([])
        expect(decider.prep.changes.length).toBe(0)
        expect(decider.prep.changes.ownerCount).toBe(0)
      }),
      { numRuns: 200 },
    )
  })
})
