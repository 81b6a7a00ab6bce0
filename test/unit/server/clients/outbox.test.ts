import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Outbox } from '../../../../src/server/clients/outbox.ts'

interface Target {
  readonly id: number
  readonly pieces: number[]
  unsentBytes: number
}
const target = (id: number): Target => ({ id, pieces: [], unsentBytes: 0 })
const put = (outbox: Outbox, to: Target, text: string): void =>
  outbox.begin(to).writeBytes(Buffer.from(text))

/** What is written now, as text by connection. */
const taken = (outbox: Outbox): Record<number, string> =>
  Object.fromEntries(outbox.take().map(({ cnxn, bytes }) => [cnxn, bytes.toString()]))

describe('the outbox of a turn', () => {
  it('gathers the pieces of each connection in their order, one write for each', () => {
    const outbox = new Outbox()
    const [a, b] = [target(1), target(2)]
    put(outbox, a, 'a1')
    put(outbox, a, 'a2')
    put(outbox, b, 'b1')
    put(outbox, a, 'a3')
    expect([outbox.pendingBytes(a), outbox.pendingBytes(b)]).toEqual([6, 2])
    expect(taken(outbox)).toEqual({ 1: 'a1a2a3', 2: 'b1' })
    expect([a.pieces, b.pieces]).toEqual([[], []])
    expect(outbox.pendingBytes(a)).toBe(0)
  })

  it('has nothing for whom nothing was written', () => {
    const outbox = new Outbox()
    outbox.begin(target(1))
    expect(outbox.take()).toEqual([])
    const w = outbox.begin(target(2))
    w.writeInt(1)
    w.truncate(0)
    expect(outbox.take()).toEqual([])
  })

  it('begins the next turn empty, with the same bytes or with new ones if those are held', () => {
    const outbox = new Outbox()
    const one = target(1)
    put(outbox, one, 'first')
    const [held] = outbox.take()
    outbox.recycle(true)
    put(outbox, one, 'other')
    expect(held?.bytes.toString()).toBe('first')
    const [free] = outbox.take()
    outbox.recycle(false)
    put(outbox, one, 'third')
    expect(taken(outbox)).toEqual({ 1: 'third' })
    expect(free?.bytes.toString()).toBe('third')
  })

  it('gives a buffer back that a burst has made large', () => {
    const outbox = new Outbox()
    const one = target(1)
    put(outbox, one, 'x'.repeat(2 ** 20 + 1))
    const [large] = outbox.take()
    outbox.recycle(false)
    put(outbox, one, 'small')
    const [small] = outbox.take()
    expect(small?.bytes.buffer).not.toBe(large?.bytes.buffer)
    expect(small?.bytes.buffer.byteLength).toBeLessThan(2 ** 20)
  })

  it('gives a client that is clogged no part of a buffer to hold on to', () => {
    const outbox = new Outbox()
    const [stuck, other] = [{ ...target(1), unsentBytes: 1 }, target(2)]
    put(outbox, stuck, 'event')
    put(outbox, other, 'reply')
    const [held, free] = outbox.take()
    expect([held?.bytes.toString(), held?.bytes.buffer.byteLength]).toEqual(['event', 5])
    expect([held?.isOfArena, free?.isOfArena]).toEqual([false, true])
  })

  it('gives nobody a small part of a buffer that a burst has made large', () => {
    const outbox = new Outbox()
    const [small, large] = [target(1), target(2)]
    put(outbox, small, 'small')
    put(outbox, large, 'x'.repeat(2 ** 20 + 1))
    const [first, second] = outbox.take()
    expect(first?.bytes.buffer.byteLength).toBe(5)
    expect([first?.isOfArena, second?.isOfArena]).toEqual([false, true])
  })

  it('loses and mixes nothing, whoever is written to in whichever order', () => {
    const turn = fc.array(fc.tuple(fc.nat(3), fc.string({ maxLength: 5 })), { maxLength: 30 })
    fc.assert(
      fc.property(fc.array(fc.tuple(turn, fc.boolean()), { maxLength: 5 }), (turns) => {
        const outbox = new Outbox()
        const targets = [0, 1, 2, 3].map(target)
        for (const [puts, held] of turns) {
          const expected: Record<number, string> = {}
          for (const [which, text] of puts) {
            const to = targets[which]
            if (to === undefined) continue
            put(outbox, to, text)
            if (text !== '') expected[which] = (expected[which] ?? '') + text
            const bytes = Buffer.byteLength(expected[which] ?? '')
            expect(outbox.pendingBytes(to)).toBe(bytes)
          }
          expect(taken(outbox)).toEqual(expected)
          outbox.recycle(held)
        }
      }),
      { numRuns: 200 },
    )
  })
})
