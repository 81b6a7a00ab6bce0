import { JuteWriter } from 'jute-ts'
import type { Logger } from '../../base/logger.ts'
import { messageOf } from '../../base/message-of.ts'
import type { Config } from '../../config/config.ts'
import { formatZxid } from '../../data/zxid.ts'
import { type ReadProblem, readOrProblem } from '../../persistence/read-or-problem.ts'
import type { RecoveryRefusal } from '../../persistence/recovery.ts'
import { SnapshotEncoder } from '../../persistence/snapshot-format.ts'
import { snapshotFileName } from '../../persistence/snapshot-name.ts'
import type { Epochs } from '../../quorum/role/epochs.ts'
import { type Loaded, loadMember, loadRulesOf } from '../../server/storage/load.ts'
import { TreeDump } from '../../tree/tree-dump.ts'
import { ExitCode, StartError } from '../process/exit-code.ts'
import type { NodeDisk } from './disk.ts'
import { loadEpochs } from './epoch-store.ts'
import { FolderLock } from './folder-lock.ts'
import { removeTemporarySnapshots, writeSnapshotSync } from './snapshot-file.ts'

/** With the time that it took, in milliseconds. */
export interface LoadedData extends Loaded {
  readonly snapshotMs: number
  readonly txnsMs: number
}

/** The state on disk, with what a crash left at its end cut off. Throws a StartError. */
export function loadData(disk: NodeDisk, config: Config, logger: Logger): LoadedData {
  const began = performance.now()
  const received = disk.finishForgetting()
  if (received !== undefined)
    logger.warn('a state that came from a leader has replaced what was on the disk', {
      file: received.name,
    })
  const rules = loadRulesOf(config, disk.takeInitializeMarker() || config.dbAutocreate)
  const loadBegan = performance.now()
  let snapshotMs = 0
  const onSnapshotLoaded = (): void => {
    snapshotMs = Math.round(performance.now() - loadBegan)
  }
  const loaded = readOrProblem(() => loadMember(disk, rules, logger, onSnapshotLoaded))
  const txnsMs = Math.round(performance.now() - loadBegan) - snapshotMs
  if (loaded.kind === 'unreadable') throw new StartError(unreadable(disk, loaded), ExitCode.dataDir)
  if (loaded.kind === 'refused') return refuse(disk, loaded)
  if (loaded.isNew) writeFirstSnapshot(disk, loaded, config)
  if (loaded.tail !== undefined) {
    logger.warn('cutting off what a crash left at the end of the log', {
      file: loaded.tail.name,
      offset: loaded.tail.offset,
      detail: loaded.tail.detail,
    })
    const problem = disk.cutTail(loaded.tail)
    if (problem !== undefined) throw new StartError(problem, ExitCode.dataDir)
  }
  const problem = disk.secureEnd(loaded.end)
  if (problem !== undefined)
    throw new StartError(
      `${problem}. The disk may be failing: what was acknowledged is not safe on it. Move the data ` +
        'directory to another one, or in an ensemble empty it so that this server copies the leader',
      ExitCode.dataDir,
    )
  logger.info('data loaded', {
    snapshot: loaded.snapshot,
    zxid: formatZxid(loaded.lastZxid),
    txns: loaded.txns,
    znodes: loaded.tree.nodeCount,
    sessions: loaded.sessions.size,
    ms: Math.round(performance.now() - began),
  })
  return { ...loaded, snapshotMs, txnsMs }
}

/** A snapshot that is there and cannot be read may be good: to begin with an older one is no answer. */
function unreadable(disk: NodeDisk, { problem }: ReadProblem): string {
  return (
    `a snapshot or log in ${[...new Set([disk.snapFolder, disk.logFolder])].join(' or ')} cannot be ` +
    `read: ${problem}. Let this user read all files there; if the disk is failing, restore them from ` +
    'another copy, or in an ensemble empty the data directory of this server so that it copies the ' +
    'state of the leader'
  )
}

function refuse(disk: NodeDisk, { file, offset, reason, remedy }: RecoveryRefusal): never {
  const at = offset === undefined ? '' : ` at offset ${offset}`
  throw new StartError(`${disk.pathOf(file)}${at}: ${reason}. ${remedy}`, ExitCode.dataDir)
}

/** The epochs of a member of an ensemble. Rejects with a StartError. */
export async function readEpochs(
  disk: NodeDisk,
  { lastZxid }: Loaded,
  logger: Logger,
): Promise<Epochs> {
  const epochs = await loadEpochs(disk.snapFolder, lastZxid, logger)
  if (epochs.kind === 'refused') return refuse(disk, epochs)
  return { accepted: epochs.accepted, current: epochs.current }
}

/** Two servers on one directory would overwrite each other's log: the second one ends here. */
export async function lockFolders(disk: NodeDisk, logger: Logger): Promise<readonly FolderLock[]> {
  const locks: FolderLock[] = []
  for (const folder of new Set([disk.snapFolder, disk.logFolder])) {
    const lock = await FolderLock.take(folder)
    if (lock instanceof FolderLock) locks.push(lock)
    else if (lock.kind === 'unknown')
      logger.warn('the data directory cannot be locked: take care that one server uses it', {
        folder,
        reason: lock.reason,
      })
    else
      throw new StartError(
        `data directory ${folder} is in use by another server: ${lock.reason}`,
        ExitCode.dataDir,
      )
  }
  removeTemporarySnapshots(disk.snapFolder)
  return locks
}

/** The original refuses a directory with logs and no snapshot, and the first log is about to come. */
function writeFirstSnapshot(disk: NodeDisk, { tree }: Loaded, config: Config): void {
  const w = new JuteWriter()
  const tail = {
    digest: config.digestEnabled,
    lastProcessedZxid: config.serializeLastProcessedZxid,
  }
  new SnapshotEncoder(new TreeDump(tree, []), tail).writeSlice(w, Infinity)
  const name = snapshotFileName({ zxid: 0, compression: config.snapshotCompression })
  try {
    writeSnapshotSync(disk.snapFolder, name, w.bytes())
  } catch (error) {
    const reason = messageOf(error)
    throw new StartError(`cannot write ${disk.pathOf(name)}: ${reason}`, ExitCode.dataDir)
  }
}
