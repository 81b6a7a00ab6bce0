import { describe, expect, it } from 'vitest'
import { AckWatch } from '../../../../src/quorum/role/ack-watch.ts'

describe('the watch over acks', () => {
  it('counts from the oldest that is not acked', () => {
    const watch = new AckWatch()
    expect(watch.waitedMs(900)).toBe(0)
    watch.onSent(1, 1000)
    watch.onSent(2, 2000)
    expect(watch.waitedMs(5000)).toBe(4000)
    watch.onAck(1)
    expect(watch.waitedMs(5000)).toBe(3000)
    watch.onAck(2)
    expect(watch.waitedMs(5000)).toBe(0)
    watch.onSent(3, 6000)
    expect(watch.waitedMs(7000)).toBe(1000)
  })

  it('is not misled by acks of what was sent long ago, or by one for several', () => {
    const watch = new AckWatch()
    watch.onSent(5, 1000)
    watch.onAck(4)
    expect(watch.waitedMs(2000)).toBe(1000)
    watch.onSent(6, 1500)
    watch.onSent(7, 1800)
    watch.onAck(7)
    expect(watch.waitedMs(2000)).toBe(0)
  })

  it('remembers of those behind the oldest only the newest', () => {
    const watch = new AckWatch()
    watch.onSent(1, 1000)
    watch.onSent(2, 2000)
    watch.onSent(3, 3000)
    watch.onAck(1)
    expect(watch.waitedMs(4000)).toBe(1000)
  })
})
