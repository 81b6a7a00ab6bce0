import { JuteWriter } from 'jute-ts'
import type { SnapshotFeed } from '../../quorum/ports/replica.ts'
import type { DataTree } from '../../tree/data-tree.ts'
import { TreeDump } from '../../tree/snapshot-codec.ts'
import type { SessionTracker } from '../sessions/session-tracker.ts'

/** The records of the tree for a learner, as it goes on changing (spec 04 §5). */
export function snapshotFeedOf(
  tree: DataTree,
  sessions: SessionTracker,
  sliceBytes: number,
): SnapshotFeed {
  const timeouts = [...sessions.all].map(([id, { timeoutMs }]) => [id, timeoutMs] as const)
  const dump = new TreeDump(tree, timeouts)
  let isDone = false
  return {
    zxid: dump.zxid,
    next(): Buffer | undefined {
      if (isDone) return undefined
      const w = new JuteWriter(sliceBytes + sliceBytes / 8)
      isDone = dump.writeSlice(w, sliceBytes)
      return w.bytes()
    },
    close(): void {
      isDone = true
      dump.close()
    },
  }
}
