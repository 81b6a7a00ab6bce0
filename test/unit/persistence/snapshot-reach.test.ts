import { expect, it } from 'vitest'
import { snapshotReach } from '../../../src/persistence/snapshot-reach.ts'
import { MemoryDisk, snapshotFile } from '../../support/memory-disk.ts'

const reachOf = (name: string, bytes: Buffer): number | string => {
  const disk = new MemoryDisk({ [name]: bytes })
  const file = disk.listSnapshots()[0]
  if (file === undefined) throw new Error(`no snapshot: ${name}`)
  return snapshotReach(disk, file)
}

it('is what was applied while the snapshot was written, not less than its name', () => {
  expect(reachOf('snapshot.5', snapshotFile('snapshot.5'))).toBe(5)
  expect(reachOf('snapshot.5', snapshotFile('snapshot.5', 9))).toBe(9)
})

it('is not known of a snapshot that is damaged', () => {
  const bytes = snapshotFile('snapshot.5')
  expect(typeof reachOf('snapshot.5', bytes.subarray(0, -2))).toBe('string')
  expect(typeof reachOf('snapshot.5', Buffer.alloc(0))).toBe('string')
})
