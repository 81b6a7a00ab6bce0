import type { JuteReader } from 'jute-ts'
import { keptCopy } from '../../base/kept-bytes.ts'
import type { Config } from '../../config/config.ts'
import {
  CONTAINER_OWNER,
  CreateMode,
  isCreateFlags,
  isEphemeral,
  isSequential,
  isTtl,
  ownerKind,
  TTL_MS_MAX,
  ttlOwner,
} from '../../data/create-mode.ts'
import { Err } from '../../data/error-code.ts'
import { OpCode } from '../../data/op-code.ts'
import { isUndeletable, parentOf, pathProblem, sequenceSuffix } from '../../data/path.ts'
import {
  readCheckVersionRequest,
  readCreateRequest,
  readCreateTTLRequest,
  readDeleteRequest,
  readReconfigRequest,
  readSetACLRequest,
  readUncheckedACL,
  type UncheckedACL,
} from '../../data/records.ts'
import type { SessionId } from '../../data/session-id.ts'
import type { CreateTxn, SubTxn, Txn } from '../../data/txn.ts'
import type { DataTree } from '../../tree/data-tree.ts'
import type { PathExcess } from '../../tree/quota-keeper.ts'
import { type AccessControl, Perms } from '../auth/access-control.ts'
import type { HeapRoom } from '../bounds/heap-room.ts'
import type { WriteRequest } from '../clients/write-route.ts'
import type { SessionGate } from '../sessions/session-gatekeeper.ts'
import { ClosingPaths } from './closing-paths.ts'
import { ChangeRecord, type NodeView, type OutstandingChanges } from './outstanding-changes.ts'
import { prepMulti } from './prep-multi.ts'
import { TxnBound } from './txn-bound.ts'

/** A create of any kind, decoded; `ttl` is -1 where the request has none. */
interface CreateWish {
  readonly path: string
  readonly data: Buffer | null
  readonly acl: readonly UncheckedACL[] | null
  readonly flags: number
  readonly ttl: bigint
}

interface PrepParts {
  readonly config: Config
  readonly tree: DataTree
  readonly changes: OutstandingChanges
  readonly access: AccessControl
  readonly gate: SessionGate
  /** Of a request; as the configuration says if unsaid. */
  readonly frameBytesMax?: number | undefined
  /** Unsaid: there is room for everything. */
  readonly heap?: HeapRoom
  /** Told of what exceeds a quota, refused or not. */
  readonly quotaLog?: { onExceeded(excess: PathExcess): void }
}

const NO_TTL = -1n
/** Permissions, and the lengths of two strings. */
const ACL_BYTES_MIN = 12
const ANY_VERSION = -1
/** `.` or a control character make a path invalid, yet its parent is looked up first (spec 05 §4). */
const NUL = '\0'

/**
 * Decides about writes, on the leader, in the order in which they arrive: against the tree as it
 * will be, and once. What comes out carries absolute values, so that applying it can neither fail
 * nor be done twice to a different effect. The checks follow spec 05 §4, first failure wins.
 */
export class Prep {
  readonly #config: Config
  readonly #access: AccessControl
  readonly #sessions: SessionGate
  readonly #tree: DataTree
  readonly #heap: PrepParts['heap']
  readonly #quotaLog: PrepParts['quotaLog']
  readonly #bound: TxnBound
  readonly #closing: ClosingPaths
  readonly changes: OutstandingChanges

  constructor(parts: PrepParts) {
    const { config, frameBytesMax = config.juteMaxBufferBytes } = parts
    this.#config = config
    this.#tree = parts.tree
    this.#access = parts.access
    this.#sessions = parts.gate
    this.#heap = parts.heap
    this.#quotaLog = parts.quotaLog
    this.#bound = new TxnBound(frameBytesMax)
    this.#closing = new ClosingPaths(this.#bound)
    this.changes = parts.changes
  }

  /** Always a txn: a refused write becomes an error txn, which keeps its place in the order. */
  prepare(request: WriteRequest, body: JuteReader, zxid: number, time: number): Txn {
    this.changes.begin()
    this.#bound.begin()
    const bodyBytes = body.remaining
    const txn =
      request.op === OpCode.multi
        ? prepMulti(this, request, body, zxid, time)
        : this.#prepareOne(request, body, zxid, time)
    if (typeof txn === 'number') return this.#refuse(txn)
    if (this.#bound.isExceededBy(txn, bodyBytes)) return this.#refuse(Err.badArguments)
    this.changes.commit()
    return txn
  }

  #refuse(err: Err): Txn {
    this.changes.rollback()
    return { type: OpCode.error, err }
  }

  /** The last txn is a part of what was asked for: the same request is to be prepared again at once. */
  get hasMore(): boolean {
    return this.#closing.hasMore
  }

  #prepareOne(request: WriteRequest, body: JuteReader, zxid: number, time: number): Txn | Err {
    switch (request.op) {
      case OpCode.setACL:
        return this.#setAcl(request, body, zxid)
      case OpCode.createSession: {
        const timeOut = body.readInt()
        return body.ok ? { type: OpCode.createSession, timeOut } : Err.marshallingError
      }
      case OpCode.closeSession:
        return this.#closeSession(request.sessionId, zxid)
      case OpCode.reconfig:
        return this.#reconfig(body)
      case OpCode.deleteContainer:
        return this.#deleteContainer(body.readString(), zxid)
      default:
        return this.prepareSub(request, request.op, body, zxid, time)
    }
  }

  /** The writes that may also stand in a multi. `op` is one of those; others do not decode. */
  prepareSub(
    request: WriteRequest,
    op: number,
    body: JuteReader,
    zxid: number,
    time: number,
  ): SubTxn | Err {
    switch (op) {
      case OpCode.create:
      case OpCode.create2:
      case OpCode.createContainer: {
        const start = body.at
        const wish = { ...readCreateRequest(body), ttl: NO_TTL }
        if (!body.ok) return this.#refuseUnreadable(op, body, start)
        return this.#create(request, op, wish, zxid, time)
      }
      case OpCode.createTTL: {
        const wish = readCreateTTLRequest(body)
        if (!body.ok) return Err.marshallingError
        // In a multi, one whose flags ask for no TTL is a create like any other.
        const isPlain = request.op === OpCode.multi && !isTtl(wish.flags)
        return this.#create(request, isPlain ? OpCode.create : op, wish, zxid, time)
      }
      case OpCode.delete:
        return this.#delete(request, body, zxid)
      case OpCode.setData:
        return this.#setData(request, body, zxid, time)
      case OpCode.check:
        return this.#check(request, body)
      default:
        return Err.marshallingError
    }
  }

  /** A create without a path: what is wrong with its flags is found out before that is. */
  #refuseUnreadable(op: number, body: JuteReader, start: number): Err {
    body.reset(body.buffer, start, body.end)
    const path = body.readNullableString()
    body.readNullableBuffer()
    for (let left = body.readVectorCount(ACL_BYTES_MIN); left > 0 && body.ok; left -= 1)
      readUncheckedACL(body)
    const flags = body.readInt()
    if (path !== null || !body.ok) return Err.marshallingError
    const wish = { path: '', data: null, acl: null, flags, ttl: NO_TTL }
    return this.#refuseMode(op, wish) || Err.marshallingError
  }

  /** Whether op, flags and TTL agree (spec 05 §14). A container may be asked for by flags alone. */
  #refuseMode(op: number, wish: CreateWish): Err {
    if (!isCreateFlags(wish.flags)) return Err.badArguments
    if (isTtl(wish.flags)) {
      if (!this.#config.extendedTypesEnabled) return Err.unimplemented
      if (op !== OpCode.createTTL) return Err.badArguments
      return wish.ttl > 0n && wish.ttl <= TTL_MS_MAX ? Err.ok : Err.badArguments
    }
    if (op === OpCode.createTTL) return Err.badArguments
    if (op === OpCode.createContainer && wish.flags !== CreateMode.container)
      return Err.badArguments
    return Err.ok
  }

  #create(
    request: WriteRequest,
    op: number,
    wish: CreateWish,
    zxid: number,
    time: number,
  ): SubTxn | Err {
    const refused = this.#refuseMode(op, wish) || this.#sessions.check(request)
    if (refused !== Err.ok) return refused
    if (this.#heap?.refusesCreate() === true) return Err.systemError
    const type = createTxnType(op, wish.flags)
    const slash = wish.path.lastIndexOf('/')
    if (slash < 0 || wish.path.includes(NUL)) return Err.badArguments
    const acl = this.#access.fixup(wish.acl, request.ids, this.#bound.growth)
    if (typeof acl === 'number') return acl
    const parentPath = slash === 0 ? '/' : wish.path.slice(0, slash)
    const parent = this.changes.view(parentPath)
    if (parent === undefined) return Err.noNode
    if (!this.#access.permits(parent.acl.acl, Perms.create, request.ids)) return Err.noAuth
    const path = isSequential(wish.flags) ? wish.path + sequenceSuffix(parent.cversion) : wish.path
    if (pathProblem(path) !== undefined) return Err.badArguments
    if (this.changes.view(path) !== undefined) return Err.nodeExists
    if (ownerKind(parent.ephemeralOwner, this.#tree.ownerRules) === 'ephemeral')
      return Err.noChildrenForEphemerals
    if (this.#exceedsQuota(path, wish.data?.length ?? 0, 1)) return Err.quotaExceeded

    const parentCVersion = (parent.cversion + 1) | 0
    const parentChange = ChangeRecord.of(parentPath, parent, zxid)
    parentChange.childCount += 1
    parentChange.cversion = parentCVersion
    parentChange.pzxid = zxid
    this.changes.stage(parentChange, parent)
    const ephemeral = isEphemeral(wish.flags)
    const node = new ChangeRecord(path, { acl }, zxid, time)
    node.data = wish.data === null ? null : keptCopy(wish.data)
    if (type === OpCode.createContainer) node.ephemeralOwner = CONTAINER_OWNER
    else if (type === OpCode.createTTL) node.ephemeralOwner = ttlOwner(wish.ttl)
    else if (ephemeral) node.ephemeralOwner = request.sessionId
    this.changes.stage(node, undefined)
    const ttl = type === OpCode.createTTL ? wish.ttl : 0n
    return { type, path, data: node.data, acl, ephemeral, parentCVersion, ttl }
  }

  /** A soft limit is only logged, and a hard one too unless quotas are enforced (spec 05 §10). */
  #exceedsQuota(path: string, bytesDelta: number, countDelta: number): boolean {
    const excess = this.#tree.quota.excessOf(path, bytesDelta, countDelta)
    if (excess !== undefined) this.#quotaLog?.onExceeded(excess)
    return excess?.kind === 'hard' && this.#config.enforceQuota
  }

  #delete(request: WriteRequest, body: JuteReader, zxid: number): SubTxn | Err {
    const wish = readDeleteRequest(body)
    if (!body.ok) return Err.marshallingError
    const refused = this.#sessions.check(request)
    if (refused !== Err.ok) return refused
    const { path } = wish
    if (!path.includes('/') || path.includes(NUL) || isUndeletable(path)) return Err.badArguments
    const parent = this.changes.view(parentOf(path))
    if (parent === undefined) return Err.noNode
    if (!this.#access.permits(parent.acl.acl, Perms.delete, request.ids)) return Err.noAuth
    const node = this.changes.view(path)
    if (node === undefined) return Err.noNode
    if (wish.version !== ANY_VERSION && wish.version !== node.version) return Err.badVersion
    if (node.childCount > 0) return Err.notEmpty
    this.#stageDelete(path, node, parent, zxid)
    return { type: OpCode.delete, path }
  }

  #stageDelete(path: string, node: NodeView, parent: NodeView, zxid: number): void {
    const parentChange = ChangeRecord.of(parentOf(path), parent, zxid)
    parentChange.childCount -= 1
    parentChange.pzxid = zxid
    this.changes.stage(parentChange, parent)
    const change = ChangeRecord.of(path, node, zxid)
    change.exists = false
    this.changes.stage(change, node)
  }

  /** Reaps a container or a TTL node; asked for by the server itself, never by a client. */
  #deleteContainer(path: string, zxid: number): Txn | Err {
    if (isUndeletable(path)) return Err.badArguments
    const node = this.changes.view(path)
    const parent = this.changes.view(parentOf(path))
    if (node === undefined || parent === undefined) return Err.noNode
    if (node.childCount > 0) return Err.notEmpty
    // Another node may have taken the place of the one the reaper saw.
    const kind = ownerKind(node.ephemeralOwner, this.#tree.ownerRules)
    if (kind !== 'container' && kind !== 'ttl') return Err.badVersion
    this.#stageDelete(path, node, parent, zxid)
    return { type: OpCode.deleteContainer, path }
  }

  #setData(request: WriteRequest, body: JuteReader, zxid: number, time: number): SubTxn | Err {
    // SetDataRequest, read by hand: its data go into the tree, so they are copied as they are read.
    const path = body.readNullableString()
    const data = body.readNullableCopy(keptCopy)
    const version = body.readInt()
    if (!body.ok) return Err.marshallingError
    const refused = this.#sessions.check(request)
    if (refused !== Err.ok) return refused
    if (path === null || pathProblem(path) !== undefined) return Err.badArguments
    const node = this.changes.view(path)
    if (node === undefined) return Err.noNode
    if (!this.#access.permits(node.acl.acl, Perms.write, request.ids)) return Err.noAuth
    const growth = (data?.length ?? 0) - (node.data?.length ?? 0)
    if (this.#exceedsQuota(path, growth, 0)) return Err.quotaExceeded
    if (version !== ANY_VERSION && version !== node.version) return Err.badVersion
    const change = ChangeRecord.of(path, node, zxid)
    change.data = data
    change.version = nextVersion(node.version)
    change.mzxid = zxid
    change.mtime = time
    this.changes.stage(change, node)
    return { type: OpCode.setData, path, data: change.data, version: change.version }
  }

  #setAcl(request: WriteRequest, body: JuteReader, zxid: number): Txn | Err {
    const wish = readSetACLRequest(body)
    if (!body.ok) return Err.marshallingError
    const refused = this.#sessions.check(request)
    if (refused !== Err.ok) return refused
    const { path } = wish
    if (path === null || pathProblem(path) !== undefined) return Err.badArguments
    const acl = this.#access.fixup(wish.acl, request.ids, this.#bound.growth)
    if (typeof acl === 'number') return acl
    const node = this.changes.view(path)
    if (node === undefined) return Err.noNode
    if (!this.#access.permits(node.acl.acl, Perms.admin, request.ids)) return Err.noAuth
    if (wish.version !== ANY_VERSION && wish.version !== node.aversion) return Err.badVersion
    const change = ChangeRecord.of(path, node, zxid)
    change.acl = { acl }
    change.aversion = nextVersion(node.aversion)
    this.changes.stage(change, node)
    return { type: OpCode.setACL, path, acl, version: change.aversion }
  }

  #check(request: WriteRequest, body: JuteReader): SubTxn | Err {
    const wish = readCheckVersionRequest(body)
    if (!body.ok) return Err.marshallingError
    const refused = this.#sessions.check(request)
    if (refused !== Err.ok) return refused
    const { path } = wish
    if (path === null || pathProblem(path) !== undefined) return Err.badArguments
    const node = this.changes.view(path)
    if (node === undefined) return Err.noNode
    if (!this.#access.permits(node.acl.acl, Perms.read, request.ids)) return Err.noAuth
    if (wish.version !== ANY_VERSION && wish.version !== node.version) return Err.badVersion
    return { type: OpCode.check, path, version: nextVersion(node.version) }
  }

  #closeSession(session: SessionId, zxid: number): Txn {
    this.#sessions.setClosing(session)
    const listed = this.#config.closeSessionTxnEnabled
    const all = (): readonly string[] => this.changes.ephemeralsOf(session)
    const paths2Delete = listed ? this.#closing.take(all) : all()
    for (const path of paths2Delete) {
      const node = this.changes.view(path)
      const parent = this.changes.view(parentOf(path))
      if (node !== undefined && parent !== undefined) this.#stageDelete(path, node, parent, zxid)
    }
    if (this.hasMore) {
      const txns = paths2Delete.map((path) => ({ type: OpCode.delete, path }))
      return { type: OpCode.multi, txns }
    }
    return { type: OpCode.closeSession, paths2Delete: listed ? paths2Delete : undefined }
  }

  /** A standalone server has no membership to change (spec 01 §6). */
  #reconfig(body: JuteReader): Err {
    readReconfigRequest(body)
    if (!body.ok) return Err.marshallingError
    return this.#config.reconfigEnabled ? Err.unimplemented : Err.reconfigDisabled
  }
}

/** The txn type follows from the flags where they ask for more than the op. */
function createTxnType(op: number, flags: number): CreateTxn['type'] {
  if (isTtl(flags)) return OpCode.createTTL
  if (flags === CreateMode.container) return OpCode.createContainer
  return op === OpCode.create2 ? OpCode.create2 : OpCode.create
}

/** Wraps as an int, and skips -1, which asks for any version (ZOOKEEPER-4743). */
function nextVersion(version: number): number {
  const next = (version + 1) | 0
  return next === ANY_VERSION ? 0 : next
}
