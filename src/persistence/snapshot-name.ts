import { parseHexSuffix } from './txn-log-format.ts'

/** How a snapshot file is compressed, by the suffix of its name (spec 02 §1). */
export type SnapshotCompression = '' | 'gz' | 'snappy'

interface SnapshotName {
  /** What had been applied when the dump began. */
  readonly zxid: number
  readonly compression: SnapshotCompression
}

const suffixes: ReadonlyMap<string, SnapshotCompression> = new Map([
  ['gz', 'gz'],
  ['snappy', 'snappy'],
])

/** Undefined: no snapshot file's name. An unknown suffix is read as none, as the original does. */
export function parseSnapshotName(name: string): SnapshotName | undefined {
  const [prefix, hex, suffix] = name.split('.')
  if (prefix !== 'snapshot' || hex === undefined) return undefined
  const zxid = parseHexSuffix(`snapshot.${hex}`, 'snapshot.')
  if (zxid === undefined) return undefined
  return { zxid, compression: suffixes.get(suffix ?? '') ?? '' }
}

export function snapshotFileName(name: SnapshotName): string {
  const suffix = name.compression === '' ? '' : `.${name.compression}`
  return `snapshot.${name.zxid.toString(16)}${suffix}`
}

/** No server takes these for snapshots: their names begin with other words. */
const TEMPORARY_PREFIX = 'tmp.'
const RECEIVED_PREFIX = 'received.'

/**
 * What the snapshot of a leader's state is called until all that it replaces is gone. To give it this
 * name is the step that makes it our history: from then on everything else in the folders is not.
 */
export function receivedSnapshotName(name: string): string {
  return RECEIVED_PREFIX + name
}

/** Undefined: none that a leader has sent, or it has replaced what was before. */
export function parseReceivedName(name: string): SnapshotName | undefined {
  if (!name.startsWith(RECEIVED_PREFIX)) return undefined
  return parseSnapshotName(name.slice(RECEIVED_PREFIX.length))
}

/** What a snapshot is called while it is written. */
export function temporarySnapshotName(name: string): string {
  return TEMPORARY_PREFIX + name
}

/** Whether a crash has left this. */
export function isTemporarySnapshotName(name: string): boolean {
  if (!name.startsWith(TEMPORARY_PREFIX)) return false
  const final = name.slice(TEMPORARY_PREFIX.length)
  return (parseSnapshotName(final) ?? parseReceivedName(final)) !== undefined
}
