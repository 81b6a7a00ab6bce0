import type { Summary } from '../../base/metrics.ts'
import { EventType, KeeperState } from '../../data/watch-event.ts'
import type { ChangeListener } from '../../tree/apply.ts'
import type { DataTree } from '../../tree/data-tree.ts'
import { WatchTable } from '../../tree/watch-table.ts'
import type { AclEntry, Znode } from '../../tree/znode.ts'
import { type AccessControl, Perms } from '../auth/access-control.ts'
import type { WorkMeter } from '../bounds/work-meter.ts'
import type { ServerMetrics } from '../stats/server-metrics.ts'
import type { ServerStats } from '../stats/server-stats.ts'
import type { Cnxn } from './cnxn.ts'
import type { Outbox } from './outbox.ts'

const XID_EVENT = -1
/** What a changed node costs, and an event that is sent, in steps of WorkMeter. */
const CHANGE_STEPS = 40
const EVENT_STEPS = 20
/** What is replayed for setWatches belongs to no txn (spec 06 §4). */
const NO_ZXID = -1

/**
 * The watches of this member's clients. Apply reports each change; events go to the outbox at once,
 * which puts them before any reply that shows the change (spec 05 §1).
 */
export class Watches implements ChangeListener {
  readonly table: WatchTable<Cnxn> = new WatchTable()
  readonly #tree: DataTree
  readonly #access: AccessControl
  readonly #outbox: Outbox
  readonly #meter: WorkMeter
  /** Since 3.9 an event carries the zxid of its txn (ZOOKEEPER-4655). */
  #zxid = NO_ZXID
  readonly #stats: ServerStats
  readonly #metrics: ServerMetrics
  /** Watchers of the change that is being reported, and of the list of children that it changes. */
  #watchers = 0
  #childWatchers = 0
  #acl: AclEntry | undefined
  #parentAcl: AclEntry | undefined

  constructor(
    tree: DataTree,
    access: AccessControl,
    outbox: Outbox,
    meter: WorkMeter,
    stats: ServerStats,
    metrics: ServerMetrics,
  ) {
    this.#tree = tree
    this.#access = access
    this.#outbox = outbox
    this.#meter = meter
    this.#stats = stats
    this.#metrics = metrics
  }

  created(
    path: string,
    parent: string,
    { acl }: Znode,
    parentAcl: AclEntry | undefined,
    zxid: number,
  ): void {
    this.#meter.steps += CHANGE_STEPS
    if (this.table.watchCount === 0) return
    this.#zxid = zxid
    this.#acl = acl
    this.#parentAcl = parentAcl
    this.table.triggerCreated(path, parent, this.#deliver)
    this.#count(this.#metrics.nodeCreatedWatchCount)
  }

  deleted(
    path: string,
    parent: string,
    { acl }: Znode,
    parentAcl: AclEntry | undefined,
    zxid: number,
  ): void {
    this.#meter.steps += CHANGE_STEPS
    if (this.table.watchCount === 0) return
    this.#zxid = zxid
    this.#acl = acl
    this.#parentAcl = parentAcl
    this.table.triggerDeleted(path, parent, this.#deliver)
    this.#count(this.#metrics.nodeDeletedWatchCount)
  }

  dataChanged(path: string, { acl }: Znode, zxid: number): void {
    this.#meter.steps += CHANGE_STEPS
    if (this.table.watchCount === 0) return
    this.#zxid = zxid
    this.#acl = acl
    this.table.triggerDataChanged(path, this.#deliver)
    this.#count(this.#metrics.nodeChangedWatchCount)
  }

  /** As in the original, nothing is counted where nobody watches. */
  #count(metric: Summary): void {
    if (this.#watchers > 0) metric.add(this.#watchers)
    if (this.#childWatchers > 0) this.#metrics.nodeChildrenWatchCount.add(this.#childWatchers)
    this.#watchers = 0
    this.#childWatchers = 0
  }

  /** Only to those who may read the node; a list of children is its parent's (CVE-2024-23944). */
  readonly #deliver = (cnxn: Cnxn, type: EventType, path: string): void => {
    const isOfChildren = type === EventType.NodeChildrenChanged
    if (isOfChildren) this.#childWatchers += 1
    else this.#watchers += 1
    const acl = isOfChildren ? this.#parentAcl : this.#acl
    if (acl !== undefined && !this.#access.permits(acl.acl, Perms.read, cnxn.ids)) return
    this.#send(cnxn, type, path, this.#zxid)
  }

  #send(cnxn: Cnxn, type: EventType, path: string, zxid: number): void {
    this.#meter.steps += EVENT_STEPS
    const w = this.#outbox.begin(cnxn)
    const at = w.reserveInt()
    w.writeInt(XID_EVENT)
    w.writeNumber(zxid)
    w.writeInt(0)
    w.writeInt(type)
    w.writeInt(KeeperState.SyncConnected)
    w.writeString(path)
    w.patchLength(at)
    cnxn.stats.packetsSent += 1
    this.#stats.packetsSent += 1
    this.#metrics.watchBytes.add(w.length - at)
  }

  /** setWatches of a client that comes back: what it missed is sent, what it has not is watched. */
  replayData(path: string, relativeZxid: number, cnxn: Cnxn): void {
    const znode = this.#tree.node(path)
    if (znode === undefined) this.#replay(cnxn, EventType.NodeDeleted, path, undefined)
    else if (znode.mzxid > relativeZxid)
      this.#replay(cnxn, EventType.NodeDataChanged, path, znode.acl)
    else this.table.addData(path, cnxn)
  }

  replayExist(path: string, cnxn: Cnxn): void {
    const znode = this.#tree.node(path)
    if (znode === undefined) this.table.addData(path, cnxn)
    else this.#replay(cnxn, EventType.NodeCreated, path, znode.acl)
  }

  replayChild(path: string, relativeZxid: number, cnxn: Cnxn): void {
    const znode = this.#tree.node(path)
    if (znode === undefined) this.#replay(cnxn, EventType.NodeDeleted, path, undefined)
    else if (znode.pzxid > relativeZxid)
      this.#replay(cnxn, EventType.NodeChildrenChanged, path, znode.acl)
    else this.table.addChild(path, cnxn)
  }

  #replay(cnxn: Cnxn, type: EventType, path: string, acl: AclEntry | undefined): void {
    if (acl !== undefined && !this.#access.permits(acl.acl, Perms.read, cnxn.ids)) return
    this.#send(cnxn, type, path, NO_ZXID)
  }
}
