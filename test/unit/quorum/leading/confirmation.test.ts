import { describe, expect, it } from 'vitest'
import { Confirmation } from '../../../../src/quorum/leading/confirmation.ts'
import type { LearnerHandler } from '../../../../src/quorum/leading/learner-handler.ts'
import { membershipOf } from '../../../support/ensemble-shape.ts'

const five = { voters: [1, 2, 3, 4, 5] }
/** Followers that have confirmed these rounds, by sid from 2 on. */
const followers = (...rounds: readonly number[]): readonly LearnerHandler[] =>
  rounds.map((confirmedRound, index) => {
    const seen: object = { sid: index + 2, pings: { confirmedRound } }
    return seen as LearnerHandler
  })

/** Of member 1 of five, when so many rounds have been asked for. */
function asked(rounds: number): Confirmation {
  const confirmation = new Confirmation(membershipOf(1, five))
  for (let round = 1; round <= rounds; round += 1) {
    expect(confirmation.want()).toBe(round)
    expect(confirmation.begin()).toBe(round)
  }
  return confirmation
}

describe('a round of confirmation', () => {
  it('is asked for once, however many want it', () => {
    const confirmation = new Confirmation(membershipOf(1, five))
    expect(confirmation.begin()).toBeUndefined()
    expect([confirmation.want(), confirmation.want()]).toEqual([1, 1])
    expect([confirmation.begin(), confirmation.begin()]).toEqual([1, undefined])
    expect(confirmation.want()).toBe(2)
  })

  it('is confirmed by a quorum, the leader among it', () => {
    const confirmation = asked(1)
    expect(confirmation.confirm(1, followers(1))).toBeUndefined()
    expect(confirmation.owed).toBe(1)
    expect(confirmation.confirm(1, followers(1, 0, 1))).toBe(1)
    expect(confirmation.owed).toBeUndefined()
  })

  it('that is later confirms those before, as far as a quorum has come', () => {
    const confirmation = asked(3)
    expect(confirmation.confirm(3, followers(3, 2, 1))).toBe(2)
    expect(confirmation.confirm(2, followers(3, 2, 1))).toBeUndefined()
    expect(confirmation.owed).toBe(3)
    expect(confirmation.confirm(3, followers(3, 3, 1))).toBe(3)
  })
})
