import { type JuteReader } from 'jute-ts'
import { type Crypto } from '../base/crypto.ts'
import { type Limits } from '../base/limits.ts'
import { type Logger } from '../base/logger.ts'
import { Err } from '../data/error-code.ts'
import { type Id, readAuthPacket, readGetSASLRequest } from '../data/records.ts'
import { formatSessionId } from '../data/session-id.ts'
import { SUPER_SCHEME } from './auth/digest.ts'
import { type AuthProviders, makeAuthProviders, withIds } from './auth/providers.ts'
import { SASL_SCHEME } from './auth/sasl.ts'
import { type Cnxn } from './cnxn.ts'
import { type Config } from './config.ts'

/** What op 102 answers. */
export interface SaslAnswer {
  readonly err: Err
  readonly token: Buffer | null
}

/** The providers that the configuration asks for; the text says why it asks for the impossible. */
export function providersOf(config: Config, crypto: Crypto): AuthProviders | string {
  return makeAuthProviders(config, crypto)
}

/**
 * Requests about who the client is. They are answered on receipt, outside the order of the session's
 * other requests (spec 01 §7), and what they add lasts as long as the connection.
 */
export class AuthRequests {
  readonly providers: AuthProviders
  readonly #config: Config
  readonly #limits: Limits
  readonly #logger: Logger

  constructor(config: Config, limits: Limits, providers: AuthProviders, logger: Logger) {
    this.#config = config
    this.#limits = limits
    this.#logger = logger
    this.providers = providers
  }

  onAuth(cnxn: Cnxn, r: JuteReader): Err {
    const packet = readAuthPacket(r)
    if (!r.ok) return Err.marshallingError
    const ids = this.providers.get(packet.scheme)?.authenticate(packet.auth, cnxn.address)
    const isAdded = ids !== undefined && this.#addIds(cnxn, ids)
    const fields = {
      scheme: packet.scheme,
      session: formatSessionId(cnxn.sessionId),
      address: cnxn.address,
    }
    if (isAdded) this.#logger.info('authenticated', fields)
    else this.#logger.warn('authentication failed', fields)
    return isAdded ? Err.ok : Err.authFailed
  }

  #addIds(cnxn: Cnxn, added: readonly Id[]): boolean {
    const ids = withIds(cnxn.ids, added, this.#limits.cnxnIdsMax)
    if (ids === undefined) return false
    cnxn.ids = ids
    return true
  }

  /** Err.ok, or what a request gets that comes before the authentication the server insists on. */
  refuseUnauthenticated(cnxn: Cnxn): Err {
    const schemes = this.#config.enforceAuthSchemes
    const needsSasl = this.#config.sessionRequireClientSaslAuth
    if (schemes === undefined && !needsSasl) return Err.ok
    const has = (scheme: string): boolean => cnxn.ids.some((id) => id.scheme === scheme)
    if (needsSasl && !has(SASL_SCHEME)) return Err.sessionClosedRequireSaslAuth
    if (schemes === undefined) return Err.ok
    for (const scheme of schemes) if (has(scheme)) return Err.ok
    return has(SUPER_SCHEME) ? Err.ok : Err.sessionClosedRequireSaslAuth
  }

  onSasl(_cnxn: Cnxn, r: JuteReader): SaslAnswer {
    readGetSASLRequest(r)
    if (!r.ok) return { err: Err.marshallingError, token: null }
    return { err: Err.ok, token: null }
  }
}
