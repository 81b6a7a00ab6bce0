import { unreachable } from '../base/assert.ts'
import { CONTAINER_OWNER, ttlOwner } from '../data/create-mode.ts'
import { Err } from '../data/error-code.ts'
import { OpCode } from '../data/op-code.ts'
import { parentOf } from '../data/path.ts'
import type { Stat } from '../data/records.ts'
import type { SessionId } from '../data/session-id.ts'
import type {
  CloseSessionTxn,
  CreateTxn,
  MultiTxn,
  SetACLTxn,
  SetDataTxn,
  Txn,
} from '../data/txn.ts'
import type { DataTree, KnownDigests } from './data-tree.ts'
import { type AclEntry, Znode } from './znode.ts'

/** Whom apply calls with what has changed. Recovery hands in one that does nothing. */
export interface ChangeListener {
  /** Its own ACL and that of its parent decide who may hear of it. `zxid`: of the txn. */
  created(
    path: string,
    parent: string,
    znode: Znode,
    parentAcl: AclEntry | undefined,
    zxid: number,
  ): void
  /** The node as it was. */
  deleted(
    path: string,
    parent: string,
    znode: Znode,
    parentAcl: AclEntry | undefined,
    zxid: number,
  ): void
  dataChanged(path: string, znode: Znode, zxid: number): void
}

export const deafListener: ChangeListener = { created() {}, deleted() {}, dataChanged() {} }

/** What a txn did, for the reply. `znode` is the node as it now is; gone again by the next txn. */
export interface ApplyResult {
  readonly err: number
  readonly znode: Znode | undefined
  readonly parts: readonly PartResult[] | undefined
}

/** One part of a multi: its Stat is taken at its turn, since a later part may change the node. */
export interface PartResult {
  readonly type: number
  readonly err: number
  readonly path: string
  readonly stat: Stat | undefined
}

/** What the header of a txn tells apply. */
export interface TxnContext {
  readonly clientId: SessionId
  readonly zxid: number
  /** Milliseconds of the leader's wall clock. */
  readonly time: number
}

const done: ApplyResult = { err: Err.ok, znode: undefined, parts: undefined }
const noNode: ApplyResult = { err: Err.noNode, znode: undefined, parts: undefined }
const nodeExists: ApplyResult = { err: Err.nodeExists, znode: undefined, parts: undefined }

/**
 * Applies a txn. Total and idempotent: what a fuzzy snapshot already holds is applied again without
 * harm (spec 02 §3), so nothing in here refuses.
 */
export function applyTxn(
  tree: DataTree,
  context: TxnContext,
  txn: Txn,
  listener: ChangeListener,
  known?: KnownDigests,
): ApplyResult {
  const result = applyBody(tree, context, txn, listener, known)
  if (context.zxid > tree.lastProcessedZxid) tree.lastProcessedZxid = context.zxid
  return result
}

function applyBody(
  tree: DataTree,
  context: TxnContext,
  txn: Txn,
  listener: ChangeListener,
  known: KnownDigests | undefined,
): ApplyResult {
  switch (txn.type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL:
      return applyCreate(tree, context, txn, listener, known)
    case OpCode.delete:
    case OpCode.deleteContainer:
      return applyDelete(tree, context, txn.path, listener, known)
    case OpCode.setData:
    case OpCode.reconfig:
      return applySetData(tree, context, txn, listener, known)
    case OpCode.setACL:
      return applySetAcl(tree, txn, known)
    case OpCode.closeSession:
      return applyCloseSession(tree, context, txn, listener, known)
    case OpCode.error:
      return { err: txn.err, znode: undefined, parts: undefined }
    case OpCode.multi:
      return applyMulti(tree, context, txn, listener, known)
    case OpCode.check:
    case OpCode.createSession:
      return done
    default:
      return unreachable(txn)
  }
}

function ownerOf(txn: CreateTxn, context: TxnContext): bigint {
  if (txn.type === OpCode.createContainer) return CONTAINER_OWNER
  if (txn.type === OpCode.createTTL) return txn.ttl === 0n ? 0n : ttlOwner(txn.ttl)
  return txn.ephemeral ? context.clientId : 0n
}

function applyCreate(
  tree: DataTree,
  context: TxnContext,
  txn: CreateTxn,
  listener: ChangeListener,
  known: KnownDigests | undefined,
): ApplyResult {
  const slash = txn.path.lastIndexOf('/')
  const parentPath = slash <= 0 ? '/' : txn.path.slice(0, slash)
  const parent = tree.node(parentPath)
  if (parent === undefined) return noNode
  const present = tree.node(txn.path)
  // Nothing was there when the txn committed. What a start had dropped without a txn is in older snapshots.
  const isStale = present !== undefined && present.czxid < context.zxid
  if (isStale) takeAll(tree, txn.path, present)
  const exists = present !== undefined && !isStale
  // A node that a fuzzy snapshot already holds; only type 1 still raises the parent (spec 02 §3).
  if (exists && txn.type !== OpCode.create) return nodeExists
  // The difference of two counters that wrap: a plain comparison would never pass the largest int.
  const ahead = txn.parentCVersion === -1 ? 1 : (txn.parentCVersion - parent.cversion) | 0
  if (ahead > 0) {
    tree.beforeChange?.(parentPath, parent)
    parent.cversion = (parent.cversion + ahead) | 0
    parent.pzxid = context.zxid
    tree.touched(parentPath, parent, known)
  }
  if (exists) return nodeExists
  const acl = tree.acls.acquire(txn.acl)
  const znode = new Znode(txn.data, acl, ownerOf(txn, context), context.zxid, context.time)
  parent.addChild(txn.path.slice(slash + 1))
  tree.attach(txn.path, znode, parent, known)
  tree.quota.onCreated(txn.path, znode)
  listener.created(txn.path, parentPath, znode, parent.acl, context.zxid)
  return { err: Err.ok, znode, parts: undefined }
}

function applyDelete(
  tree: DataTree,
  context: TxnContext,
  path: string,
  listener: ChangeListener,
  known: KnownDigests | undefined,
): ApplyResult {
  const znode = tree.node(path)
  const parentPath = parentOf(path)
  const parent = tree.node(parentPath)
  if (parent !== undefined && context.zxid > parent.pzxid) {
    tree.beforeChange?.(parentPath, parent)
    parent.pzxid = context.zxid
    tree.touched(parentPath, parent, known)
  }
  if (znode === undefined) return noNode
  takeAll(tree, path, znode)
  listener.deleted(path, parentPath, znode, parent?.acl, context.zxid)
  return done
}

function take(tree: DataTree, path: string, znode: Znode): void {
  tree.beforeChange?.(path, znode)
  tree.quota.onDeleted(path, znode)
  tree.detach(path, znode)
}

/**
 * The node, and what is below it. A node had no children when it was deleted. It has some in a replay
 * behind a snapshot of the original that holds its successor with those that came later: the txns that
 * made these are still to come.
 */
function takeAll(tree: DataTree, path: string, znode: Znode): void {
  if (znode.childCount > 0) takeBelow(tree, path)
  take(tree, path, znode)
}

function takeBelow(tree: DataTree, path: string): void {
  const paths = [path]
  for (const at of paths)
    for (const name of tree.node(at)?.children ?? []) paths.push(`${at}/${name}`)
  for (const below of paths.slice(1).toReversed()) {
    const znode = tree.node(below)
    if (znode !== undefined) take(tree, below, znode)
  }
}

function applySetData(
  tree: DataTree,
  context: TxnContext,
  txn: SetDataTxn,
  listener: ChangeListener,
  known: KnownDigests | undefined,
): ApplyResult {
  const znode = tree.node(txn.path)
  if (znode === undefined) return noNode
  tree.beforeChange?.(txn.path, znode)
  tree.quota.onDataChanged(txn.path, znode.data, txn.data)
  tree.setData(znode, txn.data)
  znode.version = txn.version
  znode.mzxid = context.zxid
  znode.mtime = context.time
  tree.touched(txn.path, znode, known)
  listener.dataChanged(txn.path, znode, context.zxid)
  return { err: Err.ok, znode, parts: undefined }
}

function applySetAcl(tree: DataTree, txn: SetACLTxn, known: KnownDigests | undefined): ApplyResult {
  const znode = tree.node(txn.path)
  if (znode === undefined) return noNode
  tree.beforeChange?.(txn.path, znode)
  tree.setAcl(znode, txn.acl)
  znode.aversion = txn.version
  tree.touched(txn.path, znode, known)
  return { err: Err.ok, znode, parts: undefined }
}

function applyCloseSession(
  tree: DataTree,
  context: TxnContext,
  txn: CloseSessionTxn,
  listener: ChangeListener,
  known: KnownDigests | undefined,
): ApplyResult {
  const listed = txn.paths2Delete ?? []
  for (const path of listed) applyDelete(tree, context, path, listener, known)
  // Older logs list nothing; and what the tree still holds for this session must go in any case.
  for (const path of [...tree.ephemeralsOf(context.clientId)])
    applyDelete(tree, context, path, listener, known)
  return done
}

function applyMulti(
  tree: DataTree,
  context: TxnContext,
  multi: MultiTxn,
  listener: ChangeListener,
  known: KnownDigests | undefined,
): ApplyResult {
  if (multi.txns.some((part) => part.type === OpCode.error)) return failedMulti(multi)
  const parts: PartResult[] = []
  for (const part of multi.txns) {
    const result = applyBody(tree, context, part, listener, known)
    const stat = result.znode === undefined ? undefined : tree.statOf(result.znode)
    const path = part.type === OpCode.error ? '' : part.path
    parts.push({ type: part.type, err: result.err, path, stat })
  }
  return { err: Err.ok, znode: undefined, parts }
}

/** Before the failing part 0, at it its code, after it -2 (spec 05 §7). */
function failedMulti(multi: MultiTxn): ApplyResult {
  let failure: number = Err.ok
  const parts = multi.txns.map((part) => {
    let err: number = failure === Err.ok ? Err.ok : Err.runtimeInconsistency
    // Codes are negative; anything else is a body of a part before, read as one (spec 07).
    if (failure === Err.ok && part.type === OpCode.error && part.err < 0) {
      failure = part.err
      err = failure
    }
    return { type: OpCode.error, err, path: '', stat: undefined }
  })
  return { err: failure, znode: undefined, parts }
}
