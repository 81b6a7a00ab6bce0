import { describe, expect, it } from 'vitest'
import { counterOf, epochOf, formatZxid, makeZxid } from '../../../src/data/zxid.ts'

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
