import { Err } from '../data/error-code.ts'
import type { ACL, Id, UncheckedACL } from '../data/records.ts'
import { checkAcl, fixupAcl, type Growth, maskAcl } from './auth/acl-check.ts'
import type { AuthProviders } from './auth/providers.ts'

/** Permission bits (spec 01 §4). */
export { Perms } from '../data/acl.ts'

/** Who may do what: the configured schemes, and the switch that turns the question off. */
export class AccessControl {
  readonly providers: AuthProviders
  readonly #skipAcl: boolean

  constructor(providers: AuthProviders, skipAcl: boolean) {
    this.providers = providers
    this.#skipAcl = skipAcl
  }

  /** Whether any of `ids` has any of the `wanted` permission bits on a node with this list. */
  permits(acl: readonly ACL[], wanted: number, ids: readonly Id[]): boolean {
    return checkAcl(acl, wanted, ids, this.providers, this.#skipAcl)
  }

  /** The list as it will be stored, or the code that refuses it. `growth`: what it may add. */
  fixup(
    acl: readonly UncheckedACL[] | null,
    ids: readonly Id[],
    growth: Growth,
  ): readonly ACL[] | Err {
    const fixed = fixupAcl(acl, ids, this.providers, growth)
    if (fixed === undefined) return Err.invalidACL
    return fixed === 'undecodable' ? Err.marshallingError : fixed
  }

  /** As shown to somebody without ADMIN: no password hashes (CVE-2019-0201). */
  mask(acl: readonly ACL[]): readonly ACL[] {
    return maskAcl(acl)
  }
}
