import { describe, expect, it } from 'vitest'
import { Leadership } from '../../../../src/quorum/leading/leadership.ts'
import { LearnerPatience } from '../../../../src/quorum/leading/learner-patience.ts'

const LIMIT = 1000

/** A learner whose link holds back so many bytes, heard of at 0. */
function watched(): { patience: LearnerPatience; at(mono: number, waitingBytes?: number): void } {
  const leadership = new Leadership(0)
  let waiting = 0
  const link = {
    dial: () => 1,
    send: () => {},
    close: () => {},
    pause: () => {},
    waitingBytes: () => waiting,
  }
  const patience = new LearnerPatience(1, link, leadership)
  const at = (mono: number, waitingBytes = 0): void => {
    leadership.mono = mono
    waiting = waitingBytes
  }
  return { patience, at }
}

describe('a leader waits for a learner', () => {
  it('until it has been silent for longer than the limit', () => {
    const { patience, at } = watched()
    at(LIMIT)
    expect([patience.overdueBefore(LIMIT), patience.overdueServing(LIMIT)]).toEqual([
      undefined,
      undefined,
    ])
    at(LIMIT + 1)
    expect(patience.overdueBefore(LIMIT)).toBe('silent before it joined')
    expect(patience.overdueServing(LIMIT)).toBe('silent')
    patience.onHeard()
    expect([patience.overdueBefore(LIMIT), patience.overdueServing(LIMIT)]).toEqual([
      undefined,
      undefined,
    ])
  })

  it('as long as it takes what it is sent, though it says nothing', () => {
    const { patience, at } = watched()
    at(0, 900)
    patience.onMoved()
    for (const [mono, waiting] of [
      [800, 600],
      [1600, 300],
    ] as const) {
      at(mono, waiting)
      expect([patience.overdueInSync(LIMIT), patience.overdueServing(LIMIT)]).toEqual([
        undefined,
        undefined,
      ])
    }
    at(2601, 300)
    expect(patience.overdueInSync(LIMIT)).toBe('stuck while it synchronised')
    expect(patience.overdueServing(LIMIT)).toBe('silent')
  })

  it('for the ack of a PROPOSAL, though it answers pings', () => {
    const { patience, at } = watched()
    patience.onProposed(1)
    at(900)
    patience.onHeard()
    at(LIMIT + 1)
    expect(patience.overdueServing(LIMIT)).toBe('a PROPOSAL is not acked')
    expect(patience.onAck(1, true)).toBe(LIMIT + 1)
    expect(patience.overdueServing(LIMIT)).toBeUndefined()
    expect(patience.onAck(1, false)).toBeUndefined()
  })

  it('and does not count the time in which it stood still itself', () => {
    const { patience, at } = watched()
    patience.onProposed(1)
    at(3000)
    patience.onPaused(2500)
    expect([patience.overdueServing(LIMIT), patience.overdueInSync(LIMIT)]).toEqual([
      undefined,
      undefined,
    ])
    at(3501)
    expect(patience.overdueInSync(LIMIT)).toBe('stuck while it synchronised')
  })
})
