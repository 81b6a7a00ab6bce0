import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { END_MARK, LOG_HEADER_BYTES } from '../../persistence/txn-log-format.ts'
import type { LogCopy } from '../../tools/log-rewrite.ts'
import { syncFile, syncFolder } from '../files/disk-files.ts'
import { ToolError } from './context.ts'

/** Writes a new file that is there only when it is whole. It must not be there yet. */
export function writeNewFile(path: string, pieces: Iterable<Buffer>): void {
  if (existsSync(path)) throw new ToolError(`${path} exists already`)
  const temporary = `${path}.tmp`
  const fd = openSync(temporary, 'w', 0o644)
  try {
    for (const piece of pieces) writeAll(fd, piece)
    fsyncSync(fd)
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  } finally {
    closeSync(fd)
  }
  syncFolder(dirname(path))
}

/**
 * Cuts a log in place, so that owner and mode stay; the whole of it stays beside it under
 * `keptPath`. Where not even the file header would be left the log goes: the original refuses to
 * start on such a file (spec 02 §2).
 */
export function cutLogFile(path: string, copy: LogCopy, keptPath: string): void {
  if (existsSync(keptPath)) throw new ToolError(`${keptPath} exists already`)
  if (copy.keepTo < LOG_HEADER_BYTES) renameSync(path, keptPath)
  else {
    copyFileSync(path, keptPath, constants.COPYFILE_EXCL)
    syncFile(keptPath)
    syncFolder(dirname(path))
    const fd = openSync(path, 'r+')
    try {
      ftruncateSync(fd, copy.keepTo)
      if (copy.addEndMark) writeSync(fd, Buffer.from([END_MARK]), 0, 1, copy.keepTo)
      fdatasyncSync(fd)
    } finally {
      closeSync(fd)
    }
  }
  syncFolder(dirname(path))
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
}
