import type { JuteWriter } from 'jute-ts'
import type { ACL } from '../data/records.ts'

/** An access control list, held once however many nodes share it. */
export interface AclEntry {
  readonly acl: readonly ACL[]
  readonly key: string
  nodes: number
}

/** The children that a node came with from a snapshot, by its slot there (packed-nodes.ts). */
export interface PackedChildren {
  childCount(slot: number): number
  onChildGone(slot: number): void
  takeChildNames(slot: number): readonly string[]
  nodesBelow(slot: number): number
  bytesBelow(slot: number): number
  /** In this slot alone. */
  count(slot: number, nodes: number, dataBytes: number): void
  /** In this slot, and all above it. */
  countUp(slot: number, nodes: number, dataBytes: number): void
  /** In all slots above this one. */
  countAbove(slot: number, nodes: number, dataBytes: number): void
}

/** The names of children, and what all is below: nodes, and bytes of their data. */
class Below {
  readonly names = new Set<string>()
  nodes = 0
  dataBytes = 0
}

const NO_SLOT = -1

/** Where the data of a node stands in a store: it is the store itself. */
const WHOLE_STORE = -1
const LENGTH_BYTES = 4

/** One node of the tree: the persisted fields of its Stat, its data, and the names below it. */
export class Znode {
  /**
   * The data; or the piece of a snapshot that it is in, behind its length, at this offset. A Buffer
   * for each of a million nodes would take a third of the time to load them, and of the memory.
   */
  #store: Buffer | null
  #storeAt: number = WHOLE_STORE
  acl: AclEntry
  czxid: number
  mzxid: number
  pzxid: number
  ctime: number
  mtime: number
  version = 0
  /** Raw: the number of children ever created. Clients see 2 * cversion - children (spec 05 §2). */
  cversion = 0
  aversion = 0
  ephemeralOwner: bigint
  /** Of a node that came with a snapshot, the counts are kept there. */
  #below: Below | undefined = undefined
  /** Undefined: the root, or a node that came with a snapshot. */
  #parent: Znode | undefined = undefined
  #packed: PackedChildren | undefined = undefined
  #slot: number = NO_SLOT
  /** CRC32 of the node as an int32, see digest.ts. Kept so that a change need not recompute it. */
  digest = 0
  /** The number of the last dump of one moment that has come by. */
  dumpedBy = 0

  constructor(data: Buffer | null, acl: AclEntry, owner: bigint, zxid: number, timeMs: number) {
    this.#store = data
    this.acl = acl
    this.ephemeralOwner = owner
    this.czxid = zxid
    this.mzxid = zxid
    this.pzxid = zxid
    this.ctime = timeMs
    this.mtime = timeMs
  }

  /** Not to be written into. May be another object each time. */
  get data(): Buffer | null {
    const store = this.#store
    if (store === null || this.#storeAt === WHOLE_STORE) return store
    const at = this.#storeAt + LENGTH_BYTES
    return store.subarray(at, at + store.readInt32BE(this.#storeAt))
  }

  set data(data: Buffer | null) {
    this.#store = data
    this.#storeAt = WHOLE_STORE
  }

  /** In bytes; 0 for null. */
  get dataLength(): number {
    if (this.#store === null) return 0
    return this.#storeAt === WHOLE_STORE
      ? this.#store.length
      : this.#store.readInt32BE(this.#storeAt)
  }

  /** Length and bytes, as a Jute buffer; without making a Buffer of its own for them. */
  writeData(w: JuteWriter): void {
    const store = this.#store
    if (store === null || this.#storeAt === WHOLE_STORE) {
      w.writeBuffer(store)
      return
    }
    const start = this.#storeAt
    const bytes = LENGTH_BYTES + store.readInt32BE(start)
    const at = w.reserve(bytes)
    store.copy(w.buffer, at, start, start + bytes)
  }

  /** The data is in `store`, which is not written to any more: its length at `at`, then its bytes. */
  setDataIn(store: Buffer, at: number): void {
    this.#store = store
    this.#storeAt = at
  }

  /** It stands in this slot of a snapshot, and its children there are its own. */
  joinPacked(packed: PackedChildren, slot: number): void {
    this.#packed = packed
    this.#slot = slot
    if (this.#below === undefined) return
    packed.count(slot, this.#below.nodes, this.#below.dataBytes)
    this.#below.nodes = 0
    this.#below.dataBytes = 0
  }

  /** It is a child of this node. */
  joinParent(parent: Znode | undefined): void {
    this.#parent = parent
  }

  /** It came with a snapshot; else by a txn since then. */
  get isLoaded(): boolean {
    return this.#slot !== NO_SLOT
  }

  /** For the parts that keep what is packed: its slot in the snapshot; -1 if it came later. */
  get slot(): number {
    return this.#slot
  }

  /** Takes over what is below a node that it stands in the place of. */
  takeChildren(before: Znode): void {
    this.#below = before.#below
    if (this.#packed !== undefined) this.joinPacked(this.#packed, this.#slot)
  }

  get childCount(): number {
    const known = this.#below === undefined ? 0 : this.#below.names.size
    return this.#packed === undefined ? known : known + this.#packed.childCount(this.#slot)
  }

  /** The names below; undefined if there are none. */
  get children(): ReadonlySet<string> | undefined {
    if (this.#packed !== undefined && this.#packed.childCount(this.#slot) > 0)
      for (const name of this.#packed.takeChildNames(this.#slot)) this.addChild(name)
    return this.#below?.names
  }

  /** Of the names below, those that are not counted in the snapshot that was loaded. */
  get knownChildren(): ReadonlySet<string> | undefined {
    return this.#below?.names
  }

  addChild(name: string): void {
    if (this.#below === undefined) this.#below = new Below()
    this.#below.names.add(name)
  }

  /** `name` is that of a child, which is not counted any more. */
  removeChild(name: string): void {
    if (this.#below?.names.delete(name)) {
      if (this.#below.names.size === 0) this.#below = undefined
    } else this.#packed?.onChildGone(this.#slot)
  }

  /** How many nodes are below it, at any depth. */
  get nodesBelow(): number {
    return this.#packed?.nodesBelow(this.#slot) ?? this.#below?.nodes ?? 0
  }

  /** Bytes of data in these. */
  get bytesBelow(): number {
    return this.#packed?.bytesBelow(this.#slot) ?? this.#below?.dataBytes ?? 0
  }

  /** So many nodes and bytes more below it, which all nodes above it count, too. */
  countBelow(nodes: number, dataBytes: number): void {
    for (let at: Znode | undefined = this; at !== undefined; at = at.#parent) {
      if (at.#packed !== undefined) return at.#packed.countUp(at.#slot, nodes, dataBytes)
      if (at.#below === undefined) at.#below = new Below()
      at.#below.nodes += nodes
      at.#below.dataBytes += dataBytes
    }
  }

  /** Its own data have so many bytes more. */
  countGrowth(dataBytes: number): void {
    if (this.#packed !== undefined) this.#packed.countAbove(this.#slot, 0, dataBytes)
    else this.#parent?.countBelow(0, dataBytes)
  }
}
