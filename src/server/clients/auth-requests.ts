import type { JuteReader } from 'jute-ts'
import type { Crypto } from '../../base/crypto.ts'
import type { Limits } from '../../base/limits.ts'
import type { ThrottledLog } from '../../base/throttled-log.ts'
import type { Config } from '../../config/config.ts'
import { Err } from '../../data/error-code.ts'
import { type AuthPacket, type Id, readAuthPacket, readGetSASLRequest } from '../../data/records.ts'
import { formatSessionId } from '../../data/session-id.ts'
import { ENSEMBLE_SCHEME } from '../auth/ensemble.ts'
import type { Answer, AuthProvider } from '../auth/provider.ts'
import { type AuthProviders, makeAuthProviders, withIds } from '../auth/providers.ts'
import { SASL_SCHEME } from '../auth/sasl.ts'
import { SaslExchange } from '../auth/sasl-exchange.ts'
import type { ServerMetrics } from '../stats/server-metrics.ts'
import type { ServerStats } from '../stats/server-stats.ts'
import type { Answers } from './answers.ts'
import type { Cnxn } from './cnxn.ts'
import type { Connections } from './connections.ts'
import type { QuestionId, Questions } from './questions.ts'

type Authenticate = AuthProvider['authenticate']

/** The providers that the configuration asks for; the text says which of them cannot be had. */
export function providersOf(config: Config, crypto: Crypto): AuthProviders | string {
  return makeAuthProviders(config, crypto)
}

interface AuthRequestsParts {
  readonly config: Config
  readonly limits: Limits
  readonly providers: AuthProviders
  readonly crypto: Crypto
  readonly connections: Connections
  readonly answers: Answers
  readonly questions: Questions
  readonly stats: ServerStats
  readonly metrics: ServerMetrics
  readonly throttledLog: ThrottledLog
}

/**
 * Requests about who the client is. They are answered on receipt, outside the order of the session's
 * other requests (spec 01 §7), and what they add lasts as long as the connection.
 */
export class AuthRequests {
  readonly #config: Config
  readonly #limits: Limits
  readonly #providers: AuthProviders
  readonly #crypto: Crypto
  readonly #connections: Connections
  readonly #answers: Answers
  readonly #questions: Questions
  readonly #stats: ServerStats
  readonly #metrics: ServerMetrics
  readonly #log: ThrottledLog

  constructor(parts: AuthRequestsParts) {
    this.#config = parts.config
    this.#limits = parts.limits
    this.#providers = parts.providers
    this.#crypto = parts.crypto
    this.#connections = parts.connections
    this.#answers = parts.answers
    this.#questions = parts.questions
    this.#stats = parts.stats
    this.#metrics = parts.metrics
    this.#log = parts.throttledLog
  }

  /** Op 100. */
  onAuth(cnxn: Cnxn, xid: number, r: JuteReader): void {
    const packet = readAuthPacket(r)
    if (!r.ok) return this.#connections.refuse(cnxn, 'auth packet does not decode')
    const scheme = packet.scheme ?? 'null'
    const found = this.#authenticate(packet, cnxn.address)
    if (typeof found !== 'object' || !('ask' in found))
      return this.#conclude(cnxn, xid, scheme, found)
    if (this.#questions.ask(cnxn, xid, found.ask)) cnxn.state = 'asking'
    else this.#connections.refuse(cnxn, 'too many logins are under way')
  }

  /** What a scheme had to have found out is known. The connection whose requests may go on. */
  onAnswered(id: QuestionId, answer: Answer): Cnxn | undefined {
    const asking = this.#questions.settle(id)
    if (asking === undefined) return undefined
    const { cnxn, xid, question } = asking
    cnxn.state = 'open'
    this.#conclude(cnxn, xid, question.scheme, answer)
    return cnxn
  }

  #conclude(cnxn: Cnxn, xid: number, scheme: string, answer: Answer): void {
    if (answer === 'hang up')
      return this.#connections.refuse(cnxn, 'the client means another ensemble')
    const isAdded = answer !== undefined && this.#addIds(cnxn, answer)
    const fields = { scheme, session: formatSessionId(cnxn.sessionId), address: cnxn.address }
    if (isAdded) this.#log.info('authenticated', fields)
    else this.#log.warn('authentication failed', fields)
    if (isAdded) return this.#answers.authenticated(cnxn, xid)
    this.#stats.authFailedCount += 1
    this.#answers.closing(cnxn, xid, 0, Err.authFailed)
  }

  #authenticate({ scheme, auth }: AuthPacket, address: string): ReturnType<Authenticate> {
    const ids = this.#providers.get(scheme ?? '')?.authenticate(auth, address)
    if (scheme === ENSEMBLE_SCHEME && ids !== undefined) this.#countEnsemble(ids, auth)
    return ids
  }

  #countEnsemble(ids: ReturnType<Authenticate>, auth: Buffer | null): void {
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

  /** Op 102. */
  onSasl(cnxn: Cnxn, xid: number, r: JuteReader): void {
    const { token } = readGetSASLRequest(r)
    if (!r.ok || token === null)
      return this.#connections.refuse(cnxn, 'sasl request without a token')
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
    this.#answers.saslToken(cnxn, xid, answer.err, answer.token)
    if (!answer.closes) return
    this.#stats.authFailedCount += 1
    this.#connections.close(cnxn)
  }
}

const saslOnly: ReadonlySet<string> = new Set([SASL_SCHEME])
