import type { JuteReader } from 'jute-ts'
import { crc32 } from '../base/crc32.ts'
import { type ACL, readACL } from '../data/records.ts'
import type { SessionId } from '../data/session-id.ts'
import type { DataTree } from './data-tree.ts'
import { isEndPath, NodeRecord } from './node-record.ts'
import type { PackedNodes } from './packed-nodes.ts'
import { OPEN_ACL_KEY } from './snapshot-records.ts'
import type { AclEntry, Znode } from './znode.ts'

export { TreeDump } from './tree-dump.ts'

const ACL_BYTES_MIN = 12

/**
 * Where the records come from: bytes that arrive in pieces. The tree keeps the data of its nodes where
 * it stands in them, so the reader's buffers must not be written into again.
 */
export interface RecordInput {
  readonly reader: JuteReader
  /**
   * The reader has failed in a record that began at `at`: makes more bytes of it available, and the
   * reader stand at its beginning. False: there are none, the record is cut short or damaged.
   */
  more(at: number): boolean
}

export interface LoadedTree {
  /** Timeouts in ms. */
  readonly sessions: Map<SessionId, number>
  /** The largest zxid in any node: a fuzzy snapshot holds more than its name says. */
  readonly zxidMax: number
}

/** Fills a new tree. A string says why the records cannot be what a server has dumped. */
export function loadTree(input: RecordInput, tree: DataTree): LoadedTree | string {
  const load = new TreeLoad(input.reader, tree)
  for (;;) {
    const result = load.run()
    if (result !== undefined) return result
    if (!input.more(load.recordAt)) return load.cutShort
  }
}

/** Nobody may do anything but the super user: for a key that the table lacks. */
const lockedAcl: readonly ACL[] = [{ perms: 0, id: { scheme: 'world', id: 'anyone' } }]

/**
 * Fills a new tree with as many records as there are, and goes on when there are more: so a file
 * that is read, and a stream that arrives, are loaded by the same code.
 */
export class TreeLoad {
  readonly #reader: JuteReader
  readonly #tree: DataTree
  readonly #sessions = new Map<SessionId, number>()
  readonly #acls = new Map<number, readonly ACL[]>()
  #step: 'sessions' | 'acls' | 'nodes' = 'sessions'
  /** Sessions or ACLs of this step that are still to come. Undefined: their number is, too. */
  #left: number | undefined = undefined
  #zxidMax = 0
  /** Where the record begins that had not all arrived. */
  recordAt = 0
  /** The node at hand. */
  readonly #record = new NodeRecord()
  readonly #packed: PackedNodes
  /** Most nodes have the parent of the one before: here stands its path. */
  #parentBuffer: Buffer = NO_BYTES
  #parentAt = 0
  #parentBytes = -1
  #parentSlot = NO_SLOT
  /** If it has no slot, since the snapshot does not hold it. */
  #parent: Znode | undefined = undefined
  #isRootLoaded = false

  constructor(reader: JuteReader, tree: DataTree) {
    this.#reader = reader
    this.#tree = tree
    this.#packed = tree.packedNodes()
  }

  /**
   * Undefined: the reader has failed in a record, to be called again once it stands at `recordAt` of
   * the same bytes and has more behind them. A string says what is wrong. Else the reader stands
   * behind the last record.
   */
  run(): LoadedTree | string | undefined {
    if (this.#step === 'sessions') {
      const end = this.#readList(this.#readSession)
      if (end !== true) return end
      this.#step = 'acls'
    }
    if (this.#step === 'acls') {
      const end = this.#readList(this.#readAcl)
      if (end !== true) return end
      this.#step = 'nodes'
    }
    const end = this.#readNodes()
    return end === true ? { sessions: this.#sessions, zxidMax: this.#zxidMax } : end
  }

  /** What is wrong when nothing follows any more. */
  get cutShort(): string {
    if (this.#step === 'nodes') return 'the list of nodes is cut short'
    if (this.#left === undefined) return `the number of ${this.#step} is missing`
    return `the list of ${this.#step} is cut short`
  }

  /** True: it is complete. */
  #readList(readEntry: (r: JuteReader) => void): string | true | undefined {
    const r = this.#reader
    if (this.#left === undefined) {
      this.recordAt = r.at
      const count = r.readInt()
      if (!r.ok) return undefined
      if (count < 0) return `the number of ${this.#step} is negative`
      this.#left = count
    }
    for (; this.#left > 0; this.#left -= 1) {
      this.recordAt = r.at
      readEntry(r)
      if (!r.ok) return undefined
    }
    this.#left = undefined
    return true
  }

  readonly #readSession = (r: JuteReader): void => {
    const id = r.readLong()
    const timeoutMs = r.readInt()
    if (r.ok) this.#sessions.set(id, timeoutMs)
  }

  readonly #readAcl = (r: JuteReader): void => {
    const key = r.readNumber()
    const acl: ACL[] = []
    const entries = r.readVectorCount(ACL_BYTES_MIN)
    for (let k = 0; k < entries && r.ok; k += 1) acl.push(readACL(r))
    if (r.ok) this.#acls.set(key, acl)
  }

  /** True: they are complete. */
  #readNodes(): string | true | undefined {
    const r = this.#reader
    const record = this.#record
    if (!r.ok) return undefined
    for (;;) {
      if (isEndPath(r.buffer, r.at, r.end)) {
        r.at += END_PATH_BYTES
        return true
      }
      const shape = record.point(r.buffer, r.at, r.end)
      if (shape === 'absurd') return 'a node has a length that no server writes'
      if (shape === 'partial') {
        this.recordAt = r.at
        r.fail()
        return undefined
      }
      const problem = record.isSane ? this.#put(record) : 'has a number that no server gives out'
      if (problem !== undefined) return `node ${record.path} ${problem}`
      this.#zxidMax = Math.max(this.#zxidMax, record.zxidMax)
      r.at = record.end
    }
  }

  #put(record: NodeRecord): string | undefined {
    if (record.pathBytes === 0) return this.#putRoot(record)
    const { parentBytes } = record
    if (parentBytes < 0) return 'has no valid path'
    if (parentBytes + 1 === record.pathBytes) return 'has no name'
    if (!this.#isParentOf(record, parentBytes) && !this.#findParent(record, parentBytes))
      return 'stands before its parent'
    const hash = record.pathCrc
    const isListed = record.isPathAscii && !record.isInternal
    if (isListed && this.#isThere(record, hash)) return 'stands there twice'
    const slot = this.#packed.add(record, isListed ? hash : undefined)
    if (this.#parentSlot >= 0) this.#packed.setParent(slot, this.#parentSlot)
    else if (this.#parent !== undefined) this.#packed.setParent(slot, this.#parent)
    if (this.#packed.isListed(slot)) {
      this.#aclOf(record.aclKey)
      this.#tree.countPacked(record, this.#tree.digestEnabled ? record.digest(hash) : 0)
      this.#addToParent(slot, record)
      return undefined
    }
    return this.#putObject(record, hash, slot)
  }

  #isThere(record: NodeRecord, hash: number): boolean {
    const { buffer, pathAt, pathBytes } = record
    if (this.#packed.findBytes(buffer, pathAt, pathBytes, hash) >= 0) return true
    return this.#packed.overflowed > 0 && this.#tree.node(record.path) !== undefined
  }

  /** What the tree cannot find by its record is made an object at once. */
  #putObject(record: NodeRecord, hash: number, slot: number): string | undefined {
    const znode = record.toZnode(this.#aclOf(record.aclKey))
    this.#packed.setZnode(slot, znode)
    const isCounted = this.#tree.digestEnabled && !record.isUncounted
    const loaded = this.#tree.load(record.path, znode, isCounted ? record.digest(hash) : 0)
    if (loaded === 'new') this.#addToParent(slot, record)
    return loaded === 'twice' ? 'stands there twice' : undefined
  }

  #putRoot(record: NodeRecord): string | undefined {
    if (this.#isRootLoaded) return 'stands there twice'
    this.#isRootLoaded = true
    const znode = record.toZnode(this.#aclOf(record.aclKey))
    this.#tree.loadRoot(znode, this.#tree.digestEnabled ? record.digest(0) : 0)
    this.#packed.setZnode(this.#packed.add(record, undefined), znode)
    this.#parentBytes = -1
    return undefined
  }

  #isParentOf(record: NodeRecord, parentBytes: number): boolean {
    if (parentBytes !== this.#parentBytes) return false
    const { buffer, pathAt } = record
    for (let i = 0; i < parentBytes; i += 1)
      if (buffer[pathAt + i] !== this.#parentBuffer[this.#parentAt + i]) return false
    return true
  }

  #findParent({ buffer, pathAt }: NodeRecord, bytes: number): boolean {
    this.#parentBuffer = buffer
    this.#parentAt = pathAt
    this.#parentBytes = bytes
    this.#parent = undefined
    const hash = crc32(buffer, pathAt, pathAt + bytes)
    this.#parentSlot = this.#packed.findBytes(buffer, pathAt, bytes, hash)
    if (this.#parentSlot >= 0) return true
    this.#parent = this.#tree.node(buffer.toString(undefined, pathAt, pathAt + bytes))
    this.#parentSlot = this.#parent?.slot ?? NO_SLOT
    return this.#parent !== undefined
  }

  #addToParent(slot: number, record: NodeRecord): void {
    if (this.#parentSlot >= 0) this.#packed.link(this.#parentSlot, slot)
    else this.#parent?.addChild(record.name)
    this.#packed.countAbove(slot, 1, Math.max(0, record.dataBytes))
  }

  /** One node more has the ACL of this key. */
  #aclOf(key: number): AclEntry {
    if (key === OPEN_ACL_KEY) return this.#tree.acls.open
    const known = this.#packed.aclOf(key)
    if (known !== undefined) return this.#tree.acls.share(known)
    // A snapshot of the original may name one that came after its table; the replay sets it again.
    const entry = this.#tree.acls.acquire(this.#acls.get(key) ?? lockedAcl)
    this.#packed.setAcl(key, entry)
    return entry
  }
}

const NO_BYTES: Buffer = Buffer.alloc(0)
const NO_SLOT = -1
/** A length, and a slash. */
const END_PATH_BYTES = 5
