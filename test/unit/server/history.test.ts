import { describe, expect, it } from 'vitest'
import { readHistory } from '../../../src/server/history.ts'
import { logFile, MemoryDisk, record, snapshotFile } from '../persistence/memory-disk.ts'

const E1 = 0x1_0000_0000
const E2 = 0x2_0000_0000

function zxidsFrom(disk: MemoryDisk, from: number, to: number): number[] | undefined {
  const feed = readHistory(disk, from, to, 0)
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
    expect(readHistory(disk, 1, 4, 0)).toBeUndefined()
    disk.failsOn = ''
    const feed = readHistory(disk, 1, 4, 0)
    expect(feed?.next()).toMatchObject({ zxid: 1 })
    disk.failsOn = 'log.3'
    expect(feed?.next()).toMatchObject({ zxid: 2 })
    expect(feed?.next()).toMatchObject({ problem: 'ENOENT: log.3' })
  })
})
