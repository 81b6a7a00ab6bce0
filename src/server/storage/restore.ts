import type { Logger } from '../../base/logger.ts'
import { DIGEST_VERSION } from '../../data/txn.ts'
import { formatZxid } from '../../data/zxid.ts'
import { SNAPPY_MAGIC } from '../../persistence/snappy-stream.ts'
import {
  decodeSnapshot,
  SnapshotEncoder,
  type SnapshotTail,
} from '../../persistence/snapshot-format.ts'
import { type SnapshotCompression, snapshotFileName } from '../../persistence/snapshot-name.ts'
import {
  openSnapshot,
  precheckSnapshot,
  type SnapshotReader,
} from '../../persistence/snapshot-source.ts'
import { DataTree } from '../../tree/data-tree.ts'
import { TreeDump } from '../../tree/tree-dump.ts'
import type { SessionTracker } from '../sessions/session-tracker.ts'
import { dropOrphans, type LoadRules } from './load.ts'
import { SliceFeed } from './slice-feed.ts'

/**
 * Bytes of a backup that are made in one go: a millisecond of a turn.
 * @bound bytes: the rest has the next turns
 */
const BACKUP_SLICE_BYTES = 256 * 1024

/** What a backup is taken of, and what it is restored into. */
interface Database {
  readonly tree: DataTree
  readonly sessions: SessionTracker
}

/**
 * Begins a backup: a snapshot file's bytes, of the database as it is at this moment however long it
 * takes to fetch them all. To be closed when it is not wanted any more. A string says why there is none.
 */
export function beginBackup(database: Database, tail: SnapshotTail): SliceFeed | string {
  const { tree, sessions } = database
  if (tree.beforeChange !== undefined) return 'another backup is being taken'
  const dump = new TreeDump(tree, sessions.timeouts(), 'exact')
  return new SliceFeed(new SnapshotEncoder(dump, tail), BACKUP_SLICE_BYTES)
}

/** A backup that was read and found whole. */
export interface Backup {
  readonly tree: DataTree
  /** Timeouts in ms. */
  readonly sessions: ReadonlyMap<bigint, number>
  /** The newest txn that it holds something of. */
  readonly zxid: number
}

/**
 * Reads the bytes of a snapshot file, in whatever pieces they came and packed or not, into a tree of
 * its own. A string says why they are none; nothing has changed then, nor has it otherwise.
 */
export function readBackup(
  pieces: readonly Buffer[],
  gunzip: SnapshotReader['gunzip'],
  rules: LoadRules,
  logger: Logger,
): Backup | string {
  const upload = new Upload(pieces, gunzip)
  const compression = compressionOf(upload.readSnapshot('', 0, SNAPPY_MAGIC.length))
  const name = snapshotFileName({ zxid: 0, compression })
  const file = { name, zxid: 0, bytes: upload.bytes }
  const tree = new DataTree(rules, rules.digestEnabled)
  const content = precheckSnapshot(upload, file) ?? decodeSnapshot(openSnapshot(upload, file), tree)
  if (typeof content === 'string') return content
  const { digest, sessions, zxidMax, lastProcessedZxid } = content
  const zxid = Math.max(zxidMax, lastProcessedZxid ?? digest?.zxid ?? 0)
  const isComparable = rules.digestEnabled && digest?.version === DIGEST_VERSION && digest.zxid > 0
  if (isComparable && digest.value !== tree.digest.toBigInt())
    logger.warn('a backup was taken while the database changed: some txns are in it by half', {
      zxid: formatZxid(zxid),
    })
  tree.lastProcessedZxid = zxid
  dropOrphans(tree, sessions, zxid, logger)
  tree.quota.recountAll()
  return { tree, sessions, zxid }
}

/**
 * The zxid to give to a database that a backup has been restored into, and to the snapshot that must
 * hold it before anything else is logged. One txn number is left out before the next write: should
 * that snapshot be lost, the replay of the older logs meets the gap and refuses, and does not make a
 * database of one half before the restore and one half after it.
 */
export function planRestoredZxid(lastLoggedZxid: number, backup: Backup): number {
  return Math.max(lastLoggedZxid, backup.zxid) + 1
}

/**
 * Replaces the database by a backup, in place; the backup is void afterwards. Sessions that it does
 * not know are gone, without a txn; the others get their full timeout. Watches, connections, and
 * writes under way are the caller's.
 */
export function replaceDatabase(
  database: Database,
  backup: Backup,
  zxid: number,
  nowMono: number,
): void {
  const { tree, sessions } = database
  backup.tree.lastProcessedZxid = zxid
  tree.adopt(backup.tree)
  for (const id of [...sessions.all.keys()]) sessions.remove(id)
  for (const [id, timeoutMs] of backup.sessions) sessions.track(id, timeoutMs, nowMono)
}

const GZIP_MAGIC = [0x1f, 0x8b] as const

function compressionOf(begin: Buffer): SnapshotCompression {
  if (begin[0] === GZIP_MAGIC[0] && begin[1] === GZIP_MAGIC[1]) return 'gz'
  return begin.equals(SNAPPY_MAGIC) ? 'snappy' : ''
}

/** The pieces of an upload, as if they were the only snapshot in a folder. */
class Upload implements SnapshotReader {
  readonly #pieces: readonly Buffer[]
  readonly bytes: number
  readonly gunzip: SnapshotReader['gunzip']
  /** Where the reading has come to, since it goes forward nearly always. */
  #index = 0
  #start = 0

  constructor(pieces: readonly Buffer[], gunzip: SnapshotReader['gunzip']) {
    this.#pieces = pieces
    this.bytes = pieces.reduce((sum, piece) => sum + piece.length, 0)
    this.gunzip = gunzip
  }

  readSnapshot(_name: string, offset: number, length: number): Buffer {
    if (offset < this.#start) {
      this.#index = 0
      this.#start = 0
    }
    const out = Buffer.allocUnsafeSlow(Math.max(0, Math.min(length, this.bytes - offset)))
    for (let filled = 0; filled < out.length; ) {
      const piece = this.#pieces[this.#index]
      if (piece === undefined) break
      const at = offset + filled - this.#start
      if (at >= piece.length) {
        this.#index += 1
        this.#start += piece.length
        continue
      }
      filled += piece.copy(out, filled, at)
    }
    return out
  }
}
