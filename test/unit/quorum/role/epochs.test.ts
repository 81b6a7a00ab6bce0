import { expect, it } from 'vitest'
import { acceptEpoch, enterEpoch } from '../../../../src/quorum/role/epochs.ts'
import { rolePartsOf } from '../../../support/role-parts.ts'

const keeper = (): ReturnType<typeof rolePartsOf> =>
  rolePartsOf({ voters: [1, 2, 3] }, { accepted: 3, current: 2 })

it('an epoch is promised, then entered, and each goes to its file', () => {
  const parts = keeper()
  acceptEpoch(parts, 5)
  expect(parts.epochs).toEqual({ accepted: 5, current: 2 })
  enterEpoch(parts, 5)
  expect(parts.epochs).toEqual({ accepted: 5, current: 5 })
  parts.replica.flush()
  expect(parts.replica.disk).toMatchObject({ acceptedEpoch: 5, currentEpoch: 5 })
})

it('a promise is never taken back, nor made twice', () => {
  for (const epoch of [2, 3]) expect(() => acceptEpoch(keeper(), epoch)).toThrow('after 3')
})

it('an epoch is entered that was promised, and none before it', () => {
  expect(() => enterEpoch(keeper(), 2)).toThrow('has accepted 3')
  expect(() => enterEpoch(keeper(), 4)).toThrow('has accepted 3')
  expect(() => enterEpoch(keeper(), 1)).toThrow('after 2')
})
