import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EventType, WatcherType } from '../../../src/data/watch-event.ts'
import { WatchTable } from '../../../src/tree/watch-table.ts'

interface Client {
  readonly name: string
}
const ann: Client = { name: 'ann' }
const bob: Client = { name: 'bob' }
const { NodeCreated, NodeDeleted, NodeDataChanged, NodeChildrenChanged } = EventType

/** A table that writes down whom it told of what, as the recordings print it. */
function fixture() {
  const table = new WatchTable<Client>()
  let told: string[] = []
  const emit = (client: Client, type: EventType, path: string): void => {
    told.push(`${client.name} ${type} ${path}`)
  }
  const take = (): string[] => {
    const events = told
    told = []
    return events
  }
  return {
    table,
    create(path: string, parent: string): string[] {
      table.triggerCreated(path, parent, emit)
      return take()
    },
    delete(path: string, parent: string): string[] {
      table.triggerDeleted(path, parent, emit)
      return take()
    },
    setData(path: string): string[] {
      table.triggerDataChanged(path, emit)
      return take()
    },
  }
}

describe('standard watches', () => {
  test('exists and getData fire once, together', () => {
    const { table, setData } = fixture()
    table.addData('/rw', ann) // exists
    table.addData('/rw', ann) // getData
    expect(setData('/rw')).toEqual([`ann ${NodeDataChanged} /rw`])
    expect(setData('/rw')).toEqual([])
    expect(table.watchCount).toBe(0)
    expect(table.dataWatcherCount).toBe(0)
  })

  test('a created node is told before its parent', () => {
    const f = fixture()
    f.table.addData('/rw/k', ann)
    f.table.addChild('/rw', ann)
    expect(f.create('/rw/k', '/rw')).toEqual([
      `ann ${NodeCreated} /rw/k`,
      `ann ${NodeChildrenChanged} /rw`,
    ])
  })

  test('a deleted node is told once to a client that watches its data and its children', () => {
    const f = fixture()
    f.table.addData('/rw', ann)
    f.table.addChild('/rw', ann)
    f.table.addChild('/rw', bob)
    f.table.addChild('/', ann)
    expect(f.delete('/rw', '/')).toEqual([
      `ann ${NodeDeleted} /rw`,
      `bob ${NodeDeleted} /rw`,
      `ann ${NodeChildrenChanged} /`,
    ])
    expect(f.table.watchCount).toBe(0)
  })

  test('children lists do not hear of data, nor data watches of children', () => {
    const f = fixture()
    f.table.addChild('/rw', ann)
    expect(f.setData('/rw')).toEqual([])
    f.table.addData('/rw', bob)
    expect(f.create('/rw/k', '/rw')).toEqual([`ann ${NodeChildrenChanged} /rw`])
    expect(f.table.contains('/rw', WatcherType.Data, bob)).toBe(true)
  })
})

describe('persistent and recursive watches', () => {
  // golden/wire/raw-watches: 623 ms to 636 ms.
  test('persistent: every event of the path, none of its grandchildren', () => {
    const f = fixture()
    f.table.addPersistent('/rw', ann)
    expect(f.setData('/rw')).toEqual([`ann ${NodeDataChanged} /rw`])
    expect(f.create('/rw/a', '/rw')).toEqual([`ann ${NodeChildrenChanged} /rw`])
    expect(f.create('/rw/a/b', '/rw/a')).toEqual([])
    expect(f.delete('/rw/a/b', '/rw/a')).toEqual([])
    expect(f.delete('/rw/a', '/rw')).toEqual([`ann ${NodeChildrenChanged} /rw`])
    expect(f.delete('/rw', '/')).toEqual([`ann ${NodeDeleted} /rw`])
    expect(f.create('/rw', '/')).toEqual([`ann ${NodeCreated} /rw`])
  })

  // golden/wire/raw-watches: 802 ms to 813 ms.
  test('recursive: the path and all below it, but no children lists', () => {
    const f = fixture()
    f.table.addRecursive('/rw', ann)
    expect(f.setData('/rw')).toEqual([`ann ${NodeDataChanged} /rw`])
    expect(f.create('/rw/a', '/rw')).toEqual([`ann ${NodeCreated} /rw/a`])
    expect(f.create('/rw/a/b', '/rw/a')).toEqual([`ann ${NodeCreated} /rw/a/b`])
    expect(f.setData('/rw/a/b')).toEqual([`ann ${NodeDataChanged} /rw/a/b`])
    expect(f.delete('/rw/a/b', '/rw/a')).toEqual([`ann ${NodeDeleted} /rw/a/b`])
    expect(f.delete('/rw', '/')).toEqual([`ann ${NodeDeleted} /rw`])
    expect(f.setData('/rwx')).toEqual([])
  })

  test('recursive on the root hears everything', () => {
    const f = fixture()
    f.table.addRecursive('/', ann)
    expect(f.create('/any', '/')).toEqual([`ann ${NodeCreated} /any`])
    expect(f.setData('/')).toEqual([`ann ${NodeDataChanged} /`])
  })

  test('a client under several watches is told once', () => {
    const f = fixture()
    f.table.addRecursive('/', ann)
    f.table.addRecursive('/a', ann)
    f.table.addRecursive('/a/b', ann)
    f.table.addPersistent('/a/b', ann)
    f.table.addData('/a/b', ann)
    f.table.addChild('/a/b', ann)
    expect(f.setData('/a/b')).toEqual([`ann ${NodeDataChanged} /a/b`])
    expect(f.delete('/a/b', '/a')).toEqual([`ann ${NodeDeleted} /a/b`])
  })

  test('a plain watch leaves a persistent and a recursive one standing (ZOOKEEPER-4466)', () => {
    const f = fixture()
    f.table.addPersistent('/rw', ann)
    f.table.addRecursive('/rw', ann)
    f.table.addData('/rw', ann)
    f.table.addChild('/rw', ann)
    expect(f.setData('/rw')).toEqual([`ann ${NodeDataChanged} /rw`])
    expect(f.create('/rw/z', '/rw')).toEqual([
      `ann ${NodeCreated} /rw/z`,
      `ann ${NodeChildrenChanged} /rw`,
    ])
    expect(f.table.contains('/rw', WatcherType.Data, ann)).toBe(false)
    expect(f.table.contains('/rw', WatcherType.Children, ann)).toBe(false)
    expect(f.table.contains('/rw', WatcherType.Persistent, ann)).toBe(true)
    expect(f.table.contains('/rw', WatcherType.PersistentRecursive, ann)).toBe(true)
  })
})

describe('removal', () => {
  const { Children, Data, Any, Persistent, PersistentRecursive } = WatcherType

  test('each type removes what it names and nothing else', () => {
    const { table } = fixture()
    table.addData('/a', ann)
    table.addChild('/a', ann)
    table.addPersistent('/a', ann)
    table.addRecursive('/a', ann)
    for (const type of [Children, Data, Persistent, PersistentRecursive]) {
      expect(table.contains('/a', Any, ann)).toBe(true)
      expect(table.contains('/a', type, ann)).toBe(true)
      expect(table.remove('/a', type, ann)).toBe(true)
      expect(table.contains('/a', type, ann)).toBe(false)
      expect(table.remove('/a', type, ann)).toBe(false)
    }
    expect(table.contains('/a', Any, ann)).toBe(false)
    expect(table.watchCount).toBe(0)
  })

  test('Data and Children do not take a persistent watch, Any takes all', () => {
    const { table } = fixture()
    table.addPersistent('/a', ann)
    table.addRecursive('/a', ann)
    expect(table.remove('/a', Data, ann)).toBe(false)
    expect(table.remove('/a', Children, ann)).toBe(false)
    expect(table.remove('/a', Any, ann)).toBe(true)
    expect(table.remove('/a', Any, ann)).toBe(false)
  })

  test('a stranger, another path, and another client have nothing to remove', () => {
    const { table } = fixture()
    table.addData('/a', ann)
    expect(table.remove('/a', Any, bob)).toBe(false)
    expect(table.remove('/b', Any, ann)).toBe(false)
    expect(table.contains('/a', Data, ann)).toBe(true)
  })

  test('a client that goes takes all its watches along', () => {
    const f = fixture()
    f.table.addData('/a', ann)
    f.table.addData('/a', bob)
    f.table.addPersistent('/b', ann)
    f.table.addRecursive('/', ann)
    f.table.removeWatcher(ann)
    f.table.removeWatcher(ann)
    expect(f.setData('/a')).toEqual([`bob ${NodeDataChanged} /a`])
    expect(f.create('/b', '/')).toEqual([])
    expect(f.table.watchCount).toBe(0)
  })

  test('a client may be dropped while it is being told', () => {
    const table = new WatchTable<Client>()
    for (const client of [ann, bob]) {
      table.addPersistent('/a', client)
      table.addChild('/', client)
    }
    const told: string[] = []
    table.triggerDeleted('/a', '/', (client, type, path) => {
      told.push(`${client.name} ${type} ${path}`)
      table.removeWatcher(client)
    })
    expect(told).toEqual([
      `ann ${NodeDeleted} /a`,
      `bob ${NodeDeleted} /a`,
      `ann ${NodeChildrenChanged} /`,
      `bob ${NodeChildrenChanged} /`,
    ])
    expect(table.watchCount).toBe(0)
  })
})

describe('a client that has gone and is not swept yet', () => {
  test('is told of nothing, counts nowhere and is listed nowhere', () => {
    const f = fixture()
    for (const path of ['/a', '/b', '/c']) f.table.addData(path, ann)
    f.table.addPersistent('/p', ann)
    f.table.addRecursive('/', ann)
    f.table.addChild('/', ann)
    f.table.addData('/a', bob)
    f.table.removeWatcher(ann)
    expect(f.table.hasGone).toBe(true)
    expect(f.table.contains('/b', WatcherType.Any, ann)).toBe(false)
    const { table } = f
    const counts = (): unknown[] => [
      table.watchCount,
      table.dataWatchCount,
      table.dataPathCount,
      table.dataWatcherCount,
    ]
    expect(counts()).toEqual([1, 1, 1, 1])
    expect(watchedPaths(table)).toEqual([['/a', ['bob']]])
    const byClient = [...table.dataPathsByWatcher()].map(([client, paths]) => [client, [...paths]])
    expect(byClient).toEqual([[bob, ['/a']]])
    expect(f.setData('/a')).toEqual([`bob ${NodeDataChanged} /a`])
    expect(f.delete('/p', '/')).toEqual([])
    expect(f.create('/b', '/')).toEqual([])
    expect(counts()).toEqual([0, 0, 0, 0])
  })

  test('is cleared away so many watches at a time, both tables added up', () => {
    const { table } = fixture()
    for (const path of ['/a', '/b', '/c']) table.addData(path, ann)
    for (const path of ['/a', '/b']) table.addChild(path, bob)
    table.removeWatcher(ann)
    table.removeWatcher(bob)
    table.sweep(4)
    expect(table.hasGone).toBe(true)
    table.sweep(1)
    expect(table.hasGone).toBe(false)
    expect([...table.dataWatchersByPath()]).toEqual([])
  })

  test('leaves the watches of others on its paths alone', () => {
    const f = fixture()
    f.table.addData('/a', ann)
    f.table.addData('/b', ann)
    f.table.addRecursive('/', ann)
    f.table.addData('/a', bob)
    f.table.removeWatcher(ann)
    f.table.addData('/b', bob)
    f.table.addRecursive('/b', bob)
    f.table.sweep(3)
    expect(f.table.hasGone).toBe(false)
    expect(watchedPaths(f.table)).toEqual([
      ['/a', ['bob']],
      ['/b', ['bob']],
    ])
    expect(f.create('/b/c', '/b')).toEqual([`bob ${NodeCreated} /b/c`])
    expect(f.setData('/a')).toEqual([`bob ${NodeDataChanged} /a`])
  })

  test('is listed no further by a listing that was at it', () => {
    const { table } = fixture()
    for (const path of ['/a', '/b', '/c']) table.addData(path, ann)
    const paths = table.dataPathsByWatcher().next().value?.[1][Symbol.iterator]()
    expect(paths?.next().value).toBe('/a')
    table.removeWatcher(ann)
    expect(paths?.next().done).toBe(true)
  })
})

function watchedPaths(table: WatchTable<Client>): unknown[] {
  return [...table.dataWatchersByPath()]
    .map(([path, clients]) => [path, [...clients].map(({ name }) => name)])
    .filter(([, clients]) => clients?.length !== 0)
}

test('counts and listings show the data table by path and by client', () => {
  const { table } = fixture()
  table.addData('/a', ann)
  table.addData('/a', bob)
  table.addPersistent('/a', bob)
  table.addRecursive('/b', ann)
  table.addChild('/c', ann)
  expect(table.dataWatchCount).toBe(3)
  expect(table.dataPathCount).toBe(2)
  expect(table.dataWatcherCount).toBe(2)
  expect(table.watchCount).toBe(5)
  const byPath = [...table.dataWatchersByPath()].map(([path, clients]) => [path, [...clients]])
  expect(byPath).toEqual([
    ['/a', [ann, bob]],
    ['/b', [ann]],
  ])
  const byClient = [...table.dataPathsByWatcher()].map(([client, paths]) => [client, [...paths]])
  expect(byClient).toEqual([
    [ann, ['/a', '/b']],
    [bob, ['/a']],
  ])
})

type TableName = 'data' | 'child'
interface NaiveWatch {
  readonly table: TableName
  readonly path: string
  readonly client: Client
  readonly mode: 'standard' | 'persistent' | 'recursive'
}
interface Firing {
  readonly event: string
  readonly clients: ReadonlySet<Client>
}

/** The rules of spec 05 §6 over one flat list. */
class NaiveWatches {
  #list: NaiveWatch[] = []

  add(watch: NaiveWatch): void {
    this.removeWhere(
      (w) =>
        w.table === watch.table &&
        w.path === watch.path &&
        w.client === watch.client &&
        w.mode === watch.mode,
    )
    this.#list.push(watch)
  }

  removeWhere(matches: (watch: NaiveWatch) => boolean): boolean {
    const left = this.#list.filter((watch) => !matches(watch))
    const removed = left.length < this.#list.length
    this.#list = left
    return removed
  }

  removeByType(path: string, type: WatcherType, client: Client): boolean {
    return this.removeWhere(({ table, mode, ...watch }) => {
      if (watch.path !== path || watch.client !== client) return false
      if (type === WatcherType.Any) return true
      if (type === WatcherType.Persistent) return mode === 'persistent'
      if (type === WatcherType.PersistentRecursive) return mode === 'recursive'
      return mode === 'standard' && table === (type === WatcherType.Data ? 'data' : 'child')
    })
  }

  fire(table: TableName, path: string): Set<Client> {
    const hits = this.#list.filter(
      (w) =>
        w.table === table &&
        (w.path === path ||
          (w.mode === 'recursive' && path.startsWith(w.path === '/' ? '/' : `${w.path}/`))),
    )
    this.removeWhere((w) => w.table === table && w.path === path && w.mode === 'standard')
    return new Set(hits.map((w) => w.client))
  }

  create(path: string, parent: string): Firing[] {
    return [
      { event: `${NodeCreated} ${path}`, clients: this.fire('data', path) },
      { event: `${NodeChildrenChanged} ${parent}`, clients: this.fire('child', parent) },
    ]
  }

  delete(path: string, parent: string): Firing[] {
    const told = new Set([...this.fire('data', path), ...this.fire('child', path)])
    return [
      { event: `${NodeDeleted} ${path}`, clients: told },
      { event: `${NodeChildrenChanged} ${parent}`, clients: this.fire('child', parent) },
    ]
  }

  setData(path: string): Firing[] {
    return [{ event: `${NodeDataChanged} ${path}`, clients: this.fire('data', path) }]
  }

  get dataPathCount(): number {
    const data = this.#list.filter((watch) => watch.table === 'data')
    return new Set(data.map((watch) => watch.path)).size
  }

  get count(): number {
    return new Set(this.#list.map((w) => `${w.table} ${w.path} ${w.client.name}`)).size
  }
}

const clients: readonly Client[] = [ann, bob, { name: 'cid' }]
const parents: ReadonlyMap<string, string> = new Map([
  ['/a', '/'],
  ['/a/b', '/a'],
  ['/a/b/c', '/a/b'],
  ['/ab', '/'],
])
const someStep = fc.record({
  op: fc.constantFrom(
    'data',
    'child',
    'persistent',
    'recursive',
    'create',
    'delete',
    'setData',
    'remove',
    'drop',
    'sweep',
  ),
  path: fc.constantFrom('/', ...parents.keys()),
  client: fc.constantFrom(...clients),
  type: fc.constantFrom(...Object.values(WatcherType)),
})
type Step = typeof someStep extends fc.Arbitrary<infer T> ? T : never

/** Does the same to both, and returns the events that the naive list expects. */
function step(
  { op, path, client, type }: Step,
  table: WatchTable<Client>,
  model: NaiveWatches,
  emit: (client: Client, type: EventType, path: string) => void,
): Firing[] {
  const parent = parents.get(path)
  if (op === 'data' || op === 'child') {
    if (op === 'data') table.addData(path, client)
    else table.addChild(path, client)
    model.add({ table: op, path, client, mode: 'standard' })
  } else if (op === 'persistent') {
    table.addPersistent(path, client)
    model.add({ table: 'data', path, client, mode: 'persistent' })
    model.add({ table: 'child', path, client, mode: 'persistent' })
  } else if (op === 'recursive') {
    table.addRecursive(path, client)
    model.add({ table: 'data', path, client, mode: 'recursive' })
  } else if (op === 'remove') {
    const had = table.contains(path, type, client)
    expect(table.remove(path, type, client)).toBe(had)
    expect(model.removeByType(path, type, client)).toBe(had)
  } else if (op === 'drop') {
    table.removeWatcher(client)
    model.removeWhere((watch) => watch.client === client)
  } else if (op === 'sweep') {
    table.sweep(1)
  } else if (op === 'setData') {
    table.triggerDataChanged(path, emit)
    return model.setData(path)
  } else if (parent !== undefined && op === 'create') {
    table.triggerCreated(path, parent, emit)
    return model.create(path, parent)
  } else if (parent !== undefined) {
    table.triggerDeleted(path, parent, emit)
    return model.delete(path, parent)
  }
  return []
}

test('the table behaves as the naive list does', () => {
  const names = (of: Iterable<Client>): string[] => [...of].map((client) => client.name).sort()
  fc.assert(
    fc.property(fc.array(someStep, { maxLength: 60 }), (steps) => {
      const table = new WatchTable<Client>()
      const model = new NaiveWatches()
      // Who has been dropped comes back with another connection.
      const present = new Map(clients.map((client) => [client, client]))
      for (const { client, ...rest } of steps) {
        const one = { ...rest, client: present.get(client) ?? client }
        if (one.op === 'drop') present.set(client, { ...client })
        const got: { readonly event: string; readonly client: Client }[] = []
        const expected = step(one, table, model, (client, type, path) => {
          got.push({ event: `${type} ${path}`, client })
        })
        for (const { event, clients: told } of expected) {
          const group = got.splice(0, told.size)
          expect(group.every((g) => g.event === event)).toBe(true)
          expect(names(group.map((g) => g.client))).toEqual(names(told))
        }
        expect(got).toEqual([])
        expect(table.watchCount).toBe(model.count)
        expect(table.dataPathCount).toBeGreaterThanOrEqual(model.dataPathCount)
        if (!table.hasGone) expect(table.dataPathCount).toBe(model.dataPathCount)
        expect(watchedPaths(table).length).toBe(model.dataPathCount)
      }
      table.sweep(steps.length * 2)
      expect(table.hasGone).toBe(false)
      expect(table.dataPathCount).toBe(model.dataPathCount)
    }),
    { numRuns: 300 },
  )
})
