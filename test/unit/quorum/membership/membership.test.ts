import { describe, expect, it } from 'vitest'
import type { Configuration } from '../../../../src/quorum/membership/configuration.ts'
import { Membership } from '../../../../src/quorum/membership/membership.ts'
import {
  HierarchicalQuorum,
  MajorityQuorum,
} from '../../../../src/quorum/membership/quorum-verifier.ts'
import { configurationOf, membershipOf, withMoved } from '../../../support/ensemble-shape.ts'
import { addressOf } from '../../../support/memory-network.ts'

const three = { voters: [1, 2, 3], observers: [9] }
/** 1 goes, 4 and 5 come, 9 gets a vote. */
const next = configurationOf({ voters: [2, 3, 4, 5, 9] }, 7)

const isQuorum = (membership: Membership, ...sids: number[]): boolean =>
  membership.quorum.containsQuorum((sid) => sids.includes(sid))

describe('a membership', () => {
  it('is what the current configuration says', () => {
    const membership = membershipOf(9, three)
    expect(membership.self).toMatchObject({ sid: 9, role: 'observer' })
    expect(membership.quorum).toBe(membership.current.verifier)
    expect([membership.proposed, membership.newest.version, membership.size]).toEqual([
      undefined,
      0,
      4,
    ])
    expect([1, 4, 9].map((sid) => membership.has(sid))).toEqual([true, false, true])
    expect([1, 4, 9].map((sid) => membership.isVoter(sid))).toEqual([true, false, false])
    expect(isQuorum(membership, 1, 2)).toBe(true)
    expect(isQuorum(membership, 1, 9)).toBe(false)
  })

  it('is of both while a reconfiguration is under way', () => {
    const membership = membershipOf(9, three)
    membership.propose(next)
    expect(membership.current.version).toBe(0)
    expect(membership.proposed).toBe(next)
    expect(membership.newest).toBe(next)
    expect(membership.size).toBe(6)
    expect(membership.quorum.voters).toEqual([1, 2, 3, 4, 5, 9])
    expect([1, 4, 7].map((sid) => membership.has(sid))).toEqual([true, true, false])
    // It observes until it is known that the proposed configuration holds, and may vote for it.
    expect(membership.self.role).toBe('observer')
    expect(membership.isVoter(9)).toBe(true)
    expect(isQuorum(membership, 1, 2)).toBe(false)
    expect(isQuorum(membership, 3, 4, 5)).toBe(false)
    expect(isQuorum(membership, 2, 3, 4)).toBe(true)
    expect(isQuorum(membership, 1, 2, 4, 5)).toBe(true)
  })

  it('is of the proposed one alone once that is committed', () => {
    const membership = membershipOf(9, three)
    membership.propose(next)
    membership.commit(7)
    expect(membership.current).toBe(next)
    expect(membership.proposed).toBe(undefined)
    expect(membership.quorum).toBe(next.verifier)
    expect(membership.self.role).toBe('participant')
    expect([membership.has(1), membership.isVoter(1)]).toEqual([false, false])
    expect(isQuorum(membership, 3, 4, 5)).toBe(true)
    expect(isQuorum(membership, 1, 2, 3)).toBe(false)
  })

  it('is as before if the proposed one is withdrawn, and another may come', () => {
    const membership = membershipOf(1, three)
    const { quorum } = membership
    membership.propose(next)
    membership.withdraw()
    expect(membership.quorum).toBe(quorum)
    expect([membership.proposed, membership.has(4), membership.size]).toEqual([undefined, false, 4])
    membership.propose(configurationOf(three, 3))
    membership.commit(3)
    expect(membership.current.version).toBe(3)
  })

  it('keeps the last line of a member that was removed', () => {
    const membership = membershipOf(1, three)
    membership.propose(next)
    membership.commit(7)
    expect(membership.self).toEqual(membershipOf(1, three).self)
    expect(membership.isVoter(1)).toBe(false)
  })

  it('knows both addresses of a member that is about to move', () => {
    const membership = membershipOf(1, three)
    const [before] = membership.addressesOf(2, 'election')
    expect(before).toEqual(addressOf(2, 'election'))
    const moved = withMoved(configurationOf(three, 5), 2, 'elsewhere')
    membership.propose(moved)
    expect(membership.addressesOf(2, 'election').map(({ host }) => host)).toEqual([
      before?.host,
      'elsewhere',
    ])
    expect(membership.addressesOf(3, 'quorum')).toEqual([addressOf(3, 'quorum')])
    expect(membership.addressesOf(4, 'quorum')).toEqual([])
    membership.commit(5)
    expect(membership.addressesOf(2, 'quorum').map(({ host }) => host)).toEqual(['elsewhere'])
  })

  it('gives weight to those who have it in either configuration', () => {
    const weights = new Map([[1, 0]])
    const verifier = new HierarchicalQuorum([[1, 2, 3]], weights)
    const membership = membershipOf(2, { voters: [1, 2, 3], verifier })
    expect([1, 2, 4].map((sid) => membership.quorum.weightOf(sid))).toEqual([0, 1, 0])
    membership.propose(configurationOf({ voters: [1, 2, 4] }, 1))
    expect([1, 2, 4].map((sid) => membership.quorum.weightOf(sid))).toEqual([1, 1, 1])
  })
})

describe('never', () => {
  it('does a version go back, or come twice', () => {
    const membership = membershipOf(1, three)
    membership.propose(next)
    membership.commit(7)
    for (const version of [0, 6, 7])
      expect(() => membership.propose(configurationOf(three, version))).toThrow(/ after /)
  })

  it('are two configurations proposed, or one is committed that was not', () => {
    const membership = membershipOf(1, three)
    expect(() => membership.commit(7)).toThrow('was not proposed')
    expect(() => membership.withdraw()).toThrow('no reconfiguration is under way')
    membership.propose(next)
    expect(() => membership.propose(configurationOf(three, 8))).toThrow('one reconfiguration')
    expect(() => membership.commit(8)).toThrow('was not proposed')
  })

  it.each([
    ['nobody votes', { voters: [] }, 'has voters'],
    ['one votes twice', { voters: [1, 2, 2] }, 'no voter twice'],
    ['one votes who is no member', { voters: [1, 2, 3, 4] }, 'voter 4 is no participant'],
    ['an observer votes', { voters: [1, 2, 3, 9] }, 'voter 9 is no participant'],
    ['a participant does not', { voters: [1, 2] }, 'participant 3 has no vote'],
  ])('is there a configuration in which %s', (_, { voters }, problem) => {
    const wrong: Configuration = {
      ...configurationOf(three, 1),
      verifier: new MajorityQuorum(voters),
    }
    expect(() => new Membership(1, wrong)).toThrow(problem)
    expect(() => membershipOf(1, three).propose(wrong)).toThrow(problem)
  })

  it('does a member begin that is not in its own configuration', () => {
    expect(() => membershipOf(4, three)).toThrow('the line of this server')
  })
})
