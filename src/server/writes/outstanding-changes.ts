import { assert } from '../../base/assert.ts'
import { Deque } from '../../base/deque.ts'
import type { Counter } from '../../base/metrics.ts'
import type { ACL } from '../../data/records.ts'
import type { SessionId } from '../../data/session-id.ts'
import type { DataTree } from '../../tree/data-tree.ts'
import { type DigestedNode, nodeDigest, TreeDigest } from '../../tree/digest.ts'
import type { ServerMetrics } from '../stats/server-metrics.ts'

/** A node as prep sees it: a Znode of the tree, or a ChangeRecord of a write not yet applied. */
export interface NodeView extends DigestedNode {
  readonly acl: { readonly acl: readonly ACL[] }
  readonly childCount: number
  readonly digest: number
}

/** What a node will be once the txn of `zxid` is applied. */
export class ChangeRecord implements NodeView {
  readonly zxid: number
  readonly path: string
  /** False: deleted. */
  exists = true
  data: Buffer | null = null
  acl: { readonly acl: readonly ACL[] }
  czxid: number
  mzxid: number
  pzxid: number
  ctime: number
  mtime: number
  version = 0
  cversion = 0
  aversion = 0
  ephemeralOwner = 0n
  childCount = 0
  digest = 0

  constructor(path: string, acl: { readonly acl: readonly ACL[] }, zxid: number, time: number) {
    this.path = path
    this.acl = acl
    this.zxid = zxid
    this.czxid = zxid
    this.mzxid = zxid
    this.pzxid = zxid
    this.ctime = time
    this.mtime = time
  }

  static of(path: string, view: NodeView, zxid: number): ChangeRecord {
    const record = new ChangeRecord(path, view.acl, zxid, 0)
    record.data = view.data
    record.czxid = view.czxid
    record.mzxid = view.mzxid
    record.pzxid = view.pzxid
    record.ctime = view.ctime
    record.mtime = view.mtime
    record.version = view.version
    record.cversion = view.cversion
    record.aversion = view.aversion
    record.ephemeralOwner = view.ephemeralOwner
    record.childCount = view.childCount
    record.digest = view.digest
    return record
  }
}

const STAGED_SLOTS_KEPT = 16
const NO_OWNER = 0n
const none: readonly string[] = []

/**
 * The tree as it will be once every write that is under way has been applied, and the digest it will
 * then have. A request stages its changes; they count for later requests when committed, and are
 * forgotten when it fails. Bounded by the number of outstanding requests times the parts of a multi.
 */
export class OutstandingChanges {
  readonly #tree: DataTree
  readonly #digestEnabled: boolean
  readonly #byPath = new Map<string, ChangeRecord>()
  readonly #queue = new Deque<ChangeRecord>()
  /** Every path in #byPath that will have this owner is here, and others that had it on the way. */
  readonly #byOwner = new Map<SessionId, Set<string>>()
  readonly #queued: Counter | undefined
  readonly #removed: Counter | undefined
  #staged: ChangeRecord[] = []
  #replaced: (ChangeRecord | undefined)[] = []
  #stagedCount = 0
  #applyingZxid = 0
  /** After all staged changes; the tree's own while nothing is outstanding. */
  readonly digest: TreeDigest = new TreeDigest()
  readonly #digestBefore: TreeDigest = new TreeDigest()

  constructor(tree: DataTree, digestEnabled: boolean, metrics?: ServerMetrics) {
    this.#queued = metrics?.outstandingChangesQueued
    this.#removed = metrics?.outstandingChangesRemoved
    this.#tree = tree
    this.#digestEnabled = digestEnabled
  }

  get length(): number {
    return this.#queue.length
  }

  /** Call before the first change of a request. */
  begin(): void {
    if (this.#queue.length === 0) this.digest.set(this.#tree.digest)
    this.#digestBefore.set(this.digest)
  }

  /** The node at `path` as it will be; undefined when there will be none. */
  view(path: string): NodeView | undefined {
    if (this.#byPath.size > 0) {
      const record = this.#byPath.get(path)
      if (record !== undefined) return record.exists ? record : undefined
    }
    return this.#tree.node(path)
  }

  stage(record: ChangeRecord, before: NodeView | undefined): void {
    if (this.#digestEnabled) {
      if (before !== undefined) this.digest.subtract(before.digest)
      record.digest = record.exists ? nodeDigest(record.path, record) : 0
      if (record.exists) this.digest.add(record.digest)
    }
    this.#staged[this.#stagedCount] = record
    this.#replaced[this.#stagedCount] = this.#byPath.get(record.path)
    this.#stagedCount += 1
    this.#byPath.set(record.path, record)
    if (record.exists && record.ephemeralOwner !== NO_OWNER) this.#index(record)
  }

  #index({ ephemeralOwner, path }: ChangeRecord): void {
    const paths = this.#byOwner.get(ephemeralOwner)
    if (paths === undefined) this.#byOwner.set(ephemeralOwner, new Set([path]))
    else paths.add(path)
  }

  /** The record is no longer in #byPath. What is there by now may have the same owner. */
  #unindex({ ephemeralOwner, path }: ChangeRecord): void {
    if (ephemeralOwner === NO_OWNER) return
    if (this.#byPath.get(path)?.ephemeralOwner === ephemeralOwner) return
    const paths = this.#byOwner.get(ephemeralOwner)
    if (paths?.delete(path) && paths.size === 0) this.#byOwner.delete(ephemeralOwner)
  }

  commit(): void {
    for (let i = 0; i < this.#stagedCount; i += 1) {
      const record = this.#staged[i]
      if (record !== undefined) this.#queue.push(record)
    }
    this.#queued?.add(this.#stagedCount)
    this.#clearStaged()
  }

  rollback(): void {
    for (let i = this.#stagedCount - 1; i >= 0; i -= 1) {
      const record = this.#staged[i]
      const replaced = this.#replaced[i]
      if (record === undefined) continue
      if (replaced === undefined) this.#byPath.delete(record.path)
      else this.#byPath.set(record.path, replaced)
      this.#unindex(record)
    }
    this.#clearStaged()
    this.digest.set(this.#digestBefore)
  }

  /** The slots are used again by the next request; those of a large multi are given back. */
  #clearStaged(): void {
    this.#stagedCount = 0
    if (this.#staged.length <= STAGED_SLOTS_KEPT) return
    this.#staged = []
    this.#replaced = []
  }

  /** The txn of `zxid` is about to be applied to the tree. */
  onApplying(zxid: number): void {
    assert(this.#stagedCount === 0, 'a txn is applied while a request is staged')
    this.#applyingZxid = zxid
  }

  /**
   * The digest that the txn being applied gives a node: it was computed for the txn, and computing it
   * again is the most expensive part of applying. Undefined when a later write has replaced the record.
   */
  readonly knownDigest = (path: string): number | undefined => {
    const record = this.#byPath.get(path)
    return record?.zxid === this.#applyingZxid ? record.digest : undefined
  }

  /** The tree has caught up with `zxid`. */
  onApplied(zxid: number): void {
    for (let head = this.#queue.peek(); head !== undefined; head = this.#queue.peek()) {
      if (head.zxid > zxid) return
      this.#queue.shift()
      this.#removed?.add(1)
      if (this.#byPath.get(head.path) === head) this.#byPath.delete(head.path)
      this.#unindex(head)
    }
  }

  /** What was under way is not any more: the role has ended, or the tree is another one. */
  clear(): void {
    this.#removed?.add(this.#queue.length)
    this.#byPath.clear()
    this.#byOwner.clear()
    this.#queue.clear()
    this.#clearStaged()
  }

  /** Ephemerals a session will have: those of the tree, with creates and deletes under way. */
  ephemeralsOf(session: SessionId): string[] {
    const paths: string[] = []
    for (const path of this.#tree.ephemeralsOf(session)) {
      // Deleted, or somebody else's by now: the tree may still know it as this session's.
      if (!this.#byPath.has(path) || this.#willOwn(path, session)) paths.push(path)
    }
    for (const path of this.#byOwner.get(session) ?? none)
      if (this.#willOwn(path, session) && !this.#tree.ephemeralsOf(session).has(path))
        paths.push(path)
    return paths
  }

  #willOwn(path: string, session: SessionId): boolean {
    const record = this.#byPath.get(path)
    return record?.exists === true && record.ephemeralOwner === session
  }

  /** Of the nodes that are under way. */
  paths(): IterableIterator<string> {
    return this.#byPath.keys()
  }

  /** Owners of what is under way; none when nothing is. */
  get ownerCount(): number {
    return this.#byOwner.size
  }
}
