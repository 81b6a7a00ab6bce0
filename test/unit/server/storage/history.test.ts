import { describe, expect, it } from 'vitest'
import type { HistoryFeed } from '../../../../src/quorum/ports/replica.ts'
import { readHistory, SCAN_BYTES_PER_STEP } from '../../../../src/server/storage/history.ts'
import { logFile, MemoryDisk, record, snapshotFile } from '../../../support/memory-disk.ts'

const E1 = 0x1_0000_0000
const E2 = 0x2_0000_0000

/** How many steps it took, and what came of them. */
function found(disk: MemoryDisk, from: number, to: number): [number, HistoryFeed | undefined] {
  const scan = readHistory(disk, from, to, 0)
  for (let steps = 1; ; steps += 1) {
    const feed = scan?.step()
    if (feed !== 'more') return [steps, feed]
  }
}

function zxidsFrom(disk: MemoryDisk, from: number, to: number): number[] | undefined {
  const [, feed] = found(disk, from, to)
  if (feed === undefined) return undefined
  const zxids: number[] = []
  for (let entry = feed.next(); entry !== undefined; entry = feed.next())
    zxids.push('problem' in entry ? -1 : entry.zxid)
  return zxids
}

describe('the history in the logs', () => {
  it('passes over the echoes of writes that the original could not decode', () => {
    const error = Buffer.from([0xff, 0xff, 0xff, 0xfb])
    const disk = new MemoryDisk({
      'snapshot.0': snapshotFile('snapshot.0'),
      'log.100000001': logFile([record(E1 + 1), record(E1 + 2), record(E1 + 2, error)]),
      'log.100000002': logFile([record(E1 + 2, error), record(E1 + 3)]),
      'log.200000000': logFile([record(E2, error), record(E2 + 1)]),
    })
    expect(zxidsFrom(disk, E1 + 1, E2 + 1)).toEqual([E1 + 1, E1 + 2, E1 + 3, E2 + 1])
    expect(zxidsFrom(disk, E1 + 2, E2 + 1)).toEqual([E1 + 2, E1 + 3, E2 + 1])
  })

  it('that vanishes before or while it is read is a problem of who asked for it', () => {
    class Failing extends MemoryDisk {
      failsOn = ''

      override readLog(name: string, offset: number, length: number): Buffer {
        if (name === this.failsOn) throw new Error(`ENOENT: ${name}`)
        return super.readLog(name, offset, length)
      }
    }
    const disk = new Failing({
      'snapshot.0': snapshotFile('snapshot.0'),
      'log.1': logFile([record(1), record(2)]),
      'log.3': logFile([record(3), record(4)]),
    })
    disk.failsOn = 'log.3'
    expect(found(disk, 1, 4)).toEqual([1, undefined])
    disk.failsOn = ''
    const [, feed] = found(disk, 1, 4)
    expect(feed?.next()).toMatchObject({ zxid: 1 })
    disk.failsOn = 'log.3'
    expect(feed?.next()).toMatchObject({ zxid: 2 })
    expect(feed?.next()).toMatchObject({ problem: 'ENOENT: log.3' })
  })

  it('is looked through in slices, and then begins in the middle of a file', () => {
    const body = Buffer.alloc(SCAN_BYTES_PER_STEP / 4)
    const all = Array.from({ length: 20 }, (_, index) => record(index + 1, body))
    const disk = new MemoryDisk({ 'snapshot.0': snapshotFile('snapshot.0'), 'log.1': logFile(all) })
    const [steps, feed] = found(disk, 15, 20)
    expect(steps).toBe(5)
    expect([15, 16, 17].map(() => feed?.next())).toMatchObject(
      [15, 16, 17].map((zxid) => ({ zxid })),
    )
    expect(found(disk, 15, 21)).toEqual([6, undefined])
  })

  it('judges no end of a log that was torn, however much is there', () => {
    /** What one turn reads of the files. */
    class Counting extends MemoryDisk {
      bytesRead = 0

      override readLog(name: string, offset: number, length: number): Buffer {
        const bytes = super.readLog(name, offset, length)
        this.bytesRead += bytes.length
        return bytes
      }
    }
    const torn = Buffer.alloc(16 * SCAN_BYTES_PER_STEP, 1)
    const disk = new Counting({
      'snapshot.0': snapshotFile('snapshot.0'),
      'log.1': logFile([record(1), record(2), torn]),
      'log.3': logFile([record(3)], 16 * SCAN_BYTES_PER_STEP),
    })
    const [steps, feed] = found(disk, 1, 3)
    expect([steps, feed?.next()]).toMatchObject([1, { zxid: 1 }])
    expect(disk.bytesRead).toBeLessThan(6 * SCAN_BYTES_PER_STEP)
  })
})
