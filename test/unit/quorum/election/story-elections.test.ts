import { describe, expect, it } from 'vitest'
import { HierarchicalQuorum } from '../../../../src/quorum/membership/quorum-verifier.ts'
import { ElectionEnsemble } from '../../../support/election-ensemble.ts'
import { stopsOf } from '../../../support/fake-roles.ts'

const three = { voters: [1, 2, 3] }
const five = { voters: [1, 2, 3, 4, 5] }

const elected = (ensemble: ElectionEnsemble, leader: number, msMax = 1000): void => {
  const isDone = ensemble.network.runUntil(() => ensemble.isLedBy(leader), msMax)
  expect(isDone ? '' : ensemble.states()).toBe('')
}

/** How the last election of that member was decided. */
const howOf = (ensemble: ElectionEnsemble, sid: number): string => {
  const { lines } = ensemble.member(sid)
  const end = lines.findLast(({ message }) => message === 'leader elected')
  const { how } = end?.fields ?? {}
  return String(how)
}

describe('an election', () => {
  it('is won by the largest sid among equals', () => {
    const ensemble = new ElectionEnsemble(three)
    ensemble.start(1, 2, 3)
    elected(ensemble, 3)
    expect(ensemble.states()).toBe('1:following(3) 2:following(3) 3:leading(3)')
    expect(ensemble.member(1).epochs.current).toBe(1)
  })

  it('is won by the later epoch, then by the longer history', () => {
    const ensemble = new ElectionEnsemble(five)
    ensemble.member(2).replica.lastLoggedZxid = 0x1_0000_0009
    Object.assign(ensemble.member(2).epochs, { accepted: 1, current: 1 })
    ensemble.member(4).replica.lastLoggedZxid = 0x1_0000_0007
    Object.assign(ensemble.member(4).epochs, { accepted: 1, current: 1 })
    ensemble.member(5).replica.lastLoggedZxid = 0x2_0000_0000
    ensemble.start(1, 2, 3, 4, 5)
    elected(ensemble, 2)
  })

  it('ends as soon as all who can be reached agree', () => {
    const ensemble = new ElectionEnsemble(three)
    ensemble.start(1, 2)
    elected(ensemble, 2, 30)
    expect(howOf(ensemble, 1)).toBe('all who can be reached agree')
    expect(howOf(ensemble, 2)).toBe('all who can be reached agree')
  })

  it('waits for one who may have a better vote and has not said so yet', () => {
    const ensemble = new ElectionEnsemble(five)
    ensemble.start(1, 2, 3, 4, 5)
    elected(ensemble, 5)
    ensemble.network.run(5000)
    for (const sid of [1, 2, 3]) ensemble.network.block(4, sid)
    ensemble.kill(5)
    ensemble.network.run(150)
    expect(ensemble.states()).toBe('1:looking 2:looking 3:looking 4:looking')
    ensemble.network.heal()
    elected(ensemble, 4, 100)
  })

  it('does not wait for it longer than finalizeWait', () => {
    const ensemble = new ElectionEnsemble(three)
    ensemble.network.isolate([3])
    ensemble.start(1, 2, 3)
    ensemble.network.run(260)
    expect(ensemble.states()).toBe('1:following(2) 2:leading(2) 3:looking')
    expect(howOf(ensemble, 2)).toBe('no better vote came')
  })

  it('is of no use without a quorum, and goes on', () => {
    const ensemble = new ElectionEnsemble(five)
    ensemble.start(4, 5)
    ensemble.network.run(10_000)
    expect(ensemble.states()).toBe('4:looking 5:looking')
    ensemble.start(1)
    elected(ensemble, 5)
  })

  it('finds the leader that is there already', () => {
    const ensemble = new ElectionEnsemble(three)
    ensemble.start(1, 2)
    elected(ensemble, 2)
    ensemble.start(3)
    elected(ensemble, 2)
    expect(ensemble.states()).toBe('1:following(2) 2:leading(2) 3:following(2)')
    expect(stopsOf(ensemble.member(2).replica)).toBe(0)
  })

  it('joins an ensemble of a later round', () => {
    const ensemble = new ElectionEnsemble(three)
    ensemble.start(1, 2, 3)
    elected(ensemble, 3)
    ensemble.kill(3)
    elected(ensemble, 2)
    ensemble.start(3)
    elected(ensemble, 2)
    expect(stopsOf(ensemble.member(2).replica)).toBe(1)
  })

  it('follows the loss of the leader', () => {
    const ensemble = new ElectionEnsemble(five)
    ensemble.start(1, 2, 3, 4, 5)
    elected(ensemble, 5)
    ensemble.network.run(5000)
    const killedAt = ensemble.network.now
    ensemble.kill(5)
    elected(ensemble, 4)
    expect(ensemble.network.now - killedAt).toBeLessThan(30)
    expect(ensemble.member(1).epochs.current).toBe(2)
    expect(stopsOf(ensemble.member(1).replica)).toBe(1)
  })

  it('follows a stop that is meant, without any wait', () => {
    const ensemble = new ElectionEnsemble(three)
    ensemble.start(1, 2, 3)
    elected(ensemble, 3)
    ensemble.network.run(5000)
    const stopped = ensemble.member(3)
    stopped.peer.close()
    ensemble.network.stopListening(3)
    const isDone = ensemble.network.runUntil(() => ensemble.member(1).epochs.current === 2, 30)
    expect(isDone ? '' : ensemble.states()).toBe('')
    expect(stopsOf(stopped.replica)).toBe(1)
    expect(ensemble.network.openLinks()).toEqual(['1>2', '2>1'])
    ensemble.network.run(5000)
    expect(ensemble.network.openLinks()).toEqual(['1>2', '2>1'])
  })

  it('is held again, patiently, when the elected one cannot lead', () => {
    const ensemble = new ElectionEnsemble(three)
    ensemble.start(1, 2, 3)
    elected(ensemble, 3)
    ensemble.kill(3)
    elected(ensemble, 2)
    expect(howOf(ensemble, 2)).toBe('no better vote came')
  })

  it('is none of a voter that has lost its state, whatever epoch it was in', () => {
    const ensemble = new ElectionEnsemble(three)
    ensemble.member(3).replica.lastLoggedZxid = 0
    ensemble.member(3).replica.hasLostState = true
    Object.assign(ensemble.member(3).epochs, { accepted: 7, current: 7 })
    // With one other it makes no quorum, since what it has acked may be on the third.
    ensemble.start(3, 2)
    ensemble.network.run(5000)
    expect(ensemble.states()).toBe('2:looking 3:looking')
    ensemble.start(1)
    elected(ensemble, 2, 1200)
    expect(ensemble.states()).toBe('1:following(2) 2:leading(2) 3:following(2)')
  })

  it('is not won by its own voice where there is one voter, if that has lost its state', () => {
    const ensemble = new ElectionEnsemble({ voters: [1] })
    ensemble.member(1).replica.hasLostState = true
    ensemble.start(1)
    ensemble.network.run(5000)
    expect(ensemble.states()).toBe('1:looking')
  })

  it('includes one who weighs nothing, without electing it', () => {
    const verifier = new HierarchicalQuorum(
      [
        [1, 2, 3],
        [4, 5],
      ],
      new Map([
        [4, 0],
        [5, 0],
      ]),
    )
    const ensemble = new ElectionEnsemble({ ...five, verifier })
    ensemble.start(1, 2, 3, 4, 5)
    elected(ensemble, 3, 3000)
  })

  it('needs nobody else where there is one voter', () => {
    const ensemble = new ElectionEnsemble({ voters: [1], observers: [2] })
    ensemble.start(1, 2)
    elected(ensemble, 1)
    expect(ensemble.states()).toBe('1:leading(1) 2:observing(1)')
  })
})

describe('observers', () => {
  const shape = { voters: [2, 3, 4], observers: [1, 9] }

  it('watch the leader, whatever their sid', () => {
    const ensemble = new ElectionEnsemble(shape)
    ensemble.start(1, 2, 3, 4, 9)
    elected(ensemble, 4)
    expect(ensemble.states()).toBe(
      '2:following(4) 3:following(4) 4:leading(4) 1:observing(4) 9:observing(4)',
    )
  })

  it('join later, and do not make a quorum', () => {
    const ensemble = new ElectionEnsemble(shape)
    ensemble.start(1, 9, 2)
    ensemble.network.run(3000)
    expect(ensemble.states()).toBe('2:looking 1:looking 9:looking')
    ensemble.start(3)
    elected(ensemble, 3, 70_000)
  })

  it('of a later round than the voters hear from them once they have decided', () => {
    const ensemble = new ElectionEnsemble(shape)
    ensemble.start(2, 3, 4, 9)
    elected(ensemble, 4)
    ensemble.kill(4)
    elected(ensemble, 3)
    for (const sid of [2, 3]) ensemble.kill(sid)
    ensemble.network.run(1500)
    ensemble.start(2, 3, 4)
    elected(ensemble, 3, 5000)
  })
})

describe('a broken network', () => {
  it('that splits the votes heals', () => {
    const ensemble = new ElectionEnsemble(five)
    ensemble.start(1, 2, 3, 4, 5)
    elected(ensemble, 5)
    ensemble.network.isolate([4, 5])
    for (const sid of [1, 2, 3]) ensemble.kill(sid)
    ensemble.start(1, 2, 3)
    ensemble.network.run(10_000)
    expect(ensemble.states()).toBe(
      '1:following(3) 2:following(3) 3:leading(3) 4:following(5) 5:leading(5)',
    )
    ensemble.network.heal()
    elected(ensemble, 3, 10_000)
  })
})
