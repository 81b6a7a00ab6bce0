import { describe, expect, it } from 'vitest'
import { PingCount } from '../../../../src/quorum/leading/ping-count.ts'

describe('PINGs of one link', () => {
  it('confirm a round with the answer to the PING that asked for it', () => {
    const pings = new PingCount(10)
    pings.onPing()
    pings.onRoundPing(1)
    pings.onPing()
    pings.onRoundPing(2)
    const confirmed = [1, 2, 3, 4].map(() => {
      expect(pings.onAnswer()).toBe(true)
      return pings.confirmedRound
    })
    expect(confirmed).toEqual([0, 1, 1, 2])
  })

  it('are not answered more often than they were sent', () => {
    const pings = new PingCount(10)
    expect(pings.onAnswer()).toBe(false)
    pings.onRoundPing(1)
    expect([pings.onAnswer(), pings.onAnswer()]).toEqual([true, false])
  })

  it('stop at the bound, and the newest round that was left out is owed', () => {
    const pings = new PingCount(2)
    expect([pings.onPing(), pings.onPing(), pings.onPing()]).toEqual([true, true, false])
    expect([pings.onRoundPing(1), pings.onRoundPing(2)]).toEqual([false, false])
    expect(pings.takeOwedRound()).toBeUndefined()
    pings.onAnswer()
    expect(pings.takeOwedRound()).toBe(2)
    expect(pings.takeOwedRound()).toBeUndefined()
    expect(pings.confirmedRound).toBe(0)
  })
})
