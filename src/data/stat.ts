import type { JuteWriter } from 'jute-ts'

/** What every form of a Stat holds: on the wire, on the disk, in the digest, in the tree. */
export interface StatFields {
  readonly czxid: number
  readonly mzxid: number
  readonly pzxid: number
  readonly ctime: number
  readonly mtime: number
  readonly version: number
  /** Raw: clients see twice this minus the number of children (spec 05 §2). */
  readonly cversion: number
  readonly aversion: number
}

/** What a client's Stat is made of; a Znode has all of it. */
interface StatSource extends StatFields {
  readonly dataLength: number
  readonly childCount: number
}

/** The Stat of a node straight into a reply; `owner` is what clients may see of ephemeralOwner. */
export function writeStat(w: JuteWriter, node: StatSource, owner: bigint): void {
  w.writeNumber(node.czxid)
  w.writeNumber(node.mzxid)
  w.writeNumber(node.ctime)
  w.writeNumber(node.mtime)
  w.writeInt(node.version)
  w.writeInt((node.cversion * 2 - node.childCount) | 0)
  w.writeInt(node.aversion)
  if (owner === 0n) w.writeNumber(0)
  else w.writeLong(owner)
  w.writeInt(node.dataLength)
  w.writeInt(node.childCount)
  w.writeNumber(node.pzxid)
}
