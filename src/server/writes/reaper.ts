import type { Config } from '../../config/config.ts'
import { ttlMsOf } from '../../data/create-mode.ts'
import type { DataTree } from '../../tree/data-tree.ts'

const MINUTE_MS = 60_000

/**
 * Finds containers that have lost their last child and TTL nodes whose time is over. Leader or
 * standalone server only; what it names goes through prep like any other write (spec 05 §9).
 */
export class Reaper {
  readonly #tree: DataTree
  readonly #config: Config
  #nextCheckMono: number
  /** Found and not yet asked for: at most so many a minute. */
  #candidates: string[] = []
  #nextReapMono = 0

  constructor(tree: DataTree, config: Config, nowMono: number) {
    this.#tree = tree
    this.#config = config
    this.#nextCheckMono = nowMono + config.containerCheckIntervalMs
  }

  /** Paths to be reaped now. */
  take(nowMono: number, nowWall: number): readonly string[] {
    if (nowMono >= this.#nextCheckMono) {
      this.#nextCheckMono = nowMono + this.#config.containerCheckIntervalMs
      if (this.#candidates.length === 0) this.#candidates = this.#find(nowWall)
    }
    if (this.#candidates.length === 0 || nowMono < this.#nextReapMono) return none
    // A slice a second keeps to the rate without a timer for each.
    const slice = Math.max(1, Math.floor(this.#config.containerMaxPerMinute / 60))
    this.#nextReapMono = nowMono + (slice * MINUTE_MS) / this.#config.containerMaxPerMinute
    // What has waited for its turn may be in use again.
    return this.#candidates.splice(0, slice).filter((path) => this.#isDue(path, nowWall))
  }

  #find(nowWall: number): string[] {
    const found: string[] = []
    for (const path of this.#tree.containers) if (this.#isDue(path, nowWall)) found.push(path)
    for (const path of this.#tree.ttls) if (this.#isDue(path, nowWall)) found.push(path)
    return found
  }

  #isDue(path: string, nowWall: number): boolean {
    const znode = this.#tree.node(path)
    if (znode === undefined || znode.childCount > 0) return false
    const ageMs = nowWall - znode.mtime
    if (this.#tree.containers.has(path)) {
      // One that never had a child is left alone, unless it has been so for too long.
      const neverUsedMs = this.#config.containerMaxNeverUsedIntervalMs
      return znode.cversion !== 0 || (neverUsedMs > 0 && ageMs > neverUsedMs)
    }
    if (!this.#tree.ttls.has(path)) return false
    const ttlMs = ttlMsOf(znode.ephemeralOwner, this.#tree.ownerRules)
    return ttlMs !== 0 && ageMs > ttlMs
  }
}

const none: readonly string[] = []
