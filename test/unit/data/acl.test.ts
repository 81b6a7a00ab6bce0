import fc from 'fast-check'
import { expect, test } from 'vitest'
import { aclKey, anyone, openAcl, Perms } from '../../../src/data/acl.ts'
import type { ACL } from '../../../src/data/records.ts'

const part = fc.oneof(fc.constantFrom('', 'a', ',', '1', '31,5,6,', '\0'), fc.string())
const entry: fc.Arbitrary<ACL> = fc.record({
  perms: fc.constantFrom(-1, 0, 1, 3, 31),
  id: fc.record({ scheme: part, id: part }),
})
const list = fc.array(entry, { maxLength: 4 })

test('the open list is everything for anyone', () => {
  expect(openAcl).toEqual([{ perms: 31, id: { scheme: 'world', id: 'anyone' } }])
  expect(openAcl[0]?.perms).toBe(Perms.all)
  expect(openAcl[0]?.id).toBe(anyone)
})

test('keys are equal for equal lists and for no others', () => {
  fc.assert(
    fc.property(list, list, (a, b) => {
      const same = JSON.stringify(a) === JSON.stringify(b)
      expect(aclKey(a) === aclKey(b)).toBe(same)
      expect(aclKey(structuredClone(a))).toBe(aclKey(a))
    }),
  )
})

test('a character cannot move from the scheme to the id unseen', () => {
  const one: ACL = { perms: 1, id: { scheme: 'ab', id: 'c' } }
  const other: ACL = { perms: 1, id: { scheme: 'a', id: 'bc' } }
  expect(aclKey([one])).not.toBe(aclKey([other]))
})
