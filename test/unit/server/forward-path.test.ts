import { describe, expect, it } from 'vitest'
import { ForwardPath } from '../../../src/server/forward-path.ts'

/** A forward path whose leader is told this. */
function toLeader(returningMax = 10): { path: ForwardPath; told: string[] } {
  const told: string[] = []
  const path = new ForwardPath(
    {
      forward: (session, cxid, op, body, ids) =>
        told.push(`REQUEST ${session} ${cxid} ${op} ${body.toString('hex')} ${ids}`),
      revalidate: (session, timeoutMs) => told.push(`REVALIDATE ${session} ${timeoutMs}`),
    },
    returningMax,
  )
  return { path, told }
}

describe('a session that comes back to a learner', () => {
  it('is let in when its REVALIDATE is answered and the sync behind it has come', () => {
    const { path, told } = toLeader()
    path.revalidate(5n, 4000)
    expect(told).toEqual(['REVALIDATE 5 4000', 'REQUEST 5 0 9 000000012f null'])
    expect(path.onRevalidated(5n, true)).toBe(undefined)
    expect(path.takeSynced()).toBe(5n)
    expect([path.takeSynced(), path.onRevalidated(5n, true)]).toEqual([undefined, undefined])
  })

  it('is let in whichever of them comes first', () => {
    const { path } = toLeader()
    path.revalidate(5n, 4000)
    expect(path.takeSynced()).toBe(undefined)
    expect(path.onRevalidated(5n, true)).toBe(true)
  })

  it('is refused at once when it is gone', () => {
    const { path } = toLeader()
    path.revalidate(5n, 4000)
    expect([path.onRevalidated(5n, false), path.takeSynced()]).toEqual([false, undefined])
  })

  it('is asked after once more when it has come again meanwhile, and only then let in', () => {
    const { path, told } = toLeader()
    path.revalidate(5n, 4000)
    path.revalidate(5n, 5000)
    path.revalidate(5n, 6000)
    expect(told.length).toBe(2)
    expect([path.onRevalidated(5n, true), path.takeSynced()]).toEqual([undefined, undefined])
    expect(told.slice(2)).toEqual(['REVALIDATE 5 6000', 'REQUEST 5 0 9 000000012f null'])
    expect([path.onRevalidated(5n, true), path.takeSynced()]).toEqual([undefined, 5n])
  })

  it('is one of so many at most', () => {
    const { path } = toLeader(2)
    path.revalidate(5n, 4000)
    expect(path.isBusy).toBe(false)
    path.revalidate(6n, 4000)
    expect(path.isBusy).toBe(true)
    expect(() => path.revalidate(7n, 4000)).toThrow('a session too many comes back')
    path.onRevalidated(5n, false)
    expect(path.isBusy).toBe(false)
  })
})
