import { describe, expect, it } from 'vitest'
import type { Config } from '../../../src/config/config.ts'
import { parseConfig } from '../../../src/config/parse.ts'
import { type ConfigFiles, formatConfigError, isConfigError } from '../../../src/config/source.ts'

/** What asks for protection must be honoured or refused, however it is written (spec 06 §5.5, §5.6). */

type Keys = Readonly<Record<string, string>>

const files: ConfigFiles = {
  readText: (path) => (path === '/d/myid' ? { kind: 'read', content: '1' } : { kind: 'missing' }),
  readProperties: () => ({ kind: 'missing' }),
}
const standalone: Keys = { dataDir: '/d', clientPort: '2181' }
const ensemble: Keys = {
  ...standalone,
  initLimit: '10',
  syncLimit: '5',
  'server.1': 'a:2888:3888',
  'server.2': 'b:2888:3888',
  'server.3': 'c:2888:3888',
}
const sasl = { 'authProvider.1': 'org.apache.zookeeper.server.auth.SASLAuthenticationProvider' }

/** The configuration, or why the server does not start. */
function start(keys: Keys, flags: Keys = {}): Config | string {
  const entries = Object.entries(keys).map(([key, value], index) => ({
    key,
    value,
    line: index + 1,
  }))
  const parsed = parseConfig(entries, 'zoo.cfg', new Map(Object.entries(flags)), files)
  return isConfigError(parsed) ? formatConfigError(parsed) : parsed.config
}

const memberSwitches = [
  'sslQuorum',
  'portUnification',
  'quorum.auth.enableSasl',
  'quorum.auth.serverRequireSasl',
  'quorum.auth.learnerRequireSasl',
]
/** Of a client port with TLS, each with a value that asks for something. */
const clientTls: Keys = {
  secureClientPort: '2281',
  secureClientPortAddress: '10.0.0.1',
  'client.portUnification': 'true',
}
const tlsDetails: Keys = {
  'keyStore.location': '/k.p12',
  'keyStore.password': 'secret',
  'keyStore.passwordPath': '/p',
  'keyStore.type': 'PKCS12',
  'trustStore.location': '/t.p12',
  'trustStore.password': 'secret',
  'trustStore.passwordPath': '/p',
  'trustStore.type': 'PEM',
  protocol: 'TLSv1.3',
  enabledProtocols: 'TLSv1.3',
  ciphersuites: 'TLS_AES_128_GCM_SHA256',
  clientAuth: 'need',
  hostnameVerification: 'true',
  clientHostnameVerification: 'true',
  crl: 'true',
  ocsp: 'true',
  authProvider: 'x509',
}

/** Every way to write a key that somebody may have tried. */
function spellings(key: string, value: string): readonly (readonly [keys: Keys, flags: Keys])[] {
  const names = [key, key.toLowerCase(), key.toUpperCase(), ` ${key} `, `zookeeper.${key}`]
  const values = [value, ` ${value} `, value.toUpperCase()]
  const all: (readonly [Keys, Keys])[] = []
  for (const name of names)
    for (const text of values) all.push([{ [name]: text }, {}], [{}, { [name.trim()]: text }])
  return all
}

describe('protection between members', () => {
  it.each(memberSwitches)('%s, in any spelling, keeps an ensemble from starting', (key) => {
    const all = [...spellings(key, 'true'), ...spellings(key, 'yes'), ...spellings(key, '1')]
    for (const [keys, flags] of [...all, [{}, { [key]: '' }] as const]) {
      const refusal = start({ ...ensemble, ...keys }, flags)
      expect([keys, flags, refusal]).toEqual([keys, flags, expect.any(String)])
    }
    const refusal = start({ ...ensemble, [key]: 'true' })
    expect(refusal).toMatch(/is not possible: members cannot protect their connections yet$/)
  })

  it.each(memberSwitches)('%s=false is no obstacle, nor is it to a standalone server', (key) => {
    expect(start({ ...ensemble, [key]: 'false' })).toBeTypeOf('object')
    expect(start(ensemble, { [`zookeeper.${key}`]: 'false' })).toBeTypeOf('object')
    expect(start({ ...standalone, [key]: 'true' })).toBeTypeOf('object')
  })

  it.each(Object.entries(tlsDetails))('ssl.quorum.%s is refused', (key, value) => {
    const asked = { [`ssl.quorum.${key}`]: value }
    expect(start({ ...ensemble, ...asked })).toMatch(/is not possible: this version has no TLS$/)
    expect(start({ ...standalone, ...asked })).toBeTypeOf('object')
  })
})

describe('protection of clients', () => {
  it.each(Object.entries(clientTls))('%s, in any spelling, is refused', (key, value) => {
    for (const [keys, flags] of spellings(key, value))
      for (const server of [standalone, ensemble])
        expect(start({ ...server, ...keys }, flags)).toMatch(/this version has no TLS$/)
  })

  it.each(Object.entries(tlsDetails))('ssl.%s is refused', (key, value) => {
    for (const server of [standalone, ensemble])
      expect(start({ ...server, [`ssl.${key}`]: value })).toMatch(/this version has no TLS$/)
  })

  it('is refused in the own server line, too', () => {
    const secure = { ...ensemble, 'server.1': 'a:2888:3888;2181;2281' }
    expect(start(secure)).toMatch(/server.1: has a secure client port, but this version has no TLS/)
    expect(start({ ...ensemble, 'server.2': 'a:2888:3888;2181;2281' })).toBeTypeOf('object')
  })

  it('is not asked for by what is off, nor by flags that the tools of a client share', () => {
    const off = { 'ssl.hostnameVerification': 'false', 'client.portUnification': 'false' }
    expect(start({ ...standalone, ...off })).toBeTypeOf('object')
    const flags = { 'zookeeper.client.secure': 'true', 'zookeeper.ssl.trustStore.location': '/t' }
    expect(start(standalone, flags)).toBeTypeOf('object')
  })

  it('SASL that is required is honoured, or refused where it is written wrongly', () => {
    for (const [keys, flags] of spellings('sessionRequireClientSASLAuth', 'true')) {
      const outcome = start({ ...standalone, ...sasl, ...keys }, flags)
      if (typeof outcome === 'string')
        expect(outcome).toMatch(/must be written sessionRequireClientSASLAuth: so it protects/)
      else expect(outcome).toMatchObject({ sessionRequireClientSaslAuth: true })
    }
    const required = { sessionRequireClientSASLAuth: 'true' }
    expect(start({ ...standalone, ...sasl, ...required })).toBeTypeOf('object')
    expect(
      start({ ...standalone, ...sasl }, { 'zookeeper.sessionRequireClientSASLAuth': 'true' }),
    ).toMatchObject({ sessionRequireClientSaslAuth: true })
    expect(start({ ...standalone, ...required })).toMatch(/needs authProvider.1=/)
  })

  it('schemes that are enforced are honoured, or refused where they cannot be', () => {
    const schemes = { 'enforce.auth.schemes': 'digest' }
    for (const [keys, flags] of spellings('enforce.auth.enabled', 'true')) {
      const outcome = start({ ...standalone, ...schemes, ...keys }, flags)
      if (typeof outcome === 'string')
        expect(outcome).toMatch(/must be written enforce.auth.enabled: so it protects nothing/)
      else expect(outcome).toMatchObject({ enforceAuthSchemes: new Set(['digest']) })
    }
    const enabled = { 'enforce.auth.enabled': 'true' }
    expect(start({ ...standalone, ...enabled })).toMatch(/needs enforce.auth.schemes/)
    expect(start({ ...standalone, ...enabled, 'enforce.auth.schemes': 'x509' })).toMatch(
      /needs the authentication scheme 'x509', which is not available/,
    )
    expect(start({ ...standalone, ...enabled, 'Enforce.Auth.Schemes': 'digest' })).toBeTypeOf(
      'string',
    )
  })
})
