import { describe, expect, it } from 'vitest'
import type { Config } from '../../../src/config/config.ts'
import { parseConfig } from '../../../src/config/parse.ts'
import { formatConfigError, isConfigError, noConfigFiles } from '../../../src/config/source.ts'

const sasl = 'org.apache.zookeeper.server.auth.SASLAuthenticationProvider'
const jaas = `Server {
  org.apache.zookeeper.server.auth.DigestLoginModule required
    user_super="secret" user_bob="p\\"w";
};`

function parse(
  flags: Readonly<Record<string, string>>,
  files: Record<string, string> = {},
): Config | string {
  const entries = [
    { key: 'dataDir', value: '/d', line: 1 },
    { key: 'clientPort', value: '1', line: 2 },
  ]
  const parsed = parseConfig(entries, 'zoo.cfg', new Map(Object.entries(flags)), {
    ...noConfigFiles,
    readText(path) {
      const content = files[path]
      return content === undefined ? { kind: 'missing' } : { kind: 'read', content }
    },
  })
  return isConfigError(parsed) ? formatConfigError(parsed) : parsed.config
}

describe('SASL users', () => {
  const login = { 'java.security.auth.login.config': '/jaas' }
  it('come from the section Server of the JAAS file', () => {
    const users = new Map([
      ['super', 'secret'],
      ['bob', 'p"w'],
    ])
    expect(parse(login, { '/jaas': jaas })).toMatchObject({ saslUsers: users })
    const url = { 'java.security.auth.login.config': '=file:///jaas' }
    expect(parse(url, { '/jaas': jaas })).toMatchObject({ saslUsers: users })
  })

  it('come from another section if it is named, and a section that is missing is no login', () => {
    const flags = { ...login, 'zookeeper.sasl.serverconfig': 'Mine' }
    const mine = jaas.replace('Server', 'Mine')
    expect(parse(flags, { '/jaas': mine })).toMatchObject({
      saslUsers: new Map([
        ['super', 'secret'],
        ['bob', 'p"w'],
      ]),
    })
    expect(parse(flags, { '/jaas': jaas })).toMatchObject({ saslUsers: undefined })
  })

  it('the password of super may be a flag, if super is a user', () => {
    const flags = { ...login, 'zookeeper.SASLAuthenticationProvider.superPassword': 'other' }
    const parsed = parse(flags, { '/jaas': jaas })
    expect(typeof parsed === 'string' ? parsed : parsed.saslUsers?.get('super')).toBe('other')
    const bobOnly = jaas.replace('user_super="secret"', '')
    expect(parse(flags, { '/jaas': bobOnly })).toMatchObject({
      saslUsers: new Map([['bob', 'p"w']]),
    })
  })

  it('a file that is missing or malformed is an error without its content', () => {
    expect(parse(login)).toBe(
      'SERVER_JVMFLAGS, JVMFLAGS: -Djava.security.auth.login.config=/jaas: cannot be read: the file does not exist',
    )
    const broken = parse(login, { '/jaas': jaas.replace('};', '') })
    expect(broken).toBe('/jaas:4: JAAS configuration: expected the class of a login module')
  })
})

describe('authentication', () => {
  it('honours the flags that harnesses pass', () => {
    const flags = {
      'zookeeper.DigestAuthenticationProvider.superDigest': 'super:D/InIHSb7yEEbrWz8b9l71RjZJU=',
      'zookeeper.authProvider.1': sasl,
      'zookeeper.superUser': 'root',
      'zookeeper.superUser.2': 'admin',
      'zookeeper.superUserless': 'not one',
      'zookeeper.allowSaslFailedClients': 'true',
      'zookeeper.letAnySaslUserDoX': 'guest',
      'zookeeper.DigestAuthenticationProvider.digestAlg': 'SHA-256',
    }
    expect(parse(flags)).toMatchObject({
      superDigest: 'super:D/InIHSb7yEEbrWz8b9l71RjZJU=',
      authSchemes: new Set(['ip', 'digest', 'sasl']),
      saslSuperUsers: new Set(['root', 'admin']),
      allowSaslFailedClients: true,
      letAnySaslUserDoX: 'guest',
      digestAuthAlgorithm: 'sha256',
    })
  })

  it('without digest has only ip', () => {
    const flags = { 'zookeeper.DigestAuthenticationProvider.enabled': 'false' }
    expect(parse(flags)).toMatchObject({ authSchemes: new Set(['ip']) })
  })

  it('enforces schemes that have a provider', () => {
    const enforce = { 'zookeeper.enforce.auth.enabled': 'true' }
    expect(parse({ ...enforce, 'zookeeper.enforce.auth.schemes': 'digest, ip' })).toMatchObject({
      enforceAuthSchemes: new Set(['digest', 'ip']),
    })
    expect(parse({ 'zookeeper.enforce.auth.schemes': 'digest' })).toMatchObject({
      enforceAuthSchemes: undefined,
    })
    expect(parse({ ...enforce, 'zookeeper.enforce.auth.schemes': 'magic' })).toMatch(
      /magic: needs the authentication scheme 'magic', which is not available$/,
    )
    const require = { 'zookeeper.sessionRequireClientSASLAuth': 'true' }
    expect(parse(require)).toMatch(/=true: needs authProvider.1=org.apache/)
    expect(parse({ ...require, 'zookeeper.authProvider.1': sasl })).toMatchObject({
      sessionRequireClientSaslAuth: true,
      enforceAuthSchemes: new Set(['sasl']),
    })
  })
})
