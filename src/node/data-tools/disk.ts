import { closeSync, createReadStream, openSync, readdirSync, readSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { messageOf } from '../../base/message-of.ts'
import type { DiskReader, LogFileInfo, SnapshotFileInfo } from '../../persistence/disk.ts'
import { parseSnapshotName } from '../../persistence/snapshot-name.ts'
import { parseLogFileName } from '../../persistence/txn-log-format.ts'
import { type Progress, ToolError } from './context.ts'

const VERSION_FOLDER = 'version-2'
const READ_BYTES = 1024 * 1024

/**
 * Reads data directories, whether a server uses them or not, and creates, locks and changes nothing
 * in them.
 */
export class ToolDisk implements DiskReader {
  readonly logFolder: string
  readonly snapFolder: string
  readonly #progress: Progress
  readonly #onlySnapshot: string | undefined
  readonly #bytes = new Map<string, number>()
  #unpacked: Buffer | string | undefined = undefined

  /** `onlySnapshot` is the path of the one that is read, whatever it is called. */
  constructor(logFolder: string, snapFolder: string, progress: Progress, onlySnapshot?: string) {
    this.logFolder = logFolder
    this.snapFolder = snapFolder
    this.#progress = progress
    this.#onlySnapshot = onlySnapshot
  }

  listLogs(): readonly LogFileInfo[] {
    return list(this.logFolder, parseLogFileName)
  }

  listSnapshots(): readonly SnapshotFileInfo[] {
    return list(this.snapFolder, (name) => parseSnapshotName(name)?.zxid)
  }

  /** Tools look at what a server would begin with. */
  listReceived(): readonly SnapshotFileInfo[] {
    return []
  }

  readLog(name: string, offset: number, length: number): Buffer {
    return this.#read(join(this.logFolder, name), offset, length)
  }

  readSnapshot(name: string, offset: number, length: number): Buffer {
    return this.#read(this.#onlySnapshot ?? join(this.snapFolder, name), offset, length)
  }

  /** Unpacks a gzip file for `gunzip`, step by step, so that it can be told how far it is. */
  async unpack(name: string): Promise<void> {
    if (parseSnapshotName(name)?.compression !== 'gz') return
    const path = this.#onlySnapshot ?? join(this.snapFolder, name)
    const parts: Buffer[] = []
    const gunzip = createGunzip({ chunkSize: READ_BYTES })
    try {
      await pipeline(createReadStream(path), gunzip, async (unpacked) => {
        for await (const bytes of unpacked) {
          parts.push(bytes)
          this.#progress.onRead(path, gunzip.bytesWritten, this.#sizeOf(path))
        }
      })
      this.#unpacked = Buffer.concat(parts)
    } catch (error) {
      this.#unpacked = `it cannot be unpacked: ${messageOf(error)}`
    }
  }

  gunzip(_compressed: Buffer): Buffer | string {
    return this.#unpacked ?? 'it was not unpacked'
  }

  #read(path: string, offset: number, length: number): Buffer {
    const fd = openSync(path, 'r')
    try {
      const bytes = Buffer.allocUnsafeSlow(length)
      let at = 0
      while (at < length) {
        const count = readSync(fd, bytes, at, length - at, offset + at)
        if (count === 0) break
        at += count
      }
      this.#progress.onRead(path, offset + at, this.#sizeOf(path))
      return bytes.subarray(0, at)
    } finally {
      closeSync(fd)
    }
  }

  #sizeOf(path: string): number {
    const known = this.#bytes.get(path)
    if (known !== undefined) return known
    const bytes = statSync(path).size
    this.#bytes.set(path, bytes)
    return bytes
  }
}

/** By ascending zxid. A file that a server removes meanwhile is not there. */
function list(
  folder: string,
  zxidOf: (name: string) => number | undefined,
): readonly SnapshotFileInfo[] {
  const files: SnapshotFileInfo[] = []
  for (const name of readdirSync(folder)) {
    const zxid = zxidOf(name)
    const bytes = zxid === undefined ? undefined : sizeOfFile(join(folder, name))
    if (zxid !== undefined && bytes !== undefined) files.push({ zxid, name, bytes })
  }
  return files.sort((a, b) => a.zxid - b.zxid)
}

function sizeOfFile(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size
}

/** The folder with the files: version-2 below a data directory, or the folder itself. */
export function versionFolder(directory: string): string {
  if (!isFolder(directory)) throw new ToolError(`${directory} is not a directory`)
  const below = join(directory, VERSION_FOLDER)
  return isFolder(below) ? below : directory
}

export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

export interface OneFile {
  readonly disk: ToolDisk
  readonly file: LogFileInfo
}

/** A log file, whatever its name is. */
export function openLogFile(path: string, progress: Progress): OneFile {
  const name = basename(path)
  const bytes = fileBytes(path)
  const folder = dirname(path)
  const file = { zxid: parseLogFileName(name) ?? 0, name, bytes }
  return { disk: new ToolDisk(folder, folder, progress), file }
}

/** A snapshot, whatever its name is; only the end tells, as in the original, how it is packed. */
export function openSnapshotFile(path: string, progress: Progress): OneFile {
  const bytes = fileBytes(path)
  const name = basename(path)
  const folder = dirname(path)
  const parsed = parseSnapshotName(name)
  const suffix = /\.(gz|snappy)$/.exec(name)?.[0] ?? ''
  const file = { zxid: parsed?.zxid ?? 0, name: parsed ? name : `snapshot.0${suffix}`, bytes }
  return { disk: new ToolDisk(folder, folder, progress, path), file }
}

function fileBytes(path: string): number {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat?.isFile() === true) return stat.size
  throw new ToolError(stat === undefined ? `${path} does not exist` : `${path} is not a file`)
}
