import { describe, expect, it } from 'vitest'
import { EPOCH_MAX } from '../../../../src/data/zxid.ts'
import { ZabEnsemble } from '../../../support/zab-ensemble.ts'

const five = { voters: [1, 2, 3, 4, 5] }
const texts = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${name} ${i}`)

const serves = (ensemble: ZabEnsemble, msMax = 5000): number => {
  const { network } = ensemble
  network.runUntil(() => ensemble.leaders().length === 1, msMax)
  const [leader] = ensemble.leaders()
  if (leader === undefined) throw new Error(ensemble.states())
  network.run(500)
  return leader
}

/** How often somebody has begun to serve as leader. */
const leaderships = (ensemble: ZabEnsemble): number =>
  ensemble.lines.filter(({ message }) => message === 'a quorum has synchronised, we lead').length

/** Five members, in epoch 6; then all but the fifth have lost their disks, and have formed anew. */
function formedAnew(): { readonly ensemble: ZabEnsemble; readonly leader: number } {
  const ensemble = new ZabEnsemble(five)
  for (let start = 0; start < 6; start += 1) {
    ensemble.start(...ensemble.sids)
    const leader = serves(ensemble)
    ensemble.write(leader, texts('old', 3))
    ensemble.network.run(500)
    for (const sid of ensemble.sids) ensemble.kill(sid)
  }
  for (const sid of [1, 2, 3, 4]) ensemble.replaceDisk(sid)
  ensemble.start(1, 2, 3, 4)
  const leader = serves(ensemble)
  ensemble.write(leader, texts('new', 20))
  ensemble.network.run(500)
  return { ensemble, leader }
}

describe('a member that comes back with a history beyond the epoch of the leader', () => {
  it('stays out, overwrites nothing, and says what to do', () => {
    const { ensemble, leader } = formedAnew()
    const before = ensemble.applied(leader)
    ensemble.start(5)
    ensemble.network.run(60_000)
    expect(ensemble.leaders()).toEqual([leader])
    expect(leaderships(ensemble)).toBe(7)
    expect(ensemble.applied(leader)).toEqual(before)
    expect(ensemble.process(5).isServing).toBe(false)
    expect(ensemble.process(5).replica.log.length).toBe(18)
    const errors = ensemble.lines.filter(({ message }) => message.includes('stay'))
    expect(errors.map(({ sid, message }) => [sid, message])).toEqual([
      [leader, 'a member stays out: its history is beyond our epoch'],
      [5, 'we stay out: our history is beyond the epoch of the leader'],
    ])
    expect(ensemble.process(5).standing.stayingOut).toMatchObject({ leader, currentEpoch: 6 })
    expect(ensemble.process(leader).leader?.outsiders()).toEqual([5])
  })

  it('is taken in once its disk has been emptied', () => {
    const { ensemble, leader } = formedAnew()
    ensemble.start(5)
    ensemble.network.run(10_000)
    ensemble.kill(5)
    ensemble.replaceDisk(5)
    ensemble.start(5)
    ensemble.network.run(10_000)
    expect(ensemble.applied(5)).toEqual(ensemble.applied(leader))
    expect(ensemble.process(leader).leader?.outsiders()).toEqual([])
  })

  it('keeps the leader from making room for the promise of another', () => {
    const { ensemble, leader } = formedAnew()
    ensemble.start(5)
    ensemble.network.run(5000)
    const { disk } = ensemble.process(2).replica
    ensemble.kill(2)
    ensemble.replaceDisk(2, { ...disk, acceptedEpoch: 3 })
    ensemble.start(2)
    ensemble.network.run(10_000)
    expect(ensemble.leaders()).toEqual([leader])
    ensemble.kill(5)
    ensemble.network.run(30_000)
    expect([ensemble.process(2).isServing, ensemble.leaders().length]).toEqual([true, 1])
  })

  it('is elected when all start at once, as in the original', () => {
    const { ensemble } = formedAnew()
    for (const sid of [1, 2, 3, 4]) ensemble.kill(sid)
    ensemble.start(...ensemble.sids)
    expect(serves(ensemble)).toBe(5)
  })
})

describe('a member that has promised a far later epoch', () => {
  it('is taken in after a few leaderships, with any of them as the next leader', () => {
    const ensemble = new ZabEnsemble(five)
    ensemble.start(2, 3, 4, 5)
    serves(ensemble)
    ensemble.replaceDisk(1, { acceptedEpoch: 1000 })
    ensemble.network.run(3000)
    const before = leaderships(ensemble)
    ensemble.start(1)
    ensemble.network.run(20_000)
    expect(ensemble.process(1).isServing).toBe(true)
    expect(leaderships(ensemble) - before).toBeLessThanOrEqual(3)
  })

  it('is not heeded where no elections can have led to that epoch', () => {
    const ensemble = new ZabEnsemble(five)
    ensemble.replaceDisk(1, { acceptedEpoch: EPOCH_MAX - 1 })
    ensemble.start(...ensemble.sids)
    ensemble.network.run(60_000)
    expect(ensemble.isUp(1) && ensemble.process(1).isServing).toBe(false)
    expect(leaderships(ensemble)).toBe(1)
    const [leader = 0] = ensemble.leaders()
    expect(ensemble.process(leader).replica.epoch).toBe(1)
  })
})
