import {
  adjustStats,
  formatStats,
  parseQuotaText,
  pathCountedBy,
  pathLimitedBy,
  type QuotaExcess,
  QuotaTable,
  type QuotaText,
  wouldExceed,
} from './quota.ts'
import type { Znode } from './znode.ts'

/** What the keeper asks of the tree whose quotas it keeps. */
interface QuotaTree {
  node(path: string): Znode | undefined
  setData(znode: Znode, data: Buffer): void
  /** Of the node and all below it. */
  subtree(path: string): { readonly nodes: number; readonly dataBytes: number }
}

/** With the path whose quota it is. */
export interface PathExcess extends QuotaExcess {
  readonly path: string
}

/** One quota: its path, its limits node and its stats node. */
export interface QuotaUsage {
  readonly path: string
  readonly limits: QuotaText
  readonly stats: QuotaText
}

/**
 * Counts what lies below each path with a quota into its stats node, beside the txns: neither the
 * Stat nor the digest of that node shows it (spec 05 §10). Costs one comparison while no quota is set.
 */
export class QuotaKeeper {
  readonly #tree: QuotaTree
  #table = new QuotaTable()

  constructor(tree: QuotaTree) {
    this.#tree = tree
  }

  /** Takes over which subtrees have quotas. */
  adopt(other: QuotaKeeper): void {
    this.#table = other.#table
  }

  onCreated(path: string, znode: Znode): void {
    const limited = pathLimitedBy(path)
    if (limited !== undefined) this.#table.add(limited)
    const counted = pathCountedBy(path)
    if (counted !== undefined) this.#recount(counted)
    this.#adjust(path, 1, znode.dataLength)
  }

  onDeleted(path: string, znode: Znode): void {
    const limited = pathLimitedBy(path)
    if (limited !== undefined) this.#table.delete(limited)
    this.#adjust(path, -1, -znode.dataLength)
  }

  onDataChanged(path: string, before: Buffer | null, after: Buffer | null): void {
    this.#adjust(path, 0, (after?.length ?? 0) - (before?.length ?? 0))
  }

  /**
   * The excess that a write would cause, if any; the caller decides what a hard one means. Judged by
   * what has been applied, not by what is under way, as in the original.
   */
  excessOf(path: string, bytesDelta: number, countDelta: number): PathExcess | undefined {
    const root = this.#table.nearest(path)
    if (root === undefined) return undefined
    const limits = this.#tree.node(root.limitsPath)
    const stats = this.#tree.node(root.statsPath)
    if (limits === undefined || stats === undefined) return undefined
    const limitText = parseQuotaText(limits.data)
    const statText = parseQuotaText(stats.data)
    if (limitText === 'malformed' || statText === 'malformed') return undefined
    const excess = wouldExceed(limitText, statText, countDelta, bytesDelta)
    return excess && { path: root.path, ...excess }
  }

  /** After loading: the stats in a snapshot may be older than its nodes. */
  recountAll(): void {
    for (const root of this.#table.roots()) this.#recount(root.path)
  }

  /** Rebuilds the table from the limits nodes that a snapshot has brought. */
  onLoaded(path: string): void {
    const limited = pathLimitedBy(path)
    if (limited !== undefined) this.#table.add(limited)
  }

  /** What each quota allows and what lies below it; malformed ones are left out. */
  *usages(): IterableIterator<QuotaUsage> {
    for (const { path, limitsPath, statsPath } of this.#table.roots()) {
      const limits = parseQuotaText(this.#tree.node(limitsPath)?.data ?? null)
      const stats = parseQuotaText(this.#tree.node(statsPath)?.data ?? null)
      if (limits !== 'malformed' && stats !== 'malformed') yield { path, limits, stats }
    }
  }

  #adjust(path: string, countDelta: number, bytesDelta: number): void {
    const root = this.#table.nearest(path)
    if (root === undefined) return
    const stats = this.#tree.node(root.statsPath)
    if (stats === undefined) return
    const adjusted = adjustStats(stats.data, countDelta, bytesDelta)
    if (adjusted !== undefined) this.#tree.setData(stats, adjusted)
  }

  #recount(path: string): void {
    const stats = this.#tree.node(`/zookeeper/quota${path}/zookeeper_stats`)
    if (stats === undefined) return
    const { nodes, dataBytes } = this.#tree.subtree(path)
    this.#tree.setData(stats, formatStats(nodes, dataBytes))
  }
}
