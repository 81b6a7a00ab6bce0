import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { NodeDisk } from '../../../../src/node/files/disk.ts'
import { removeTemporarySnapshots, SnapshotFile } from '../../../../src/node/files/snapshot-file.ts'
import type { SnapshotOp } from '../../../../src/persistence/disk.ts'
import { snappyBlocks, snappyHeader } from '../../../../src/persistence/snappy-stream.ts'
import { loadNewestSnapshot } from '../../../../src/persistence/snapshot-choice.ts'
import { DataTree } from '../../../../src/tree/data-tree.ts'
import { fuzzyDirectory, fuzzyRules } from '../../../support/fuzzy-directory.ts'
import { silentLogger } from '../../../support/silent-logger.ts'

let dir = ''
let disk: NodeDisk
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'zk-snapshot-file-'))
  const opened = NodeDisk.open(
    {
      dataDir: dir,
      dataLogDir: dir,
      dataDirAutocreate: true,
      preAllocBytes: 0,
      forceSync: true,
      fsyncWarningThresholdMs: 1000,
      txnLogSizeLimitBytes: 0,
    },
    { logger: silentLogger, onSync: () => {}, onFatal: () => {} },
  )
  if (typeof opened === 'string') throw new Error(opened)
  disk = opened
})
afterEach(() => {
  disk.close()
  rmSync(dir, { recursive: true, force: true })
})

const run = (file: SnapshotFile, op: SnapshotOp): Promise<string | undefined> =>
  new Promise((resolve) => file.run(op, resolve))

const names = (): string[] => readdirSync(disk.snapFolder).sort()

/** Writes the content in slices, but does not finish. */
async function begin(name: string, content: Buffer): Promise<SnapshotFile> {
  const file = new SnapshotFile(disk.snapFolder, 0)
  expect(await run(file, { kind: 'begin', name })).toBeUndefined()
  const SLICE_BYTES = 1000
  for (let at = 0; at < content.length; at += SLICE_BYTES) {
    const bytes = Buffer.from(content.subarray(at, at + SLICE_BYTES))
    expect(await run(file, { kind: 'append', bytes })).toBeUndefined()
    // It was borrowed until now.
    bytes.fill(0)
  }
  return file
}

const { snapshot, tree, snapshotZxid } = fuzzyDirectory(5, 200)
/** As the core hands it over: gzip is the shell's, Snappy the core's. */
const packed = [
  ['snapshot.c8', snapshot, (bytes: Buffer) => bytes],
  ['snapshot.c8.gz', snapshot, (bytes: Buffer) => gunzipSync(bytes)],
  ['snapshot.c8.snappy', Buffer.concat([snappyHeader(), snappyBlocks(snapshot)]), undefined],
] as const

describe.each(packed)('%s', (name, content, unpack) => {
  it('has its name when it is whole, and is read back', async () => {
    const file = await begin(name, content)
    expect(names()).toEqual([`tmp.${name}`])
    expect(await run(file, { kind: 'finish' })).toBeUndefined()
    expect(names()).toEqual([name])
    if (unpack !== undefined)
      expect(unpack(readFileSync(join(disk.snapFolder, name)))).toEqual(snapshot)
    const { chosen, rejected } = loadNewestSnapshot(disk, () => new DataTree(fuzzyRules, true))
    expect(rejected).toEqual([])
    expect(chosen?.zxid).toBe(snapshotZxid)
    expect(chosen?.zxidMax).toBeLessThanOrEqual(tree.lastProcessedZxid)
    expect(chosen?.tree.nodeCount).toBeGreaterThan(8)
  })

  it('leaves nothing when it is abandoned, and another can be written', async () => {
    const file = await begin(name, content)
    expect(await run(file, { kind: 'abandon' })).toContain('not wanted')
    expect(names()).toEqual([])
    expect(await run(file, { kind: 'begin', name })).toBeUndefined()
    expect(await run(file, { kind: 'append', bytes: content })).toBeUndefined()
    expect(await run(file, { kind: 'finish' })).toBeUndefined()
    expect(names()).toEqual([name])
  })

  it('is removed at the next start, if a crash has left half of it', async () => {
    await begin(name, content)
    removeTemporarySnapshots(disk.snapFolder)
    expect(names()).toEqual([])
  })
})

describe('a snapshot that cannot be written', () => {
  it('says why, and the folder is as it was', async () => {
    const gone = new SnapshotFile(join(dir, 'none'), 0)
    expect(await run(gone, { kind: 'begin', name: 'snapshot.1' })).toContain('ENOENT')
    const small = new SnapshotFile(disk.snapFolder, Number.MAX_SAFE_INTEGER)
    expect(await run(small, { kind: 'begin', name: 'snapshot.1' })).toContain('bytes are free')
    expect(names()).toEqual([])
    expect(existsSync(join(dir, 'none'))).toBe(false)
  })
})
