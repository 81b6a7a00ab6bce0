import { dirname } from 'node:path'
import { formatZxid } from '../../data/zxid.ts'
import type { LogFileInfo } from '../../persistence/disk.ts'
import { logsToReplay } from '../../persistence/recovery.ts'
import { dumpLog, type LogDumpOptions, recordLine } from '../../tools/log-dump.ts'
import { readLogRecords } from '../../tools/log-records.ts'
import {
  type BadChecksum,
  copyLog,
  planChop,
  planCut,
  planRepair,
  type RepairPlan,
} from '../../tools/log-rewrite.ts'
import { FolderLock } from '../files/folder-lock.ts'
import { ExitCode } from '../process/exit-code.ts'
import { Progress, type ToolContext, ToolError, writeOut } from './context.ts'
import { isFolder, type OneFile, openLogFile, ToolDisk, versionFolder } from './disk.ts'
import { cutLogFile, writeNewFile } from './write.ts'

/** Dumps a log file, or all logs of a directory that may hold one of the zxids. */
export async function dumpTxnLog(
  path: string,
  options: LogDumpOptions,
  context: ToolContext,
): Promise<ExitCode> {
  const progress = new Progress(context)
  const { disk, files } = logsAt(path, options, progress)
  if (files.length === 0) throw new ToolError(`there are no logs in ${path}`)
  let problems = 0
  for (const file of files) {
    try {
      const dumped = await writeOut(context, dumpLog(disk, file, options))
      if (dumped === undefined) return ExitCode.finished
      problems += dumped.problems
    } catch (error) {
      // A purge of the running server may take an old log away between the list and the look.
      if (files.length === 1 || !isMissing(error)) throw error
      context.err(`${file.name} is gone\n`)
    }
  }
  if (problems > 0) context.err(`${problems} problems, marked in the dump\n`)
  return problems > 0 ? ExitCode.unexpected : ExitCode.finished
}

interface Logs {
  readonly disk: ToolDisk
  readonly files: readonly LogFileInfo[]
}

function logsAt(path: string, { from, to }: LogDumpOptions, progress: Progress): Logs {
  if (!isFolder(path)) {
    const { disk, file } = openLogFile(path, progress)
    return { disk, files: [file] }
  }
  const folder = versionFolder(path)
  const disk = new ToolDisk(folder, folder, progress)
  const logs = disk.listLogs()
  if (logs.length === 0) return { disk, files: [] }
  return { disk, files: logsToReplay(logs, from).filter(({ zxid }) => zxid <= to) }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

interface RepairOptions {
  /** Nobody is asked. */
  readonly yes: boolean
  /** Shows every record, not only those with a wrong checksum. */
  readonly verbose: boolean
}

/** Writes a copy with right checksums beside the log. */
export async function repairTxnLog(
  path: string,
  options: RepairOptions,
  context: ToolContext,
): Promise<ExitCode> {
  const log = openLogFile(path, new Progress(context))
  const plan = planRepair(log.disk, log.file)
  if (typeof plan === 'string')
    throw new ToolError(
      `${path}: ${plan}. A new checksum does not repair that; ` +
        `to cut the log there: zk-data txnlog repair --cut ${path}`,
    )
  if (options.verbose) await writeOut(context, recordLines(log))
  const checksums = await chooseChecksums(plan, options, context)
  if (checksums === 'aborted') {
    context.err('Aborted, nothing was written.\n')
    return ExitCode.finished
  }
  const target = `${path}.fixed`
  writeNewFile(target, copyLog(log.disk, log.file, { ...plan.copy, checksums }))
  if (plan.tail !== undefined) context.err(`left out at the end: ${plan.tail}\n`)
  await context.out(
    `${target}: ${plan.copy.records} txns written, ${checksums.size} checksums fixed\n`,
  )
  return checksums.size < plan.bad.length ? ExitCode.unexpected : ExitCode.finished
}

function* recordLines({ disk, file }: OneFile): Generator<string, void> {
  for (const record of readLogRecords(disk, file)) yield `${recordLine(record)}\n`
}

async function chooseChecksums(
  plan: RepairPlan,
  { yes }: RepairOptions,
  context: ToolContext,
): Promise<ReadonlyMap<number, number> | 'aborted'> {
  const checksums = new Map<number, number>()
  for (const one of plan.bad) {
    await context.out(`${one.line}\n`)
    const answer = yes ? 'y' : await askForFix(one, context)
    if (answer === 'a') return 'aborted'
    if (answer === 'y') checksums.set(one.offset, one.adler32)
  }
  return checksums
}

async function askForFix(bad: BadChecksum, context: ToolContext): Promise<'y' | 'n' | 'a'> {
  for (;;) {
    const answer = await context.ask('Give it the checksum of its content (Yes/No/Abort)? ')
    if (answer === undefined)
      throw new ToolError(`nobody says what to do about offset ${bad.offset}; -y says yes to all`)
    const first = answer.trim().slice(0, 1).toLowerCase()
    if (first === 'y' || first === 'n' || first === 'a') return first
  }
}

/** Cuts a log at its first damage, or at an offset, and keeps the whole of it beside it. */
export async function cutTxnLog(
  path: string,
  offset: number | undefined,
  context: ToolContext,
): Promise<ExitCode> {
  const folder = dirname(path)
  const { disk, file } = openLogFile(path, new Progress(context))
  const plan = planCut(disk, file, offset)
  if (typeof plan === 'string') throw new ToolError(`${path}: ${plan}`)
  if (plan === undefined) {
    await context.out(`${path}: nothing is damaged, nothing was cut\n`)
    return ExitCode.finished
  }
  const kept = `${path}.damaged`
  await withLock(folder, context, () => cutLogFile(path, plan.copy, kept))
  await context.out(
    `${path}: cut to ${plan.copy.records} txns (${plan.reason}); as it was: ${kept}\n`,
  )
  const newer = disk.listLogs().filter(({ zxid }) => zxid > file.zxid)
  if (newer.length > 0)
    context.err(
      `Newer logs do not continue it: move them away, unless a newer snapshot makes up for ` +
        `what was cut off: ${newer.map(({ name }) => name).join(' ')}\n`,
    )
  return ExitCode.finished
}

/** Runs `action` while no server of ours can use the folder. */
export async function withLock(
  folder: string,
  context: ToolContext,
  action: () => void,
): Promise<void> {
  const lock = await FolderLock.take(folder)
  if (!(lock instanceof FolderLock)) {
    if (lock.kind === 'held')
      throw new ToolError(`${folder} is in use: ${lock.reason}. Stop the server first`)
    context.err(`${folder} cannot be locked (${lock.reason}): take care that no server uses it\n`)
  }
  try {
    action()
  } finally {
    if (lock instanceof FolderLock) lock.release()
  }
}

/** Writes a copy that ends with `zxid` beside the log. */
export async function chopTxnLog(
  path: string,
  zxid: number,
  context: ToolContext,
): Promise<ExitCode> {
  const { disk, file } = openLogFile(path, new Progress(context))
  const plan = planChop(disk, file, zxid)
  if (typeof plan === 'string') throw new ToolError(`${path}: ${plan}`)
  for (const gap of plan.gaps) context.err(`${gap}\n`)
  // The original's name for it: the zxid is decimal there.
  const target = `${path}.chopped${zxid}`
  writeNewFile(target, copyLog(disk, file, plan.copy))
  await context.out(`${target}: ${plan.copy.records} txns written, up to ${formatZxid(zxid)}\n`)
  return ExitCode.finished
}
