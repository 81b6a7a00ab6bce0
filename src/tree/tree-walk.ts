import type { NodeRecord } from './node-record.ts'
import type { PackedNodes } from './packed-nodes.ts'
import type { Znode } from './znode.ts'

/**
 * Goes through the nodes of a tree, which may change meanwhile: first those that were loaded, in the
 * order of the snapshot, then those that came later, in the order in which they came. So a parent stands
 * before its children, and what is created meanwhile comes last.
 */
export class TreeWalk {
  readonly #nodes: ReadonlyMap<string, Znode>
  readonly #packed: PackedNodes | undefined
  #later: Iterator<readonly [string, Znode]> | undefined = undefined
  /** The slot that the walk has come to; the number of slots if it is past them. */
  slot = -1
  /** The node at hand; undefined: it is nothing but a record yet, and its ACL that of `acl`. */
  znode: Znode | undefined = undefined
  #path = ''

  constructor(nodes: ReadonlyMap<string, Znode>, packed: PackedNodes | undefined) {
    this.#nodes = nodes
    this.#packed = packed
  }

  /** False: there are no more. */
  next(): boolean {
    const packed = this.#packed
    if (packed === undefined || this.slot >= packed.size) return this.#nextLater()
    for (;;) {
      this.slot += 1
      if (this.slot === packed.size) return this.#nextLater()
      if (packed.isGone(this.slot)) continue
      this.znode = packed.znodeOf(this.slot)
      return true
    }
  }

  #nextLater(): boolean {
    if (this.#later === undefined) this.#later = this.#nodes.entries()
    for (;;) {
      const next = this.#later.next()
      if (next.done === true) return false
      const [path, znode] = next.value
      if (path === '' || znode.isLoaded) continue
      this.#path = path
      this.znode = znode
      return true
    }
  }

  /** Of a node that was loaded: whether the walk has come to it. */
  hasReached(znode: Znode): boolean {
    return znode.slot <= this.slot
  }

  /** Of the node at hand; that of the root is '/'. */
  get path(): string {
    const record = this.record
    if (record === undefined) return this.#path
    return record.pathBytes === 0 ? '/' : record.path
  }

  /** As it was loaded, if it was. Valid until the next call of anything. */
  get record(): NodeRecord | undefined {
    if (this.#later !== undefined) return undefined
    return this.#packed?.recordOf(this.slot)
  }
}
