import type { Crypto } from '../../base/crypto.ts'
import type { Config } from '../../config/config.ts'
import { sameId } from '../../data/acl.ts'
import type { Id } from '../../data/records.ts'
import { DIGEST_SCHEME, DigestProvider } from './digest.ts'
import { ENSEMBLE_SCHEME, EnsembleProvider } from './ensemble.ts'
import { IP_SCHEME, IpProvider } from './ip.ts'
import type { AuthProvider, AuthProviders } from './provider.ts'
import { SASL_SCHEME, SaslProvider } from './sasl.ts'

export type { AuthProvider, AuthProviders } from './provider.ts'

export type AuthConfig = Pick<
  Config,
  'authSchemes' | 'digestAuthAlgorithm' | 'superDigest' | 'letAnySaslUserDoX' | 'ensembleAuthNames'
>

/** The text says why a server must not start with these settings. */
export function makeAuthProviders(config: AuthConfig, crypto: Crypto): AuthProviders | string {
  const providers: AuthProvider[] = []
  if (config.authSchemes.has(IP_SCHEME)) providers.push(new IpProvider())
  if (config.authSchemes.has(DIGEST_SCHEME)) {
    const { digestAuthAlgorithm: algorithm, superDigest } = config
    // Better found out now than when the first client logs in.
    if (crypto.hash(algorithm, Buffer.alloc(0)) === undefined)
      return `DigestAuthenticationProvider.digestAlg: this machine has no hash ${algorithm}`
    providers.push(new DigestProvider({ algorithm, superDigest }, crypto))
  }
  if (config.authSchemes.has(SASL_SCHEME))
    providers.push(new SaslProvider(config.letAnySaslUserDoX))
  if (config.authSchemes.has(ENSEMBLE_SCHEME))
    providers.push(new EnsembleProvider(config.ensembleAuthNames))
  return new Map(providers.map((provider) => [provider.scheme, provider]))
}

/**
 * The ids of a connection with some more of them; the same list if none is new. Undefined: it would
 * have more than `idsMax`, or more than `idBytesMax` bytes. A client may log in as often as it likes,
 * and each id costs memory, a comparison in every ACL check, and room in every ACL that says `auth`.
 */
export function withIds(
  ids: readonly Id[],
  added: readonly Id[],
  idsMax: number,
  idBytesMax: number,
): readonly Id[] | undefined {
  const fresh = added.filter((id) => !ids.some((known) => sameId(known, id)))
  if (fresh.length === 0) return ids
  if (ids.length + fresh.length > idsMax) return undefined
  const all = [...ids, ...fresh]
  return idBytesOf(all) > idBytesMax ? undefined : all
}

/** In bytes of UTF-8, schemes included. */
function idBytesOf(ids: readonly Id[]): number {
  return ids.reduce(
    (sum, { scheme, id }) => sum + Buffer.byteLength(scheme) + Buffer.byteLength(id),
    0,
  )
}
