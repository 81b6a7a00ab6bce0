import { describe, expect, it } from 'vitest'
import { Proposals } from '../../../../src/quorum/leading/proposals.ts'
import { MajorityQuorum } from '../../../../src/quorum/membership/quorum-verifier.ts'

const committed = (proposals: Proposals<string>): string[] => {
  const all: string[] = []
  for (let next = proposals.nextCommitted(); next; next = proposals.nextCommitted()) all.push(next)
  return all
}

describe('a majority', () => {
  it.each([
    [[1], [], false],
    [[1], [1], true],
    [[1, 2], [1], false],
    [[1, 2, 3], [3], false],
    [[1, 2, 3], [1, 3], true],
    [[1, 2, 3, 4], [1, 2], false],
    [[1, 2, 3, 4, 5], [1, 2], false],
    [[1, 2, 3, 4, 5], [5, 2, 4], true],
    // Others than the voters, observers say, do not count.
    [[1, 2, 3], [1, 7, 8], false],
    [[], [], false],
  ])('of %j: are %j enough', (voters, those, enough) => {
    expect(new MajorityQuorum(voters).containsQuorum((sid) => those.includes(sid))).toBe(enough)
  })
})

describe('proposals', () => {
  const of = (voters: number[], last = 0): Proposals<string> =>
    new Proposals({ quorum: new MajorityQuorum(voters) }, last)

  it('commit when a quorum of three has them, in order', () => {
    const proposals = of([1, 2, 3])
    for (const zxid of [1, 2, 3]) proposals.propose(zxid, `p${zxid}`)
    proposals.onAck(1, 3)
    expect(committed(proposals)).toEqual([])
    proposals.onAck(3, 2)
    expect(committed(proposals)).toEqual(['p1', 'p2'])
    proposals.onAck(2, 3)
    expect(committed(proposals)).toEqual(['p3'])
    expect(proposals.length).toBe(0)
  })

  it('need three of five, who may be others each time', () => {
    const proposals = of([1, 2, 3, 4, 5], 10)
    proposals.propose(11, 'a')
    proposals.propose(12, 'b')
    proposals.onAck(1, 12)
    proposals.onAck(2, 11)
    expect(committed(proposals)).toEqual([])
    proposals.onAck(3, 11)
    expect(committed(proposals)).toEqual(['a'])
    proposals.onAck(4, 12)
    expect(committed(proposals)).toEqual([])
    proposals.onAck(5, 12)
    expect(committed(proposals)).toEqual(['b'])
  })

  it('count each voter once, however often it acks, and never take an ack back', () => {
    const proposals = of([1, 2, 3])
    proposals.propose(1, 'a')
    for (const zxid of [1, 1, 1]) proposals.onAck(2, zxid)
    expect(committed(proposals)).toEqual([])
    proposals.onAck(2, 0)
    proposals.onAck(9, 1)
    expect(committed(proposals)).toEqual([])
    proposals.onAck(1, 1)
    expect(committed(proposals)).toEqual(['a'])
  })

  it('do not count an ack of a voter that has cut its log back, until it acks again', () => {
    const proposals = of([1, 2, 3])
    for (const zxid of [1, 2]) proposals.propose(zxid, `p${zxid}`)
    proposals.onAck(2, 2)
    proposals.withdrawAcks(2, 1)
    proposals.onAck(1, 2)
    expect(committed(proposals)).toEqual(['p1'])
    proposals.withdrawAcks(2, 7)
    proposals.onAck(2, 2)
    expect(committed(proposals)).toEqual(['p2'])
  })

  it('must go up', () => {
    const proposals = of([1], 5)
    expect(() => proposals.propose(5, 'a')).toThrow()
    proposals.propose(2 ** 32 + 1, 'b')
    expect(proposals.lastProposed).toBe(2 ** 32 + 1)
    expect(() => proposals.propose(6, 'c')).toThrow()
  })

  it('let a barrier out behind all that was proposed before, and before all later ones', () => {
    // Nobody has acked zxid 10 here: it was there before.
    const proposals = of([1, 2, 3], 10)
    proposals.barrier('first')
    expect(committed(proposals)).toEqual(['first'])
    proposals.propose(11, 'a')
    proposals.barrier('sync')
    proposals.barrier('sync too')
    proposals.propose(12, 'b')
    proposals.onAck(1, 12)
    expect(committed(proposals)).toEqual([])
    proposals.onAck(2, 11)
    expect(committed(proposals)).toEqual(['a', 'sync', 'sync too'])
    expect(proposals.length).toBe(1)
  })
})
