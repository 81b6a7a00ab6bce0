import { describe, expect, it } from 'vitest'
import type { Truncation } from '../../../src/persistence/disk.ts'
import { replayLogs } from '../../../src/persistence/recovery.ts'
import { planTruncation } from '../../../src/persistence/truncation.ts'
import { goldenDisk, logFile, MemoryDisk, record, snapshotFile } from '../../support/memory-disk.ts'

const records = (...zxids: readonly number[]): Buffer[] => zxids.map((zxid) => record(zxid))
const RECORD_BYTES = record(1).length
/** Behind the header and `count` records. */
const behind = (count: number): number => 16 + count * RECORD_BYTES

function plan(disk: MemoryDisk, zxid: number): Truncation {
  const result = planTruncation(disk, zxid)
  if (typeof result === 'string') throw new Error(result)
  return result
}

/** The first `steps` of the plan, as a crash would leave it. */
function execute(disk: MemoryDisk, { snapshots, logs, cuts }: Truncation, steps: number): void {
  const all = [
    ...[...snapshots, ...logs].map((name) => () => disk.files.delete(name)),
    ...cuts.map(({ name, offset }) => () => {
      disk.files.set(name, Buffer.from(disk.readLog(name, 0, offset)))
    }),
  ]
  for (const step of all.slice(0, steps)) step()
}

const stepsOf = ({ snapshots, logs, cuts }: Truncation): number =>
  snapshots.length + logs.length + cuts.length

/** The last zxid of a replay from the newest snapshot on; a text if recovery refuses. */
function lastZxid(disk: MemoryDisk): number | string {
  const base = disk.listSnapshots().at(-1)?.zxid ?? 0
  const result = replayLogs(disk, base, () => undefined)
  return result.kind === 'replayed' ? result.lastZxid : result.reason
}

const PADDING = 1000
const history = (): MemoryDisk =>
  new MemoryDisk({
    'snapshot.0': snapshotFile('snapshot.0'),
    'log.1': logFile(records(1, 2, 3, 4), PADDING),
    'snapshot.3': snapshotFile('snapshot.3'),
    'log.5': logFile(records(5, 6), PADDING),
    'snapshot.6.gz': snapshotFile('snapshot.6.gz'),
    'log.7': logFile(records(7, 8, 9), PADDING),
    'snapshot.8': snapshotFile('snapshot.8'),
    'log.100000001': logFile(records(0x1_0000_0001), PADDING),
  })

describe('cutting the history off behind a zxid', () => {
  it('removes newer files, the newest first, and cuts the one that holds it', () => {
    expect(plan(history(), 5)).toEqual({
      snapshots: ['snapshot.8', 'snapshot.6.gz'],
      logs: ['log.100000001', 'log.7'],
      cuts: [{ name: 'log.5', offset: behind(1) }],
      end: 5,
    })
  })

  it('cuts nothing where a file ends with it', () => {
    const none = { snapshots: [], cuts: [] }
    expect(plan(history(), 9)).toEqual({ ...none, logs: ['log.100000001'], end: 9 })
    const end = 0x1_0000_0001
    expect(plan(history(), end)).toEqual({ ...none, logs: [], end })
    expect(plan(history(), 0x5_0000_0000)).toEqual({ ...none, logs: [], end })
  })

  it('removes everything behind the first snapshot', () => {
    expect(plan(history(), 0)).toEqual({
      snapshots: ['snapshot.8', 'snapshot.6.gz', 'snapshot.3'],
      logs: ['log.100000001', 'log.7', 'log.5', 'log.1'],
      cuts: [],
      end: 0,
    })
  })

  it('leaves a history that recovery accepts, wherever a crash interrupts it', () => {
    for (let zxid = 0; zxid <= 10; zxid += 1) {
      const steps = stepsOf(plan(history(), zxid))
      for (let done = 0; done <= steps; done += 1) {
        const disk = history()
        execute(disk, plan(disk, zxid), done)
        const last = lastZxid(disk)
        if (done === steps) expect([zxid, last]).toEqual([zxid, Math.min(zxid, 9)])
        else expect([zxid, Number(last) > zxid]).toEqual([zxid, true])
        // What a restart then asks for brings it to its end.
        execute(disk, plan(disk, zxid), Number.POSITIVE_INFINITY)
        expect(lastZxid(disk)).toBe(Math.min(zxid, 9))
      }
    }
  })

  it('cuts before the first record above it where zxids go back', () => {
    const disk = new MemoryDisk({
      'snapshot.0': snapshotFile('snapshot.0'),
      'log.1': logFile(records(1, 2, 3, 4, 2, 3, 4, 5), PADDING),
    })
    expect(plan(disk, 3).cuts).toEqual([{ name: 'log.1', offset: behind(3) }])
    execute(disk, plan(disk, 3), Number.POSITIVE_INFINITY)
    expect(lastZxid(disk)).toBe(3)
  })

  it('cuts an older log, too, where a truncation of the original has left records', () => {
    const disk = new MemoryDisk({
      'snapshot.0': snapshotFile('snapshot.0'),
      'log.1': logFile(records(1, 2, 3, 4, 5)),
      'log.3': logFile(records(3, 4, 5)),
    })
    expect(plan(disk, 4).cuts).toEqual([
      { name: 'log.3', offset: behind(2) },
      { name: 'log.1', offset: behind(4) },
    ])
  })

  it('can empty a log whose name promises more', () => {
    const disk = new MemoryDisk({
      'snapshot.0': snapshotFile('snapshot.0'),
      'log.1': logFile(records(2)),
    })
    expect(plan(disk, 1)).toEqual({
      snapshots: [],
      logs: [],
      cuts: [{ name: 'log.1', offset: behind(0) }],
      end: 0,
    })
  })

  it('passes over the echo of a write that the original could not decode', () => {
    const echo = record(2, Buffer.from([0xff, 0xff, 0xff, 0xfb]))
    const disk = new MemoryDisk({
      'snapshot.0': snapshotFile('snapshot.0'),
      'log.1': logFile([...records(1, 2), echo, ...records(3)]),
    })
    expect(plan(disk, 2)).toMatchObject({ cuts: [{ name: 'log.1', offset: behind(3) }], end: 2 })
    expect(plan(disk, 1)).toMatchObject({ cuts: [{ name: 'log.1', offset: behind(1) }], end: 1 })
    expect(plan(disk, 3)).toMatchObject({ cuts: [], end: 3 })
  })

  it('begins with an older snapshot where the newest holds more than its name says', () => {
    const disk = new MemoryDisk({
      'snapshot.0': snapshotFile('snapshot.0'),
      'log.1': logFile(records(1, 2, 3, 4, 5, 6)),
      'snapshot.3': snapshotFile('snapshot.3', 5),
    })
    expect(plan(disk, 5)).toMatchObject({ snapshots: [], end: 5 })
    expect(plan(disk, 4)).toEqual({
      snapshots: ['snapshot.3'],
      logs: [],
      cuts: [{ name: 'log.1', offset: behind(4) }],
      end: 4,
    })
  })

  it('leaves a damaged snapshot to recovery, and begins with the one before', () => {
    const disk = new MemoryDisk({
      'snapshot.0': snapshotFile('snapshot.0'),
      'log.1': logFile(records(1, 2, 3, 4)),
      'snapshot.2': snapshotFile('snapshot.2').subarray(0, 40),
    })
    expect(plan(disk, 3)).toMatchObject({ snapshots: [], end: 3 })
    // Without the log of the beginning the damaged one cannot be done without.
    disk.files.delete('log.1')
    disk.files.set('log.3', logFile(records(3, 4)))
    expect(planTruncation(disk, 3)).toBe('log.3 lacks what is between 0x0 and 0x3')
  })

  it('takes a torn tail for the end', () => {
    const disk = new MemoryDisk({
      'log.1': logFile([...records(1, 2), record(3).subarray(0, 30)]),
    })
    expect(plan(disk, 2)).toEqual({ snapshots: [], logs: [], cuts: [], end: 2 })
    expect(plan(disk, 1).cuts).toEqual([{ name: 'log.1', offset: behind(1) }])
  })
})

describe('a history that cannot be cut', () => {
  it('has no snapshot that is old enough', () => {
    const disk = new MemoryDisk({
      'snapshot.5': snapshotFile('snapshot.5'),
      'log.6': logFile(records(6, 7)),
    })
    expect(planTruncation(disk, 4)).toBe('there is no snapshot at or below 0x4 to begin with')
  })

  it('has none that holds nothing above the place, whatever its name', () => {
    const disk = new MemoryDisk({
      'snapshot.5': snapshotFile('snapshot.5', 7),
      'log.6': logFile(records(6, 7, 8)),
    })
    expect(planTruncation(disk, 6)).toBe('there is no snapshot at or below 0x6 to begin with')
    expect(plan(disk, 7).end).toBe(7)
  })

  it('is damaged before the place', () => {
    const damaged = logFile(records(1, 2, 3, 4))
    damaged[behind(1) + 20] = 0xff
    const disk = new MemoryDisk({ 'log.1': damaged })
    expect(planTruncation(disk, 3)).toMatch(
      /^log\.1 is damaged at offset 65: the checksum of a record/,
    )
    // Before that place it is not looked at.
    expect(planTruncation(disk, 0)).toEqual({ snapshots: [], logs: ['log.1'], cuts: [], end: 0 })
    const hole = logFile(records(1, 2, 3, 4))
    hole.fill(0, behind(1), behind(2))
    expect(planTruncation(new MemoryDisk({ 'log.1': hole }), 3)).toMatch(
      /^log\.1 is damaged at offset 65: no record begins here/,
    )
  })
})

describe('the files of a real ensemble', () => {
  it('can be cut behind any of their zxids', () => {
    const original = goldenDisk('datadir-quorum/server3')
    const zxids: number[] = []
    replayLogs(original, 0, ({ zxid }) => {
      zxids.push(zxid)
      return undefined
    })
    expect(zxids.length).toBeGreaterThan(20)
    for (const zxid of zxids) {
      const disk = goldenDisk('datadir-quorum/server3')
      execute(disk, plan(disk, zxid), Number.POSITIVE_INFINITY)
      expect(lastZxid(disk)).toBe(zxid)
    }
  })
})
