import { describe, expect, it } from 'vitest'
import { agrees, isBetterVote, type Vote } from '../../../../src/quorum/role/vote.ts'

const ZXID = 0x1_0000_0001
const of = (leader: number, peerEpoch = 1): Vote => ({ leader, zxid: ZXID, peerEpoch })

describe('votes', () => {
  it('are better by epoch, then zxid, then sid', () => {
    const votes = [
      of(1),
      of(2),
      { leader: 1, zxid: ZXID + 1, peerEpoch: 1 },
      { leader: 1, zxid: 3, peerEpoch: 2 },
    ]
    for (const [i, a] of votes.entries()) {
      expect(isBetterVote(a, undefined)).toBe(true)
      for (const [j, b] of votes.entries()) expect(isBetterVote(a, b)).toBe(i > j)
    }
  })

  const looking = { vote: of(3), round: 1, state: 'looking', version: 2 } as const
  const following = { vote: of(3), round: 1, state: 'following', version: 2 } as const
  it.each([
    ['nothing', undefined, looking, false],
    ['the same', looking, looking, true],
    ['another round', { ...looking, round: 2 }, looking, false],
    ['another zxid', { ...looking, vote: { ...of(3), zxid: 5 } }, following, false],
    [
      'another zxid and round',
      { ...following, round: 7, vote: { ...of(3), zxid: 5 } },
      following,
      true,
    ],
    ['another epoch', { ...following, vote: of(3, 2) }, following, false],
    [
      'another epoch of an older format',
      { ...following, version: 0, vote: of(3, 2) },
      following,
      true,
    ],
    ['another leader', { ...following, version: 0, vote: of(4) }, following, false],
  ] as const)('with %s agree or do not', (_name, a, b, expected) => {
    expect(agrees(a, b)).toBe(expected)
  })
})
