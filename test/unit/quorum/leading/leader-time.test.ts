import { describe, expect, it } from 'vitest'
import { LeaderRig, type ScriptedLearner, z } from '../../../support/leader-rig.ts'

const answer = (learner: ScriptedLearner): number => {
  const pings = learner.heard().filter((line) => line.startsWith('PING'))
  for (const _ of pings) learner.answerPing()
  return pings.length
}

const rounds = (rig: LeaderRig): number[] =>
  rig.replica.calls.flatMap((c) => (c.call === 'onConfirmed' ? [c.round] : []))

function leading(sids: readonly number[], voters: readonly number[], bounds = {}) {
  const { rig, followers } = LeaderRig.leading(sids, { voters, bounds })
  const [two, three, four] = followers
  if (two === undefined) throw new Error('a follower')
  return { rig, two, three: three ?? two, four: four ?? two }
}

describe('while the leader leads', () => {
  it('it pings twice a tick, with what was proposed last, behind what it proposes', () => {
    const { rig, two } = leading([2], [1, 2, 3])
    rig.pass(450)
    expect(two.heard()).toEqual([])
    rig.now += 50
    rig.leader.advance(rig.now)
    expect(two.heard()).toEqual(['PING 100000000'])
    two.answerPing()
    rig.pass(450)
    rig.replica.write('a')
    rig.now += 50
    rig.leader.advance(rig.now)
    expect(two.heard()).toEqual(['PROPOSAL 100000001 "a"', 'PING 100000001'])
  })

  it('it does not ping a learner before UPTODATE, which Apache would not answer', () => {
    const { rig, two } = leading([2], [1, 2, 3])
    const three = rig.report(3, 1)
    three.ackEpoch(1, z(1, 0))
    three.heard()
    rig.pass(2000, () => answer(two))
    expect(three.heard()).toEqual([])
    three.ackNewLeader()
    rig.pass(500, () => answer(two))
    expect(three.heard()).toEqual(['UPTODATE -1', 'PING 100000000'])
  })

  it('it drops who is silent for syncLimit, and steps down without a quorum', () => {
    const { rig, two, three } = leading([2, 3], [1, 2, 3])
    rig.pass(5000, () => answer(three))
    expect(two.isClosed).toBe(false)
    rig.pass(50, () => answer(three))
    expect([two.isClosed, three.isClosed]).toEqual([true, false])
    rig.pass(20_000, () => answer(three))
    expect(rig.ends).toEqual([])
    three.cut()
    expect(rig.ends).toEqual([])
    rig.pass(1000)
    expect(rig.ends).toEqual(['a quorum does not follow any more'])
  })

  it('it drops a follower that acks nothing, however alive it is', () => {
    const { rig, two, three } = leading([2, 3], [1, 2, 3])
    const alive = (): void => {
      answer(two)
      answer(three)
    }
    rig.turn(() => rig.replica.write('a'))
    three.ack(z(1, 1))
    rig.pass(2500, alive)
    two.ack(z(1, 1))
    rig.turn(() => rig.replica.write('b'))
    rig.pass(2000, alive)
    rig.turn(() => rig.replica.write('c'))
    rig.pass(2000, alive)
    two.ack(z(1, 2))
    three.ack(z(1, 2))
    three.ack(z(1, 3))
    rig.pass(5000, alive)
    expect([two.isClosed, three.isClosed]).toEqual([false, false])
    rig.pass(50, alive)
    expect([two.isClosed, three.isClosed]).toEqual([true, false])
  })

  it('it does not wait for acks where nothing was proposed', () => {
    const { rig, two } = leading([2], [1, 2, 3])
    rig.turn(() => rig.replica.write('a'))
    two.ack(z(1, 1))
    rig.flush()
    expect(two.heard()).toEqual(['PROPOSAL 100000001 "a"', 'COMMIT 100000001'])
    rig.pass(20_000, () => answer(two))
    expect(two.isClosed).toBe(false)
  })

  it('it drops who says nothing before it joins, or in the middle of joining', () => {
    const { rig, two } = leading([2], [1, 2, 3])
    const mute = rig.connect()
    rig.pass(5000, () => answer(two))
    const third = rig.report(3, 1)
    rig.pass(5050, () => answer(two))
    expect([mute.isClosed, third.isClosed]).toEqual([true, false])
    third.ackEpoch(1, z(1, 0))
    rig.pass(10_000, () => answer(two))
    expect(third.isClosed).toBe(false)
    rig.pass(50, () => answer(two))
    expect(third.isClosed).toBe(true)
  })

  it('it gives up at the wish of its replica', () => {
    const { rig, two } = leading([2], [1, 2, 3])
    rig.turn(() => rig.replica.learners?.giveUp('the counter is used up'))
    expect(rig.ends).toEqual(['the counter is used up'])
    expect(two.isClosed).toBe(true)
    rig.replica.write('late')
    rig.flush()
  })

  it('cuts off a learner that takes nothing, at the bound', () => {
    const { rig, two, three } = leading([2, 3], [1, 2, 3], {
      learnerBytesMax: 3000,
      syncBytesWaitingMax: 1000,
    })
    two.clog()
    const write = (text: string): void => {
      let zxid = 0
      rig.turn(() => {
        zxid = rig.replica.write(text).zxid
      })
      rig.flush()
      three.ack(zxid)
    }
    for (let i = 0; i < 3; i += 1) write('x'.repeat(960))
    expect(two.isClosed).toBe(false)
    write('y')
    write('z')
    expect([two.isClosed, three.isClosed]).toEqual([true, false])
    expect(rig.ends).toEqual([])
  })

  it('cuts nobody off for what is outstanding: it could not go on without them', () => {
    const { rig, two, three } = leading([2, 3], [1, 2, 3], {
      learnerBytesMax: 3000,
      syncBytesWaitingMax: 1000,
    })
    for (const learner of [two, three]) learner.clog()
    const count = 20
    for (let i = 0; i < count; i += 1) rig.turn(() => rig.replica.write('x'.repeat(1000)))
    expect([two.isClosed, three.isClosed]).toEqual([false, false])
    for (const learner of [two, three]) learner.drain()
    rig.flush()
    for (let i = 1; i <= count; i += 1) two.ack(z(1, i))
    rig.turn()
    expect(rig.replica.lastProcessedZxid).toBe(z(1, count))
    expect(rig.ends).toEqual([])
  })

  it('drops nobody who gets on with what it is sent, however long that takes', () => {
    const { rig, two, three } = leading([2, 3], [1, 2, 3])
    rig.turn(() => {
      for (let i = 0; i < 20; i += 1) rig.replica.write('x')
    })
    rig.turn(() => rig.replica.write('the last'))
    for (let i = 1; i <= 20; i += 1) {
      rig.pass(4000, () => answer(three))
      // The answers to PINGs come behind the acks, if at all.
      two.ack(z(1, i))
      three.ack(z(1, i))
    }
    expect([two.isClosed, three.isClosed]).toEqual([false, false])
    rig.pass(5050, () => {
      answer(two)
      answer(three)
    })
    expect([two.isClosed, three.isClosed]).toEqual([true, true])
  })

  it('bears the silence of one that takes what waits for it, but not of one that does not', () => {
    const { rig, two, three } = leading([2, 3], [1, 2, 3])
    two.clog()
    rig.turn(() => rig.replica.write('x'.repeat(20_000)))
    for (let i = 0; i < 10; i += 1) {
      rig.pass(4000, () => {
        answer(three)
        three.ack(z(1, 1))
      })
      rig.links.takeSome(two.link, 1000)
    }
    expect(two.isClosed).toBe(false)
    rig.pass(5150, () => answer(three))
    expect([two.isClosed, three.isClosed]).toEqual([true, false])
  })
})

describe('a confirmation that we still lead', () => {
  it('is a PING to every follower at the end of the turn, and a quorum of answers', () => {
    const { rig, two, three } = leading([2, 3], [1, 2, 3])
    let round = 0
    rig.turn(() => {
      round = rig.leader.confirm()
      expect(rig.leader.confirm()).toBe(round)
      expect(two.heard()).toEqual([])
      rig.replica.write('a')
    })
    expect(two.heard()).toEqual(['PROPOSAL 100000001 "a"', 'PING 100000001'])
    expect(rounds(rig)).toEqual([])
    three.answerPing()
    expect(rounds(rig)).toEqual([round])
    two.answerPing()
    expect(rounds(rig)).toEqual([round])
  })

  it('is not an answer to an earlier PING', () => {
    const { rig, two } = leading([2], [1, 2, 3])
    rig.pass(500)
    expect(two.heard()).toEqual(['PING 100000000'])
    rig.turn(() => rig.leader.confirm())
    two.answerPing()
    expect(rounds(rig)).toEqual([])
    two.answerPing()
    expect(rounds(rig)).toEqual([1])
  })

  it('needs answers of a quorum, of five here, to the same or a later round', () => {
    const { rig, two, three, four } = leading([2, 3, 4], [1, 2, 3, 4, 5])
    rig.turn(() => rig.leader.confirm())
    rig.turn(() => rig.leader.confirm())
    rig.turn(() => rig.leader.confirm())
    two.answerPing()
    two.answerPing()
    two.answerPing()
    expect(rounds(rig)).toEqual([])
    three.answerPing()
    expect(rounds(rig)).toEqual([1])
    four.answerPing()
    four.answerPing()
    expect(rounds(rig)).toEqual([1, 2])
    three.answerPing()
    three.answerPing()
    expect(rounds(rig)).toEqual([1, 2, 3])
  })

  it('comes from a learner that has joined since when those who were asked are gone', () => {
    const { rig, followers } = LeaderRig.leading([2], { observers: [4] })
    const observer = rig.join(4, { type: 'observerInfo' })
    observer.heard()
    rig.turn(() => rig.leader.confirm())
    const late = rig.join(3, { zxid: z(1, 0) })
    followers[0]?.cut()
    rig.pass(500)
    observer.answerPing()
    expect(rounds(rig)).toEqual([])
    late.answerPing()
    expect(rounds(rig)).toEqual([1])
    rig.turn(() => rig.leader.confirm())
    late.answerPing()
    expect(rounds(rig)).toEqual([1, 2])
  })

  it('is at hand in an ensemble of one, when the turn ends', () => {
    const rig = new LeaderRig({ voters: [1] })
    rig.flush()
    rig.turn(() => {
      expect(rig.leader.confirm()).toBe(1)
      expect(rounds(rig)).toEqual([])
    })
    expect(rounds(rig)).toEqual([1])
    expect(rig.leader.confirm()).toBe(2)
  })

  it('asks a learner that answers slowly no more than it may, and catches up', () => {
    const { rig, two } = leading([2], [1, 2, 3], { pingsInFlightMax: 3 })
    for (let i = 0; i < 10; i += 1) rig.turn(() => rig.leader.confirm())
    expect(two.heard()).toHaveLength(3)
    two.answerPing()
    expect(rounds(rig)).toEqual([1])
    expect(two.heard()).toHaveLength(1)
    two.answerPing()
    two.answerPing()
    expect(rounds(rig)).toEqual([1, 2, 3])
    two.answerPing()
    expect(rounds(rig)).toEqual([1, 2, 3, 10])
  })
})
