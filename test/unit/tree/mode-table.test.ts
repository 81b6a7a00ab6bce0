import { describe, expect, it } from 'vitest'
import { ModeTable, WatchMode } from '../../../src/tree/mode-table.ts'

interface Watcher {
  readonly name: string
}
const [a, b]: readonly [Watcher, Watcher] = [{ name: 'a' }, { name: 'b' }]
const names = (watchers: Iterable<Watcher> | undefined): string =>
  [...(watchers ?? [])].map(({ name }) => name).join(' ')
const counts = (table: ModeTable<Watcher>): number[] => [
  table.watchCount,
  table.pathCount,
  table.watcherCount,
]

describe('watches by path', () => {
  it('of the standard kind are used up by an event, the others are not', () => {
    const table = new ModeTable<Watcher>()
    table.add('/n', a, WatchMode.Standard)
    table.add('/n', a, WatchMode.Persistent)
    table.add('/n', b, WatchMode.Standard)
    expect(counts(table)).toEqual([2, 1, 2])
    expect(names(table.take('/n'))).toBe('a b')
    expect(counts(table)).toEqual([1, 1, 1])
    expect(names(table.take('/n'))).toBe('a')
  })

  it('that are recursive hear of all below, once', () => {
    const table = new ModeTable<Watcher>()
    table.add('/', a, WatchMode.Recursive)
    table.add('/n', a, WatchMode.Recursive)
    table.add('/n/m', b, WatchMode.Persistent)
    expect(names(table.take('/n/m/k'))).toBe('a')
    expect(names(table.take('/n/m'))).toBe('b a')
    expect(table.remove('/', a, WatchMode.Recursive)).toBe(true)
    expect(table.remove('/n', a, WatchMode.Recursive)).toBe(true)
    expect(table.take('/n/m/k')).toBeUndefined()
  })

  it('are removed by their kind', () => {
    const table = new ModeTable<Watcher>()
    table.add('/n', a, WatchMode.Standard)
    table.add('/n', a, WatchMode.Persistent)
    expect(table.remove('/n', a, WatchMode.Recursive)).toBe(false)
    expect(table.remove('/n', b, WatchMode.Standard)).toBe(false)
    expect(table.remove('/n', a, WatchMode.Persistent)).toBe(true)
    expect(table.modesOf('/n', a)).toBe(WatchMode.Standard)
    expect(table.remove('/n', a, WatchMode.Standard)).toBe(true)
    expect(counts(table)).toEqual([0, 0, 0])
  })
})

describe('a watcher that is gone', () => {
  function withGone(): ModeTable<Watcher> {
    const table = new ModeTable<Watcher>()
    for (const path of ['/1', '/2', '/3']) table.add(path, a, WatchMode.Persistent)
    table.add('/', a, WatchMode.Recursive)
    table.add('/1', b, WatchMode.Persistent)
    table.removeWatcher(a)
    return table
  }

  it('hears nothing and is seen nowhere, before it is swept as after', () => {
    for (const swept of [0, 2, 4]) {
      const table = withGone()
      expect(table.sweep(swept)).toBe(swept)
      expect(['/1', '/2', '/2/x'].map((path) => names(table.take(path)))).toEqual(['b', '', ''])
      expect([table.modesOf('/1', a), counts(table)]).toEqual([0, [1, 1, 1]])
      const shown = [...table.byPath()].map(([path, watchers]) => `${path} ${names(watchers)}`)
      expect(shown.filter((line) => !line.endsWith(' '))).toEqual(['/1 b'])
      expect([...table.byWatcher()].map(([{ name }, paths]) => [name, ...paths])).toEqual([
        ['b', '/1'],
      ])
    }
  })

  it('is swept in slices, and then no more', () => {
    const table = withGone()
    expect([table.sweep(3), table.hasGone, table.sweep(3), table.hasGone, table.sweep(3)]).toEqual([
      3,
      true,
      1,
      false,
      0,
    ])
  })

  it('sets no watch again', () => {
    expect(() => withGone().add('/4', a, WatchMode.Standard)).toThrow('a watcher that is gone')
  })
})
