import { describe, expect, it } from 'vitest'
import { Err } from '../../../../src/data/error-code.ts'
import { SessionGatekeeper } from '../../../../src/server/sessions/session-gatekeeper.ts'
import { Session, type SessionTracker } from '../../../../src/server/sessions/session-tracker.ts'

function gateTo(...sessions: readonly Session[]): SessionGatekeeper {
  const byId = new Map(sessions.map((session) => [session.id, session]))
  const tracker: object = { get: (id: bigint) => byId.get(id) }
  return new SessionGatekeeper(tracker as SessionTracker)
}

describe('whether a session may write', () => {
  it('is no where nobody knows it, or it is about to end', () => {
    const ending = new Session(2n, 1000)
    ending.closing = true
    const gate = gateTo(ending)
    expect(gate.check({ sessionId: 1n, owner: 0 })).toBe(Err.sessionExpired)
    expect(gate.check({ sessionId: 2n, owner: 0 })).toBe(Err.sessionExpired)
    expect(ending.owner).toBeUndefined()
  })

  it('is settled by the first request: what comes another way is too late', () => {
    const session = new Session(1n, 1000)
    const gate = gateTo(session)
    const check = (owner: number): Err => gate.check({ sessionId: 1n, owner })
    expect([check(5), check(5), check(0)]).toEqual([Err.ok, Err.ok, Err.sessionMoved])
    session.owner = 0
    expect([check(0), check(5)]).toEqual([Err.ok, Err.sessionMoved])
  })
})
