import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openAcl, Perms } from '../../../../src/data/acl.ts'
import type { ACL, Id } from '../../../../src/data/records.ts'
import { nodeCrypto } from '../../../../src/node/process/crypto.ts'
import { AccessControl } from '../../../../src/server/auth/access-control.ts'
import { checkAcl } from '../../../../src/server/auth/acl-check.ts'
import { makeAuthProviders } from '../../../../src/server/auth/providers.ts'
import { WorkMeter } from '../../../../src/server/bounds/work-meter.ts'

const made = makeAuthProviders(
  {
    authSchemes: new Set(['ip', 'digest', 'sasl']),
    digestAuthAlgorithm: 'sha1',
    superDigest: undefined,
    letAnySaslUserDoX: 'anybody',
    ensembleAuthNames: undefined,
  },
  nodeCrypto,
)
if (typeof made === 'string') throw new Error(made)
const providers = made

const scheme = fc.constantFrom('ip', 'digest', 'sasl', 'world', 'super', 'nosuch')
const name = fc.constantFrom(
  ...['anyone', 'bob:x', 'eve:y', 'super', 'anybody', 'bob', '', 'x'],
  ...['10.1.2.3', '10.1.2.4', '10.1.0.0/16', '0.0.0.0/0', '0:0:0:0:0:0:0:1', '::/64', '::1'],
)
const id = fc.record({ scheme, id: name })
const entry = fc.record({ perms: fc.integer({ min: 0, max: 31 }), id })

test('a long list grants what a short one does', () => {
  const access = new AccessControl(providers, false)
  const list = fc.array(entry, { minLength: 16, maxLength: 40 })
  fc.assert(
    fc.property(
      list,
      fc.array(id, { maxLength: 4 }),
      fc.integer({ min: 1, max: 31 }),
      (acl, ids, wanted) => {
        const expected = checkAcl(acl, wanted, ids, providers, false)
        expect(access.permits(acl, wanted, ids)).toBe(expected)
        expect(access.permits(acl, wanted, ids)).toBe(expected)
      },
    ),
    { numRuns: 2000 },
  )
})

test('with skipACL a long list keeps nobody out', () => {
  const acl: ACL[] = Array.from({ length: 20 }, (_, i) => ({
    perms: 0,
    id: { scheme: 'digest', id: `u${i}:x` },
  }))
  expect(new AccessControl(providers, true).permits(acl, Perms.read, [])).toBe(true)
  expect(new AccessControl(providers, false).permits(openAcl, Perms.read, [])).toBe(true)
})

test('a list is parsed once, and looked through once for each list of ids', () => {
  const meter = new WorkMeter()
  const access = new AccessControl(providers, false, meter)
  const acl: ACL[] = Array.from({ length: 1000 }, (_, i) => ({
    perms: Perms.all,
    id: { scheme: 'ip', id: `10.${i >> 8}.${i & 255}.0/24` },
  }))
  const ann: Id[] = [{ scheme: 'ip', id: '10.3.1.7' }]
  const bob: Id[] = [{ scheme: 'ip', id: '11.3.1.7' }]
  for (let i = 0; i < 5; i += 1) {
    expect(access.permits(acl, Perms.read, ann)).toBe(true)
    expect(access.permits(acl, Perms.read, bob)).toBe(false)
  }
  expect(meter.steps).toBe(3000)
  // Who logs in is somebody else.
  expect(access.permits(acl, Perms.read, [...bob, ...ann])).toBe(true)
})
