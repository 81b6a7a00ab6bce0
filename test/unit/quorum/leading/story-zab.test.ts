import { describe, expect, it } from 'vitest'
import { Prng } from '../../../../src/base/prng.ts'
import { ZabEnsemble } from '../../../support/zab-ensemble.ts'

const three = { voters: [1, 2, 3] }

const settled = (ensemble: ZabEnsemble, leader: number, msMax = 1000): void => {
  const isDone = ensemble.network.runUntil(
    () => ensemble.leaders()[0] === leader && ensemble.isSettled(),
    msMax,
  )
  expect(isDone ? '' : ensemble.states()).toBe('')
}

const texts = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `write ${from + i}`)

describe('three members', () => {
  it('elect, synchronise, propose and commit', () => {
    const ensemble = new ZabEnsemble(three)
    ensemble.start(1, 2, 3)
    settled(ensemble, 3)
    ensemble.write(3, texts(1, 10))
    settled(ensemble, 3)
    const applied = ensemble.applied(1)
    expect([applied.length, applied[0], applied[9]]).toEqual([
      10,
      '0x100000001 write 1',
      '0x10000000a write 10',
    ])
  })

  it('go on without their leader, and take it in again', () => {
    const ensemble = new ZabEnsemble(three)
    ensemble.start(1, 2, 3)
    settled(ensemble, 3)
    ensemble.write(3, texts(1, 5))
    settled(ensemble, 3)
    ensemble.network.run(5000)
    ensemble.kill(3)
    const killedAt = ensemble.network.now
    settled(ensemble, 2)
    // A handful of round trips and flushes, of a millisecond each.
    expect(ensemble.network.now - killedAt).toBeLessThan(40)
    ensemble.write(2, texts(6, 5))
    settled(ensemble, 2)
    ensemble.start(3)
    settled(ensemble, 2)
    expect(ensemble.applied(3).at(-1)).toBe('0x200000005 write 10')
    expect(ensemble.applied(3).length).toBe(10)
  })

  it('drop what a leader has told nobody', () => {
    const ensemble = new ZabEnsemble(three)
    ensemble.start(1, 2, 3)
    settled(ensemble, 3)
    ensemble.write(3, texts(1, 3))
    settled(ensemble, 3)
    ensemble.network.isolate([3])
    const [lost] = ensemble.write(3, ['lost'])
    ensemble.network.run(20)
    expect(ensemble.process(3).replica.disk.log.at(-1)).toEqual(lost)
    ensemble.kill(3)
    const isDone = ensemble.network.runUntil(() => ensemble.leaders().includes(2), 5000)
    expect(isDone ? '' : ensemble.states()).toBe('')
    ensemble.network.heal()
    ensemble.start(3)
    settled(ensemble, 2, 8000)
    expect(ensemble.applied(3).length).toBe(3)
  })

  it('hand over at once when the leader is stopped', () => {
    const ensemble = new ZabEnsemble(three)
    ensemble.start(1, 2, 3)
    settled(ensemble, 3)
    ensemble.network.run(5000)
    ensemble.process(3).turn(() => ensemble.process(3).peer.close())
    ensemble.network.stopListening(3)
    const stoppedAt = ensemble.network.now
    const isDone = ensemble.network.runUntil(() => ensemble.leaders().includes(2), 1000)
    expect(isDone ? '' : ensemble.states()).toBe('')
    expect(ensemble.network.now - stoppedAt).toBeLessThan(40)
  })

  it('are told to an observer', () => {
    const ensemble = new ZabEnsemble({ ...three, observers: [4] })
    ensemble.start(1, 2, 3, 4)
    settled(ensemble, 3)
    ensemble.write(3, texts(1, 10))
    settled(ensemble, 3)
    expect(ensemble.applied(4).length).toBe(10)
  })
})

/** Kills, starts, cuts off and writes at random; then heals all, and looks at what is left. */
class Torture {
  readonly ensemble: ZabEnsemble
  readonly #prng: Prng
  /** Of writes that a leader has committed: they may never be missing again. */
  readonly #committed = new Map<number, string>()
  #writes = 0

  constructor(seed: number, voters: readonly number[]) {
    this.#prng = new Prng(seed)
    this.ensemble = new ZabEnsemble({ voters, observers: [9] }, seed)
    this.ensemble.start(...this.ensemble.sids)
  }

  step(): void {
    const { ensemble } = this
    const dice = this.#prng.below(20)
    const sid = ensemble.sids[this.#prng.below(ensemble.sids.length)] ?? 1
    if (dice < 3 && ensemble.isUp(sid)) ensemble.kill(sid)
    else if (dice < 8 && !ensemble.isUp(sid)) ensemble.start(sid)
    else if (dice === 8) ensemble.network.isolate([sid])
    else if (dice < 12) ensemble.network.heal()
    for (const leader of ensemble.leaders()) {
      this.#writes += 1
      ensemble.write(leader, texts(this.#writes * 10, this.#prng.below(4)))
    }
    ensemble.network.run(this.#prng.below(10) === 0 ? 3000 : this.#prng.below(120))
    this.#note()
  }

  heal(): void {
    const { ensemble } = this
    ensemble.network.heal()
    for (const sid of ensemble.sids) if (!ensemble.isUp(sid)) ensemble.start(sid)
    const isDone = ensemble.network.runUntil(() => ensemble.isSettled(), 70_000)
    expect(isDone ? '' : ensemble.states()).toBe('')
    this.#note()
    const applied = new Set(ensemble.applied(ensemble.sids[0] ?? 0))
    for (const line of this.#committed.values()) expect(applied).toContain(line)
  }

  get commits(): number {
    return this.#committed.size
  }

  /** What is delivered on one is committed, and the same wherever it is delivered. */
  #note(): void {
    const { ensemble } = this
    for (const sid of ensemble.sids) {
      if (!ensemble.isUp(sid) || !ensemble.process(sid).isServing) continue
      const { replica } = ensemble.process(sid)
      for (const { zxid, bytes } of replica.state.values()) {
        const line = `0x${zxid.toString(16)} ${bytes}`
        const before = this.#committed.get(zxid) ?? line
        expect(line).toBe(before)
        this.#committed.set(zxid, line)
      }
    }
  }
}

describe('members under torture', () => {
  it.each([1, 2, 3, 4])('lose nothing, and agree in the end: seed %i', (seed) => {
    const torture = new Torture(seed, seed % 2 === 0 ? [1, 2, 3] : [1, 2, 3, 4, 5])
    for (let round = 0; round < 3; round += 1) {
      for (let i = 0; i < 40; i += 1) torture.step()
      torture.heal()
    }
    expect(torture.commits).toBeGreaterThan(20)
  })
})
