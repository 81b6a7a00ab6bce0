import { expect, it } from 'vitest'
import { CnxnCounts } from '../../../../src/server/clients/cnxn-counts.ts'

it('counts sockets in all and of one address, until each is gone, once', () => {
  const counts = new CnxnCounts()
  counts.onOpened(1, 'a')
  counts.onOpened(2, 'a')
  counts.onOpened(3, 'b')
  const seen = (): number[] => [counts.total, counts.ofAddress('a'), counts.ofAddress('b')]
  expect(seen()).toEqual([3, 2, 1])
  counts.onGone(1)
  counts.onGone(1)
  expect(seen()).toEqual([2, 1, 1])
  counts.onGone(3)
  counts.onGone(2)
  expect(seen()).toEqual([0, 0, 0])
})
