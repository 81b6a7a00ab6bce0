import { describe, expect, it } from 'vitest'
import { loadNewestSnapshot } from '../../../src/persistence/snapshot-choice.ts'
import { DataTree } from '../../../src/tree/data-tree.ts'
import { MemoryDisk, snapshotFile } from '../../support/memory-disk.ts'

const makeTree = (): DataTree =>
  new DataTree({ extendedTypesEnabled: true, emulate353TtlNodes: false }, true)
const choose = (files: Record<string, Buffer>): ReturnType<typeof loadNewestSnapshot> =>
  loadNewestSnapshot(new MemoryDisk(files), makeTree)
const whole = (...names: readonly string[]): Record<string, Buffer> =>
  Object.fromEntries(names.map((name) => [name, snapshotFile(name)]))

describe('the snapshot that a start begins with', () => {
  it('is the newest, by number', () => {
    const { chosen, rejected } = choose(whole('snapshot.9', 'snapshot.10.gz', 'snapshot.f'))
    expect([chosen?.name, chosen?.zxid, rejected]).toEqual(['snapshot.10.gz', 16, []])
  })

  it('counts from its name, whatever it has of what came while it was written', () => {
    const { chosen } = choose({ 'snapshot.5': snapshotFile('snapshot.5', 9) })
    expect([chosen?.tree.lastProcessedZxid, chosen?.lastProcessedZxid]).toEqual([5, 9])
  })

  it('is an older one when the newest are not whole, and says so', () => {
    const cut = snapshotFile('snapshot.a').subarray(0, -3)
    const files = { ...whole('snapshot.9'), 'snapshot.a': cut, 'snapshot.b': Buffer.alloc(0) }
    const { chosen, rejected } = choose(files)
    expect(chosen?.name).toBe('snapshot.9')
    expect(rejected.map(({ name }) => name)).toEqual(['snapshot.b', 'snapshot.a'])
  })

  it('is none when there is none, or none of the newest hundred is whole', () => {
    expect(choose({})).toEqual({ chosen: undefined, rejected: [] })
    const broken = Array.from({ length: 100 }, (_, at) => [
      `snapshot.${(at + 16).toString(16)}`,
      Buffer.alloc(0),
    ])
    const files: Record<string, Buffer> = { ...Object.fromEntries(broken), ...whole('snapshot.1') }
    expect(choose(files).chosen).toBeUndefined()
    expect(choose(files).rejected.length).toBe(100)
  })
})
