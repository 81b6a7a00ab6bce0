import { Err } from '../../data/error-code.ts'
import type { ACL, Id, UncheckedACL } from '../../data/records.ts'
import { WorkMeter } from '../bounds/work-meter.ts'
import { checkAcl, fixupAcl, type Growth, maskAcl } from './acl-check.ts'
import { PreparedAcl } from './prepared-acl.ts'
import type { AuthProviders } from './providers.ts'

/** Permission bits (spec 01 §4). */
export { Perms } from '../../data/acl.ts'

/** Lists with fewer entries are looked through each time: that costs less than to remember them. */
const PREPARED_ENTRIES_MIN = 16

/** Who may do what: the configured schemes, and the switch that turns all checks off. */
export class AccessControl {
  readonly providers: AuthProviders
  readonly #skipAcl: boolean
  readonly #meter: WorkMeter
  /** By list: the tree holds each once, however many nodes share it. */
  readonly #prepared = new WeakMap<readonly ACL[], PreparedAcl>()

  constructor(providers: AuthProviders, skipAcl: boolean, meter: WorkMeter = new WorkMeter()) {
    this.providers = providers
    this.#skipAcl = skipAcl
    this.#meter = meter
  }

  /** Whether any of `ids` has any of the `wanted` permission bits on a node with this list. */
  permits(acl: readonly ACL[], wanted: number, ids: readonly Id[]): boolean {
    if (acl.length >= PREPARED_ENTRIES_MIN && !this.#skipAcl)
      return this.#preparedOf(acl).permits(wanted, ids, this.#onWork)
    return checkAcl(acl, wanted, ids, this.providers, this.#skipAcl)
  }

  #preparedOf(acl: readonly ACL[]): PreparedAcl {
    let prepared = this.#prepared.get(acl)
    if (prepared === undefined) {
      prepared = new PreparedAcl(acl, this.providers)
      this.#onWork(acl.length)
      this.#prepared.set(acl, prepared)
    }
    return prepared
  }

  readonly #onWork = (entries: number): void => {
    this.#meter.steps += entries
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
    this.#meter.steps += acl.length
    return maskAcl(acl)
  }
}
