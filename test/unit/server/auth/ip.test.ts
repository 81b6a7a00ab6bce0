import { BlockList } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { IpProvider, ipIdOf } from '../../../../src/server/auth/ip.ts'

const ip = new IpProvider()

test.each([
  ['1.2.3.4', true],
  ['1.2.3.4/0', true],
  ['1.2.3.4/32', true],
  ['01.2.3.4', true],
  ['+1.2.3.4', true],
  ['1.2.3.4/33', false],
  ['1.2.3.4/', false],
  ['1.2.3.4/8/8', false],
  ['1.2.3.4/-1', false],
  ['1.2.3', false],
  ['1.2.3.4.5', false],
  ['1.2.3.256', false],
  ['1.2.3.x', false],
  ['', false],
  ['localhost', false],
  ['::1', true],
  ['::', true],
  ['1::', true],
  ['2001:db8::/32', true],
  ['1:2:3:4:5:6:7:8', true],
  ['1:2:3:4:5:6:7:8/128', true],
  ['1:2:3:4:5:6:7:8/129', false],
  ['1:2:3:4:5:6:7', false],
  ['1:2:3:4:5:6:7:8:9', false],
  ['1::2:3:4:5:6:7:8', false],
  ['1::2::3', false],
  [':1::2', false],
  [':::', false],
  ['12345::', false],
  ['g::', false],
  ['::ffff:1.2.3.4', false],
])('an ACL for %j: %s', (aclId, valid) => {
  expect(ip.isValid(aclId)).toBe(valid)
  if (!valid) expect(ip.matches('1.2.3.4', aclId)).toBe(false)
})

describe('matching', () => {
  test.each([
    ['10.1.2.3', '10.1.2.3', true],
    ['10.1.2.3', '10.1.2.4', false],
    ['10.1.2.3', '10.1.0.0/16', true],
    ['10.1.2.3', '10.2.0.0/16', false],
    ['10.1.2.3', '10.1.9.9/16', true],
    ['10.1.130.3', '10.1.128.0/17', true],
    ['10.1.2.3', '10.1.128.0/17', false],
    ['10.1.2.3', '99.99.99.99/0', true],
    ['0:0:0:0:0:0:0:1', '::1', true],
    ['2001:db8:1:2:3:4:5:6', '2001:db8::/32', true],
    ['2001:db9:1:2:3:4:5:6', '2001:db8::/32', false],
    ['10.1.2.3', '::/0', false],
    ['0:0:0:0:0:0:0:1', '0.0.0.0/0', false],
  ])('%s against %s: %s', (id, aclId, matches) => {
    expect(ip.matches(id, aclId)).toBe(matches)
  })

  test('agrees with the block lists of Node', () => {
    const v4 = fc.ipV4().map((address) => ({ address, family: 'ipv4', bitsMax: 32 }) as const)
    const v6 = fc
      .array(fc.constantFrom('0', '1', 'ffff', 'abc', '8000'), { minLength: 8, maxLength: 8 })
      .map((groups) => ({ address: groups.join(':'), family: 'ipv6', bitsMax: 128 }) as const)
    const pair = fc.oneof(fc.tuple(v4, v4), fc.tuple(v6, v6))
    fc.assert(
      fc.property(pair, fc.nat(128), ([a, b], anyBits) => {
        const bits = anyBits % (a.bitsMax + 1)
        const list = new BlockList()
        if (bits === 0) list.addRange('::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'ipv6')
        if (bits > 0) list.addSubnet(a.address, bits, a.family)
        const expected = bits === 0 || list.check(b.address, b.family)
        expect(ip.matches(b.address, `${a.address}/${bits}`)).toBe(expected)
        expect(ip.matches(a.address, `${a.address}/${bits}`)).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  test('any text gives an answer', () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'0123456789.:/af') }))
    fc.assert(
      fc.property(text, text, (id, aclId) => {
        if (ip.matches(id, aclId)) expect(ip.isValid(aclId)).toBe(true)
      }),
    )
  })
})

test('the id of a connection is its address as Java writes it', () => {
  expect(ipIdOf('127.0.0.1')).toEqual({ scheme: 'ip', id: '127.0.0.1' })
  expect(ipIdOf('::ffff:127.0.0.1').id).toBe('127.0.0.1')
  expect(ipIdOf('::1').id).toBe('0:0:0:0:0:0:0:1')
  expect(ipIdOf('2001:0db8::a').id).toBe('2001:db8:0:0:0:0:0:a')
  expect(ipIdOf('fe80::1%eth0').id).toBe('fe80:0:0:0:0:0:0:1')
  expect(ip.authenticate(null, '::ffff:10.0.0.1')).toEqual([{ scheme: 'ip', id: '10.0.0.1' }])
})
