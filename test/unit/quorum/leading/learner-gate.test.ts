import { describe, expect, it } from 'vitest'
import { EPOCH_MAX, makeZxid } from '../../../../src/data/zxid.ts'
import { LearnerGate } from '../../../../src/quorum/leading/learner-gate.ts'
import type { LearnerHandler } from '../../../../src/quorum/leading/learner-handler.ts'
import { rolePartsOf, type TestParts } from '../../../support/role-parts.ts'

const EPOCH = 5
const shape = { voters: [1, 2, 3], observers: [9] }

function gate(): { gate: LearnerGate; parts: TestParts } {
  const parts = rolePartsOf(shape, { accepted: EPOCH, current: EPOCH })
  return { gate: new LearnerGate(parts), parts }
}

const learner = (said: Partial<LearnerHandler>): LearnerHandler => {
  const it: object = { sid: 2, role: 'participant', acceptedEpoch: EPOCH, peerZxid: 0, ...said }
  return it as LearnerHandler
}
const votesFor = (parts: TestParts, sid: number, epoch: number): void =>
  parts.standing.onVote(sid, { leader: sid, zxid: makeZxid(epoch, 1), peerEpoch: epoch })

describe('who is let in', () => {
  it('is a member of the configuration, or an observer from anywhere', () => {
    const refusal = (said: Partial<LearnerHandler>): unknown => gate().gate.refusalOf(learner(said))
    expect(refusal({})).toBeUndefined()
    expect(refusal({ sid: 7 })).toBe('it is not in the configuration')
    expect(refusal({ sid: 7, role: 'observer', acceptedEpoch: EPOCH_MAX })).toBeUndefined()
  })

  it('is nobody who claims an epoch that no elections can have led to', () => {
    const jumpMax = Math.floor((EPOCH_MAX - EPOCH) / 256)
    const claims = [jumpMax, jumpMax + 1].map((jump) =>
      gate().gate.refusalOf(learner({ acceptedEpoch: EPOCH + jump })),
    )
    expect(claims).toEqual([undefined, 'its accepted epoch is implausible'])
  })
})

describe('room for a later promise', () => {
  it('is made for a member whose history ends in our epoch, once in a while', () => {
    const { gate: it, parts } = gate()
    votesFor(parts, 2, EPOCH)
    const pauseMs = 2 * parts.settings.initLimitMs
    expect(it.makesRoom(2, EPOCH, 0)).toBe(true)
    expect([pauseMs - 1, pauseMs].map((now) => it.makesRoom(2, EPOCH, now))).toEqual([false, true])
  })

  it('is made for nobody whose history is not known, or goes on beyond it', () => {
    const { gate: it, parts } = gate()
    expect(it.makesRoom(2, EPOCH, 0)).toBe(false)
    expect(it.outsiders(0)).toEqual([])
    votesFor(parts, 2, EPOCH + 1)
    expect(it.makesRoom(2, EPOCH, 0)).toBe(false)
    expect(it.outsiders(0)).toEqual([2])
  })

  it('is made for nobody while another stays out, who might win the election', () => {
    const { gate: it, parts } = gate()
    votesFor(parts, 2, EPOCH)
    const outside = learner({ sid: 3, peerZxid: makeZxid(EPOCH + 1, 1) })
    expect(it.isOutside(outside, EPOCH, EPOCH, 100)).toBe(true)
    const recentMs = 2 * parts.settings.initLimitMs
    expect(it.makesRoom(2, EPOCH, 100 + recentMs)).toBe(false)
    expect(it.makesRoom(2, EPOCH, 101 + recentMs)).toBe(true)
  })

  it('is not kept back by an observer that stays out', () => {
    const { gate: it } = gate()
    const outside = learner({ sid: 9, role: 'observer', peerZxid: makeZxid(EPOCH + 1, 1) })
    expect(it.isOutside(outside, EPOCH, EPOCH, 0)).toBe(true)
    expect(it.outsiders(0)).toEqual([])
  })
})
