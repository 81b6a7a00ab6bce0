import { readdirSync, readFileSync } from 'node:fs'
import { gunzipSync, gzipSync } from 'node:zlib'
import { JuteWriter } from 'jute-ts'
import { OpCode } from '../../src/data/op-code.ts'
import { writeTxnHeader } from '../../src/data/records.ts'
import type { DiskReader, LogFileInfo, SnapshotFileInfo } from '../../src/persistence/disk.ts'
import { SnapshotEncoder } from '../../src/persistence/snapshot-format.ts'
import { parseSnapshotName } from '../../src/persistence/snapshot-name.ts'
import {
  beginTxnRecord,
  endTxnRecord,
  logFileHeader,
  parseLogFileName,
} from '../../src/persistence/txn-log-format.ts'
import { DataTree } from '../../src/tree/data-tree.ts'
import { TreeDump } from '../../src/tree/tree-dump.ts'

/** Log and snapshot files in memory. */
export class MemoryDisk implements DiskReader {
  readonly files: Map<string, Buffer>

  constructor(files: Readonly<Record<string, Buffer>> = {}) {
    this.files = new Map(Object.entries(files))
  }

  listLogs(): readonly LogFileInfo[] {
    return [...this.files]
      .map(([name, bytes]) => ({ zxid: parseLogFileName(name) ?? -1, name, bytes: bytes.length }))
      .filter((file) => file.zxid >= 0)
      .sort((a, b) => a.zxid - b.zxid)
  }

  listSnapshots(): readonly SnapshotFileInfo[] {
    return [...this.files]
      .map(([name, bytes]) => ({
        zxid: parseSnapshotName(name)?.zxid ?? -1,
        name,
        bytes: bytes.length,
      }))
      .filter((file) => file.zxid >= 0)
      .sort((a, b) => a.zxid - b.zxid)
  }

  listReceived(): readonly SnapshotFileInfo[] {
    return []
  }

  readSnapshot(name: string, offset: number, length: number): Buffer {
    return this.readLog(name, offset, length)
  }

  gunzip(compressed: Buffer): Buffer | string {
    try {
      return gunzipSync(compressed)
    } catch (error) {
      return String(error)
    }
  }

  readLog(name: string, offset: number, length: number): Buffer {
    const bytes = this.files.get(name) ?? Buffer.alloc(0)
    return Buffer.from(bytes.subarray(offset, offset + length))
  }

  file(name: string): LogFileInfo {
    const found = this.listLogs().find((file) => file.name === name)
    if (found === undefined) throw new Error(`no file ${name}`)
    return found
  }
}

/** One record: a header with this zxid and `body` behind it; of an error unless said otherwise. */
export function record(
  zxid: number,
  body: Buffer = Buffer.from([0, 0, 0, zxid & 0xff]),
  type: number = OpCode.error,
): Buffer {
  const w = new JuteWriter()
  const at = beginTxnRecord(w)
  writeTxnHeader(w, { clientId: 7n, cxid: 1, zxid, time: 1000 + zxid, type })
  w.writeBytes(body)
  endTxnRecord(w, at)
  return w.copy()
}

/**
 * An empty snapshot that was written while txns up to `reach` were applied. Its name says when that
 * began; that of a .gz file says that it is packed.
 */
export function snapshotFile(name: string, reach?: number): Buffer {
  const parsed = parseSnapshotName(name)
  if (parsed === undefined) throw new Error(`no snapshot: ${name}`)
  const tree = new DataTree({ extendedTypesEnabled: true, emulate353TtlNodes: false }, true)
  tree.lastProcessedZxid = parsed.zxid
  const dump = new TreeDump(tree, [])
  tree.lastProcessedZxid = reach ?? parsed.zxid
  const w = new JuteWriter()
  new SnapshotEncoder(dump, { digest: true, lastProcessedZxid: true }).writeSlice(w, Infinity)
  return parsed.compression === 'gz' ? gzipSync(w.bytes()) : w.copy()
}

/** A log file of these parts, with zeros behind. */
export function logFile(parts: readonly Buffer[], paddingBytes = 0): Buffer {
  return Buffer.concat([logFileHeader(), ...parts, Buffer.alloc(paddingBytes)])
}

const goldenFolder = new URL('../golden/', import.meta.url)

/** The logs in a folder version-2 below test/golden. */
export function goldenDisk(folder: string): MemoryDisk {
  const url = new URL(`${folder}/version-2/`, goldenFolder)
  const files: Record<string, Buffer> = {}
  for (const name of readdirSync(url)) files[name] = readFileSync(new URL(name, url))
  return new MemoryDisk(files)
}

/** The JSON beside the golden files, taken to be of type T. */
export function goldenJson<T>(path: string): T {
  return JSON.parse(readFileSync(new URL(path, goldenFolder), 'utf8'))
}
