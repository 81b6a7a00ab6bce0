import { describe, expect, it } from 'vitest'
import { makeZxid } from '../../../../src/data/zxid.ts'
import { Standing } from '../../../../src/quorum/role/standing.ts'
import type { Vote } from '../../../../src/quorum/role/vote.ts'

const vote = (leader: number, peerEpoch: number, zxidEpoch = peerEpoch): Vote => ({
  leader,
  zxid: makeZxid(zxidEpoch, 7),
  peerEpoch,
})

describe('what the votes of a member say of its history, for a leader of epoch 5', () => {
  const heard = (...votes: readonly Vote[]): string => {
    const standing = new Standing()
    for (const one of votes) standing.onVote(3, one)
    return standing.historyOf(3, 5)
  }

  it.each<[string, readonly Vote[], string]>([
    ['nothing when it has not voted', [], 'unknown'],
    ['that it ends there, if it votes for itself with that', [vote(3, 5)], 'within'],
    ['that it goes on, by its epoch', [vote(3, 6, 4)], 'beyond'],
    ['that it goes on, by its log', [vote(3, 5, 6)], 'beyond'],
    ['that it has nothing better than the one it votes for', [vote(3, 6), vote(1, 5)], 'within'],
    ['nothing when only another one is beyond', [vote(3, 5), vote(1, 6)], 'unknown'],
    ['that it goes on when it and the other are beyond', [vote(3, 6), vote(1, 7)], 'beyond'],
    ['what its next vote for itself says', [vote(3, 6), vote(1, 7), vote(3, 4)], 'within'],
  ])('%s', (_what, votes, expected) => {
    expect(heard(...votes)).toBe(expected)
  })

  it("is its own, nobody else's", () => {
    const standing = new Standing()
    standing.onVote(2, vote(2, 6))
    expect(standing.historyOf(3, 5)).toBe('unknown')
    expect(standing.ownVoteOf(2)).toEqual(vote(2, 6))
  })
})

it('room is made for a promise once in so long', () => {
  const standing = new Standing()
  expect(standing.mayMakeRoom(0, 1000)).toBe(true)
  standing.onRoomMade(500)
  expect([1499, 1500].map((now) => standing.mayMakeRoom(now, 1000))).toEqual([false, true])
})
