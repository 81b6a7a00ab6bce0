import type { ACL, Id } from '../../data/records.ts'
import { isAnyone } from './acl-check.ts'
import { SUPER_SCHEME } from './digest.ts'
import type { AuthProvider, AuthProviders, PreparedIds } from './provider.ts'

const EVERYTHING = -1

/** The entries of one scheme. */
interface Entries {
  readonly scheme: string
  readonly provider: AuthProvider
  readonly perms: number[]
  readonly ids: string[]
  prepared: PreparedIds | undefined
}

/**
 * A long list, made ready for being asked again and again: what its ids mean is parsed once, and what it
 * grants to somebody is found once. A list of tens of thousands of entries would else cost tens of
 * milliseconds a request, and the request but a few bytes.
 */
export class PreparedAcl {
  readonly #byScheme = new Map<string, Entries>()
  /** Permissions that somebody with these ids has; who logs in has another list of them. */
  readonly #granted = new WeakMap<readonly Id[], number>()
  readonly #length: number
  #toAnyone = 0

  constructor(acl: readonly ACL[], providers: AuthProviders) {
    this.#length = acl.length
    let entries: Entries | undefined
    for (const { perms, id } of acl) {
      if (isAnyone(id)) this.#toAnyone |= perms
      // Most entries are of the scheme of the one before.
      if (entries?.scheme !== id.scheme) entries = this.#entriesOf(id.scheme, providers)
      if (entries === undefined) continue
      entries.perms.push(perms)
      entries.ids.push(id.id)
    }
    for (const entries of this.#byScheme.values())
      entries.prepared = entries.provider.prepare?.(entries.ids)
  }

  #entriesOf(scheme: string, providers: AuthProviders): Entries | undefined {
    const provider = providers.get(scheme)
    if (provider === undefined) return undefined
    let entries = this.#byScheme.get(scheme)
    if (entries === undefined) {
      entries = { scheme, provider, perms: [], ids: [], prepared: undefined }
      this.#byScheme.set(scheme, entries)
    }
    return entries
  }

  /** How many entries were looked at is told to `onWork`. */
  permits(wanted: number, ids: readonly Id[], onWork: (entries: number) => void): boolean {
    let granted = this.#granted.get(ids)
    if (granted === undefined) {
      granted = this.#grantedTo(ids)
      onWork(this.#length * ids.length)
      this.#granted.set(ids, granted)
    }
    return (granted & wanted) !== 0
  }

  #grantedTo(ids: readonly Id[]): number {
    let granted = this.#toAnyone
    for (const { scheme, id } of ids) {
      if (scheme === SUPER_SCHEME) return EVERYTHING
      const entries = this.#byScheme.get(scheme)
      if (entries !== undefined) granted |= grantedBy(entries, id)
    }
    return granted
  }
}

function grantedBy({ provider, perms, ids, prepared }: Entries, id: string): number {
  let granted = 0
  const matches =
    prepared?.matcherOf(id) ?? ((index: number) => provider.matches(id, ids[index] ?? ''))
  for (let index = 0; index < perms.length; index += 1)
    if (matches(index)) granted |= perms[index] ?? 0
  return granted
}
