import { describe, expect, it } from 'vitest'
import {
  isTemporarySnapshotName,
  parseReceivedName,
  parseSnapshotName,
  receivedSnapshotName,
  snapshotFileName,
  temporarySnapshotName,
} from '../../../src/persistence/snapshot-name.ts'

describe('the name of a snapshot', () => {
  it.each([
    ['snapshot.0', 0, ''],
    ['snapshot.1fffffffffffff', Number.MAX_SAFE_INTEGER, ''],
    ['snapshot.2a.gz', 42, 'gz'],
    ['snapshot.2a.snappy', 42, 'snappy'],
  ] as const)('%s says where it began, and how it is packed', (name, zxid, compression) => {
    expect(parseSnapshotName(name)).toEqual({ zxid, compression })
    expect(snapshotFileName({ zxid, compression })).toBe(name)
  })

  it('may have a suffix that means nothing', () => {
    expect(parseSnapshotName('snapshot.2a.old')).toEqual({ zxid: 42, compression: '' })
  })

  it.each([
    'snapshot',
    'snapshot.',
    'snapshot.x',
    'log.1',
    'tmp.snapshot.1',
    'received.snapshot.1',
  ])('%s is none', (name) => {
    expect(parseSnapshotName(name)).toBeUndefined()
  })
})

describe('a snapshot that is not yet our history', () => {
  const name = 'snapshot.2a.gz'

  it('has another name until it is', () => {
    expect(parseReceivedName(receivedSnapshotName(name))).toEqual({ zxid: 42, compression: 'gz' })
    expect(parseReceivedName(name)).toBeUndefined()
  })

  it('is known to be left by a crash while it was written, and nothing else is', () => {
    const left = [name, receivedSnapshotName(name)].map(temporarySnapshotName)
    expect(left.map(isTemporarySnapshotName)).toEqual([true, true])
    const others = [name, receivedSnapshotName(name), 'tmp.log.1', 'tmp.notes']
    expect(others.some(isTemporarySnapshotName)).toBe(false)
  })
})
