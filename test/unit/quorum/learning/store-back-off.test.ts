import { expect, it } from 'vitest'
import { StoreBackOff } from '../../../../src/quorum/learning/store-back-off.ts'

it('waits twice as long after each failure, up to 16 s, and not at all after a success', () => {
  const backOff = new StoreBackOff()
  expect(backOff.isOver(0)).toBe(true)
  let now = 100
  for (const ms of [1000, 2000, 4000, 8000, 16_000, 16_000]) {
    backOff.onFailed(now)
    expect([now, now + ms - 1, now + ms].map((at) => backOff.isOver(at))).toEqual([
      false,
      false,
      true,
    ])
    now += ms
  }
  backOff.onFailed(now)
  backOff.onStored()
  expect(backOff.isOver(now)).toBe(true)
  backOff.onFailed(now)
  expect([backOff.isOver(now + 999), backOff.isOver(now + 1000)]).toEqual([false, true])
})
