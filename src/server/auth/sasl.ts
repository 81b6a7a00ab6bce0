import type { AuthProvider } from './provider.ts'

export const SASL_SCHEME = 'sasl'

/**
 * The ACL side of SASL; the exchange itself is op 102 (sasl-exchange.ts) and gives out the ids. An
 * auth packet (op 100) of this scheme is refused.
 */
export class SaslProvider implements AuthProvider {
  readonly scheme: string = SASL_SCHEME
  readonly isAuthenticated = true
  /** letAnySaslUserDoX: an ACL id that means every SASL user. */
  readonly #anyUserId: string | undefined

  constructor(anyUserId: string | undefined) {
    this.#anyUserId = anyUserId
  }

  authenticate(): undefined {
    return undefined
  }

  /** A Kerberos name: `name`, `name@REALM` or `name/host@REALM`. Without an `@`, anything. */
  isValid(aclId: string): boolean {
    return !aclId.includes('@') || /^[^/@]*(?:\/[^/@]*)?@[^/@]*$/.test(aclId)
  }

  matches(id: string, aclId: string): boolean {
    return id === 'super' || id === aclId || aclId === this.#anyUserId
  }
}
