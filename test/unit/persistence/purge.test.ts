import { describe, expect, it } from 'vitest'
import { planPurge } from '../../../src/persistence/purge.ts'
import { MemoryDisk } from '../../support/memory-disk.ts'

const whole = Buffer.from([...Buffer.alloc(20), 0, 0, 0, 1, 0x2f])
const files = (...names: string[]): MemoryDisk =>
  new MemoryDisk(Object.fromEntries(names.map((name) => [name, whole])))

describe('a purge', () => {
  it('keeps the newest snapshots, and the logs that hold what came behind the oldest of them', () => {
    const disk = files(
      ...['snapshot.0', 'snapshot.10', 'snapshot.20', 'snapshot.30', 'snapshot.40'],
      ...['log.1', 'log.12', 'log.1f', 'log.23', 'log.34'],
    )
    // snapshot.20 began while log.1f was written.
    expect(planPurge(disk, 3)).toEqual(['snapshot.0', 'log.1', 'snapshot.10', 'log.12'])
    expect(planPurge(disk, 5)).toEqual([])
    expect(planPurge(disk, 6)).toEqual([])
    expect(planPurge(files(), 3)).toEqual([])
  })

  it('counts only snapshots that look whole', () => {
    const disk = files('snapshot.10', 'snapshot.20', 'snapshot.30', 'log.1', 'log.11', 'log.21')
    disk.files.set('snapshot.40', Buffer.alloc(20))
    disk.files.set('snapshot.25', Buffer.alloc(0))
    expect(planPurge(disk, 3)).toEqual([])
    expect(planPurge(disk, 2)).toEqual(['log.1', 'snapshot.10'])
  })

  it('touches nothing else', () => {
    const disk = files('snapshot.10', 'snapshot.20', 'log.5', 'log.15', 'log.20', 'currentEpoch')
    expect(planPurge(disk, 1)).toEqual(['log.5', 'snapshot.10', 'log.15'])
  })
})
