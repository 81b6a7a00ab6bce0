import type { Config } from './config.ts'
import { isJaasError, parseJaas, saslUsersOf } from './jaas.ts'
import type { ConfigReader, Setting } from './reader.ts'
import { type ConfigFiles, shown } from './source.ts'

type AuthConfig = Pick<
  Config,
  | 'superDigest'
  | 'digestAuthAlgorithm'
  | 'saslUsers'
  | 'saslSuperUsers'
  | 'sessionRequireClientSaslAuth'
  | 'allowSaslFailedClients'
  | 'enforceAuthSchemes'
  | 'letAnySaslUserDoX'
  | 'ensembleAuthNames'
  | 'authSchemes'
>

/** Names of the Java platform, in lower case, and the names of OpenSSL and thus of Crypto.hash. */
const algorithms: ReadonlyMap<string, string> = new Map([
  ['md5', 'md5'],
  ['sha', 'sha1'],
  ['sha1', 'sha1'],
  ['sha-1', 'sha1'],
  ['sha-224', 'sha224'],
  ['sha-256', 'sha256'],
  ['sha-384', 'sha384'],
  ['sha-512', 'sha512'],
  ['sha-512/224', 'sha512-224'],
  ['sha-512/256', 'sha512-256'],
  ['sha3-224', 'sha3-224'],
  ['sha3-256', 'sha3-256'],
  ['sha3-384', 'sha3-384'],
  ['sha3-512', 'sha3-512'],
])

/** Schemes of ZooKeeper's own provider classes. */
const providerSchemes: ReadonlyMap<string, string> = new Map([
  ['SASLAuthenticationProvider', 'sasl'],
  ['DigestAuthenticationProvider', 'digest'],
  ['IPAuthenticationProvider', 'ip'],
  ['EnsembleAuthenticationProvider', 'ensemble'],
])

export function readAuth(
  reader: ConfigReader,
  systemProperties: ReadonlyMap<string, string>,
  files: ConfigFiles,
): AuthConfig {
  const digestAuthEnabled = reader.switch('DigestAuthenticationProvider.enabled')
  const authSchemes = readProviders(reader, digestAuthEnabled)
  const requireSasl = reader.switch('sessionRequireClientSASLAuth')
  const superUsers = reader.family('superUser').map(({ value }) => value)
  return {
    superDigest: reader.text('DigestAuthenticationProvider.superDigest'),
    digestAuthAlgorithm: readAlgorithm(reader),
    saslUsers: readSaslUsers(reader, systemProperties, files),
    saslSuperUsers: new Set(superUsers.filter((user) => user !== '')),
    sessionRequireClientSaslAuth: requireSasl,
    allowSaslFailedClients: reader.switch('allowSaslFailedClients'),
    enforceAuthSchemes: readEnforcedSchemes(reader, authSchemes, requireSasl),
    letAnySaslUserDoX: reader.text('letAnySaslUserDoX'),
    ensembleAuthNames: readEnsembleNames(reader),
    authSchemes,
  }
}

/** A list of names, each of which is ours. */
function readEnsembleNames(reader: ConfigReader): ReadonlySet<string> | undefined {
  const names = reader.text('ensembleAuthName')
  return names === undefined ? undefined : new Set(names.split(',').map((name) => name.trim()))
}

function readAlgorithm(reader: ConfigReader): string {
  const setting = reader.find('DigestAuthenticationProvider.digestAlg')
  if (setting === undefined) return 'sha1'
  const algorithm = algorithms.get(setting.value.toLowerCase())
  if (algorithm === undefined)
    reader.refuse(setting, 'is not a known hash; SHA1, SHA-256 and SHA-512 are some')
  return algorithm ?? 'sha1'
}

/** `authProvider.N=class`: classes of others cannot be loaded here, and get a line in the log. */
function readProviders(reader: ConfigReader, digestAuthEnabled: boolean): ReadonlySet<string> {
  const schemes = new Set(['ip'])
  if (digestAuthEnabled) schemes.add('digest')
  for (const { key, value } of reader.family('authProvider')) {
    const scheme = providerSchemes.get(value.slice(value.lastIndexOf('.') + 1))
    if (scheme !== undefined) schemes.add(scheme)
    else
      reader.notes.push(
        `${shown(key)}=${shown(value)} has no effect: not a provider of this version`,
      )
  }
  return schemes
}

function readEnforcedSchemes(
  reader: ConfigReader,
  authSchemes: ReadonlySet<string>,
  requireSasl: boolean,
): ReadonlySet<string> | undefined {
  const enabled = reader.switch('enforce.auth.enabled')
  const setting = reader.find('enforce.auth.schemes')
  if (requireSasl)
    return checkedSchemes(reader, ['sasl'], authSchemes, 'sessionRequireClientSASLAuth')
  if (!enabled) return undefined
  const schemes = (setting?.value ?? '')
    .split(',')
    .map((scheme) => scheme.trim())
    .filter((scheme) => scheme !== '')
  if (schemes.length > 0)
    return checkedSchemes(reader, schemes, authSchemes, 'enforce.auth.schemes')
  const enabler = reader.find('enforce.auth.enabled')
  if (enabler !== undefined)
    reader.refuse(enabler, 'needs enforce.auth.schemes, a list such as digest,sasl')
  return undefined
}

function checkedSchemes(
  reader: ConfigReader,
  schemes: readonly string[],
  authSchemes: ReadonlySet<string>,
  key: 'sessionRequireClientSASLAuth' | 'enforce.auth.schemes',
): ReadonlySet<string> {
  const setting = reader.find(key)
  const missing = schemes.find((scheme) => !authSchemes.has(scheme))
  if (setting !== undefined && missing !== undefined)
    reader.refuse(setting, problemOfMissing(missing))
  return new Set(schemes)
}

function problemOfMissing(scheme: string): string {
  if (scheme !== 'sasl')
    return `needs the authentication scheme '${scheme}', which is not available`
  return 'needs authProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider'
}

/**
 * No file, or no such section in it: nobody can log in, and that is no error, as in the original.
 * A file that is missing or malformed is one.
 */
function readSaslUsers(
  reader: ConfigReader,
  systemProperties: ReadonlyMap<string, string>,
  files: ConfigFiles,
): ReadonlyMap<string, string> | undefined {
  const setting = reader.find('java.security.auth.login.config')
  const section = reader.text('sasl.serverconfig') ?? 'Server'
  const superPassword = reader.text('SASLAuthenticationProvider.superPassword')
  if (setting === undefined) return undefined
  const path = jaasPath(setting.value)
  const text = readJaasText(reader, setting, path, files)
  if (text === undefined) return undefined
  const sections = parseJaas(text, systemProperties)
  if (isJaasError(sections)) {
    const { line, problem } = sections
    reader.refuseWith({ key: 'JAAS configuration', value: undefined, file: path, line, problem })
    return undefined
  }
  const modules = sections.get(section)
  if (modules === undefined) {
    reader.notes.push(`${shown(path)} has no section '${shown(section)}': no SASL login`)
    return undefined
  }
  const users = saslUsersOf(modules)
  if (modules.some(({ className }) => !className.endsWith('DigestLoginModule')))
    reader.notes.push(`${shown(path)}: of the login modules only DigestLoginModule has an effect`)
  if (superPassword !== undefined && users.has('super')) users.set('super', superPassword)
  return users
}

function readJaasText(
  reader: ConfigReader,
  setting: Setting,
  path: string,
  files: ConfigFiles,
): string | undefined {
  const file = files.readText(path)
  if (file.kind === 'read') return file.content
  const reason = file.kind === 'missing' ? 'the file does not exist' : file.reason
  reader.refuse(setting, `cannot be read: ${reason}`)
  return undefined
}

/** Java takes a URL too, and a second '=' of the flag to mean `this file only`. */
function jaasPath(value: string): string {
  const path = value.replace(/^=/, '')
  return path.startsWith('file:') ? path.slice('file:'.length).replace(/^\/\/(?=\/)/, '') : path
}
