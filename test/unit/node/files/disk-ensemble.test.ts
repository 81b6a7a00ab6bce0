import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadData } from '../../../../src/node/files/data-folder.ts'
import { NodeDisk } from '../../../../src/node/files/disk.ts'
import type { DiskOp } from '../../../../src/persistence/disk.ts'
import { replayLogs } from '../../../../src/persistence/recovery.ts'
import { planTruncation } from '../../../../src/persistence/truncation.ts'
import { logFile, record, snapshotFile } from '../../../support/memory-disk.ts'
import { configOf } from '../../../support/memory-server.ts'
import { silentLogger } from '../../../support/silent-logger.ts'

let folder = ''
let snapFolder = ''
let logFolder = ''
let fatal: Promise<string>
let disk: NodeDisk

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'disk-ensemble-test-'))
  snapFolder = join(folder, 'data', 'version-2')
  logFolder = join(folder, 'logs', 'version-2')
  let onFatal: (reason: string) => void
  fatal = new Promise((resolve) => {
    onFatal = resolve
  })
  const opened = NodeDisk.open(
    {
      dataDir: join(folder, 'data'),
      dataLogDir: join(folder, 'logs'),
      dataDirAutocreate: true,
      preAllocBytes: 64 * 1024,
      forceSync: true,
      fsyncWarningThresholdMs: 60_000,
      txnLogSizeLimitBytes: 0,
    },
    { logger: silentLogger, onSync: () => {}, onFatal: (reason) => onFatal(reason) },
  )
  if (typeof opened === 'string') throw new Error(opened)
  disk = opened
})
afterEach(() => rmSync(folder, { recursive: true }))

const write = (...ops: DiskOp[]): Promise<void> =>
  new Promise((resolve) => disk.write(ops, resolve))

const append = (...zxids: number[]): DiskOp => ({
  kind: 'appendTxns',
  bytes: Buffer.concat(zxids.map((zxid) => record(zxid))),
  firstZxid: zxids[0] ?? 0,
  lastZxid: zxids.at(-1) ?? 0,
})

function lastZxid(): number {
  const result = replayLogs(disk, 0, () => undefined)
  if (result.kind === 'refused') throw new Error(result.reason)
  return result.lastZxid
}

describe('the epoch files', () => {
  it('are replaced as a whole, in the order of the ops, beside the snapshots', async () => {
    const epochs: string[] = []
    const accepted = (): string => readFileSync(join(snapFolder, 'acceptedEpoch'), 'utf8')
    for (const epoch of [9, 10, 2 ** 21 - 1]) {
      await write({ kind: 'writeEpoch', file: 'acceptedEpoch', epoch }, append(epoch))
      epochs.push(accepted())
    }
    expect(epochs).toEqual(['9', '10', '2097151'])
    await write(
      { kind: 'writeEpoch', file: 'currentEpoch', epoch: 7 },
      { kind: 'writeEpoch', file: 'currentEpoch', epoch: 8 },
    )
    expect(readFileSync(join(snapFolder, 'currentEpoch'), 'utf8')).toBe('8')
    expect(readdirSync(snapFolder).sort()).toEqual(['acceptedEpoch', 'currentEpoch'])
    expect(readdirSync(logFolder)).toEqual(['log.9'])
  })

  it('that cannot be written are fatal, and the old one stays', async () => {
    await write({ kind: 'writeEpoch', file: 'currentEpoch', epoch: 1 })
    mkdirSync(join(snapFolder, 'currentEpoch.tmp'))
    disk.write([{ kind: 'writeEpoch', file: 'currentEpoch', epoch: 2 }, append(1)], () =>
      expect.unreachable('acknowledged'),
    )
    expect(await fatal).toMatch(/^writing .*version-2\/currentEpoch failed: EISDIR/)
    expect(readFileSync(join(snapFolder, 'currentEpoch'), 'utf8')).toBe('1')
    expect(disk.listLogs()).toEqual([])
  })
})

function truncateAfter(zxid: number): DiskOp {
  const plan = planTruncation(disk, zxid)
  if (typeof plan === 'string') throw new Error(plan)
  return { kind: 'truncateAfter', zxid, plan }
}

describe('truncateAfter', () => {
  it('cuts what was just written, and the next append opens a new file', async () => {
    await write(append(1, 2, 3))
    await write(truncateAfter(2), append(3, 4))
    expect(disk.listLogs().map(({ name }) => name)).toEqual(['log.1', 'log.3'])
    const expected = logFile([record(1), record(2)])
    expect(readFileSync(join(logFolder, 'log.1')).equals(expected)).toBe(true)
    expect(lastZxid()).toBe(4)
    expect(statSync(join(logFolder, 'log.3')).size).toBe(64 * 1024 + 16)
  })

  it('removes newer logs and snapshots, each from its own folder', async () => {
    for (const name of ['snapshot.0', 'snapshot.4.gz'])
      writeFileSync(join(snapFolder, name), snapshotFile(name))
    await write(append(1, 2), { kind: 'rollLog' }, append(3, 4), { kind: 'rollLog' }, append(5))
    await write(truncateAfter(3))
    expect(readdirSync(snapFolder)).toEqual(['snapshot.0'])
    expect(disk.listLogs().map(({ name }) => name)).toEqual(['log.1', 'log.3'])
    expect(lastZxid()).toBe(3)
    await write(truncateAfter(0))
    expect(disk.listLogs()).toEqual([])
    await write(append(0x1_0000_0001))
    expect(disk.listLogs().map(({ name }) => name)).toEqual(['log.100000001'])
  })

  it('calls back after it has returned', async () => {
    let isDone = false
    const done = new Promise<void>((resolve) => {
      disk.write([truncateAfter(1)], () => {
        isDone = true
        resolve()
      })
    })
    expect(isDone).toBe(false)
    await done
  })

  it('is fatal when a file cannot be removed', async () => {
    mkdirSync(join(logFolder, 'log.9'))
    disk.write([truncateAfter(4)], () => expect.unreachable('acknowledged'))
    expect(await fatal).toMatch(/^cutting the log in .* behind 0x4 failed: /)
  })
})

describe('forgetting a history', () => {
  it('leaves the snapshot that came from the leader, and goes on in a new log', async () => {
    await write(append(1, 2))
    for (const name of ['snapshot.1', 'snapshot.2', 'received.snapshot.200000005'])
      writeFileSync(join(snapFolder, name), '')
    await write({ kind: 'forgetHistory', zxid: 0x2_0000_0005 }, append(0x2_0000_0006))
    expect(disk.listSnapshots().map(({ name }) => name)).toEqual(['snapshot.200000005'])
    expect(disk.listLogs().map(({ name }) => name)).toEqual(['log.200000006'])
  })
})

describe('forgetHistory', () => {
  it('leaves the one snapshot, and the next append opens a new file', async () => {
    for (const name of ['snapshot.0', 'received.snapshot.7', 'snapshot.9'])
      writeFileSync(join(snapFolder, name), '')
    await write(append(1, 2), { kind: 'rollLog' }, append(3, 4))
    await write({ kind: 'forgetHistory', zxid: 7 }, append(8))
    expect(readdirSync(snapFolder)).toEqual(['snapshot.7'])
    expect(disk.listLogs().map(({ name }) => name)).toEqual(['log.8'])
  })

  it('is gone on with by the next start', async () => {
    await write(append(1, 2))
    const name = 'snapshot.200000005.gz'
    writeFileSync(join(snapFolder, 'snapshot.0'), snapshotFile('snapshot.0'))
    writeFileSync(join(snapFolder, `received.${name}`), snapshotFile(name))
    disk.close()
    const config = configOf({ dataDir: join(folder, 'data'), dataLogDir: join(folder, 'logs') })
    const loaded = loadData(disk, config, silentLogger)
    expect([loaded.snapshot, loaded.lastZxid]).toEqual([name, 0x2_0000_0005])
    expect([readdirSync(snapFolder), readdirSync(logFolder)]).toEqual([[name], []])
  })

  it('begins with the newest log, so that a crash leaves no gap', async () => {
    mkdirSync(join(logFolder, 'log.2'))
    writeFileSync(join(snapFolder, 'received.snapshot.0'), '')
    for (const name of ['log.1', 'log.3']) writeFileSync(join(logFolder, name), '')
    disk.write([{ kind: 'forgetHistory', zxid: 0 }], () => expect.unreachable('acknowledged'))
    expect(await fatal).toMatch(/^removing what was before snapshot 0x0 failed: /)
    expect(disk.listLogs().map(({ name }) => name)).toEqual(['log.1', 'log.2'])
  })
})
