import { describe, expect, it } from 'vitest'
import {
  IpRanges,
  isWithin,
  parseAddress,
  parseRange,
} from '../../../../src/server/auth/ip-range.ts'

/** By one range alone, and by that range among many: both have to say the same. */
function holds(range: string, address: string): boolean | undefined {
  const [parsed, of] = [parseRange(range), parseAddress(address)]
  if (of === undefined) throw new Error(`${address} is no address`)
  const alone = parsed === undefined ? undefined : isWithin(of, parsed)
  expect(new IpRanges(['1.1.1.1', range]).contains(1, of)).toBe(alone ?? false)
  return alone
}

describe('a range of addresses', () => {
  it.each<[string, string, boolean]>([
    ['10.0.0.1', '10.0.0.1', true],
    ['10.0.0.1', '10.0.0.2', false],
    ['10.0.0.0/8', '10.255.255.255', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['128.0.0.0/1', '255.0.0.1', true],
    ['128.0.0.0/1', '127.0.0.1', false],
    ['255.255.255.254/31', '255.255.255.255', true],
    ['255.255.255.254/31', '255.255.255.253', false],
    ['1.2.3.4/0', '200.0.0.1', true],
    ['1.2.3.4/0', '::1', false],
    ['fe80::/10', 'febf::1', true],
    ['fe80::/10', 'fec0::1', false],
    ['2001:db8::1/64', '2001:db8::ffff:0:0:2', true],
    ['2001:db8::1/65', '2001:db8:0:0:8000::', false],
    ['::1', '0:0:0:0:0:0:0:1', true],
    ['::/0', '10.0.0.1', false],
  ])('%s and %s: %s', (range, address, expected) => {
    expect(holds(range, address)).toBe(expected)
  })

  it.each([
    '',
    '10.0.0',
    '10.0.0.0.0',
    '10.0.0.256',
    '10.0.0.1/33',
    '10.0.0.1/',
    '10.0.0.1/-1',
    ':1',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4::5:6:7:8',
    '1::2::3',
    '12345::',
    '1:',
    '::g',
    '::1/129',
  ])('"%s" is none, and holds nobody', (range) => {
    expect(holds(range, '10.0.0.1')).toBeUndefined()
    expect(holds(range, '::1')).toBeUndefined()
  })
})
