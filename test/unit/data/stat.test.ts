import { JuteReader, JuteWriter } from 'jute-ts'
import { describe, expect, it } from 'vitest'
import { readStat } from '../../../src/data/records.ts'
import { writeStat } from '../../../src/data/stat.ts'

describe('a Stat', () => {
  it('is written as the record is read, its cversion as clients count', () => {
    const node = {
      czxid: 2 ** 33 + 1,
      mzxid: 2,
      pzxid: 3,
      ctime: 1_700_000_000_000,
      mtime: -1,
      version: -2,
      cversion: 2 ** 31 - 1,
      aversion: 7,
      dataLength: 4,
      childCount: 5,
    }
    const w = new JuteWriter()
    writeStat(w, node, -5n)
    writeStat(w, { ...node, dataLength: 0, cversion: 3 }, 0n)
    const r = new JuteReader(w.copy())
    const { dataLength, childCount, ...same } = node
    const wrapped = (2 * (2 ** 31 - 1) - childCount) | 0
    expect([readStat(r), readStat(r)]).toEqual([
      {
        ...same,
        cversion: wrapped,
        ephemeralOwner: -5n,
        dataLength,
        numChildren: childCount,
      },
      { ...same, cversion: 1, ephemeralOwner: 0n, dataLength: 0, numChildren: childCount },
    ])
    expect(w.length).toBe(2 * 68)
  })
})
