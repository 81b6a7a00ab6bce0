import { describe, expect, it } from 'vitest'
import { NOT_TIMED, ONE_IN, StageTimer } from '../../../../src/server/stats/stage-timer.ts'

describe('the timer of stages', () => {
  it('times the first of so many, and reads the clock for no other', () => {
    let readings = 0
    const timer = new StageTimer(() => {
      readings += 1
      return 5
    })
    const begun = Array.from({ length: 2 * ONE_IN }, () => timer.begin())
    expect(begun.flatMap((began, at) => (began === NOT_TIMED ? [] : [at]))).toEqual([0, ONE_IN])
    expect(readings).toBe(2)
    expect(timer.end(NOT_TIMED, { add: () => expect.unreachable() })).toBe(NOT_TIMED)
    expect(readings).toBe(2)
  })

  it('tells whole milliseconds apart, and the end of a stage begins the next', () => {
    const clock = [1.9, 2.1, 4.9]
    const added: number[] = []
    const timer = new StageTimer(() => clock.shift() ?? 0)
    const metric = { add: (ms: number) => added.push(ms) }
    timer.end(timer.end(timer.beginTimed(), metric), metric)
    expect(added).toEqual([1, 2])
  })
})
