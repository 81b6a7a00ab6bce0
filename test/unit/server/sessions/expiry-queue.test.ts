import { describe, expect, it } from 'vitest'
import { ExpiryQueue } from '../../../../src/server/sessions/expiry-queue.ts'

const item = (name: string): { name: string; expiresMono: number } => ({ name, expiresMono: 0 })
const names = (items: readonly { readonly name: string }[]): string =>
  items.map(({ name }) => name).join(' ')

describe('deadlines in buckets of 1000 ms', () => {
  it('end with their bucket, never before the deadline', () => {
    const queue = new ExpiryQueue<ReturnType<typeof item>>(1000)
    const [a, b, c] = [item('a'), item('b'), item('c')]
    queue.touch(a, 1999)
    queue.touch(b, 2000)
    queue.touch(c, 2500)
    expect([a, b, c].map(({ expiresMono }) => expiresMono)).toEqual([2000, 3000, 3000])
    expect([queue.mayHaveExpired(1999), queue.mayHaveExpired(2000)]).toEqual([false, true])
    expect(names(queue.takeExpired(1999))).toBe('')
    expect(names(queue.takeExpired(2000))).toBe('a')
    expect(a.expiresMono).toBe(0)
    expect(queue.mayHaveExpired(2999)).toBe(false)
    expect(names(queue.takeExpired(3000))).toBe('b c')
  })

  it('move with a touch, and are gone when removed', () => {
    const queue = new ExpiryQueue<ReturnType<typeof item>>(1000)
    const [a, b] = [item('a'), item('b')]
    queue.touch(a, 1500)
    queue.touch(b, 1500)
    queue.touch(a, 5500)
    queue.remove(b)
    expect(names(queue.takeExpired(5999))).toBe('')
    expect(names(queue.takeExpired(6000))).toBe('a')
  })

  it('are taken a few at a time, and the rest is not forgotten', () => {
    const queue = new ExpiryQueue<ReturnType<typeof item>>(1000)
    for (const name of ['a', 'b', 'c', 'd']) queue.touch(item(name), name === 'd' ? 2500 : 1500)
    expect(names(queue.takeExpired(3000, 2))).toBe('a b')
    expect(names(queue.takeExpired(3000, 2))).toBe('c d')
    expect(names(queue.takeExpired(9000))).toBe('')
  })

  it('are all put off by as much, those to come later not', () => {
    const queue = new ExpiryQueue<ReturnType<typeof item>>(1000)
    const [a, b] = [item('a'), item('b')]
    queue.touch(a, 1500)
    queue.postpone(700)
    expect([2699, 2700].map((now) => queue.mayHaveExpired(now))).toEqual([false, true])
    queue.touch(b, 1500)
    expect(a.expiresMono).toBe(2700)
    expect(names(queue.takeExpired(2000))).toBe('b')
    expect(names(queue.takeExpired(2699))).toBe('')
    expect(names(queue.takeExpired(2700))).toBe('a')
  })
})
