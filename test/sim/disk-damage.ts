import type { LogFileInfo, SnapshotFileInfo } from '../../src/persistence/disk.ts'
import { LOG_HEADER_BYTES, RECORD_FRAME_BYTES } from '../../src/persistence/txn-log-format.ts'
import type { Chance } from './chance.ts'

/** What is wrong with one file, for whoever reads it: what stands on the platter comes back when it ends. */
export type Damage =
  | { readonly kind: 'unreadable' }
  | { readonly kind: 'flip'; readonly at: number; readonly mask: number }

/** What a file gives at `offset`. Throws as a disk does that cannot read a sector. */
export function readDamaged(damage: Damage, name: string, offset: number, bytes: Buffer): Buffer {
  if (damage.kind === 'unreadable') throw new Error(`EIO: i/o error, read ${name}`)
  const at = damage.at - offset
  if (at >= 0 && at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ damage.mask
  return bytes
}

interface Files {
  listLogs(): readonly LogFileInfo[]
  listSnapshots(): readonly SnapshotFileInfo[]
  readLog(name: string, offset: number, length: number): Buffer
  /** How much of a file a crash leaves for certain. */
  settledBytes(name: string): number
}

/**
 * Which file is hit, and where: the newest snapshot, or any log. Of a log all but its last record: a
 * last record that is altered looks like one whose write was torn, and no format of one file can tell.
 * The last one that a crash leaves for certain is meant: those behind it may be gone when the log is read.
 */
export function drawDamage(
  files: Files,
  chance: Chance,
  kind: Damage['kind'],
): { readonly name: string; readonly damage: Damage } | undefined {
  const snapshot = files.listSnapshots().at(-1)
  const logs = files.listLogs()
  const isLog = logs.length > 0 && chance.chance(0.6)
  const file = isLog ? chance.pick(chance.chance(0.5) ? logs.slice(-1) : logs) : snapshot
  if (file === undefined) return undefined
  if (kind === 'unreadable') return { name: file.name, damage: { kind } }
  const end = isLog ? lastRecordAt(files, file) : file.bytes
  if (end <= 0) return undefined
  const mask = 1 << chance.below(8)
  return { name: file.name, damage: { kind, at: chance.below(end), mask } }
}

/** Where the last record of a log begins. */
function lastRecordAt(files: Files, { name }: LogFileInfo): number {
  const content = files.readLog(name, 0, files.settledBytes(name))
  let last = 0
  for (let at = LOG_HEADER_BYTES; at + RECORD_FRAME_BYTES <= content.length; ) {
    const length = content.readInt32BE(at + 8)
    if (length <= 0 || at + RECORD_FRAME_BYTES + length > content.length) break
    last = at
    at += RECORD_FRAME_BYTES + length
  }
  return last
}
