import { openAcl, Perms } from '../../data/acl.ts'
import type { ACL, Id, UncheckedACL } from '../../data/records.ts'
import { DIGEST_SCHEME, digestUser, SUPER_SCHEME } from './digest.ts'
import type { AuthProviders } from './provider.ts'

/** What a request may still add to what it has brought, in bytes of its txn. */
export interface Growth {
  bytesLeft: number
}

/** Of an entry, beside its scheme and id: permissions and two lengths. */
const ENTRY_BYTES = 12

/** Stands in an ACL for all ids of the one who sets it. */
const AUTH_SCHEME = 'auth'

/**
 * Whether one of `ids` has one of the `wanted` permissions (spec 05 §5). A node without a list is
 * open to all, and so is every node to a super id, or to everybody with `skipAcl`.
 */
export function checkAcl(
  acl: readonly ACL[],
  wanted: number,
  ids: readonly Id[],
  providers: AuthProviders,
  skipAcl: boolean,
): boolean {
  // Nearly every node of nearly every tree.
  if (acl === openAcl || skipAcl || acl.length === 0) return true
  for (const entry of acl)
    if ((entry.perms & wanted) !== 0 && isOneOf(ids, entry.id, providers)) return true
  return ids.some((id) => id.scheme === SUPER_SCHEME)
}

function isOneOf(ids: readonly Id[], meant: Id, providers: AuthProviders): boolean {
  if (isAnyone(meant)) return true
  const provider = providers.get(meant.scheme)
  if (provider === undefined) return false
  return ids.some((id) => id.scheme === meant.scheme && provider.matches(id.id, meant.id))
}

/**
 * A list as create and setACL store it: exact duplicates dropped, the first of them kept; `auth`
 * replaced by each authenticated id of the connection, in their order. Undefined: the list is
 * empty, or an entry means nobody or more than there is room for, which is answered -114.
 * 'undecodable': an entry that needs an id has null for it, which is answered -5 (seen on a 3.8.0
 * server).
 */
export function fixupAcl(
  acl: readonly UncheckedACL[] | null,
  ids: readonly Id[],
  providers: AuthProviders,
  growth: Growth,
): readonly ACL[] | 'undecodable' | undefined {
  if (acl === null || acl.length === 0) return undefined
  const fixed: ACL[] = []
  for (const { perms, id } of withoutDuplicates(acl)) {
    if (id.scheme === null) return undefined
    if (id.scheme === AUTH_SCHEME) {
      const own = ids.filter((known) => providers.get(known.scheme)?.isAuthenticated === true)
      if (own.length === 0) return undefined
      for (const known of own) {
        growth.bytesLeft -=
          ENTRY_BYTES + Buffer.byteLength(known.scheme) + Buffer.byteLength(known.id)
        if (growth.bytesLeft < 0) return undefined
        fixed.push({ perms, id: known })
      }
    } else {
      if (id.id === null) return 'undecodable'
      const checked: Id = { scheme: id.scheme, id: id.id }
      if (!isAnyone(checked) && !isValid(checked, providers)) return undefined
      fixed.push({ perms, id: checked })
    }
  }
  return isOpen(fixed) ? openAcl : fixed
}

function withoutDuplicates(acl: readonly UncheckedACL[]): Iterable<UncheckedACL> {
  if (acl.length === 1) return acl
  const first = new Map<string, UncheckedACL>()
  for (const entry of acl) {
    const { scheme, id } = entry.id
    const lengths = `${entry.perms},${scheme?.length},${id?.length}`
    const key = `${lengths},${scheme}${id}`
    if (!first.has(key)) first.set(key, entry)
  }
  return first.values()
}

function isValid(id: Id, providers: AuthProviders): boolean {
  return providers.get(id.scheme)?.isValid(id.id) === true
}

/** As getACL shows a list to those without ADMIN: no password hashes (CVE-2019-0201). */
export function maskAcl(acl: readonly ACL[]): readonly ACL[] {
  return acl.map((entry) => {
    const { scheme, id } = entry.id
    if (scheme !== DIGEST_SCHEME || !id.includes(':')) return entry
    return { perms: entry.perms, id: { scheme, id: `${digestUser(id)}:x` } }
  })
}

export function isAnyone(id: Id): boolean {
  return id.scheme === 'world' && id.id === 'anyone'
}

function isOpen(acl: readonly ACL[]): boolean {
  const [only] = acl
  return only !== undefined && acl.length === 1 && only.perms === Perms.all && isAnyone(only.id)
}
