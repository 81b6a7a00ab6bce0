import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Err } from '../../../../src/data/error-code.ts'
import { ExpiryQueue } from '../../../../src/server/sessions/expiry-queue.ts'
import { SessionGatekeeper } from '../../../../src/server/sessions/session-gatekeeper.ts'
import { LOCAL_OWNER, SessionTracker } from '../../../../src/server/sessions/session-tracker.ts'

interface Item {
  readonly name: string
  expiresMono: number
}
const item = (name: string): Item => ({ name, expiresMono: 0 })
const namesOf = (items: readonly Item[]): string[] => items.map(({ name }) => name)

describe('a queue of deadlines', () => {
  it.each([
    [0, 1000],
    [999, 1000],
    [999.9, 1000],
    // On the edge of a bucket the next one: strictly above (spec 05 §8).
    [1000, 2000],
    [5500, 6000],
  ])('rounds a deadline of %d ms up to %d', (deadline, end) => {
    const queue = new ExpiryQueue<Item>(1000)
    const one = item('one')
    queue.touch(one, deadline)
    expect(one.expiresMono).toBe(end)
    expect(queue.takeExpired(end - 1)).toEqual([])
    expect(queue.takeExpired(end)).toEqual([one])
    expect(one.expiresMono).toBe(0)
    expect(queue.takeExpired(end)).toEqual([])
  })

  it('moves what is touched, to later and to earlier, and forgets what is removed', () => {
    const queue = new ExpiryQueue<Item>(1000)
    const [late, early, gone] = [item('late'), item('early'), item('gone')]
    queue.touch(late, 500)
    queue.touch(late, 3500)
    queue.touch(early, 3500)
    queue.touch(early, 1500)
    queue.touch(gone, 500)
    queue.remove(gone)
    queue.remove(gone)
    expect(namesOf(queue.takeExpired(1000))).toEqual([])
    expect(namesOf(queue.takeExpired(2000))).toEqual(['early'])
    expect(namesOf(queue.takeExpired(10_000))).toEqual(['late'])
    queue.touch(gone, 10_000)
    expect(namesOf(queue.takeExpired(11_000))).toEqual(['gone'])
  })

  it('does what a list of deadlines does', () => {
    const step = fc.record({
      what: fc.constantFrom('touch', 'touch', 'remove', 'pass'),
      which: fc.nat(4),
      ms: fc.nat(3000),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = new ExpiryQueue<Item>(700)
        const items = Array.from({ length: 5 }, (_, n) => item(`${n}`))
        const ends = new Map<Item, number>()
        let now = 0
        for (const { what, which, ms } of steps) {
          const one = items[which]
          if (one === undefined) continue
          if (what === 'touch') {
            queue.touch(one, now + ms)
            ends.set(one, (Math.floor((now + ms) / 700) + 1) * 700)
          } else if (what === 'remove') {
            queue.remove(one)
            ends.delete(one)
          } else {
            now += ms
            const due = [...ends].filter(([, end]) => end <= now).map(([due]) => due)
            for (const one of due) ends.delete(one)
            expect(new Set(queue.takeExpired(now))).toEqual(new Set(due))
          }
        }
      }),
      { numRuns: 200 },
    )
  })
})

describe('a session tracker', () => {
  it('gives out ids one after the other, but not those that are in use', () => {
    const tracker = new SessionTracker(100n, 2000)
    tracker.track(101n, 4000, 0)
    tracker.track(102n, 4000, 0)
    expect([tracker.newId(), tracker.newId(), tracker.newId()]).toEqual([100n, 103n, 104n])
  })

  it('passes over the owner of containers', () => {
    const container = -(2n ** 63n)
    expect(new SessionTracker(container, 2000).newId()).toBe(container + 1n)
  })

  it('returns each expired session once, and gives a touched one its full timeout', () => {
    const tracker = new SessionTracker(1n, 1000)
    const [a, b] = [tracker.track(1n, 2500, 0), tracker.track(2n, 2500, 0)]
    tracker.touch(a, 1600)
    expect(tracker.takeExpired(2999)).toEqual([])
    expect(tracker.takeExpired(3000)).toEqual([b])
    expect(tracker.takeExpired(4999)).toEqual([])
    expect(tracker.takeExpired(5000)).toEqual([a])
    expect(tracker.count).toBe(2)
  })

  it('takes over a new timeout of a known session', () => {
    const tracker = new SessionTracker(1n, 1000)
    const session = tracker.track(1n, 9500, 0)
    expect(tracker.track(1n, 1500, 0)).toBe(session)
    tracker.touch(session, 1000)
    expect(tracker.takeExpired(3000)).toEqual([session])
    expect(tracker.count).toBe(1)
  })

  it('lets no touch revive a session that is closing', () => {
    const tracker = new SessionTracker(1n, 1000)
    const session = tracker.track(1n, 1500, 0)
    tracker.setClosing(1n)
    tracker.touch(session, 500)
    expect(tracker.takeExpired(100_000)).toEqual([])
    tracker.remove(1n)
    expect([tracker.count, tracker.get(1n)]).toEqual([0, undefined])
    tracker.setClosing(1n)
    tracker.remove(1n)
  })

  it('forgets the deadline of a session that is gone', () => {
    const tracker = new SessionTracker(1n, 1000)
    tracker.track(1n, 1500, 0)
    tracker.remove(1n)
    expect(tracker.takeExpired(100_000)).toEqual([])
  })
})

describe('the gate that prep asks', () => {
  it('is open to live sessions only', () => {
    const tracker = new SessionTracker(1n, 1000)
    const gate = new SessionGatekeeper(tracker)
    tracker.track(1n, 1500, 0)
    const check = (sessionId: bigint, owner = LOCAL_OWNER): Err => gate.check({ sessionId, owner })
    expect([check(1n), check(2n)]).toEqual([Err.ok, Err.sessionExpired])
    gate.setClosing(1n)
    expect(check(1n)).toBe(Err.sessionExpired)
  })

  it('lets the requests of a session come by one way, the first or where its client went', () => {
    const tracker = new SessionTracker(1n, 1000)
    const gate = new SessionGatekeeper(tracker)
    const session = tracker.track(1n, 1500, 0)
    const check = (owner: number): Err => gate.check({ sessionId: 1n, owner })
    expect([check(7), check(7), check(LOCAL_OWNER)]).toEqual([Err.ok, Err.ok, Err.sessionMoved])
    session.owner = LOCAL_OWNER
    expect([check(LOCAL_OWNER), check(7)]).toEqual([Err.ok, Err.sessionMoved])
    tracker.rearm(0)
    expect(check(7)).toBe(Err.ok)
  })
})
