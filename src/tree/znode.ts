import type { ACL } from '../data/records.ts'

/** An access control list, held once however many nodes share it. */
export interface AclEntry {
  readonly acl: readonly ACL[]
  readonly key: string
  nodes: number
}

/** One node of the tree: the persisted fields of its Stat, its data, and the names below it. */
export class Znode {
  data: Buffer | null
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
  children: Set<string> | undefined = undefined
  /** CRC32 of the node as an int32, see digest.ts. Kept so that a change need not recompute it. */
  digest = 0

  constructor(data: Buffer | null, acl: AclEntry, owner: bigint, zxid: number, timeMs: number) {
    this.data = data
    this.acl = acl
    this.ephemeralOwner = owner
    this.czxid = zxid
    this.mzxid = zxid
    this.pzxid = zxid
    this.ctime = timeMs
    this.mtime = timeMs
  }

  get childCount(): number {
    return this.children === undefined ? 0 : this.children.size
  }

  addChild(name: string): void {
    if (this.children === undefined) this.children = new Set()
    this.children.add(name)
  }

  removeChild(name: string): void {
    if (this.children?.delete(name) && this.children.size === 0) this.children = undefined
  }
}
