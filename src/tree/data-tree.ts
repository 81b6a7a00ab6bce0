import { assert } from '../base/assert.ts'
import { type OwnerRules, ownerKind } from '../data/create-mode.ts'
import { CONFIG_PATH, parentOf, QUOTA_PATH, ZOOKEEPER_PATH } from '../data/path.ts'
import type { ACL, Stat } from '../data/records.ts'
import type { SessionId } from '../data/session-id.ts'
import { AclTable } from './acl-table.ts'
import { nodeDigest, TreeDigest } from './digest.ts'
import { NodeMap } from './node-map.ts'
import type { NodeRecord } from './node-record.ts'
import type { PackedNodes } from './packed-nodes.ts'
import { QuotaKeeper } from './quota-keeper.ts'
import type { TreeWalk } from './tree-walk.ts'
import { type AclEntry, Znode } from './znode.ts'

/**
 * The digest that a node has after the txn being applied, where prep has computed it already; undefined
 * sends us to compute it.
 */
export type KnownDigests = (path: string) => number | undefined

/** What there is from a node on, its own included. */
interface SubtreeSize {
  readonly nodes: number
  readonly dataBytes: number
}

const worldReadable: readonly ACL[] = [{ perms: 1, id: { scheme: 'world', id: 'anyone' } }]

/**
 * The replicated state: znodes by path, with the indexes that follow from them. It does not decide
 * who may do what: prep has decided, and apply.ts does it.
 */
export class DataTree {
  #nodes: NodeMap
  #ephemerals = new Map<SessionId, Set<string>>()
  #containers = new Set<string>()
  #ttls = new Set<string>()
  #acls = new AclTable()
  #replacements = 0
  #dumps = 0
  readonly digest: TreeDigest = new TreeDigest()
  readonly quota: QuotaKeeper
  readonly ownerRules: OwnerRules
  readonly digestEnabled: boolean
  /** Told of a node and the ACL that it had, before it gets another. */
  readonly aclListeners: Set<(znode: Znode, before: AclEntry) => void> = new Set()
  /** Told of a node that a txn is about to change or to take away: by a dump of one moment. */
  beforeChange: ((path: string, znode: Znode) => void) | undefined = undefined
  lastProcessedZxid = 0
  /** Path lengths plus data lengths: what mntr calls approximate_data_size. */
  approximateDataBytes = 0
  ephemeralsCount = 0

  constructor(ownerRules: OwnerRules, digestEnabled: boolean, packedInMapMax?: number) {
    this.#nodes = new NodeMap(this.#acls.open, digestEnabled, packedInMapMax)
    this.ownerRules = ownerRules
    this.digestEnabled = digestEnabled
    this.quota = new QuotaKeeper(this)
    const empty = (): Buffer => Buffer.alloc(0)
    const root = new Znode(empty(), this.#acls.open, 0n, 0, 0)
    this.#nodes.add('', root)
    this.#nodes.add('/', root)
    this.approximateDataBytes = 1
    root.digest = this.#digestOf('/', root)
    this.digest.add(root.digest)
    // Bootstrap nodes are no creates: the cversions above them stay 0 (spec 02 §5).
    this.#bootstrap(root, '/zookeeper', empty())
    const zookeeper = this.node('/zookeeper')
    if (zookeeper === undefined) return
    this.#bootstrap(zookeeper, QUOTA_PATH, empty())
    const config = this.#bootstrap(zookeeper, CONFIG_PATH, empty())
    config.acl = this.#acls.acquire(worldReadable)
    config.aversion = -1
  }

  /**
   * Takes over all that `other` holds, for everybody who holds this tree: the state of a leader, or a
   * backup. Watches are none of it. Who listens to this tree goes on to; `other` is void afterwards. A
   * dump that is under way is stale: it has begun with what is no longer there.
   */
  adopt(other: DataTree): void {
    assert(other !== this, 'a tree cannot take over itself')
    assert(other.digestEnabled === this.digestEnabled, 'one of the two trees has no digests')
    this.#nodes = other.#nodes
    this.#ephemerals = other.#ephemerals
    this.#containers = other.#containers
    this.#ttls = other.#ttls
    this.#acls = other.#acls
    this.#replacements += 1
    this.#dumps = Math.max(this.#dumps, other.#dumps)
    this.digest.set(other.digest)
    this.quota.adopt(other.quota)
    this.lastProcessedZxid = other.lastProcessedZxid
    this.approximateDataBytes = other.approximateDataBytes
    this.ephemeralsCount = other.ephemeralsCount
  }

  /** How often `adopt` was called: what was remembered of the nodes is void when this has changed. */
  get replacements(): number {
    return this.#replacements
  }

  /** A number that no node has been marked with, see Znode.dumpedBy. */
  numberDump(): number {
    this.#dumps += 1
    return this.#dumps
  }

  /** Paths of the containers. */
  get containers(): ReadonlySet<string> {
    return this.#containers
  }

  /** Paths of the TTL nodes. */
  get ttls(): ReadonlySet<string> {
    return this.#ttls
  }

  get acls(): AclTable {
    return this.#acls
  }

  #bootstrap(parent: Znode, path: string, data: Buffer): Znode {
    const znode = new Znode(data, this.#acls.open, 0n, 0, 0)
    parent.addChild(path.slice(path.lastIndexOf('/') + 1))
    this.attach(path, znode, parent)
    return znode
  }

  #digestOf(path: string, node: Znode, known?: KnownDigests): number {
    if (!this.digestEnabled) return 0
    return known?.(path) ?? nodeDigest(path, node)
  }

  node(path: string): Znode | undefined {
    return this.#nodes.get(path)
  }

  /** With the root counted twice, as `srvr` and `mntr` show it (spec 05 §12). */
  get nodeCount(): number {
    return this.#nodes.size
  }

  /** Nodes below `path`; for the root all but itself (spec 05 §11). Its other name counts '/', too. */
  descendantCount(path: string): number {
    if (path === '') return this.#nodes.size - 1
    return this.node(path)?.nodesBelow ?? 0
  }

  /** What there is from `path` on, its own node included. */
  subtree(path: string): SubtreeSize {
    const znode = this.node(path)
    if (znode === undefined) return { nodes: 0, dataBytes: 0 }
    return { nodes: 1 + znode.nodesBelow, dataBytes: znode.dataLength + znode.bytesBelow }
  }

  /** Every node once, in no order that means anything; the root under '/'. All become objects. */
  entries(): IterableIterator<readonly [string, Znode]> {
    return this.#nodes.entries()
  }

  /** Every node once, parents before their children, and those first that were loaded. */
  walk(): TreeWalk {
    return this.#nodes.walk()
  }

  /** Puts a node that prep has allowed into the tree. Its parent's Stat is the caller's. */
  attach(
    path: string,
    znode: Znode,
    parent: Znode | undefined = this.node(parentOf(path)),
    known?: KnownDigests,
  ): void {
    this.#nodes.add(path, znode)
    znode.joinParent(parent)
    parent?.countBelow(1, znode.dataLength)
    this.approximateDataBytes += path.length + znode.dataLength
    if (znode.ephemeralOwner !== 0n) this.#index(path, znode.ephemeralOwner)
    znode.digest = this.#digestOf(path, znode, known)
    this.digest.add(znode.digest)
  }

  /** Where the nodes of a snapshot go, when one is loaded. */
  packedNodes(): PackedNodes {
    return this.#nodes.packedNodes()
  }

  /** Counts a node of a snapshot that is nothing but a record yet. `digest` is that of the node. */
  countPacked(record: NodeRecord, digest: number): void {
    this.#nodes.size += 1
    this.approximateDataBytes += record.pathBytes + Math.max(0, record.dataBytes)
    this.digest.add(digest)
    const { owner } = record
    if (owner !== 0n) this.#index(record.path, owner)
  }

  /** Puts the root of a snapshot in its place. */
  loadRoot(znode: Znode, digest: number): void {
    const before = this.#nodes.get('/')
    if (before !== undefined) {
      this.#forget('/', before)
      this.#takePlace('', znode, before)
    }
    this.#nodes.replace('', znode)
    this.#nodes.replace('/', znode)
    this.approximateDataBytes += 1
    this.#countLoaded(znode, digest)
  }

  /**
   * Puts a node of a snapshot in its place, over one that every new tree has. `digest` is that of
   * the node. 'new': its parent is to be told; 'twice': it was loaded before.
   */
  load(path: string, znode: Znode, digest: number): 'new' | 'replaced' | 'twice' {
    const before = this.node(path)
    if (before !== undefined) {
      if (before.mzxid !== 0 || before.isLoaded || !path.startsWith(ZOOKEEPER_PATH)) return 'twice'
      this.#forget(path, before)
      this.#takePlace(path, znode, before)
      znode.countGrowth(znode.dataLength - before.dataLength)
      this.#nodes.replace(path, znode)
    } else this.#nodes.add(path, znode)
    this.approximateDataBytes += path.length
    this.#countLoaded(znode, digest)
    if (znode.ephemeralOwner !== 0n) this.#index(path, znode.ephemeralOwner)
    this.quota.onLoaded(path)
    return before === undefined ? 'new' : 'replaced'
  }

  #takePlace(path: string, znode: Znode, before: Znode): void {
    znode.takeChildren(before)
    for (const name of znode.knownChildren ?? []) this.node(`${path}/${name}`)?.joinParent(znode)
  }

  #countLoaded(znode: Znode, digest: number): void {
    this.approximateDataBytes += znode.dataLength
    znode.digest = digest
    this.digest.add(digest)
  }

  /** What follows from a node, but not that it is there. */
  #forget(path: string, znode: Znode): void {
    this.approximateDataBytes -= path.length + znode.dataLength
    if (znode.ephemeralOwner !== 0n) this.#unindex(path, znode.ephemeralOwner)
    this.digest.subtract(znode.digest)
    this.#acls.release(znode.acl)
  }

  /** Takes a node without children out of the tree, and out of its parent. */
  detach(path: string, znode: Znode): void {
    this.#nodes.delete(path, znode)
    const parent = this.node(parentOf(path))
    parent?.countBelow(-1, -znode.dataLength)
    parent?.removeChild(path.slice(path.lastIndexOf('/') + 1))
    this.#forget(path, znode)
  }

  setData(znode: Znode, data: Buffer | null): void {
    const growth = (data?.length ?? 0) - znode.dataLength
    this.approximateDataBytes += growth
    if (growth !== 0) znode.countGrowth(growth)
    znode.data = data
  }

  /** Brings the tree's digest up to date after fields of a node have changed. */
  touched(path: string, znode: Znode, known?: KnownDigests): void {
    if (!this.digestEnabled) return
    this.digest.subtract(znode.digest)
    znode.digest = this.#digestOf(path, znode, known)
    this.digest.add(znode.digest)
  }

  setAcl(znode: Znode, acl: readonly ACL[]): void {
    for (const listener of this.aclListeners) listener(znode, znode.acl)
    const entry: AclEntry = this.#acls.acquire(acl)
    this.#acls.release(znode.acl)
    znode.acl = entry
  }

  /** Paths of the ephemerals of a session; empty when it has none. */
  ephemeralsOf(session: SessionId): ReadonlySet<string> {
    return this.#ephemerals.get(session) ?? noPaths
  }

  get ephemeralOwners(): ReadonlyMap<SessionId, ReadonlySet<string>> {
    return this.#ephemerals
  }

  #index(path: string, owner: bigint): void {
    const kind = ownerKind(owner, this.ownerRules)
    if (kind === 'container') this.#containers.add(path)
    else if (kind === 'ttl') this.#ttls.add(path)
    else {
      let paths = this.#ephemerals.get(owner)
      if (paths === undefined) {
        paths = new Set()
        this.#ephemerals.set(owner, paths)
      }
      paths.add(path)
      this.ephemeralsCount += 1
    }
  }

  #unindex(path: string, owner: bigint): void {
    if (this.#containers.delete(path) || this.#ttls.delete(path)) return
    const paths = this.#ephemerals.get(owner)
    if (paths === undefined) return
    if (paths.delete(path)) this.ephemeralsCount -= 1
    if (paths.size === 0) this.#ephemerals.delete(owner)
  }

  /** The Stat as a client sees it (spec 05 §2). */
  statOf(znode: Znode): Stat {
    return {
      czxid: znode.czxid,
      mzxid: znode.mzxid,
      ctime: znode.ctime,
      mtime: znode.mtime,
      version: znode.version,
      cversion: (znode.cversion * 2 - znode.childCount) | 0,
      aversion: znode.aversion,
      ephemeralOwner: this.visibleOwner(znode),
      dataLength: znode.dataLength,
      numChildren: znode.childCount,
      pzxid: znode.pzxid,
    }
  }

  /** Containers and TTL nodes show no owner. */
  visibleOwner(znode: Znode): bigint {
    const owner = znode.ephemeralOwner
    return owner === 0n || ownerKind(owner, this.ownerRules) === 'ephemeral' ? owner : 0n
  }
}

const noPaths: ReadonlySet<string> = new Set()
