import { aclKey, openAcl, Perms } from '../../data/acl.ts'
import type { ACL, Id } from '../../data/records.ts'
import { DIGEST_SCHEME, digestUser, SUPER_SCHEME } from './digest.ts'
import type { AuthProviders } from './provider.ts'

/** Stands in an ACL for all ids of the one who sets it. */
const AUTH_SCHEME = 'auth'
/**
 * How many entries a list may gain by `auth`. A frame holds tens of thousands of entries, a
 * connection has many ids, and the product would be one txn.
 */
const aclGrowthEntriesMax = 1000

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
 * empty, or an entry means nobody or too many, which is answered -114.
 */
export function fixupAcl(
  acl: readonly ACL[] | null,
  ids: readonly Id[],
  providers: AuthProviders,
): readonly ACL[] | undefined {
  if (acl === null || acl.length === 0) return undefined
  const fixed: ACL[] = []
  for (const entry of withoutDuplicates(acl)) {
    if (entry.id.scheme === AUTH_SCHEME) {
      const own = ids.filter((id) => providers.get(id.scheme)?.isAuthenticated === true)
      if (own.length === 0) return undefined
      for (const id of own) fixed.push({ perms: entry.perms, id })
      if (fixed.length > acl.length + aclGrowthEntriesMax) return undefined
    } else {
      if (!isAnyone(entry.id) && !isValid(entry.id, providers)) return undefined
      fixed.push(entry)
    }
  }
  return isOpen(fixed) ? openAcl : fixed
}

function withoutDuplicates(acl: readonly ACL[]): Iterable<ACL> {
  if (acl.length === 1) return acl
  // Equal entries share a key, which keeps the place of the first.
  return new Map(acl.map((entry) => [aclKey([entry]), entry])).values()
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

function isAnyone(id: Id): boolean {
  return id.scheme === 'world' && id.id === 'anyone'
}

function isOpen(acl: readonly ACL[]): boolean {
  const [only] = acl
  return only !== undefined && acl.length === 1 && only.perms === Perms.all && isAnyone(only.id)
}
