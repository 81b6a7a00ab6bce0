import { describe, expect, it } from 'vitest'
import { Prng } from '../../src/base/prng.ts'
import { type DeviceName, SimDisk } from './sim-disk.ts'

const DRAWS = 40
const record = Buffer.from('a record')

/** A disk with a log and a snapshot, both with all they hold on the platter. */
function diskOf(seed: number, isSplit: boolean): SimDisk {
  const disk = new SimDisk(new Prng(seed), undefined, {}, isSplit)
  disk.writeSnapshotSync('snapshot.0', Buffer.from('a snapshot'))
  disk.writeDisk(
    [
      { kind: 'writeEpoch', file: 'acceptedEpoch', epoch: 1 },
      { kind: 'appendTxns', bytes: record, firstZxid: 1, lastZxid: 1 },
    ],
    () => {},
  )
  while (disk.isBusy) disk.completeOne()
  return disk
}

const names = (disk: SimDisk): string =>
  [...disk.listLogs(), ...disk.listSnapshots()].map(({ name }) => name).join(' ')

/** The process is killed while a snapshot gets its name; then power is lost. */
function killedAndPowerLost(seed: number, isSplit: boolean, isSecured: boolean): string {
  const disk = diskOf(seed, isSplit)
  for (const op of [{ kind: 'begin', name: 'snapshot.1' }, { kind: 'finish' }] as const)
    disk.writeSnapshotSlice(op, () => {})
  disk.kill()
  expect(names(disk)).toBe('log.1 snapshot.0 snapshot.1')
  if (isSecured) disk.secureEnd()
  disk.crash()
  return names(disk)
}

const seeds = Array.from({ length: DRAWS }, (_, index) => index + 1)

describe('a disk with logs on a device of their own', () => {
  it('may lose the name of a snapshot that a killed process gave, and keep its log', () => {
    const left = new Set(seeds.map((seed) => killedAndPowerLost(seed, true, false)))
    expect(left).toEqual(new Set(['log.1 snapshot.0', 'log.1 snapshot.0 snapshot.1']))
  })

  it('keeps that name once a process that starts has synced both folders', () => {
    const left = new Set(seeds.map((seed) => killedAndPowerLost(seed, true, true)))
    expect(left).toEqual(new Set(['log.1 snapshot.0 snapshot.1']))
  })

  it('loses the logs and nothing else when their device is replaced', () => {
    const disk = diskOf(1, true)
    disk.kill()
    disk.wipe('log')
    expect(names(disk)).toBe('snapshot.0')
    expect(disk.readEpochs().acceptedEpoch).toBe('1')
  })

  it('loses snapshots and epochs and no log when theirs is replaced', () => {
    const disk = diskOf(1, true)
    disk.kill()
    disk.wipe('snapshots')
    expect(names(disk)).toBe('log.1')
    expect(disk.readEpochs().acceptedEpoch).toBeUndefined()
  })

  it('has each write wait for the devices that it goes to', () => {
    const waits: string[] = []
    const complete = (done: () => void, devices: readonly DeviceName[]): void => {
      waits.push(devices.join(' '))
      done()
    }
    const disk = new SimDisk(new Prng(1), complete, {}, true)
    const epoch = { kind: 'writeEpoch', file: 'acceptedEpoch', epoch: 1 } as const
    const append = { kind: 'appendTxns', bytes: record, firstZxid: 1, lastZxid: 1 } as const
    disk.writeDisk([append], () => {})
    disk.writeDisk([epoch], () => {})
    disk.writeDisk([{ kind: 'rollLog' }, append, epoch], () => {})
    const plan = { snapshots: [], logs: [], cuts: [], end: 0 }
    disk.writeDisk([{ kind: 'truncateAfter', zxid: 0, plan }], () => {})
    disk.writeSnapshotSlice({ kind: 'begin', name: 'snapshot.1' }, () => {})
    expect(waits).toEqual(['log', 'snapshots', 'log snapshots', 'log snapshots', 'snapshots'])
  })
})
