import { describe, expect, test } from 'vitest'
import type { Id } from '../../../../src/data/records.ts'
import { clientInfoOf } from '../../../../src/server/auth/client-info.ts'
import { DigestProvider } from '../../../../src/server/auth/digest.ts'
import {
  type AuthConfig,
  makeAuthProviders,
  withIds,
} from '../../../../src/server/auth/providers.ts'
import { SaslProvider } from '../../../../src/server/auth/sasl.ts'
import { nodeCrypto } from '../../../support/node-crypto.ts'

const config: AuthConfig = {
  authSchemes: new Set(['ip', 'digest', 'sasl']),
  digestAuthAlgorithm: 'sha1',
  superDigest: undefined,
  letAnySaslUserDoX: undefined,
  ensembleAuthNames: undefined,
}
const bob: Id = { scheme: 'digest', id: 'bob:ikIaKsbtGweaHnb/jKn7OHqbunM=' }

describe('digest', () => {
  const superDigest = 'super:xQJmxLMiHGwaqBvst5y6rkB6HQs='
  const digest = new DigestProvider({ algorithm: 'sha1', superDigest }, nodeCrypto)
  const ids = (data: string): readonly Id[] | undefined => digest.authenticate(Buffer.from(data))

  test('a password becomes base64 of the hash of user:password', () => {
    expect(ids('bob:pw')).toEqual([bob]) // golden/wire/raw-auth
  })

  test('the super digest gives the super id as well', () => {
    expect(ids('super:admin')).toEqual([
      { scheme: 'super', id: '' },
      { scheme: 'digest', id: superDigest },
    ])
    expect(ids('super:wrong')).toHaveLength(1)
    const none = new DigestProvider({ algorithm: 'sha1', superDigest: undefined }, nodeCrypto)
    expect(none.authenticate(Buffer.from('super:admin'))).toHaveLength(1)
  })

  // What a 3.8.0 server gave: whoAmI showed `nocolon`, ``, `a`, `` and `u`.
  test.each([
    ['nocolon', 'nocolon:'],
    ['', ':2jmj7l5rSw0yVb/vlWAYkK/YBwk='],
    ['a:b:c', 'a:'],
    [':pw', ':'],
    ['u:', 'u:'],
  ])('%j is taken too', (data, start) => {
    expect(ids(data)?.[0]?.id.startsWith(start)).toBe(true)
  })

  test('no data is refused', () => {
    expect(digest.authenticate(null)).toBeUndefined()
  })

  test.each([
    ['bob:hash', true],
    [':h', true],
    ['a:b:', true],
    ['a:b::', true],
    ['u:', false],
    ['a:b:c', false],
    ['', false],
    [':', false],
    ['::', false],
    ['u', false],
  ])('an ACL for %j: %s', (aclId, valid) => {
    expect(digest.isValid(aclId)).toBe(valid)
  })

  test('matches exactly', () => {
    expect(digest.matches('bob:x', 'bob:x')).toBe(true)
    expect(digest.matches('bob:x', 'bob:y')).toBe(false)
  })

  test('another algorithm', () => {
    const md5 = new DigestProvider({ algorithm: 'md5', superDigest: undefined }, nodeCrypto)
    expect(md5.authenticate(Buffer.from('bob:pw'))?.[0]?.id).toBe('bob:mFIN705h49CRioANaL/new==')
  })
})

describe('sasl ids', () => {
  const sasl = new SaslProvider('everyone')

  // As a 3.8.0 server took and refused them.
  test.each([
    ['bob', true],
    ['', true],
    ['x/y', true],
    ['a/b@C', true],
    ['a@C', true],
    ['a@b@c', false],
    ['a/b/c@R', false],
  ])('an ACL for %j: %s', (aclId, valid) => {
    expect(sasl.isValid(aclId)).toBe(valid)
  })

  test('match themselves, super matches all, and all match letAnySaslUserDoX', () => {
    expect(sasl.matches('bob', 'bob')).toBe(true)
    expect(sasl.matches('bob', 'eve')).toBe(false)
    expect(sasl.matches('super', 'eve')).toBe(true)
    expect(sasl.matches('bob', 'everyone')).toBe(true)
    expect(new SaslProvider(undefined).matches('bob', 'everyone')).toBe(false)
  })

  test('cannot be had by an auth packet', () => {
    expect(sasl.authenticate()).toBeUndefined()
  })
})

describe('makeAuthProviders', () => {
  test('has what the configuration names', () => {
    const providers = makeAuthProviders({ ...config, authSchemes: new Set(['ip']) }, nodeCrypto)
    expect(providers).toBeInstanceOf(Map)
    expect([...(typeof providers === 'string' ? [] : providers.keys())]).toEqual(['ip'])
  })

  test('an unknown hash is found out at the start', () => {
    expect(makeAuthProviders({ ...config, digestAuthAlgorithm: 'sha0' }, nodeCrypto)).toBe(
      'DigestAuthenticationProvider.digestAlg: this machine has no hash sha0',
    )
  })
})

describe('the ids of a connection', () => {
  const ip: Id = { scheme: 'ip', id: '127.0.0.1' }

  test('are a set, in the order of arrival, of limited size', () => {
    expect(withIds([ip], [bob], 3, 1000)).toEqual([ip, bob])
    const ids = [ip, bob]
    expect(withIds(ids, [{ ...bob }], 2, 1000)).toBe(ids)
    expect(withIds(ids, [{ scheme: 'sasl', id: 'bob' }], 2, 1000)).toBeUndefined()
  })

  test('are shown without hashes', () => {
    expect(clientInfoOf(bob)).toEqual({ authScheme: 'digest', user: 'bob' })
    expect(clientInfoOf(ip)).toEqual({ authScheme: 'ip', user: '127.0.0.1' })
    expect(clientInfoOf({ scheme: 'super', id: '' })).toEqual({ authScheme: 'super', user: '' })
    expect(clientInfoOf({ scheme: 'sasl', id: 'a:b' }).user).toBe('a:b')
  })
})
