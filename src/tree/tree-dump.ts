import type { JuteWriter } from 'jute-ts'
import { assert } from '../base/assert.ts'
import { writeACL } from '../data/records.ts'
import type { SessionId } from '../data/session-id.ts'
import type { DataTree } from './data-tree.ts'
import type { NodeRecord } from './node-record.ts'
import { Preimages } from './preimages.ts'
import { END_PATH, OPEN_ACL_KEY, ROOT_RECORD_PATH } from './snapshot-records.ts'
import type { TreeWalk } from './tree-walk.ts'
import type { AclEntry, Znode } from './znode.ts'

/** Sessions or ACLs between two looks at the budget. */
const ENTRIES_PER_STEP = 64
const NO_RECORD: Buffer = Buffer.alloc(0)
/**
 * Bytes of records that a dump of one moment may remember of what has changed since it began.
 * @bound bytes: the dump fails
 */
const PREIMAGE_BYTES_MAX: number = 256 * 1024 * 1024

/**
 * Dumps a tree in slices, while it goes on changing. Fuzzy unless asked otherwise: what replaying the
 * txns above `zxid` brings back may be missing or already there, and nothing else. A backup has no
 * log to replay: an `exact` one is the tree as it was when the dump began.
 *
 * - The nodes are those of the tree's own map, in the order in which they came into it. So a parent
 *   stands before its children, no list of paths is made, and the cost of a slice does not depend on
 *   the size of the tree.
 * - A node that goes before it is reached is missing; the replay deletes it again, which is nothing.
 * - With the first node that was created after `zxid` the dump ends: all that follow are as new, and
 *   the replay creates them. So no path comes twice, which the original would not survive unharmed
 *   (the index of ephemerals would keep the node of a session that has ended).
 * - A node that changed meanwhile is dumped as it is now; txns carry absolute values.
 * - The table of ACLs stands before the nodes, so an ACL that is set meanwhile is not in it: the node
 *   is dumped with the one that it had.
 * - An exact one keeps the records of nodes that change or go before it comes to them, and dumps those.
 */
export class TreeDump {
  /** What had been applied when the dump began. */
  readonly zxid: number
  readonly #tree: DataTree
  readonly #sessions: readonly (readonly [SessionId, number])[]
  readonly #acls: readonly AclEntry[]
  readonly #keys: ReadonlyMap<AclEntry, number>
  readonly #walk: TreeWalk
  readonly #replacedAcls = new Map<Znode, AclEntry>()
  readonly #replacements: number
  readonly #preimages: Preimages | undefined
  readonly #number: number
  readonly #digest: bigint
  #step: 'sessions' | 'acls' | 'nodes' | 'rest' | 'done' = 'sessions'
  #at = 0
  #rest: readonly Buffer[] = []
  #hasForgotten = false

  /**
   * `sessions` with their timeouts in ms. To be closed when it is not needed any more. Only one at a
   * time may be exact.
   */
  constructor(
    tree: DataTree,
    sessions: Iterable<readonly [SessionId, number]>,
    mode: 'fuzzy' | 'exact' = 'fuzzy',
  ) {
    this.#tree = tree
    this.zxid = tree.lastProcessedZxid
    this.#replacements = tree.replacements
    this.#digest = tree.digest.toBigInt()
    this.#sessions = [...sessions]
    this.#acls = [...tree.acls.entries()]
    this.#keys = new Map(this.#acls.map((entry, index) => [entry, index + 1]))
    this.#walk = tree.walk()
    tree.aclListeners.add(this.#onAclReplaced)
    this.#number = 0
    if (mode === 'fuzzy') return
    assert(tree.beforeChange === undefined, 'another dump of one moment is under way')
    this.#number = tree.numberDump()
    this.#preimages = new Preimages(this.#writeNode, PREIMAGE_BYTES_MAX)
    tree.beforeChange = this.#onChange
  }

  /** What stands in the tail: the zxid that the nodes were last changed at, and their digest. */
  tail(): { readonly zxid: number; readonly digest: bigint } {
    if (this.#number > 0) return { zxid: this.zxid, digest: this.#digest }
    return { zxid: this.#tree.lastProcessedZxid, digest: this.#tree.digest.toBigInt() }
  }

  /** Why this dump is of no use, even if it is complete. */
  get problem(): string | undefined {
    if (this.#tree.replacements !== this.#replacements) return 'the database was replaced meanwhile'
    return this.#hasForgotten ? 'too much has changed while it was written' : undefined
  }

  readonly #onChange = (path: string, znode: Znode): void => {
    if (this.#hasPassed(znode) || znode.czxid > this.zxid) return
    this.#preimages?.keep(path, znode)
  }

  #hasPassed(znode: Znode): boolean {
    return znode.isLoaded ? this.#walk.hasReached(znode) : znode.dumpedBy === this.#number
  }

  readonly #onAclReplaced = (znode: Znode, before: AclEntry): void => {
    if (!this.#replacedAcls.has(znode)) this.#replacedAcls.set(znode, before)
  }

  /** The tree no longer takes note of this dump. */
  close(): void {
    this.#step = 'done'
    this.#tree.aclListeners.delete(this.#onAclReplaced)
    this.#replacedAcls.clear()
    if (this.#tree.beforeChange === this.#onChange) this.#tree.beforeChange = undefined
    this.#preimages?.clear()
    this.#rest = []
  }

  /** Appends records until `w` holds `bytesMax` bytes or a little more. True: that was the last. */
  writeSlice(w: JuteWriter, bytesMax: number): boolean {
    if (this.#preimages?.isFull) this.#hasForgotten = true
    if (this.problem !== undefined) this.close()
    while (w.length < bytesMax && this.#step !== 'done') {
      if (this.#step === 'sessions') this.#writeSessions(w)
      else if (this.#step === 'acls') this.#writeAcls(w)
      else if (this.#step === 'nodes') this.#writeNodes(w, bytesMax)
      else this.#writeRest(w, bytesMax)
    }
    return this.#step === 'done'
  }

  #writeSessions(w: JuteWriter): void {
    if (this.#at === 0) w.writeInt(this.#sessions.length)
    const end = this.#at + ENTRIES_PER_STEP
    for (const [id, timeoutMs] of this.#sessions.slice(this.#at, end)) {
      w.writeLong(id)
      w.writeInt(timeoutMs)
    }
    this.#advance(end, this.#sessions.length, 'acls')
  }

  #writeAcls(w: JuteWriter): void {
    if (this.#at === 0) w.writeInt(this.#acls.length)
    const end = this.#at + ENTRIES_PER_STEP
    for (const [offset, { acl }] of this.#acls.slice(this.#at, end).entries()) {
      w.writeNumber(this.#at + offset + 1)
      w.writeInt(acl.length)
      for (const one of acl) writeACL(w, one)
    }
    this.#advance(end, this.#acls.length, 'nodes')
  }

  #advance(end: number, length: number, next: 'acls' | 'nodes'): void {
    this.#at = end
    if (end < length) return
    this.#at = 0
    this.#step = next
  }

  #writeNodes(w: JuteWriter, bytesMax: number): void {
    const walk = this.#walk
    while (w.length < bytesMax) {
      if (!walk.next() || this.#isLater(walk.znode)) {
        this.#step = 'rest'
        this.#rest = this.#preimages?.takeRest() ?? []
        return
      }
      const { znode } = walk
      if (znode === undefined) this.#writeRecord(w, walk.record)
      else if (this.#preimages === undefined) this.#writeNode(w, walk.path, znode)
      else this.#writeAsItWas(w, walk.path, znode, this.#preimages)
    }
  }

  /** It was created after the dump began, and so was all that the walk still comes to. */
  #isLater(znode: Znode | undefined): boolean {
    return znode !== undefined && !znode.isLoaded && znode.czxid > this.zxid
  }

  #writeRecord(w: JuteWriter, record: NodeRecord | undefined): void {
    if (record === undefined) return
    const { aclKey } = record
    if (aclKey === OPEN_ACL_KEY) record.writeTo(w, OPEN_ACL_KEY)
    else {
      const entry = this.#tree.packedNodes().aclOf(aclKey)
      record.writeTo(
        w,
        entry === undefined ? OPEN_ACL_KEY : (this.#keys.get(entry) ?? OPEN_ACL_KEY),
      )
    }
  }

  /** From now on the node may change. */
  #writeAsItWas(w: JuteWriter, path: string, znode: Znode, preimages: Preimages): void {
    znode.dumpedBy = this.#number
    const preimage = preimages.take(znode)
    if (preimage === undefined) this.#writeNode(w, path, znode)
    else w.writeBytes(preimage)
  }

  #writeRest(w: JuteWriter, bytesMax: number): void {
    for (; this.#at < this.#rest.length && w.length < bytesMax; this.#at += 1)
      w.writeBytes(this.#rest[this.#at] ?? NO_RECORD)
    if (this.#at < this.#rest.length) return
    w.writeString(END_PATH)
    this.close()
  }

  readonly #writeNode = (w: JuteWriter, path: string, znode: Znode): void => {
    w.writeString(path === '/' ? ROOT_RECORD_PATH : path)
    znode.writeData(w)
    w.writeNumber(this.#keyOf(znode))
    w.writeNumber(znode.czxid)
    w.writeNumber(znode.mzxid)
    w.writeNumber(znode.ctime)
    w.writeNumber(znode.mtime)
    w.writeInt(znode.version)
    w.writeInt(znode.cversion)
    w.writeInt(znode.aversion)
    if (znode.ephemeralOwner === 0n) w.writeNumber(0)
    else w.writeLong(znode.ephemeralOwner)
    w.writeNumber(znode.pzxid)
  }

  #keyOf(znode: Znode): number {
    const entry = this.#replacedAcls.get(znode) ?? znode.acl
    return this.#keys.get(entry) ?? OPEN_ACL_KEY
  }
}
