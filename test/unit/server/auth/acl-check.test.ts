import { describe, expect, test } from 'vitest'
import { anyone, openAcl, Perms } from '../../../../src/data/acl.ts'
import type { ACL, Id, UncheckedACL } from '../../../../src/data/records.ts'
import { checkAcl, fixupAcl, maskAcl } from '../../../../src/server/auth/acl-check.ts'
import { type AuthProviders, makeAuthProviders } from '../../../../src/server/auth/providers.ts'
import { nodeCrypto } from '../../../support/node-crypto.ts'

function providersOf(...schemes: string[]): AuthProviders {
  const config = {
    authSchemes: new Set(schemes),
    digestAuthAlgorithm: 'sha1',
    superDigest: undefined,
    letAnySaslUserDoX: undefined,
    ensembleAuthNames: undefined,
  }
  const providers = makeAuthProviders(config, nodeCrypto)
  if (typeof providers === 'string') expect.fail(providers)
  return providers
}
const providers = providersOf('ip', 'digest', 'sasl')

const local: Id = { scheme: 'ip', id: '127.0.0.1' }
const bob: Id = { scheme: 'digest', id: 'bob:ikIaKsbtGweaHnb/jKn7OHqbunM=' }
const eve: Id = { scheme: 'digest', id: 'eve:x' }
const superId: Id = { scheme: 'super', id: '' }
const entry = (perms: number, id: Id): ACL => ({ perms, id })

describe('checkAcl', () => {
  const check = (acl: readonly ACL[], wanted: number, ...ids: Id[]): boolean =>
    checkAcl(acl, wanted, ids, providers, false)
  const private_ = [entry(Perms.read, anyone), entry(Perms.all, bob)]

  test('an open list, and none at all, let everybody do everything', () => {
    expect(check(openAcl, Perms.admin, local)).toBe(true)
    expect(check([entry(31, anyone)], Perms.admin)).toBe(true)
    expect(check([], Perms.admin)).toBe(true)
  })

  test('anyone has what anyone is given', () => {
    expect(check(private_, Perms.read, local)).toBe(true)
    expect(check(private_, Perms.write, local)).toBe(false)
    expect(check(private_, Perms.write, local, eve)).toBe(false)
    expect(check(private_, Perms.write, local, bob)).toBe(true)
  })

  test('one of several wanted permissions is enough', () => {
    expect(check([entry(Perms.admin, bob)], Perms.read | Perms.admin, bob)).toBe(true)
    expect(check([entry(Perms.write, bob)], Perms.read | Perms.admin, bob)).toBe(false)
  })

  test('super may do everything, and so may all if lists are skipped', () => {
    expect(check([entry(0, bob)], Perms.write, superId)).toBe(true)
    expect(checkAcl([entry(0, bob)], Perms.write, [], providers, true)).toBe(true)
  })

  test('ip by range, and only by the ip of the connection', () => {
    const acl = [entry(31, { scheme: 'ip', id: '127.0.0.0/8' })]
    expect(check(acl, Perms.read, local)).toBe(true)
    expect(check(acl, Perms.read, { scheme: 'ip', id: '10.0.0.1' })).toBe(false)
    expect(check(acl, Perms.read, { scheme: 'digest', id: '127.0.0.1' })).toBe(false)
  })

  test('entries of a scheme without provider let nobody in', () => {
    const acl = [entry(31, { scheme: 'x509', id: 'CN=bob' })]
    expect(check(acl, Perms.read, { scheme: 'x509', id: 'CN=bob' })).toBe(false)
    expect(checkAcl([entry(31, bob)], Perms.read, [bob], providersOf('ip'), false)).toBe(false)
    expect(check([entry(31, { scheme: 'world', id: 'bob' })], Perms.read, local)).toBe(false)
  })
})

describe('fixupAcl', () => {
  const fixup = (acl: readonly UncheckedACL[] | null, ...ids: Id[]): ReturnType<typeof fixupAcl> =>
    fixupAcl(acl, ids, providers, { bytesLeft: 1000 })

  test('nothing is nothing', () => {
    expect(fixup(null, local)).toBeUndefined()
    expect(fixup([], local)).toBeUndefined()
  })

  test('the open list is the one object', () => {
    expect(fixup([entry(31, { scheme: 'world', id: 'anyone' })], local)).toBe(openAcl)
    expect(fixup([entry(31, anyone), entry(31, { ...anyone })])).toBe(openAcl)
  })

  test('duplicates go, the first stays where it is', () => {
    const acl = [entry(1, anyone), entry(31, bob), entry(1, { ...anyone }), entry(3, anyone)]
    expect(fixup(acl, local)).toEqual([entry(1, anyone), entry(31, bob), entry(3, anyone)])
  })

  test('auth becomes every authenticated id, whatever its own id says', () => {
    const sasl: Id = { scheme: 'sasl', id: 'bob' }
    const acl = [entry(7, { scheme: 'auth', id: 'bob:pw' }), entry(1, anyone)]
    expect(fixup(acl, local, superId, bob, sasl)).toEqual([
      entry(7, bob),
      entry(7, sasl),
      entry(1, anyone),
    ])
  })

  test('auth of somebody who has shown nothing is invalid', () => {
    expect(fixup([entry(31, { scheme: 'auth', id: '' })], local)).toBeUndefined()
    expect(fixup([entry(31, { scheme: 'auth', id: '' })], local, superId)).toBeUndefined()
  })

  // As a 3.8.0 server answered -114 to them.
  test.each([
    ['world', 'x'],
    ['world', ''],
    ['digest', 'u:'],
    ['digest', 'a:b:c'],
    ['ip', '1.2.3'],
    ['sasl', 'a@b@c'],
    ['super', ''],
    ['super', 'x'],
    ['x509', 'CN=a'],
    ['nosuch', ''],
    ['', ''],
  ])('%s:%s is invalid', (scheme, id) => {
    expect(fixup([entry(31, anyone), entry(31, { scheme, id })], local, bob)).toBeUndefined()
  })

  test('permissions are stored as they come', () => {
    for (const perms of [0, 255, -1])
      expect(fixup([entry(perms, anyone)])).toEqual([entry(perms, anyone)])
  })

  test('a frame full of entries is dealt with in no time, and cannot multiply', () => {
    const many = Array.from({ length: 80_000 }, (_, perms) => entry(perms, anyone))
    expect(fixup(many)).toHaveLength(80_000)
  })

  test('`auth` adds as many bytes as there is room for, and not one more', () => {
    const auths = [1, 2, 3].map((perms) => entry(perms, { scheme: 'auth', id: '' }))
    const bytes = [bob, eve].reduce(
      (sum, { scheme, id }) => sum + 12 + scheme.length + id.length,
      0,
    )
    const withRoom = (bytesLeft: number) => fixupAcl(auths, [bob, eve], providers, { bytesLeft })
    expect(withRoom(3 * bytes)).toHaveLength(6)
    expect(withRoom(3 * bytes - 1)).toBeUndefined()
  })
})

test('without ADMIN no hash is shown', () => {
  // golden/wire/raw-auth: getACL of /rb.
  const acl = [
    entry(1, anyone),
    entry(31, { scheme: 'digest', id: 'bob:zzz' }),
    entry(31, { scheme: 'digest', id: 'a:b:c\nd' }),
    entry(31, { scheme: 'sasl', id: 'a:b' }),
  ]
  expect(maskAcl(acl)).toEqual([
    entry(1, anyone),
    entry(31, { scheme: 'digest', id: 'bob:x' }),
    entry(31, { scheme: 'digest', id: 'a:x' }),
    entry(31, { scheme: 'sasl', id: 'a:b' }),
  ])
})
