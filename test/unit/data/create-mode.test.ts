import { describe, expect, it } from 'vitest'
import {
  isCreateFlags,
  isEphemeral,
  isSequential,
  isTtl,
  ownerKind,
  TTL_MS_MAX,
  ttlMsOf,
  ttlOwner,
} from '../../../src/data/create-mode.ts'

const signed = (owner: bigint): bigint => BigInt.asIntN(64, owner)
const plain = { extendedTypesEnabled: false, emulate353TtlNodes: false }
const extended = { extendedTypesEnabled: true, emulate353TtlNodes: false }
const emulating = { extendedTypesEnabled: true, emulate353TtlNodes: true }

describe('create flags', () => {
  it.each([
    [-1, false, false, false, false],
    [0, true, false, false, false],
    [1, true, true, false, false],
    [2, true, false, true, false],
    [3, true, true, true, false],
    [4, true, false, false, false],
    [5, true, false, false, true],
    [6, true, false, true, true],
    [7, false, false, false, false],
  ])('%d', (flags, known, ephemeral, sequential, ttl) => {
    const found = [isCreateFlags, isEphemeral, isSequential, isTtl].map((is) => is(flags))
    expect(found).toEqual([known, ephemeral, sequential, ttl])
  })
})

describe('an ephemeralOwner', () => {
  it.each([
    ['none', 0n, 'persistent', 'persistent', 'persistent'],
    ['a session', 0x100000d0e020000n, 'ephemeral', 'ephemeral', 'ephemeral'],
    ['a session of server 127', 0x7f00000d0e020000n, 'ephemeral', 'ephemeral', 'ephemeral'],
    ['a session of server 254', signed(0xfe00000d0e020000n), 'ephemeral', 'ephemeral', 'ephemeral'],
    ['a container', signed(0x8000000000000000n), 'container', 'container', 'container'],
    // Without the setting it is a session that nobody has (spec 02 §6).
    ['a TTL', signed(0xff00000000000005n), 'ephemeral', 'ttl', 'ttl'],
    ['the longest TTL', signed(0xff0000ffffffffffn), 'ephemeral', 'ttl', 'ttl'],
    ['a TTL of 3.5.3', signed(0x8000000000000005n), 'ephemeral', 'ephemeral', 'ttl'],
  ])('of %s', (_, owner, ...kinds) => {
    expect([plain, extended, emulating].map((rules) => ownerKind(owner, rules))).toEqual(kinds)
  })

  it('of a TTL holds its milliseconds, in either layout', () => {
    expect(ttlOwner(1n)).toBe(signed(0xff00000000000001n))
    expect(ttlOwner(TTL_MS_MAX)).toBe(signed(0xff0000ffffffffffn))
    expect(ttlMsOf(ttlOwner(60_000n), extended)).toBe(60_000)
    expect(ttlMsOf(ttlOwner(TTL_MS_MAX), emulating)).toBe(2 ** 40 - 1)
    expect(ttlMsOf(signed(0x800000000000ea60n), emulating)).toBe(60_000)
  })
})
