import type { JuteReader } from 'jute-ts'
import type { Crypto } from '../../base/crypto.ts'
import type { Limits } from '../../base/limits.ts'
import type { ThrottledLog } from '../../base/throttled-log.ts'
import type { Config } from '../../config/config.ts'
import { Err } from '../../data/error-code.ts'
import { type AuthPacket, type Id, readAuthPacket, readGetSASLRequest } from '../../data/records.ts'
import { formatSessionId } from '../../data/session-id.ts'
import { ENSEMBLE_SCHEME } from '../auth/ensemble.ts'
import type { AuthProvider } from '../auth/provider.ts'
import { type AuthProviders, makeAuthProviders, withIds } from '../auth/providers.ts'
import { SASL_SCHEME } from '../auth/sasl.ts'
import { type SaslAnswer, SaslExchange } from '../auth/sasl-exchange.ts'
import type { ServerMetrics } from '../stats/server-metrics.ts'
import type { Cnxn } from './cnxn.ts'

type Authenticate = AuthProvider['authenticate']

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
  readonly #crypto: Crypto
  readonly #log: ThrottledLog
  readonly #metrics: ServerMetrics

  constructor(
    config: Config,
    limits: Limits,
    providers: AuthProviders,
    crypto: Crypto,
    log: ThrottledLog,
    metrics: ServerMetrics,
  ) {
    this.#config = config
    this.#limits = limits
    this.#crypto = crypto
    this.#log = log
    this.#metrics = metrics
    this.providers = providers
  }

  /** Err.ok, Err.authFailed; marshallingError and badArguments end the connection without an answer. */
  onAuth(cnxn: Cnxn, r: JuteReader): Err {
    const packet = readAuthPacket(r)
    if (!r.ok) return Err.marshallingError
    const ids = this.#authenticate(packet, cnxn.address)
    if (ids === 'hang up') return Err.badArguments
    const isAdded = ids !== undefined && this.#addIds(cnxn, ids)
    const fields = {
      scheme: packet.scheme ?? 'null',
      session: formatSessionId(cnxn.sessionId),
      address: cnxn.address,
    }
    if (isAdded) this.#log.info('authenticated', fields)
    else this.#log.warn('authentication failed', fields)
    return isAdded ? Err.ok : Err.authFailed
  }

  #authenticate({ scheme, auth }: AuthPacket, address: string): ReturnType<Authenticate> {
    const ids = this.providers.get(scheme ?? '')?.authenticate(auth, address)
    if (scheme === ENSEMBLE_SCHEME && ids !== undefined) this.#countEnsemble(ids, auth)
    return ids
  }

  #countEnsemble(ids: readonly Id[] | 'hang up', auth: Buffer | null): void {
    const isAsked = this.#config.ensembleAuthNames !== undefined && (auth?.length ?? 0) > 0
    if (!isAsked) this.#metrics.ensembleAuthSkip.add(1)
    else if (ids === 'hang up') this.#metrics.ensembleAuthFail.add(1)
    else this.#metrics.ensembleAuthSuccess.add(1)
  }

  #addIds(cnxn: Cnxn, added: readonly Id[]): boolean {
    const { cnxnIdsMax, cnxnIdBytesMax } = this.#limits
    const ids = withIds(cnxn.ids, added, cnxnIdsMax, cnxnIdBytesMax)
    if (ids === undefined) return false
    cnxn.ids = ids
    return true
  }

  /**
   * Err.ok, or what a request gets that comes before the authentication the server insists on. That
   * SASL is required hides the list of schemes, and not even a super id makes up for it.
   */
  refuseUnauthenticated(cnxn: Cnxn): Err {
    const { sessionRequireClientSaslAuth, enforceAuthSchemes } = this.#config
    const schemes = sessionRequireClientSaslAuth ? saslOnly : enforceAuthSchemes
    if (schemes === undefined) return Err.ok
    for (const id of cnxn.ids) if (schemes.has(id.scheme)) return Err.ok
    return Err.sessionClosedRequireSaslAuth
  }

  /** Undefined: the request does not decode, or has no token at all; no reply is due. */
  onSasl(cnxn: Cnxn, r: JuteReader): SaslAnswer | undefined {
    const { token } = readGetSASLRequest(r)
    if (!r.ok || token === null) return undefined
    cnxn.sasl ??= new SaslExchange(this.#config, this.#crypto, this.#limits.saslTokensMax)
    const answer = cnxn.sasl.answer(token)
    const fields = {
      session: formatSessionId(cnxn.sessionId),
      address: cnxn.address,
      reason: answer.reason,
    }
    if (answer.ids.length > 0) {
      this.#log.info('authenticated by SASL', fields)
      this.#addIds(cnxn, answer.ids)
    } else if (answer.closes) this.#log.warn('SASL authentication failed', fields)
    return answer
  }
}

const saslOnly: ReadonlySet<string> = new Set([SASL_SCHEME])
