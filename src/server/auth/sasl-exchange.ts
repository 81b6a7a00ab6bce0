import type { Crypto } from '../../base/crypto.ts'
import { defaultLimits } from '../../base/limits.ts'
import type { Config } from '../../config/config.ts'
import { Err } from '../../data/error-code.ts'
import type { Id } from '../../data/records.ts'
import { SUPER_SCHEME } from './digest.ts'
import { SASL_SCHEME } from './sasl.ts'
import { DigestMd5Server } from './sasl-digest-md5.ts'

export type SaslConfig = Pick<
  Config,
  | 'saslUsers'
  | 'saslSuperUsers'
  | 'allowSaslFailedClients'
  | 'sessionRequireClientSaslAuth'
  | 'enforceAuthSchemes'
>

/**
 * What a connection answers to one sasl request: ReplyHeader{the request's xid, zxid 0, err} and,
 * also when err is not 0, a SetSASLResponse with the token, which may be null.
 */
interface SaslAnswer {
  readonly err: typeof Err.ok | typeof Err.authFailed | typeof Err.sessionClosedRequireSaslAuth
  readonly token: Buffer | null
  /** To be added to the connection's ids. */
  readonly ids: readonly Id[]
  /** The reply is the connection's last; no further request of it is looked at. */
  readonly closes: boolean
  /** For the log: who has logged in, or why nobody has. */
  readonly reason: string
}

/**
 * The sasl requests (op 102) of one connection, handled on receipt as auth packets are, outside the
 * order of requests (spec 01 §2). Seen on a 3.8.0 server:
 * - A Java client or kazoo sends an empty token, gets the challenge, sends the response, gets
 *   rspauth; both replies have err 0 and zxid 0. Whatever the first token holds, a challenge is
 *   the answer.
 * - After success the connection has Id{sasl, user}, and Id{super, ''} for a name in superUser.
 * - A failed login is answered -115 **with a body**, a null token, and the connection is closed.
 *   With allowSaslFailedClients it is answered err 0 and a null token, and the client goes on
 *   without the id. Where SASL is required it is -124, body and close as for -115, whatever
 *   allowSaslFailedClients says.
 * - Without users every token is answered err 0 and a null token.
 * - A request whose own token is null (length -1) has the connection closed without a reply.
 * - Where SASL is required, any request but auth and sasl of a connection without such an id, be it
 *   a ping, is answered -124 with the header alone, and the connection is closed.
 */
export class SaslExchange {
  readonly #config: SaslConfig
  readonly #server: DigestMd5Server | undefined
  readonly #tokensMax: number
  #tokens = 0

  /** `tokensMax`: how many a connection may send. A login takes two. */
  constructor(config: SaslConfig, crypto: Crypto, tokensMax: number = defaultLimits.saslTokensMax) {
    this.#config = config
    this.#tokensMax = tokensMax
    this.#server =
      config.saslUsers === undefined ? undefined : new DigestMd5Server(config.saslUsers, crypto)
  }

  /** `token` is read before this returns, and not kept. */
  answer(token: Buffer): SaslAnswer {
    const closes = false
    if (this.#server === undefined)
      return { err: Err.ok, token: null, ids: [], closes, reason: 'no SASL users are configured' }
    this.#tokens += 1
    if (this.#tokens > this.#tokensMax) return refusal(Err.authFailed, 'too many tokens')
    const step = this.#server.evaluate(token)
    switch (step.kind) {
      case 'challenge':
        return { err: Err.ok, token: step.token, ids: [], closes, reason: 'challenge' }
      case 'done': {
        const ids = this.#idsOf(step.authorizationId)
        return { err: Err.ok, token: step.token, ids, closes, reason: step.authorizationId }
      }
      case 'failed':
        return this.#onFailure(step.reason)
    }
  }

  #idsOf(user: string): readonly Id[] {
    const own: Id = { scheme: SASL_SCHEME, id: user }
    return this.#config.saslSuperUsers.has(user) ? [own, { scheme: SUPER_SCHEME, id: '' }] : [own]
  }

  #onFailure(reason: string): SaslAnswer {
    if (isSaslRequired(this.#config)) return refusal(Err.sessionClosedRequireSaslAuth, reason)
    if (!this.#config.allowSaslFailedClients) return refusal(Err.authFailed, reason)
    return { err: Err.ok, token: null, ids: [], closes: false, reason }
  }
}

function isSaslRequired(config: SaslConfig): boolean {
  return config.sessionRequireClientSaslAuth || config.enforceAuthSchemes?.has(SASL_SCHEME) === true
}

function refusal(
  err: typeof Err.authFailed | typeof Err.sessionClosedRequireSaslAuth,
  reason: string,
): SaslAnswer {
  return { err, token: null, ids: [], closes: true, reason }
}
