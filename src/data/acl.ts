import type { ACL, Id } from './records.ts'

/** Bits of ACL.perms (spec 01 §4). */
export const Perms = { read: 1, write: 2, create: 4, delete: 8, admin: 16, all: 31 } as const
export type Perms = (typeof Perms)[keyof typeof Perms]

/** The id that everybody has. */
export const anyone: Id = { scheme: 'world', id: 'anyone' }

/** Everybody may do everything. The same object wherever we make one, so compare with === first. */
export const openAcl: readonly ACL[] = [{ perms: Perms.all, id: anyone }]

export function sameId(a: Id, b: Id): boolean {
  return a.scheme === b.scheme && a.id === b.id
}

/**
 * Equal keys are equal lists: for interning. Lengths stand before the strings, as a scheme and an
 * id may hold any character, NUL included.
 */
export function aclKey(acl: readonly ACL[]): string {
  let key = ''
  for (const { perms, id } of acl)
    key += `${perms},${id.scheme.length},${id.id.length},${id.scheme}${id.id}`
  return key
}
