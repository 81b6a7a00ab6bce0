import { JuteReader, JuteWriter } from 'jute-ts'
import { describe, expect, it } from 'vitest'
import { readStat } from '../../../src/data/records.ts'
import { firstSessionId, formatSessionId, sessionPassword } from '../../../src/data/session-id.ts'
import { writeStat } from '../../../src/data/stat.ts'
import { counterOf, epochOf, formatZxid, makeZxid } from '../../../src/data/zxid.ts'

describe('a session id', () => {
  // golden/datadir-standalone/expected.json, and a negative id computed by java.util.Random.
  it.each([
    [0x100000d0e020000n, 'ccb5ed7a69e130358a1b21135afeb088'],
    [0x100000d0e020001n, 'dfd6e77a092d107a7f5e883e2e87c555'],
    [0x100000d0e020005n, '2b5bd07a895b8d8d546a25ec7caa178a'],
  ])('%d has the recorded password', (id, password) => {
    expect(sessionPassword(id).toString('hex')).toBe(password)
  })

  it('above the middle of the range is a negative long, with the same password', () => {
    const id = 0xfe00000d0e020000n
    expect(sessionPassword(BigInt.asIntN(64, id))).toEqual(sessionPassword(id))
  })

  it('begins with the server id, then 40 bits of the clock, then the counter', () => {
    expect(firstSessionId(1, 0xab_1234567890)).toBe(0x01_1234567890_0000n)
    expect(firstSessionId(0, 0x12_34567890)).toBe(0x00_1234567890_0000n)
    expect(firstSessionId(254, 1.9)).toBe(BigInt.asIntN(64, 0xfe_0000000001_0000n))
  })

  it('is shown as an unsigned long in hex', () => {
    expect(formatSessionId(0x100000d0e020000n)).toBe('0x100000d0e020000')
    expect(formatSessionId(-1n)).toBe('0xffffffffffffffff')
  })
})

describe('a zxid', () => {
  it.each([
    [0, 0, '0x0'],
    [0, 0xffffffff, '0xffffffff'],
    [1, 0, '0x100000000'],
    [3, 0x80000001, '0x380000001'],
    [2 ** 21 - 1, 0xffffffff, '0x1fffffffffffff'],
  ])('of epoch %d and counter %d is %s', (epoch, counter, shown) => {
    const zxid = makeZxid(epoch, counter)
    expect([epochOf(zxid), counterOf(zxid), formatZxid(zxid)]).toEqual([epoch, counter, shown])
    expect(Number.isSafeInteger(zxid)).toBe(true)
  })

  it.each([
    [-1, 0],
    [2 ** 21, 0],
    [0, -1],
    [0, 2 ** 32],
    [0.5, 0],
  ])('cannot be made of epoch %d and counter %d', (epoch, counter) => {
    expect(() => makeZxid(epoch, counter)).toThrow()
  })
})

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
