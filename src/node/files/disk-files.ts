import {
  accessSync,
  closeSync,
  constants,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { messageOf } from '../../base/message-of.ts'
import type { Truncation } from '../../persistence/disk.ts'
import { END_MARK } from '../../persistence/txn-log-format.ts'
import { makeDirectory } from './make-directory.ts'

/** Makes sure that files can be made in `folder`. A string says why they cannot. */
export function prepareFolder(folder: string, autocreate: boolean): string | undefined {
  try {
    if (autocreate) createFolder(folder)
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK)
    return undefined
  } catch (error) {
    const hint = autocreate
      ? 'set dataDir and dataLogDir to where this user may make directories and files'
      : 'datadir.autocreate is false, so it must exist'
    return `data directory ${folder} cannot be used: ${messageOf(error)}; ${hint}`
  }
}

/** Creates a folder and what is missing above it, all of it durably. */
function createFolder(folder: string): void {
  for (const made of makeDirectory(folder).toReversed()) syncFolder(dirname(made))
}

/** Makes what is in a file durable. Throws. */
export function syncFile(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/**
 * Makes the names in a folder durable: what was created, renamed and removed. Throws. On Linux a folder
 * is synced as a file is.
 */
export const syncFolder: (folder: string) => void = syncFile

const REWRITE_BYTES = 1024 * 1024

/** Writes what stands in a file from `from` to `to` once more; durable when it returns. Throws. */
export function rewriteFile(path: string, from: number, to: number): void {
  const fd = openSync(path, 'r+')
  try {
    const bytes = Buffer.allocUnsafe(Math.min(REWRITE_BYTES, Math.max(0, to - from)))
    for (let at = from; at < to; ) {
      const count = readSync(fd, bytes, 0, Math.min(bytes.length, to - at), at)
      if (count === 0) break
      for (let done = 0; done < count; ) done += writeSync(fd, bytes, done, count - done, at + done)
      at += count
    }
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** Makes a file end at `offset`, or behind an end mark there; durable when it returns. Throws. */
export function cutFile(path: string, offset: number, addEndMark: boolean): void {
  const fd = openSync(path, 'r+')
  try {
    ftruncateSync(fd, offset)
    if (addEndMark) writeSync(fd, Buffer.from([END_MARK]), 0, 1, offset)
    fdatasyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/**
 * Executes what planTruncation has found; durable when it returns. Throws. Every file that goes is
 * gone for good before the next one, since nobody says in which order a file system forgets names.
 */
export function truncateFiles(plan: Truncation, snapFolder: string, logFolder: string): void {
  for (const name of plan.snapshots) removeDurably(snapFolder, name)
  for (const name of plan.logs) removeDurably(logFolder, name)
  for (const { name, offset } of plan.cuts) cutFile(join(logFolder, name), offset, false)
}

/** Gone for good when it returns. Throws. */
export function removeDurably(folder: string, name: string): void {
  // A purge may have been faster.
  rmSync(join(folder, name), { force: true })
  syncFolder(folder)
}

/** At most `length` bytes at `offset`; fewer only at the end of the file. Throws. */
export function readFileRange(path: string, offset: number, length: number): Buffer {
  const fd = openSync(path, 'r')
  try {
    const bytes = Buffer.allocUnsafeSlow(length)
    let at = 0
    while (at < length) {
      const count = readSync(fd, bytes, at, length - at, offset + at)
      if (count === 0) break
      at += count
    }
    return bytes.subarray(0, at)
  } finally {
    closeSync(fd)
  }
}
