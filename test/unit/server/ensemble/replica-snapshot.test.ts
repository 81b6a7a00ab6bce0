import { describe, expect, it } from 'vitest'
import { createEntry, ReplicaRig } from '../../../support/replica-rig.ts'
import { treeStream } from '../../../support/tree-replica.ts'

const z = (epoch: number, counter: number): number => epoch * 2 ** 32 + counter

/** A log that ends with `tail`, which the leader has given up; then its SNAP, up to the name. */
function named(tail: readonly number[], zxid: number): ReplicaRig {
  const rig = new ReplicaRig()
  rig.take([z(1, 1), z(1, 2), ...tail].map((one) => createEntry(one)))
  rig.settle()
  rig.replica.receiveSnapshot(zxid).push(treeStream())
  rig.replica.installSnapshot(() => {})
  while (rig.disk.listReceived().length === 0) {
    rig.pump()
    rig.disk.completeOne()
  }
  return rig
}

const rebooted = (rig: ReplicaRig): ReplicaRig => new ReplicaRig({}, rig.disk)

describe('a SNAP that has its name while what it replaces is still there', () => {
  const cases: readonly (readonly [name: string, tail: readonly number[], zxid: number])[] = [
    ['below it', [z(1, 3), z(1, 4)], z(3, 1)],
    ['above it, as if it went on from it', [z(2, 1), z(2, 2)], z(1, 9)],
  ]
  it.each(cases)('is all there is after a crash, with a log %s', (_, tail, zxid) => {
    const rig = named(tail, zxid)
    rig.disk.kill()
    const next = rebooted(rig)
    expect(next.replica.lastLoggedZxid).toBe(zxid)
    expect(next.disk.listLogs()).toEqual([])
    expect(next.snapshots()).toEqual([`snapshot.${zxid.toString(16)}`])
    expect(next.replica.readHistory(z(1, 2), true)?.step()).toBeUndefined()
  })

  it.each(cases)('is all there is when the role ends, with a log %s', (_, tail, zxid) => {
    const rig = named(tail, zxid)
    rig.replica.stop([])
    expect(rig.replica.isSettled).toBe(false)
    rig.settle()
    expect([rig.replica.isSettled, rig.replica.lastLoggedZxid]).toEqual([true, zxid])
    expect(rig.disk.listLogs()).toEqual([])
    expect(rebooted(rig).replica.lastLoggedZxid).toBe(zxid)
  })
})

describe('a SNAP that has not got its name', () => {
  it('is given up with the role, and what was before is what there is', () => {
    const rig = new ReplicaRig()
    rig.take([createEntry(z(1, 1)), createEntry(z(1, 2))])
    rig.settle()
    rig.replica.receiveSnapshot(z(3, 1)).push(treeStream())
    rig.replica.installSnapshot(() => expect.unreachable('installed'))
    rig.pump()
    rig.replica.stop([])
    rig.settle()
    expect([rig.replica.isSettled, rig.replica.lastLoggedZxid]).toEqual([true, z(1, 2)])
    expect(rebooted(rig).replica.lastLoggedZxid).toBe(z(1, 2))
  })
})
