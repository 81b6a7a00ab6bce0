import { expect, it } from 'vitest'
import { ClosingPaths } from '../../../../src/server/writes/closing-paths.ts'
import { TxnBound } from '../../../../src/server/writes/txn-bound.ts'

it('takes the ephemerals of a session in as many txns as they need, each once', () => {
  // Two frames of 200 bytes: what is left beside header and digest holds a few of these paths.
  const closing = new ClosingPaths(new TxnBound(200))
  const paths = Array.from({ length: 25 }, (_, at) => `/parent/${String(at).padStart(12, '0')}`)
  let asked = 0
  const all = (): readonly string[] => {
    asked += 1
    return paths
  }
  const taken = [closing.take(all)]
  while (closing.hasMore) taken.push(closing.take(all))
  expect([taken.flat(), asked]).toEqual([paths, 1])
  // In a multi each takes 12 bytes more, in the last txn 4: 400 - 48 bytes.
  expect(taken.map(({ length }) => length)).toEqual([11, 14])
})

it('has nothing left of one session when the next ends', () => {
  const closing = new ClosingPaths(new TxnBound(1000))
  expect(closing.take(() => ['/a', '/b'])).toEqual(['/a', '/b'])
  expect(closing.hasMore).toBe(false)
  expect(closing.take(() => [])).toEqual([])
  expect(closing.take(() => ['/c'])).toEqual(['/c'])
})
