import { describe, expect, it } from 'vitest'
import { Prng } from '../../../../src/base/prng.ts'
import type { DiskOp } from '../../../../src/persistence/disk.ts'
import { SimDisk } from '../../../sim/sim-disk.ts'
import { createEntry, ReplicaRig } from '../../../support/replica-rig.ts'
import { treeStream } from '../../../support/tree-replica.ts'

const z = (counter: number): number => 0x1_0000_0000 + counter
const entries = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => createEntry(z(from + index)))

/** A learner with txns 1 to 3, and a snapshot under way that has begun there. */
function begun(rig: ReplicaRig = new ReplicaRig()): ReplicaRig {
  rig.take(entries(1, 3))
  rig.settle()
  rig.snapshotter.request()
  rig.pumpSnapshot()
  expect(rig.snapshotter.isBusy).toBe(true)
  return rig
}

function truncate(rig: ReplicaRig, zxid: number): readonly (string | undefined)[] {
  const told: (string | undefined)[] = []
  rig.replica.truncate(zxid, (problem) => told.push(problem))
  rig.settle()
  return told
}

const reloaded = (rig: ReplicaRig): ReplicaRig => new ReplicaRig({}, rig.disk)

describe('a TRUNC below what a snapshot holds', () => {
  it('falls back to the snapshot before', () => {
    const rig = begun()
    // A leader says COMMIT before it has a quorum for its history.
    rig.take(entries(4, 6))
    rig.settle()
    expect(rig.snapshots()).toEqual(['snapshot.0', 'snapshot.100000003'])
    expect(truncate(rig, z(4))).toEqual([undefined])
    expect(rig.snapshots()).toEqual(['snapshot.0'])
    for (const one of [rig, reloaded(rig)]) {
      expect(one.replica.lastLoggedZxid).toBe(z(4))
      expect([one.replica.hasLostState, one.replica.lastProcessedZxid]).toEqual([false, z(4)])
      expect(one.parts.tree.node('/n100000004')).toBeDefined()
      expect(one.parts.tree.node('/n100000005')).toBeUndefined()
    }
  })

  it('changes nothing where there is none before', () => {
    const rig = begun()
    rig.take(entries(4, 6))
    rig.settle()
    rig.disk.unlink('snapshot.0')
    const logs = rig.disk.listLogs()
    expect(truncate(rig, z(4))).toEqual([
      'there is no snapshot at or below 0x100000004 to begin with',
    ])
    expect([rig.disk.listLogs(), rig.snapshots()]).toEqual([logs, ['snapshot.100000003']])
    for (const one of [rig, reloaded(rig)]) {
      expect([one.replica.hasLostState, one.replica.lastLoggedZxid]).toEqual([false, z(6)])
      expect(one.parts.tree.node('/n100000006')).toBeDefined()
    }
  })

  it('changes nothing where the log does not hold the zxid', () => {
    const rig = new ReplicaRig()
    rig.take([createEntry(z(1)), createEntry(0x2_0000_0001)])
    rig.settle()
    expect(truncate(rig, z(2))).toEqual(['what is there would end with 0x100000001'])
    expect([rig.replica.lastLoggedZxid, rig.replica.hasLostState]).toEqual([0x2_0000_0001, false])
  })

  it('is no matter of what is on its way to the disk', () => {
    const rig = begun()
    rig.take(entries(4, 6))
    rig.pump()
    rig.take(entries(7, 8), false)
    expect(truncate(rig, z(5))).toEqual([undefined])
    expect([rig.replica.lastLoggedZxid, reloaded(rig).replica.lastLoggedZxid]).toEqual([z(5), z(5)])
  })

  it('is over before another snapshot begins', () => {
    const rig = begun()
    rig.replica.stop([])
    // The disk does one thing after the other: which comes first must not matter.
    expect(truncate(rig, z(2))).toEqual([undefined])
    expect(rig.snapshots()).toEqual(['snapshot.0', 'snapshot.100000002'])
    expect([rig.replica.lastLoggedZxid, reloaded(rig).replica.lastLoggedZxid]).toEqual([z(2), z(2)])
  })
})

describe('the end of a role', () => {
  it('drops the snapshot that is being written, and begins another', () => {
    const rig = begun()
    rig.take(entries(4, 6))
    rig.replica.stop([])
    rig.settle()
    expect(rig.snapshots()).toEqual(['snapshot.0', 'snapshot.100000006'])
  })

  it('tells whoever waits for a snapshot of the one that comes instead', () => {
    const rig = new ReplicaRig()
    const told: (string | undefined)[] = []
    rig.take(entries(1, 3))
    rig.snapshotter.requestNow((problem) => told.push(problem))
    rig.pump()
    rig.replica.stop([])
    expect(told).toEqual([])
    rig.settle()
    expect(told).toEqual([undefined])
  })
})

describe('a state that cannot be read any more', () => {
  /** A disk that cuts the log, and then gives nothing back. */
  class FailingDisk extends SimDisk {
    #isUnreadable = false

    override writeDisk(ops: readonly DiskOp[], done: () => void): void {
      super.writeDisk(ops, () => {
        this.#isUnreadable = ops.some(({ kind }) => kind === 'truncateAfter')
        done()
      })
    }

    override readLog(name: string, offset: number, length: number): Buffer {
      if (this.#isUnreadable) throw new Error('EIO: i/o error, read')
      return super.readLog(name, offset, length)
    }
  }

  function lost(): ReplicaRig {
    const rig = new ReplicaRig({}, new FailingDisk(new Prng(1)))
    rig.take(entries(1, 3))
    rig.settle()
    expect(truncate(rig, z(2))).toEqual(['EIO: i/o error, read'])
    return rig
  }

  it('is lost, and said to be so', () => {
    const rig = lost()
    expect([rig.replica.hasLostState, rig.replica.lastLoggedZxid]).toEqual([true, 0])
    expect(rig.logs).toContainEqual(
      expect.stringMatching(/^error the state on disk cannot be read; no vote before a leader/),
    )
  })

  it('is there again with the SNAP of a leader, once that is on the disk', () => {
    const rig = lost()
    rig.replica.receiveSnapshot(z(9)).push(treeStream())
    expect(rig.replica.hasLostState).toBe(true)
    const told: (string | undefined)[] = []
    rig.replica.installSnapshot((problem) => told.push(problem))
    rig.settle()
    expect([told, rig.replica.hasLostState]).toEqual([[undefined], false])
    expect([rig.replica.lastLoggedZxid, reloaded(rig).replica.lastLoggedZxid]).toEqual([z(9), z(9)])
  })
})
