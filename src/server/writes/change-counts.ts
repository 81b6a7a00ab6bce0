import type { Counter } from '../../base/metrics.ts'
import { ownerKind } from '../../data/create-mode.ts'
import type { ChangeListener } from '../../tree/apply.ts'
import type { DataTree } from '../../tree/data-tree.ts'
import type { AclEntry, Znode } from '../../tree/znode.ts'
import { NamespaceBytes } from '../stats/namespace-bytes.ts'
import type { ServerMetrics } from '../stats/server-metrics.ts'

/** Counts the changes that applying txns makes, and passes them on. */
export class ChangeCounts implements ChangeListener {
  readonly #tree: DataTree
  readonly #next: ChangeListener
  readonly #written: NamespaceBytes
  readonly #ttlCreated: Counter
  readonly #ttlDeleted: Counter

  constructor(tree: DataTree, metrics: ServerMetrics, next: ChangeListener) {
    this.#tree = tree
    this.#next = next
    this.#written = new NamespaceBytes(metrics.writePerNamespace)
    this.#ttlCreated = metrics.ttlNodeCreatedCount
    this.#ttlDeleted = metrics.ttlNodeDeletedCount
  }

  created(
    path: string,
    parent: string,
    znode: Znode,
    parentAcl: AclEntry | undefined,
    zxid: number,
  ): void {
    this.#written.add(path, path.length + znode.dataLength)
    if (this.#hasTtl(znode)) this.#ttlCreated.add(1)
    this.#next.created(path, parent, znode, parentAcl, zxid)
  }

  deleted(
    path: string,
    parent: string,
    znode: Znode,
    parentAcl: AclEntry | undefined,
    zxid: number,
  ): void {
    this.#written.add(path, path.length)
    if (this.#hasTtl(znode)) this.#ttlDeleted.add(1)
    this.#next.deleted(path, parent, znode, parentAcl, zxid)
  }

  dataChanged(path: string, znode: Znode, zxid: number): void {
    this.#written.add(path, path.length + znode.dataLength)
    this.#next.dataChanged(path, znode, zxid)
  }

  #hasTtl({ ephemeralOwner }: Znode): boolean {
    return ephemeralOwner !== 0n && ownerKind(ephemeralOwner, this.#tree.ownerRules) === 'ttl'
  }
}
