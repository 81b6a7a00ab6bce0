import { describe, expect, it } from 'vitest'
import type { Operation, Read, Write } from './history.ts'
import { checkHistory } from './history-check.ts'

const rules = { initialValue: '', syncIsBarrier: true }

let seq = 0
/** Times as [invoked, returned]; the client is the first letter of the value, its order that of calls. */
function write(
  value: string,
  [invokedMs, returnedMs]: [number, number],
  rest: Partial<Write> = {},
): Write {
  seq += 1
  const client = value.charCodeAt(0)
  const fixed = {
    kind: 'write',
    client,
    seq,
    register: '/r',
    value,
    invokedMs,
    returnedMs,
  } as const
  return { ...fixed, expected: -1, outcome: 'ok', zxid: 0, version: -1, ...rest }
}
const lost = (value: string, times: [number, number], rest: Partial<Write> = {}): Write =>
  write(value, times, { outcome: 'unknown', ...rest })

function read(
  client: string,
  value: string,
  version: number,
  [invokedMs, returnedMs]: [number, number],
  rest: Partial<Read> = {},
): Read {
  seq += 1
  const fixed = { kind: 'read', client: client.charCodeAt(0), seq, register: '/r' } as const
  return { ...fixed, value, version, zxid: 0, invokedMs, returnedMs, synced: false, ...rest }
}

const problems = (...history: Operation[]): string[] =>
  checkHistory(history, rules).map((line) => line.split(':')[0] ?? '')

describe('the check of a history', () => {
  it('finds nothing in a sound one', () => {
    const history = [
      write('a1', [0, 10], { zxid: 1, version: 1 }),
      write('b1', [5, 12], { zxid: 2, version: 2, expected: 1 }),
      lost('a2', [20, 30]),
      write('b2', [25, 40], { zxid: 4, version: 4 }),
      write('c1', [50, 60], { outcome: 'refused', expected: 2 }),
      read('c', 'b1', 2, [50, 60], { zxid: 2 }),
      read('c', 'b2', 4, [61, 70], { zxid: 4, synced: true }),
    ]
    expect(problems(...history)).toEqual([])
  })

  it('looks for who can have made them all, and not for one after the other', () => {
    const history = [
      lost('a1', [1, 5]),
      lost('b1', [2, 5]),
      lost('c1', [10, 20]),
      // What c has been told of at 50 came behind c1.
      write('c2', [30, 50], { zxid: 9, version: 1, register: '/other' }),
      // Nothing else can be version 1; but it began when c1 was over, which must be 1, 2 or 3.
      lost('d1', [100, 110], { expected: 0 }),
      write('e1', [120, 130], { zxid: 10, version: 4 }),
    ]
    expect(problems(...history)).toEqual([])
  })

  it('gives versions that nobody was told of to those who can have made them', () => {
    const history = [
      write('a1', [0, 10], { zxid: 1, version: 1 }),
      lost('b1', [20, 30], { expected: 1 }),
      lost('c1', [20, 30]),
      write('c2', [40, 45], { zxid: 4, version: 4 }),
      write('b2', [40, 50], { zxid: 5, version: 5 }),
    ]
    expect(problems(...history)).toEqual([])
    expect(problems(...history.filter(({ value }) => value !== 'c1'))).toEqual([
      'nobody can have made version 3 of /r',
    ])
  })

  it('gives none to one that began when a later version was there', () => {
    const history = [
      lost('a1', [0, 10], { expected: 0 }),
      lost('b1', [0, 10], { expected: 1 }),
      read('z', 'b1', 2, [40, 50]),
      write('c1', [11, 15], { zxid: 3, version: 3 }),
      lost('d1', [20, 30], { expected: 0 }),
      write('d2', [31, 35], { zxid: 4, version: 4 }),
    ]
    expect(problems(...history)).toEqual([])
  })

  it('finds a write that was lost after it was acknowledged', () => {
    const first = write('a1', [0, 10], { zxid: 1, version: 1 })
    const second = write('b1', [20, 30], { zxid: 2, version: 1 })
    expect(problems(first, second)).toEqual(['two writes made one version'])
    expect(problems(first, read('c', '', 0, [20, 30], { synced: true }))).toEqual([
      'sync and read missed {"kind"',
    ])
  })

  it('finds a write that took effect twice', () => {
    const once = write('a1', [0, 10], { zxid: 1, version: 1 })
    const next = write('b1', [20, 30], { zxid: 3, version: 3 })
    expect(problems(once, next)).toEqual(['nobody can have made version 2 of /r'])
    const unknown = lost('a1', [0, 10])
    const reads = [read('c', 'a1', 1, [20, 30]), read('c', 'a1', 2, [40, 50])]
    expect(problems(unknown, ...reads)).toEqual(['a write took effect twice'])
  })

  it('finds a write that took effect after a later one of its client', () => {
    const history = [
      lost('a1', [0, 10]),
      write('a2', [20, 30], { zxid: 1, version: 1 }),
      write('b1', [40, 50], { zxid: 2, version: 2 }),
      write('b2', [60, 70], { zxid: 4, version: 4 }),
    ]
    expect(problems(...history)).toEqual(['nobody can have made version 3 of /r'])
    expect(problems(...history.slice(0, 2), read('c', 'a1', 2, [80, 90]))).toEqual([])
    const late = [...history.slice(0, 3), read('c', 'a1', 3, [80, 90])]
    expect(problems(...late)).toEqual(['versions against time'])
  })

  it('finds zxids and versions that go against the clock', () => {
    const newer = write('a1', [0, 10], { zxid: 9, version: 1 })
    expect(problems(newer, write('b1', [20, 30], { zxid: 8, version: 2 }))).toEqual([
      'zxids against time',
    ])
    const upper = write('a1', [0, 10], { zxid: 1, version: 2 })
    const lower = write('b1', [20, 30], { zxid: 2, version: 1 })
    expect(problems(upper, lower)).toEqual(['versions against time'])
  })

  it('finds what one client sent in another order, or saw going back', () => {
    const first = write('a1', [0, 30], { zxid: 2, version: 2 })
    const second = write('a2', [1, 30], { zxid: 1, version: 1 })
    expect(problems(first, second)).toEqual([
      "a client's order",
      "a client's view went back",
      "a client's register went back",
    ])
    const old = write('b1', [0, 5], { zxid: 1, version: 1 })
    const saw = read('c', 'b1', 1, [10, 20], { zxid: 5 })
    expect(problems(old, saw, read('c', 'b1', 1, [30, 40], { zxid: 4 }))).toEqual([
      "a client's view went back",
    ])
    expect(problems(old, saw, read('c', '', 0, [30, 40], { zxid: 5 }))).toEqual([
      "a client's register went back",
    ])
  })

  it('finds compare-and-set that did not compare', () => {
    const set = write('a1', [0, 10], { zxid: 1, version: 1 })
    const blind = write('b1', [20, 30], { zxid: 2, version: 2, expected: 0 })
    expect(problems(set, blind)).toEqual(['a version was not the expected one'])
    const unknown = lost('b1', [20, 30], { expected: 0 })
    expect(problems(set, unknown, read('c', 'b1', 2, [40, 50]))).toEqual([
      'a version was not the expected one',
    ])
    const refused = write('b1', [20, 30], { outcome: 'refused', expected: 1 })
    expect(problems(set, refused)).toEqual(['refused although the version was right'])
    expect(problems(set, refused, write('c1', [25, 40], { zxid: 2, version: 2 }))).toEqual([])
  })

  it('finds reads of what nobody wrote, or not yet', () => {
    expect(problems(read('c', 'x', 1, [0, 10]))).toEqual([
      'read what was not written, or written as another version',
    ])
    const future = write('a1', [50, 60], { zxid: 1, version: 1 })
    expect(problems(future, read('c', 'a1', 1, [0, 10]))).toEqual(['read before it was written'])
    expect(problems(future, read('c', 'other', 1, [70, 80]))).toEqual(['read'])
  })
})
