import type { JuteReader, JuteWriter } from 'jute-ts'
import { Err } from '../../data/error-code.ts'
import { OpCode } from '../../data/op-code.ts'
import {
  readAddWatchRequest,
  readCheckWatchesRequest,
  readGetACLRequest,
  readGetAllChildrenNumberRequest,
  readGetEphemeralsRequest,
  readRemoveWatchesRequest,
  readSetWatches,
  readSetWatches2,
  writeACL,
} from '../../data/records.ts'
import { writeStat } from '../../data/stat.ts'
import { AddWatchMode, watcherTypeOf } from '../../data/watch-event.ts'
import type { DataTree } from '../../tree/data-tree.ts'
import type { Znode } from '../../tree/znode.ts'
import { type AccessControl, Perms } from '../auth/access-control.ts'
import { clientInfoOf } from '../auth/client-info.ts'
import type { HeapRoom } from '../bounds/heap-room.ts'
import type { WorkMeter } from '../bounds/work-meter.ts'
import { NamespaceBytes } from '../stats/namespace-bytes.ts'
import type { ServerMetrics } from '../stats/server-metrics.ts'
import type { Cnxn } from './cnxn.ts'
import { answerMultiRead } from './multi-read.ts'
import type { Watches } from './watches.ts'

const NUL = '\0'
/** Two strings and a number: more expensive than to look at them. */
const STEPS_PER_ENTRY_WRITTEN = 4
/** Of a Stat, as the original counts them for what is read. */
const STAT_BYTES = 68
const none: readonly string[] = []

/**
 * Everything that is answered from this member's own tree, in the call that brought it. Each method
 * reads the request's body, writes the reply's, and returns the error code; what was written before
 * an error is discarded by the caller (spec 01 §4).
 */
export class Reads {
  readonly #tree: DataTree
  readonly #watches: Watches
  readonly #access: AccessControl
  readonly #meter: WorkMeter
  readonly #heap: HeapRoom
  readonly #read: NamespaceBytes
  /** Bytes above which the reply to a multiRead is given up: it may ask for one node many times. */
  readonly #replyBytesMax: number

  constructor(
    tree: DataTree,
    watches: Watches,
    access: AccessControl,
    meter: WorkMeter,
    heap: HeapRoom,
    metrics: ServerMetrics,
    replyBytesMax: number,
  ) {
    this.#meter = meter
    this.#heap = heap
    this.#read = new NamespaceBytes(metrics.readPerNamespace)
    this.#tree = tree
    this.#watches = watches
    this.#access = access
    this.#replyBytesMax = replyBytesMax
  }

  answer(op: number, cnxn: Cnxn, r: JuteReader, w: JuteWriter): Err {
    switch (op) {
      case OpCode.getData:
        return this.#getData(cnxn, r, w)
      case OpCode.exists:
        return this.#exists(cnxn, r, w)
      case OpCode.getChildren:
        return this.#getChildren(cnxn, r, w, false)
      case OpCode.getChildren2:
        return this.#getChildren(cnxn, r, w, true)
      case OpCode.ping:
        return Err.ok
      case OpCode.getACL:
        return this.#getAcl(cnxn, r, w)
      case OpCode.multiRead:
        return answerMultiRead(this, cnxn, r, w, this.#replyBytesMax)
      case OpCode.addWatch:
        return this.#addWatch(cnxn, r, w)
      case OpCode.checkWatches:
        return this.#checkWatches(cnxn, r)
      case OpCode.removeWatches:
        return this.#removeWatches(cnxn, r)
      case OpCode.getEphemerals:
        return this.#getEphemerals(cnxn, r, w)
      case OpCode.getAllChildrenNumber:
        return this.#getAllChildrenNumber(cnxn, r, w)
      case OpCode.whoAmI:
        return this.#whoAmI(cnxn, w)
      default:
        return Err.unimplemented
    }
  }

  #mayRead(znode: Znode, cnxn: Cnxn): boolean {
    return this.#access.permits(znode.acl.acl, Perms.read, cnxn.ids)
  }

  #getData(cnxn: Cnxn, r: JuteReader, w: JuteWriter): Err {
    const path = r.readString()
    const watch = r.readBoolean()
    if (!r.ok) return Err.marshallingError
    return this.getData(path, watch, cnxn, w)
  }

  getData(path: string, watch: boolean, cnxn: Cnxn, w: JuteWriter): Err {
    const znode = this.#tree.node(path)
    if (znode === undefined) return Err.noNode
    if (!this.#mayRead(znode, cnxn)) return Err.noAuth
    if (watch && this.#heap.refusesWatch()) return Err.systemError
    if (watch) this.#watches.table.addData(path, cnxn)
    this.#read.add(path, path.length + znode.dataLength + STAT_BYTES)
    znode.writeData(w)
    writeStat(w, znode, this.#tree.visibleOwner(znode))
    return Err.ok
  }

  #exists(cnxn: Cnxn, r: JuteReader, w: JuteWriter): Err {
    const path = r.readString()
    const watch = r.readBoolean()
    if (!r.ok) return Err.marshallingError
    if (path.includes(NUL)) return Err.badArguments
    const znode = this.#tree.node(path)
    if (znode !== undefined && !this.#mayRead(znode, cnxn)) return Err.noAuth
    if (watch && this.#heap.refusesWatch()) return Err.systemError
    if (watch) this.#watches.table.addData(path, cnxn)
    if (znode === undefined) return Err.noNode
    this.#read.add(path, path.length + STAT_BYTES)
    writeStat(w, znode, this.#tree.visibleOwner(znode))
    return Err.ok
  }

  #getChildren(cnxn: Cnxn, r: JuteReader, w: JuteWriter, withStat: boolean): Err {
    const path = r.readString()
    const watch = r.readBoolean()
    if (!r.ok) return Err.marshallingError
    const err = this.getChildren(path, watch, cnxn, w)
    if (err !== Err.ok || !withStat) return err
    const znode = this.#tree.node(path)
    if (znode !== undefined) writeStat(w, znode, this.#tree.visibleOwner(znode))
    return Err.ok
  }

  getChildren(path: string, watch: boolean, cnxn: Cnxn, w: JuteWriter): Err {
    const znode = this.#tree.node(path)
    if (znode === undefined) return Err.noNode
    if (!this.#mayRead(znode, cnxn)) return Err.noAuth
    if (watch && this.#heap.refusesWatch()) return Err.systemError
    if (watch) this.#watches.table.addChild(path, cnxn)
    this.#meter.steps += znode.childCount
    w.writeInt(znode.childCount)
    let bytes = path.length + STAT_BYTES
    for (const name of znode.children ?? none) {
      w.writeString(name)
      bytes += name.length
    }
    this.#read.add(path, bytes)
    return Err.ok
  }

  /** READ or ADMIN may ask; without ADMIN the password hashes are hidden (spec 05 §5). */
  #getAcl(cnxn: Cnxn, r: JuteReader, w: JuteWriter): Err {
    const { path } = readGetACLRequest(r)
    if (!r.ok) return Err.marshallingError
    const znode = this.#tree.node(path)
    if (znode === undefined) return Err.noNode
    const stored = znode.acl.acl
    if (!this.#access.permits(stored, Perms.read | Perms.admin, cnxn.ids)) return Err.noAuth
    const shown = this.#access.permits(stored, Perms.admin, cnxn.ids)
      ? stored
      : this.#access.mask(stored)
    this.#meter.steps += shown.length * STEPS_PER_ENTRY_WRITTEN
    w.writeInt(shown.length)
    for (const entry of shown) writeACL(w, entry)
    writeStat(w, znode, this.#tree.visibleOwner(znode))
    return Err.ok
  }

  /** Writes events, in list order, and no body; the reply comes after them (spec 01 §8). */
  setWatches(op: number, cnxn: Cnxn, r: JuteReader): Err {
    const request =
      op === OpCode.setWatches2
        ? readSetWatches2(r)
        : { ...readSetWatches(r), persistentWatches: none, persistentRecursiveWatches: none }
    if (!r.ok) return Err.marshallingError
    const since = request.relativeZxid
    for (const path of request.dataWatches) this.#watches.replayData(path, since, cnxn)
    for (const path of request.existWatches) this.#watches.replayExist(path, cnxn)
    for (const path of request.childWatches) this.#watches.replayChild(path, since, cnxn)
    for (const path of request.persistentWatches) this.#watches.table.addPersistent(path, cnxn)
    for (const path of request.persistentRecursiveWatches)
      this.#watches.table.addRecursive(path, cnxn)
    return Err.ok
  }

  #addWatch(cnxn: Cnxn, r: JuteReader, w: JuteWriter): Err {
    const { path, mode } = readAddWatchRequest(r)
    if (!r.ok) return Err.marshallingError
    if (this.#heap.refusesWatch()) return Err.systemError
    if (mode === AddWatchMode.Persistent) this.#watches.table.addPersistent(path, cnxn)
    else if (mode === AddWatchMode.PersistentRecursive) this.#watches.table.addRecursive(path, cnxn)
    else return Err.marshallingError
    w.writeInt(Err.ok)
    return Err.ok
  }

  #checkWatches(cnxn: Cnxn, r: JuteReader): Err {
    const request = readCheckWatchesRequest(r)
    const type = watcherTypeOf(request.type)
    if (!r.ok || type === undefined) return Err.marshallingError
    return this.#watches.table.contains(request.path, type, cnxn) ? Err.ok : Err.noWatcher
  }

  #removeWatches(cnxn: Cnxn, r: JuteReader): Err {
    const request = readRemoveWatchesRequest(r)
    const type = watcherTypeOf(request.type)
    if (!r.ok || type === undefined) return Err.marshallingError
    return this.#watches.table.remove(request.path, type, cnxn) ? Err.ok : Err.noWatcher
  }

  /** A plain prefix of the path, whole names or not, as in the original (spec 06 §1.1). */
  #getEphemerals(cnxn: Cnxn, r: JuteReader, w: JuteWriter): Err {
    const { prefixPath } = readGetEphemeralsRequest(r)
    if (!r.ok || cnxn.session === undefined) return Err.marshallingError
    const prefix = prefixPath ?? ''
    const trimmed = prefix.trim()
    const all = trimmed === '' || trimmed === '/'
    const at = w.reserveInt()
    let count = 0
    const paths = this.#tree.ephemeralsOf(cnxn.session.id)
    this.#meter.steps += paths.size
    for (const path of paths) {
      if (!all && !path.startsWith(prefix)) continue
      w.writeString(path)
      count += 1
    }
    w.patchInt(at, count)
    return Err.ok
  }

  #getAllChildrenNumber(cnxn: Cnxn, r: JuteReader, w: JuteWriter): Err {
    const { path } = readGetAllChildrenNumberRequest(r)
    if (!r.ok) return Err.marshallingError
    const znode = this.#tree.node(path)
    if (znode === undefined) return Err.noNode
    if (!this.#mayRead(znode, cnxn)) return Err.noAuth
    w.writeInt(this.#tree.descendantCount(path))
    return Err.ok
  }

  #whoAmI(cnxn: Cnxn, w: JuteWriter): Err {
    w.writeInt(cnxn.ids.length)
    for (const id of cnxn.ids) {
      const info = clientInfoOf(id)
      w.writeString(info.authScheme)
      w.writeString(info.user)
    }
    return Err.ok
  }
}
