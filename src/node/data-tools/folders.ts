import { existsSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { messageOf } from '../../base/message-of.ts'
import { planPurge } from '../../persistence/purge.ts'
import { parseSnapshotName } from '../../persistence/snapshot-name.ts'
import { BUILT_IN, readConfigEntries } from '../cli/config-file.ts'
import { findConfigFile } from '../cli/server-paths.ts'
import { syncFolder } from '../files/disk-files.ts'
import { makeDirectory } from '../files/make-directory.ts'
import type { ExitCode as ExitCodeType } from '../process/exit-code.ts'
import { ExitCode } from '../process/exit-code.ts'
import { Progress, type ToolContext, ToolError } from './context.ts'
import { isFolder, ToolDisk, versionFolder } from './disk.ts'
import { withLock } from './txnlog.ts'

const VERSION_FOLDER = 'version-2'

interface DataFolders {
  readonly dataDir: string
  readonly dataLogDir: string
}

/** What a configuration says about folders; the rest of it need not be right, or finished. */
function foldersOf(configFile: string | undefined, { env }: ToolContext): DataFolders {
  const file = findConfigFile(configFile, undefined, env)
  if (file === BUILT_IN)
    throw new ToolError('there is no configuration file: name one with --configfile')
  const read = readConfigEntries(file)
  if (read.kind !== 'read') {
    const reason = read.kind === 'missing' ? 'the file does not exist' : read.reason
    throw new ToolError(`${file}: ${reason}`)
  }
  const value = (wanted: string): string | undefined =>
    read.content.findLast(({ key }) => key.trim() === wanted)?.value.trim()
  const dataDir = value('dataDir')
  if (dataDir === undefined || dataDir === '') throw new ToolError(`${file} names no dataDir`)
  const dataLogDir = value('dataLogDir')
  return {
    dataDir: resolve(dataDir),
    dataLogDir: resolve(dataLogDir === undefined || dataLogDir === '' ? dataDir : dataLogDir),
  }
}

interface CleanupOptions {
  /** Snapshots to keep, at least 3. */
  readonly count: number
  readonly configFile: string | undefined
}

/** Removes what nobody needs who keeps the newest `count` snapshots. A server may be running. */
export async function cleanup(
  dataLogDir: string | undefined,
  snapDir: string | undefined,
  options: CleanupOptions,
  context: ToolContext,
): Promise<ExitCodeType> {
  const configured = dataLogDir === undefined ? foldersOf(options.configFile, context) : undefined
  const logs = dataLogDir ?? configured?.dataLogDir ?? ''
  const snapshots = snapDir ?? configured?.dataDir ?? logs
  const disk = new ToolDisk(versionFolder(logs), versionFolder(snapshots), new Progress(context))
  let exitCode: ExitCodeType = ExitCode.finished
  let removed = 0
  for (const name of planPurge(disk, options.count)) {
    const folder = parseSnapshotName(name) === undefined ? disk.logFolder : disk.snapFolder
    const path = join(folder, name)
    try {
      const { size } = statSync(path)
      unlinkSync(path)
      removed += 1
      await context.out(`Removed ${path} (${size} bytes)\n`)
    } catch (error) {
      exitCode = ExitCode.unexpected
      context.err(`cannot remove ${path}: ${messageOf(error)}\n`)
    }
  }
  await context.out(`${removed} files removed\n`)
  return exitCode
}

interface InitializeOptions {
  readonly configFile: string | undefined
  readonly myid: number | undefined
  /** Removes the data that is there. */
  readonly force: boolean
}

/** Makes the folders of a new server, with the marker that an empty database is meant to be. */
export async function initialize(
  options: InitializeOptions,
  context: ToolContext,
): Promise<ExitCodeType> {
  const { dataDir, dataLogDir } = foldersOf(options.configFile, context)
  const directories = [...new Set([dataDir, dataLogDir])]
  for (const directory of directories) {
    const folder = join(directory, VERSION_FOLDER)
    if (!isFolder(folder)) continue
    if (!options.force)
      throw new ToolError(`${folder} exists already; --force removes it, and all data in it`)
    await withLock(folder, context, () => {
      rmSync(join(directory, 'myid'), { force: true })
      rmSync(folder, { recursive: true })
    })
    await context.out(`Removed ${folder}\n`)
  }
  for (const directory of directories) {
    makeDirectory(join(directory, VERSION_FOLDER))
    syncFolder(directory)
  }
  const myidFile = join(dataDir, 'myid')
  if (options.myid === undefined) {
    rmSync(myidFile, { force: true })
    context.err(`no --myid: a member of an ensemble needs its number in ${myidFile}\n`)
  } else writeFileSync(myidFile, `${options.myid}\n`, { flush: true })
  const marker = join(dataDir, 'initialize')
  if (!existsSync(marker)) writeFileSync(marker, '', { flush: true })
  syncFolder(dataDir)
  await context.out(`Initialized ${directories.join(' and ')}\n`)
  return ExitCode.finished
}
