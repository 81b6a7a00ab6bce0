import type { JuteReader } from 'jute-ts'
import { Err } from '../../data/error-code.ts'
import { OpCode } from '../../data/op-code.ts'
import { isUndeletable, parentOf } from '../../data/path.ts'
import {
  type Id,
  readCreateRequest,
  readDeleteRequest,
  readSetACLRequest,
  readSetDataRequest,
  type UncheckedACL,
} from '../../data/records.ts'
import type { DataTree } from '../../tree/data-tree.ts'
import { type AccessControl, Perms } from './access-control.ts'

const NUL = '\0'

/** What a write asks for: a permission on a node, and perhaps a list that must be a valid one. */
interface Wanted {
  readonly path: string
  readonly perms: number
  readonly acl?: readonly UncheckedACL[] | null
}

/**
 * enableEagerACLCheck: a write that lacks permission is refused by the member that receives it, before it
 * takes a zxid or goes to the leader. Judged by what that member has applied; whoever decides about
 * writes judges again. Containers, TTL nodes and multis are left to that, as in the original.
 */
export class EagerAclCheck {
  readonly #tree: DataTree
  readonly #access: AccessControl

  constructor(tree: DataTree, access: AccessControl) {
    this.#tree = tree
    this.#access = access
  }

  /** Err.ok, noAuth or invalidACL. What does not decode, or names no node, is left to prep. */
  refusalOf(op: number, ids: readonly Id[], body: JuteReader): Err {
    const start = body.at
    const wanted = wantedBy(op, body)
    const isRead = body.ok
    body.reset(body.buffer, start, body.end)
    if (wanted === undefined || !isRead) return Err.ok
    const { path, perms, acl } = wanted
    if (acl !== undefined) {
      const fixed = this.#access.fixup(acl, ids, { bytesLeft: Number.POSITIVE_INFINITY })
      if (fixed === Err.invalidACL) return Err.invalidACL
    }
    const znode = this.#tree.node(path)
    if (znode === undefined || this.#access.permits(znode.acl.acl, perms, ids)) return Err.ok
    return Err.noAuth
  }
}

function wantedBy(op: number, body: JuteReader): Wanted | undefined {
  switch (op) {
    case OpCode.create:
    case OpCode.create2: {
      const { path, acl } = readCreateRequest(body)
      return hasParent(path) ? { path: parentOf(path), perms: Perms.create, acl } : undefined
    }
    case OpCode.delete: {
      const { path } = readDeleteRequest(body)
      return hasParent(path) ? { path: parentOf(path), perms: Perms.delete } : undefined
    }
    case OpCode.setData: {
      const { path } = readSetDataRequest(body)
      return path === null ? undefined : { path, perms: Perms.write }
    }
    case OpCode.setACL: {
      const { path, acl } = readSetACLRequest(body)
      return path === null ? undefined : { path, perms: Perms.admin, acl }
    }
    default:
      return undefined
  }
}

function hasParent(path: string): boolean {
  return path.includes('/') && !path.includes(NUL) && !isUndeletable(path)
}
