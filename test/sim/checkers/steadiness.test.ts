import { describe, expect, it } from 'vitest'
import { Steadiness } from './steadiness.ts'

const leadAll = (steadiness: Steadiness, times: readonly number[]): void => {
  for (const [index, at] of times.entries()) steadiness.onLeadership('m1', index + 1, at)
}

describe('steady leadership', () => {
  it('finds one leadership after the other while nothing is done to anybody', () => {
    const steadiness = new Steadiness()
    steadiness.onCalm(500)
    leadAll(steadiness, [600, 700, 800, 900])
    expect(() => leadAll(steadiness, [1000])).toThrow(
      /steady leadership: all has been calm since 500/,
    )
  })

  it('counts none that begin while something is done to somebody', () => {
    const steadiness = new Steadiness()
    leadAll(steadiness, [600, 700, 800, 900, 1000])
    steadiness.onCalm(1000)
    leadAll(steadiness, [1100, 1200, 1300, 1400])
  })

  it('counts none that ends because its epoch is used up', () => {
    const steadiness = new Steadiness()
    steadiness.onCalm(0)
    for (const at of [100, 200, 300, 400, 500, 600]) {
      leadAll(steadiness, [at])
      steadiness.onUsedUp()
    }
    leadAll(steadiness, [700, 800, 900, 1000])
    expect(() => leadAll(steadiness, [1100])).toThrow(/steady leadership/)
  })
})
