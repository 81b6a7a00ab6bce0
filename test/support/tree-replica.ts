import { JuteWriter } from 'jute-ts'
import type { SnapshotSink } from '../../src/quorum/ports/replica.ts'
import { SNAP_SIGNATURE } from '../../src/quorum/wire/packets.ts'
import { DataTree } from '../../src/tree/data-tree.ts'
import { TreeDump } from '../../src/tree/snapshot-codec.ts'
import { TreeReceiver } from '../../src/tree/tree-receiver.ts'
import { MemoryReplica } from './memory-replica.ts'

const newTree = (): DataTree =>
  new DataTree({ extendedTypesEnabled: true, emulate353TtlNodes: false }, true)

/** A replica in memory that takes a SNAP of the real format, and otherwise does nothing with it. */
export class TreeReplica extends MemoryReplica {
  tree: DataTree = newTree()

  override receiveSnapshot(zxid: number): SnapshotSink {
    super.receiveSnapshot(zxid)
    this.tree = newTree()
    return new TreeReceiver(this.tree)
  }
}

/** What follows the packet SNAP for an empty tree. */
export function treeStream(): Buffer {
  const w = new JuteWriter()
  new TreeDump(newTree(), new Map([[5n, 4000]])).writeSlice(w, Infinity)
  w.writeString(SNAP_SIGNATURE)
  return w.copy()
}
