import type { Id } from '../../data/records.ts'

/** Who a client is that has logged in: more ids for it; refused; or to be cut off without an answer. */
export type Answer = readonly Id[] | undefined | 'hang up'

/** What a scheme has to have found out, beside the turns of the member: it may take any time. */
export interface Question {
  readonly scheme: string
  readonly data: Buffer
  readonly address: string
}

/**
 * What an authentication scheme can do. `world`, `auth` and `super` are no providers: the first two
 * mean something in an ACL only, the third is given out by others and can be in no ACL.
 */
export interface AuthProvider {
  readonly scheme: string
  /** Whether an ACL entry of scheme `auth` stands for the ids of this one. Not so for `ip`. */
  readonly isAuthenticated: boolean
  /**
   * Op 100: the ids to add to a connection from `address`. Undefined: refused, which is answered
   * with -115 and the end of the connection (spec 01 §7). 'hang up': the end without an answer. A
   * question: that is known only when it is answered, and until then no request behind it is served.
   */
  authenticate(data: Buffer | null, address: string): Answer | { readonly ask: Question }
  /** Whether an ACL may be set with this id; if not, -114. */
  isValid(aclId: string): boolean
  /** Whether a connection's id is one that an ACL's id means. */
  matches(id: string, aclId: string): boolean
  /** The ids of one long ACL, parsed once; a scheme without it has nothing to parse. */
  prepare?(aclIds: readonly string[]): PreparedIds
}

export interface PreparedIds {
  /** Whether a connection's id is one that the ACL's id at an index means. */
  matcherOf(id: string): (index: number) => boolean
}

/** By scheme. */
export type AuthProviders = ReadonlyMap<string, AuthProvider>
