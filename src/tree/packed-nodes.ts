import { crc32 } from '../base/crc32.ts'
import { NodeRecord } from './node-record.ts'
import type { AclEntry, PackedChildren, Znode } from './znode.ts'

const NONE = -1
/** Slots and buckets to begin with; doubled as they fill. */
const SLOTS_MIN = 256
/**
 * Nodes of one bucket. A client that knows how the hash is made may give a million nodes the same; what
 * is beyond this is unpacked at once, into a map, where equal hashes do no harm.
 */
const BUCKET_NODES_MAX = 32
const ASCII_MAX = 0x7f
/** Objects of so many slots stand in one array. */
const CHUNK_BITS = 8
const CHUNK_MASK = (1 << CHUNK_BITS) - 1

/** What is known of a slot: to be found by its path here; or in the map of the tree; or no longer there. */
const LISTED = 0
const UNLISTED = 1
const GONE = 2

let key = Buffer.alloc(256)

/** Puts an ASCII path into `key`, and returns its length. -1: it is none. */
function putKey(path: string): number {
  if (path.length > key.length) key = Buffer.alloc(path.length * 2)
  for (let i = 0; i < path.length; i += 1) {
    const code = path.charCodeAt(i)
    if (code > ASCII_MAX) return NONE
    key[i] = code
  }
  return path.length
}

/**
 * The nodes of a snapshot, in the order in which they stand there. Until somebody asks for one it
 * is nothing but its record, in the buffer that was read: to make an object, a path and a place in
 * a map of a million nodes would take three quarters of the time to load them, and half of the
 * memory.
 *
 * Each node has a slot, from 0 on, for as long as this lives. All about slots is in typed arrays,
 * which the collector need not walk. Nodes with a path that is not ASCII are unpacked at once.
 */
export class PackedNodes implements PackedChildren {
  readonly #pieces: Buffer[] = []
  /** Slots of each piece whose node is still there. */
  readonly #pieceNodes: number[] = []
  readonly #record = new NodeRecord()
  /**
   * In chunks: one array of a million, filled here and there, would be a hash table in the engine,
   * and block the process for a tenth of a second when it becomes an array.
   */
  readonly #znodes: ((Znode | undefined)[] | undefined)[] = []
  readonly #acls = new Map<number, AclEntry>()
  #state = new Uint8Array(SLOTS_MIN)
  #pieceOf = new Int32Array(SLOTS_MIN)
  #at = new Int32Array(SLOTS_MIN)
  #firstChild = new Int32Array(SLOTS_MIN)
  #lastChild = new Int32Array(SLOTS_MIN)
  #nextSibling = new Int32Array(SLOTS_MIN)
  /** Children that are there, and that the Znode does not know by name. */
  #children = new Int32Array(SLOTS_MIN)
  #parent = new Int32Array(SLOTS_MIN)
  /** Nodes below, at any depth, whether they came with the snapshot or later; and bytes of their data. */
  #nodesBelow = new Int32Array(SLOTS_MIN)
  #bytesBelow = new Float64Array(SLOTS_MIN)
  /** Parents that did not come with the snapshot: of nodes that stand in it without theirs. */
  readonly #outerParents = new Map<number, Znode>()
  #hash = new Int32Array(SLOTS_MIN)
  #nextInBucket = new Int32Array(SLOTS_MIN)
  #buckets = new Int32Array(SLOTS_MIN).fill(NONE)
  /** Slots that have been given out. */
  size = 0
  /** Of these, those that had no room in their bucket. */
  overflowed = 0

  /** The entry of an ACL that was loaded under this key. */
  aclOf(aclKey: number): AclEntry | undefined {
    return this.#acls.get(aclKey)
  }

  setAcl(aclKey: number, entry: AclEntry): void {
    this.#acls.set(aclKey, entry)
  }

  /**
   * Gives a slot to a record, to be found by its path if `hash` is the CRC-32 of that and there is room
   * in its bucket. Otherwise the caller unpacks it at once, and keeps it where it finds it.
   */
  add(record: NodeRecord, hash: number | undefined): number {
    const slot = this.size
    if (slot === this.#at.length) this.#grow()
    this.size += 1
    if (this.#pieces.at(-1) !== record.buffer) {
      this.#pieces.push(record.buffer)
      this.#pieceNodes.push(0)
    }
    const piece = this.#pieces.length - 1
    this.#pieceNodes[piece] = (this.#pieceNodes[piece] ?? 0) + 1
    this.#pieceOf[slot] = piece
    this.#at[slot] = record.at
    this.#parent[slot] = NONE
    this.#firstChild[slot] = NONE
    this.#lastChild[slot] = NONE
    this.#nextSibling[slot] = NONE
    this.#state[slot] = UNLISTED
    if (hash === undefined) return slot
    if (this.#hasRoom(hash)) this.#addToBucket(slot, hash)
    else this.overflowed += 1
    return slot
  }

  /** Whether it is found by its path here. */
  isListed(slot: number): boolean {
    return this.#state[slot] === LISTED
  }

  #hasRoom(hash: number): boolean {
    let left = BUCKET_NODES_MAX
    for (let slot = this.#bucket(hash); slot !== NONE; slot = this.#nextInBucket[slot] ?? NONE)
      left -= 1
    return left > 0
  }

  #bucket(hash: number): number {
    return this.#buckets[hash & (this.#buckets.length - 1)] ?? NONE
  }

  #addToBucket(slot: number, hash: number): void {
    this.#state[slot] = LISTED
    this.#hash[slot] = hash
    this.#nextInBucket[slot] = this.#bucket(hash)
    this.#buckets[hash & (this.#buckets.length - 1)] = slot
  }

  #grow(): void {
    const slots = this.#at.length * 2
    const grown = (old: Int32Array): Int32Array<ArrayBuffer> => {
      const next = new Int32Array(slots)
      next.set(old)
      return next
    }
    const state = new Uint8Array(slots)
    state.set(this.#state)
    this.#state = state
    this.#pieceOf = grown(this.#pieceOf)
    this.#at = grown(this.#at)
    this.#firstChild = grown(this.#firstChild)
    this.#lastChild = grown(this.#lastChild)
    this.#nextSibling = grown(this.#nextSibling)
    this.#children = grown(this.#children)
    this.#parent = grown(this.#parent)
    this.#nodesBelow = grown(this.#nodesBelow)
    const bytesBelow = new Float64Array(slots)
    bytesBelow.set(this.#bytesBelow)
    this.#bytesBelow = bytesBelow
    this.#hash = grown(this.#hash)
    this.#nextInBucket = new Int32Array(slots)
    this.#buckets = new Int32Array(slots).fill(NONE)
    for (let slot = 0; slot < this.size; slot += 1)
      if (this.#state[slot] === LISTED) this.#addToBucket(slot, this.#hash[slot] ?? 0)
  }

  /** The slot of a node that was packed when it was loaded; -1 if there is none. */
  find(path: string): number {
    const length = putKey(path)
    return length === NONE ? NONE : this.findBytes(key, 0, length, crc32(key, 0, length))
  }

  /** As `find`; `hash` is the CRC-32 of the path. */
  findBytes(bytes: Buffer, at: number, length: number, hash: number): number {
    for (let slot = this.#bucket(hash); slot !== NONE; slot = this.#nextInBucket[slot] ?? NONE)
      if (this.#hash[slot] === hash && this.#hasPath(slot, bytes, at, length)) return slot
    return NONE
  }

  #hasPath(slot: number, bytes: Buffer, at: number, length: number): boolean {
    const piece = this.#pieceAt(slot)
    const start = this.#at[slot] ?? 0
    if (piece.readInt32BE(start) !== length) return false
    const pathAt = start + 4
    for (let i = 0; i < length; i += 1) if (piece[pathAt + i] !== bytes[at + i]) return false
    return true
  }

  #pieceAt(slot: number): Buffer {
    return this.#pieces[this.#pieceOf[slot] ?? 0] ?? NOTHING
  }

  /** The record of a node that is there, valid until the next call of any method. */
  recordOf(slot: number): NodeRecord {
    const piece = this.#pieceAt(slot)
    this.#record.point(piece, this.#at[slot] ?? 0, piece.length)
    return this.#record
  }

  /** The node as an object, if it was unpacked. */
  znodeOf(slot: number): Znode | undefined {
    return this.#znodes[slot >> CHUNK_BITS]?.[slot & CHUNK_MASK]
  }

  setZnode(slot: number, znode: Znode): void {
    this.#keep(slot, znode)
    znode.joinPacked(this, slot)
  }

  #keep(slot: number, znode: Znode | undefined): void {
    const at = slot >> CHUNK_BITS
    while (this.#znodes.length <= at) this.#znodes.push(undefined)
    let chunk = this.#znodes[at]
    if (chunk === undefined) {
      if (znode === undefined) return
      chunk = new Array<Znode | undefined>(CHUNK_MASK + 1).fill(undefined)
      this.#znodes[at] = chunk
    }
    chunk[slot & CHUNK_MASK] = znode
  }

  isGone(slot: number): boolean {
    return this.#state[slot] === GONE
  }

  /** The node was taken out of the tree. Its parent is told apart from this. */
  remove(slot: number): void {
    if (this.#state[slot] === LISTED) this.#removeFromBucket(slot)
    this.#state[slot] = GONE
    this.#keep(slot, undefined)
    const piece = this.#pieceOf[slot] ?? 0
    const left = (this.#pieceNodes[piece] ?? 0) - 1
    this.#pieceNodes[piece] = left
    if (left === 0) this.#pieces[piece] = NOTHING
  }

  #removeFromBucket(slot: number): void {
    const hash = this.#hash[slot] ?? 0
    const next = this.#nextInBucket[slot] ?? NONE
    let at = this.#bucket(hash)
    if (at === slot) this.#buckets[hash & (this.#buckets.length - 1)] = next
    for (; at !== NONE; at = this.#nextInBucket[at] ?? NONE)
      if (this.#nextInBucket[at] === slot) this.#nextInBucket[at] = next
  }

  /** Makes a node the last child of another. */
  link(parent: number, child: number): void {
    const last = this.#lastChild[parent] ?? NONE
    if (last === NONE) this.#firstChild[parent] = child
    else this.#nextSibling[last] = child
    this.#lastChild[parent] = child
    this.#children[parent] = (this.#children[parent] ?? 0) + 1
  }

  /** Says what is above a node: a slot, or a node that has none. */
  setParent(slot: number, parent: number | Znode): void {
    if (typeof parent === 'number') this.#parent[slot] = parent
    else this.#outerParents.set(slot, parent)
  }

  nodesBelow(slot: number): number {
    return this.#nodesBelow[slot] ?? 0
  }

  bytesBelow(slot: number): number {
    return this.#bytesBelow[slot] ?? 0
  }

  count(slot: number, nodes: number, dataBytes: number): void {
    this.#nodesBelow[slot] = (this.#nodesBelow[slot] ?? 0) + nodes
    this.#bytesBelow[slot] = (this.#bytesBelow[slot] ?? 0) + dataBytes
  }

  countUp(slot: number, nodes: number, dataBytes: number): void {
    this.count(slot, nodes, dataBytes)
    this.countAbove(slot, nodes, dataBytes)
  }

  countAbove(slot: number, nodes: number, dataBytes: number): void {
    let top = slot
    for (let at = this.#parent[slot] ?? NONE; at !== NONE; at = this.#parent[at] ?? NONE) {
      this.count(at, nodes, dataBytes)
      top = at
    }
    if (this.#outerParents.size > 0) this.#outerParents.get(top)?.countBelow(nodes, dataBytes)
  }

  childCount(slot: number): number {
    return this.#children[slot] ?? 0
  }

  /** One of those that are counted here is gone. */
  onChildGone(slot: number): void {
    this.#children[slot] = (this.#children[slot] ?? 0) - 1
  }

  /** Appends the slots of those that are counted here. */
  #pushChildren(slot: number, to: number[]): void {
    if (this.childCount(slot) === 0) return
    let child = this.#firstChild[slot] ?? NONE
    for (; child !== NONE; child = this.#nextSibling[child] ?? NONE)
      if (this.#state[child] !== GONE) to.push(child)
  }

  /** The names of those that are counted here, and from now on no longer are. */
  takeChildNames(slot: number): readonly string[] {
    const slots: number[] = []
    this.#pushChildren(slot, slots)
    const names = slots.map((child) => this.recordOf(child).name)
    this.#children[slot] = 0
    return names
  }
}

const NOTHING: Buffer = Buffer.alloc(0)
