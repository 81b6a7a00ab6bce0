import type { JuteReader } from 'jute-ts'
import { type ACL, readACL } from '../data/records.ts'
import type { SessionId } from '../data/session-id.ts'
import type { DataTree } from './data-tree.ts'
import { persistedDigest } from './digest.ts'
import { END_PATH, OPEN_ACL_KEY, ROOT_RECORD_PATH } from './snapshot-records.ts'
import { type AclEntry, Znode } from './znode.ts'

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

/** No path is this, nor begins with it. */
const NO_PATH = '\0'
/** The key of the ACL, and StatPersisted. */
const KEY_AND_STAT_BYTES = 68
const NO_DATA: Buffer = Buffer.alloc(0)
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
  /** Most nodes have the parent of the one before. */
  #parentPath = NO_PATH
  #parent: Znode | undefined = undefined
  /** And its ACL. */
  #aclKey = OPEN_ACL_KEY
  #acl: AclEntry

  constructor(reader: JuteReader, tree: DataTree) {
    this.#reader = reader
    this.#tree = tree
    this.#acl = tree.acls.open
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
    for (;;) {
      const at = r.at
      const pathBytes = r.readInt()
      const path = this.#readPath(r, pathBytes)
      if (r.ok && path === END_PATH) return true
      const dataBytes = r.readInt()
      const dataAt = r.at
      if (dataBytes > 0 && r.ok) r.at = dataAt + dataBytes
      const statAt = r.at
      if (pathBytes < 0 || dataBytes < -1) return 'a node has a length that no server writes'
      if (!r.ok || statAt + KEY_AND_STAT_BYTES > r.end) {
        if (r.ok) r.fail()
        this.recordAt = at
        return undefined
      }
      const znode = this.#readStat(r, dataBytes < 0 ? null : NO_DATA)
      if (dataBytes > 0) znode.setDataIn(r.buffer, dataAt - 4)
      if (!r.ok) return `node ${path} has a number that no server gives out`
      const pathAt = at + 4
      const digest = this.#tree.digestEnabled
        ? persistedDigest(r.buffer, path, pathAt, pathBytes, dataAt, dataBytes, statAt + 8)
        : 0
      const problem = this.#put(path, znode, digest)
      if (problem !== undefined) return `node ${path} ${problem}`
    }
  }

  #readPath(r: JuteReader, bytes: number): string {
    const at = r.at
    if (!r.ok || bytes < 0 || at + bytes > r.end) {
      r.fail()
      return ''
    }
    r.at = at + bytes
    return r.buffer.toString(undefined, at, at + bytes)
  }

  #readStat(r: JuteReader, data: Buffer | null): Znode {
    const acl = this.#aclOf(r.readNumber())
    const czxid = r.readNumber()
    const znode = new Znode(data, acl, 0n, czxid, 0)
    znode.mzxid = r.readNumber()
    znode.ctime = r.readNumber()
    znode.mtime = r.readNumber()
    znode.version = r.readInt()
    znode.cversion = r.readInt()
    znode.aversion = r.readInt()
    znode.ephemeralOwner = r.readLong()
    znode.pzxid = r.readNumber()
    this.#zxidMax = Math.max(this.#zxidMax, czxid, znode.mzxid, znode.pzxid)
    return znode
  }

  #aclOf(key: number): AclEntry {
    if (key === OPEN_ACL_KEY) return this.#tree.acls.open
    if (key === this.#aclKey) return this.#tree.acls.share(this.#acl)
    // A snapshot of the original may name one that came after its table; the replay sets it again.
    this.#acl = this.#tree.acls.acquire(this.#acls.get(key) ?? lockedAcl)
    this.#aclKey = key
    return this.#acl
  }

  #put(path: string, znode: Znode, digest: number): string | undefined {
    const slash = path.lastIndexOf('/')
    if (slash < 0) {
      if (path !== ROOT_RECORD_PATH) return 'has no valid path'
      this.#tree.loadRoot(znode, digest)
      this.#parentPath = NO_PATH
      return undefined
    }
    if (slash === path.length - 1) return 'has no name'
    if (slash !== this.#parentPath.length || !path.startsWith(this.#parentPath)) {
      this.#parentPath = path.slice(0, slash)
      this.#parent = this.#tree.node(this.#parentPath)
    }
    if (this.#parent === undefined) return 'stands before its parent'
    const isNew = this.#tree.load(path, znode, this.#parent, path.slice(slash + 1), digest)
    return isNew ? undefined : 'stands there twice'
  }
}
