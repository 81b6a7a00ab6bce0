import type { Crypto } from '../../base/crypto.ts'
import type { Id } from '../../data/records.ts'
import type { AuthProvider } from './provider.ts'

export const DIGEST_SCHEME = 'digest'
export const SUPER_SCHEME = 'super'

interface DigestOptions {
  /** As Crypto.hash spells it, e.g. 'sha1'; the machine must have it. */
  readonly algorithm: string
  /** `super:base64(hash("super:password"))`; the name need not be `super`. */
  readonly superDigest: string | undefined
}

/**
 * User and password in clear, kept as `user:base64(hash("user:password"))`. It never refuses, as a
 * wrong password is only another id; nor does it ask for a user, a password, or the colon (seen
 * on a 3.8.0 server). No data at all is refused.
 */
export class DigestProvider implements AuthProvider {
  readonly scheme: string = DIGEST_SCHEME
  readonly isAuthenticated = true
  readonly #crypto: Crypto
  readonly #options: DigestOptions

  constructor(options: DigestOptions, crypto: Crypto) {
    this.#options = options
    this.#crypto = crypto
  }

  authenticate(data: Buffer | null): readonly Id[] | undefined {
    const id = data === null ? undefined : this.#digestOf(data.toString('utf8'))
    if (id === undefined) return undefined
    const own: Id = { scheme: DIGEST_SCHEME, id }
    return id === this.#options.superDigest ? [{ scheme: SUPER_SCHEME, id: '' }, own] : [own]
  }

  /**
   * Two parts around a colon, as Java splits: empty parts at the end do not count. So `:hash` and
   * `a:b::` will do, `user:` and `a:b:c` will not (seen on a 3.8.0 server).
   */
  isValid(aclId: string): boolean {
    return /^[^:]*:[^:]+:*$/.test(aclId)
  }

  matches(id: string, aclId: string): boolean {
    return id === aclId
  }

  #digestOf(userAndPassword: string): string | undefined {
    const hash = this.#crypto.hash(this.#options.algorithm, Buffer.from(userAndPassword))
    return hash === undefined
      ? undefined
      : `${digestUser(userAndPassword)}:${hash.toString('base64')}`
  }
}

/** The part before the first colon: all that may be shown of a digest id. */
export function digestUser(id: string): string {
  const colon = id.indexOf(':')
  return colon < 0 ? id : id.slice(0, colon)
}
