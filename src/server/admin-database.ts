import type { Logger } from '../base/logger.ts'
import type { TurnClock } from '../base/turn-clock.ts'
import type { Config } from '../config/config.ts'
import { formatZxid } from '../data/zxid.ts'
import type { SnapshotReader } from '../persistence/snapshot-source.ts'
import type { DataTree } from '../tree/data-tree.ts'
import type { Commits } from './clients/commits.ts'
import type { SessionTracker } from './sessions/session-tracker.ts'
import type { ServerMetrics } from './stats/server-metrics.ts'
import { loadRulesOf } from './storage/load.ts'
import { beginBackup, planRestoredZxid, readBackup, replaceDatabase } from './storage/restore.ts'
import type { SliceFeed } from './storage/slice-feed.ts'
import type { Snapshotter } from './storage/snapshotter.ts'
import type { OutstandingChanges } from './writes/outstanding-changes.ts'
import type { Serving } from './writes/serving.ts'
import type { WritePath } from './writes/write-path.ts'

interface AdminDatabaseParts {
  readonly config: Config
  readonly tree: DataTree
  readonly sessions: SessionTracker
  readonly changes: OutstandingChanges
  readonly serving: Serving
  readonly writePath: WritePath
  readonly commits: Commits
  readonly snapshotter: Snapshotter
  readonly clock: TurnClock
  readonly metrics: ServerMetrics
  readonly logger: Logger
}

/** How a restore has ended; a string says why the database is what it was. */
export type Restored = { readonly zxid: number } | string

/**
 * What an operator may do to the database as a whole (3.9's commands snapshot and restore): have a
 * copy of it as it is now, and put a copy in its place.
 */
export class AdminDatabase {
  readonly #parts: AdminDatabaseParts

  constructor(parts: AdminDatabaseParts) {
    this.#parts = parts
  }

  /** The bytes of a snapshot file of this moment, in slices. A string says why there are none now. */
  beginBackup(): SliceFeed | string {
    const { config } = this.#parts
    return beginBackup(this.#parts, {
      digest: config.digestEnabled,
      lastProcessedZxid: config.serializeLastProcessedZxid,
    })
  }

  /**
   * Replaces the database by a backup in any of the forms that a snapshot file has. All clients are
   * closed, and let in again when the new database is on the disk: what was not answered is lost. A
   * backup that is damaged changes nothing. A standalone server only: the members of an ensemble
   * would have to do so all at once.
   */
  restore(
    pieces: readonly Buffer[],
    gunzip: SnapshotReader['gunzip'],
    done: (restored: Restored) => void,
  ): void {
    const { config, logger, serving, writePath, changes, commits, snapshotter, clock } = this.#parts
    const { metrics } = this.#parts
    const beganMono = clock.mono
    if (serving.role !== 'standalone')
      return done('only a standalone server that serves can be restored')
    const backup = readBackup(pieces, gunzip, loadRulesOf(config, true), logger)
    if (typeof backup === 'string') {
      metrics.restoreErrorCount.add(1)
      return done(backup)
    }
    const zxid = planRestoredZxid(writePath.proposals.lastProposed, backup)
    serving.end()
    commits.closeAll()
    writePath.stop()
    changes.clear()
    replaceDatabase(this.#parts, backup, zxid, clock.mono)
    writePath.start(zxid, undefined)
    // Nothing may be logged before the disk has what it goes on from.
    snapshotter.requestNow((problem) => {
      if (problem !== undefined) return this.#fail(logger, problem, done)
      logger.warn('the database was replaced by a backup', { zxid: formatZxid(zxid) })
      serving.beginDeciding('standalone', true)
      metrics.restoreTime.add(clock.mono - beganMono)
      done({ zxid })
    })
  }

  /** What is on the disk is the old database still, and comes back with a restart. */
  #fail(logger: Logger, problem: string, done: (restored: Restored) => void): void {
    this.#parts.metrics.restoreErrorCount.add(1)
    // Else the snapshotter would try again, and a restart would find the restored one.
    this.#parts.snapshotter.hold(() => {})
    logger.error('a restored database could not be written; serving nobody until a restart', {
      reason: problem,
    })
    done(`the restored database could not be written: ${problem}; restart to have the old one back`)
  }
}
