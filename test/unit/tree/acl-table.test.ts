import { describe, expect, it } from 'vitest'
import { openAcl } from '../../../src/data/acl.ts'
import { AclTable } from '../../../src/tree/acl-table.ts'

const list = (perms: number): { perms: number; id: { scheme: string; id: string } }[] => [
  { perms, id: { scheme: 'digest', id: 'me:x' } },
]

describe('the lists of a tree', () => {
  it('are one entry for equal lists, which goes with its last node', () => {
    const table = new AclTable()
    const entry = table.acquire(list(1))
    expect(table.acquire(list(1))).toBe(entry)
    expect(table.acquire(list(2))).not.toBe(entry)
    table.share(entry)
    expect(table.size).toBe(3)
    for (let nodes = 3; nodes > 0; nodes -= 1) {
      expect([...table.entries()]).toContain(entry)
      table.release(entry)
    }
    expect([...table.entries()]).not.toContain(entry)
    expect(table.acquire(list(1))).not.toBe(entry)
  })

  it('have the open one for ever, by whatever object it comes', () => {
    const table = new AclTable()
    expect(table.acquire(structuredClone([...openAcl]))).toBe(table.open)
    for (let i = 0; i < 3; i += 1) table.release(table.open)
    expect([...table.entries()]).toEqual([table.open])
  })
})
