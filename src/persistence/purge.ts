import type { DiskReader } from './disk.ts'
import { logsToReplay } from './recovery.ts'
import { precheckSnapshot } from './snapshot-source.ts'

/**
 * Names of the files that nobody needs who may fall back to any of the newest `retain` snapshots
 * that look whole. A log is needed if it may hold a txn behind the oldest of them: also the one whose
 * name is older, since the snapshot began in the middle of it. The oldest come first, so that what a
 * crash leaves of a purge is a state like any other.
 */
export function planPurge(disk: DiskReader, retain: number): readonly string[] {
  const snapshots = disk.listSnapshots()
  const whole = snapshots.filter((file) => precheckSnapshot(disk, file) === undefined)
  const oldest = whole.at(-retain)
  // With fewer than that nothing is too much. What is not whole may be about to be looked into.
  if (oldest === undefined) return []
  const logs = disk.listLogs()
  const needed = new Set(logsToReplay(logs, oldest.zxid).map(({ name }) => name))
  const doomed = [
    ...snapshots.filter(({ zxid }) => zxid < oldest.zxid),
    ...logs.filter(({ name }) => !needed.has(name)),
  ]
  return doomed.toSorted((a, b) => a.zxid - b.zxid).map(({ name }) => name)
}
