import { PackedNodes } from './packed-nodes.ts'
import { TreeWalk } from './tree-walk.ts'
import type { AclEntry, Znode } from './znode.ts'

/**
 * Nodes of a snapshot that are kept in the map, too, once they were asked for: it finds a path
 * somewhat faster, but blocks the process for longer each time it grows: for 10 ms on its way to so
 * many.
 * @bound znodes: the others are found without it
 */
const PACKED_IN_MAP_MAX = 250_000

/** The nodes of a tree by their full paths. The root stands under '' too, and is counted twice. */
export class NodeMap {
  /** What is not in `#packed`, and some of that. */
  readonly #nodes = new Map<string, Znode>()
  /** What has come from a snapshot, and is an object only since somebody has asked for it. */
  #packed: PackedNodes | undefined = undefined
  /** Of those in `#nodes`, the ones that `#packed` would find, too. */
  #packedInMap = 0
  readonly #packedInMapMax: number
  readonly #openAcl: AclEntry
  readonly #digestEnabled: boolean
  size = 0

  constructor(
    openAcl: AclEntry,
    digestEnabled: boolean,
    packedInMapMax: number = PACKED_IN_MAP_MAX,
  ) {
    this.#openAcl = openAcl
    this.#digestEnabled = digestEnabled
    this.#packedInMapMax = packedInMapMax
  }

  get(path: string): Znode | undefined {
    const znode = this.#nodes.get(path)
    return znode !== undefined || this.#packed === undefined
      ? znode
      : this.#findPacked(path, this.#packed)
  }

  #findPacked(path: string, packed: PackedNodes): Znode | undefined {
    const slot = packed.find(path)
    if (slot < 0) return undefined
    const znode = this.#unpack(packed, slot)
    if (this.#packedInMap < this.#packedInMapMax) {
      this.#packedInMap += 1
      this.#nodes.set(path, znode)
    }
    return znode
  }

  #unpack(packed: PackedNodes, slot: number): Znode {
    const known = packed.znodeOf(slot)
    if (known !== undefined) return known
    const record = packed.recordOf(slot)
    const znode = record.toZnode(packed.aclOf(record.aclKey) ?? this.#openAcl)
    if (this.#digestEnabled) znode.digest = record.digest(record.pathCrc)
    packed.setZnode(slot, znode)
    return znode
  }

  /** There is no node of that path yet. */
  add(path: string, znode: Znode): void {
    this.#nodes.set(path, znode)
    this.size += 1
  }

  /** In the place of the one of that path. */
  replace(path: string, znode: Znode): void {
    this.#nodes.set(path, znode)
  }

  delete(path: string, znode: Znode): void {
    const wasInMap = this.#nodes.delete(path)
    this.size -= 1
    if (znode.slot < 0) return
    if (wasInMap && this.#packed?.isListed(znode.slot)) this.#packedInMap -= 1
    this.#packed?.remove(znode.slot)
  }

  /** Where the nodes of a snapshot go, when one is loaded. Whoever adds one there counts it here. */
  packedNodes(): PackedNodes {
    if (this.#packed === undefined) this.#packed = new PackedNodes()
    return this.#packed
  }

  /** Every node once, parents before their children, and those first that were loaded. */
  walk(): TreeWalk {
    return new TreeWalk(this.#nodes, this.#packed)
  }

  /** Every node once, in no order that means anything; the root under '/'. All become objects. */
  *entries(): IterableIterator<readonly [string, Znode]> {
    const walk = this.walk()
    while (walk.next()) {
      const { path, znode, slot } = walk
      if (znode !== undefined) yield [path, znode]
      else if (this.#packed !== undefined) yield [path, this.#unpack(this.#packed, slot)]
    }
  }
}
