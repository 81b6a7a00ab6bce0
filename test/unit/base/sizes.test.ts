import { expect, it } from 'vitest'
import { SizeStats } from '../../../src/base/sizes.ts'

it('tells the last, the smallest and the largest, and -1 before the first', () => {
  const sizes = new SizeStats()
  const seen = (): number[] => [sizes.last, sizes.min, sizes.max]
  expect(seen()).toEqual([-1, -1, -1])
  for (const bytes of [5, 0, 9, 7]) sizes.add(bytes)
  expect(seen()).toEqual([7, 0, 9])
  sizes.reset()
  expect(seen()).toEqual([-1, -1, -1])
  sizes.add(3)
  expect(seen()).toEqual([3, 3, 3])
})
