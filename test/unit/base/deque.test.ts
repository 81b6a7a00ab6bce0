import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Deque } from '../../../src/base/deque.ts'
import { checkLimits, defaultLimits } from '../../../src/base/limits.ts'
import { Prng } from '../../../src/base/prng.ts'

describe('a deque', () => {
  it('does what an array does, whatever is pushed and shifted', () => {
    const steps = fc.array(
      fc.oneof(
        { weight: 6, arbitrary: fc.constant('push' as const) },
        { weight: 4, arbitrary: fc.constant('shift' as const) },
        { weight: 1, arbitrary: fc.constant('peek' as const) },
      ),
      { maxLength: 200, size: 'max' },
    )
    fc.assert(
      fc.property(steps, (list) => {
        const deque = new Deque<number>()
        const model: number[] = []
        for (const [at, step] of list.entries()) {
          if (step === 'push') {
            deque.push(at)
            model.push(at)
          } else if (step === 'shift') expect(deque.shift()).toBe(model.shift())
          else expect(deque.peek()).toBe(model[0])
          expect(deque.length).toBe(model.length)
        }
        expect([...deque]).toEqual(model)
      }),
      { numRuns: 100 },
    )
  })

  it('grows while its items lie across the end of the ring', () => {
    const deque = new Deque<number>()
    for (let i = 0; i < 10; i += 1) deque.push(i)
    for (let i = 0; i < 10; i += 1) deque.shift()
    for (let i = 0; i < 40; i += 1) deque.push(i)
    expect([...deque]).toEqual(Array.from({ length: 40 }, (_, i) => i))
  })

  it('is empty and usable after clear', () => {
    const deque = new Deque<number>()
    for (let i = 0; i < 20; i += 1) deque.push(i)
    deque.clear()
    expect([deque.length, deque.peek(), deque.shift(), [...deque]]).toEqual([
      0,
      undefined,
      undefined,
      [],
    ])
    deque.push(1)
    expect(deque.shift()).toBe(1)
  })
})

describe('the generator of chance', () => {
  it('gives the same from the same seed, in range, and never stands still', () => {
    const draw = (seed: number): number[] => {
      const prng = new Prng(seed)
      return Array.from({ length: 2000 }, () => prng.below(10))
    }
    expect(draw(1)).toEqual(draw(1))
    expect(draw(1)).not.toEqual(draw(2))
    for (const seed of [0, 1, 0xffffffff, -5]) {
      const drawn = draw(seed)
      const counts = Array.from({ length: 10 }, (_, n) => drawn.filter((x) => x === n).length)
      expect(counts.reduce((a, b) => a + b)).toBe(2000)
      expect(Math.min(...counts)).toBeGreaterThan(100)
    }
    expect(() => new Prng(1).below(0)).toThrow()
  })
})

describe('limits', () => {
  it.each([
    ['frameBytesMax', 0],
    ['requestsOutstandingMax', 0],
    ['requestBytesOutstandingMax', 0],
    ['replyBytesPause', defaultLimits.replyBytesMax],
  ])('with %s %d contradict each other', (name, value) => {
    expect(() => checkLimits({ ...defaultLimits, [name]: value })).toThrow()
    expect(() => checkLimits(defaultLimits)).not.toThrow()
  })
})
