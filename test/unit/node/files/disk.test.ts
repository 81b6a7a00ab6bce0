import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { LogFields } from '../../../../src/base/logger.ts'
import { NodeDisk, type NodeDiskOptions } from '../../../../src/node/files/disk.ts'
import type { DiskOp } from '../../../../src/persistence/disk.ts'
import { replayLogs } from '../../../../src/persistence/recovery.ts'
import { logFile, record } from '../../../support/memory-disk.ts'
import { silentLogger } from '../../../support/silent-logger.ts'

const KIB = 1024

let folder = ''
let logFolder = ''
let syncs: number[] = []
let fatal: Promise<string>
let onFatal: (reason: string) => void
let warnings: (LogFields | undefined)[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'disk-test-'))
  logFolder = join(folder, 'version-2')
  syncs = []
  warnings = []
  fatal = new Promise((resolve) => {
    onFatal = resolve
  })
})
afterEach(() => rmSync(folder, { recursive: true }))

function tryOpen(changes: Partial<NodeDiskOptions> = {}): NodeDisk | string {
  const options: NodeDiskOptions = {
    dataDir: folder,
    dataLogDir: folder,
    dataDirAutocreate: true,
    preAllocBytes: 64 * KIB,
    forceSync: true,
    fsyncWarningThresholdMs: 60_000,
    txnLogSizeLimitBytes: 0,
    ...changes,
  }
  return NodeDisk.open(options, {
    logger: { ...silentLogger, warn: (_, fields) => warnings.push(fields) },
    onSync: (durationMs) => syncs.push(durationMs),
    onFatal,
  })
}

function open(changes: Partial<NodeDiskOptions> = {}): NodeDisk {
  const disk = tryOpen(changes)
  if (typeof disk === 'string') throw new Error(disk)
  return disk
}

const append = (...zxids: number[]): DiskOp => ({
  kind: 'appendTxns',
  bytes: Buffer.concat(zxids.map((zxid) => record(zxid))),
  firstZxid: zxids[0] ?? 0,
  lastZxid: zxids.at(-1) ?? 0,
})

const write = (disk: NodeDisk, ...ops: DiskOp[]): Promise<void> =>
  new Promise((resolve) => disk.write(ops, resolve))

function replayed(disk: NodeDisk): readonly number[] {
  const zxids: number[] = []
  const result = replayLogs(disk, 0, (header) => {
    zxids.push(header.zxid)
    return undefined
  })
  expect(result.kind).toBe('replayed')
  return zxids
}

function isOpen(path: string): boolean {
  return readdirSync('/proc/self/fd').some((fd) => {
    const link = `/proc/self/fd/${fd}`
    return existsSync(link) && readlinkSync(link) === path
  })
}

describe('writing the log', () => {
  it('opens a file by its first zxid and pads it as the original does', async () => {
    const disk = open()
    await write(disk, append(10, 11))
    await write(disk, append(12))
    expect(readdirSync(logFolder)).toEqual(['log.a'])
    const bytes = readFileSync(join(logFolder, 'log.a'))
    const records = [record(10), record(11), record(12)]
    const used = logFile(records).length
    // Spec 02 §2: 64 KiB behind the 16 bytes of the header.
    expect(bytes.equals(logFile(records, 16 + 64 * KIB - used))).toBe(true)
    expect(syncs.length).toBe(2)
    disk.close()
  })

  it('extends the file before it is full', async () => {
    const disk = open()
    const size = (): number => statSync(join(logFolder, 'log.1')).size
    const bytesOf = (count: number): number => 16 + count * record(1).length
    const count = Math.floor((60 * KIB) / record(1).length)
    await write(disk, append(...Array.from({ length: count - 1 }, (_, index) => 1 + index)))
    await write(disk, append(count))
    expect(size()).toBe(16 + 64 * KIB)
    const more = Array.from({ length: 4000 }, (_, index) => count + 1 + index)
    await write(disk, append(...more))
    const written = bytesOf(count + more.length)
    expect(size() % (64 * KIB)).toBe(16)
    expect(size()).toBeGreaterThanOrEqual(written + 4096)
    expect(size()).toBeLessThan(written + 4096 + 64 * KIB)
    disk.close()
    expect(replayed(open()).length).toBe(count + more.length)
  })

  it('does not pad when told so', async () => {
    const disk = open({ preAllocBytes: 0 })
    await write(disk, append(1), append(2))
    disk.close()
    const bytes = readFileSync(join(logFolder, 'log.1'))
    expect(bytes.equals(logFile([record(1), record(2)]))).toBe(true)
  })

  it('rolls, and after a start never appends to an old file', async () => {
    const disk = open()
    await write(disk, append(1, 2), { kind: 'rollLog' }, append(3))
    await write(disk, { kind: 'rollLog' })
    await write(disk, append(4))
    disk.close()
    const second = open()
    expect(second.listLogs().map((file) => file.name)).toEqual(['log.1', 'log.3', 'log.4'])
    await write(second, append(5))
    second.close()
    const third = open()
    expect(third.listLogs().map((file) => file.zxid)).toEqual([1, 3, 4, 5])
    expect(replayed(third)).toEqual([1, 2, 3, 4, 5])
  })

  it('overwrites what a crash left under the same name', async () => {
    const disk = open({ preAllocBytes: 0 })
    writeFileSync(join(logFolder, 'log.1'), logFile([record(1).subarray(0, 20)], 1000))
    await write(disk, append(1))
    disk.close()
    expect(readFileSync(join(logFolder, 'log.1')).equals(logFile([record(1)]))).toBe(true)
  })

  it('calls back after it has returned, even if there is nothing to write', async () => {
    const disk = open()
    for (const ops of [[], [{ kind: 'rollLog' }], [append(1)]] satisfies DiskOp[][]) {
      let isDone = false
      const done = new Promise<void>((resolve) => {
        disk.write(ops, () => {
          isDone = true
          resolve()
        })
      })
      expect(isDone).toBe(false)
      await done
    }
    disk.close()
  })

  it('allows one write at a time', async () => {
    const disk = open()
    const first = write(disk, append(1))
    expect(isOpen(join(logFolder, 'log.1'))).toBe(true)
    expect(() => disk.write([append(2)], () => {})).toThrow('in flight')
    disk.close()
    expect(() => disk.write([append(2)], () => {})).toThrow('closed')
    await first
    expect(isOpen(join(logFolder, 'log.1'))).toBe(false)
    expect(replayed(open())).toEqual([1])
  })

  it('warns when the disk is slow, and not when it is not asked to sync', async () => {
    const slow = open({ fsyncWarningThresholdMs: -1 })
    await write(slow, append(1))
    expect(warnings).toEqual([
      { file: join(logFolder, 'log.1'), durationMs: expect.any(Number), thresholdMs: -1 },
    ])
    slow.close()
    const unsynced = open({ forceSync: false, fsyncWarningThresholdMs: -1 })
    await write(unsynced, append(2))
    expect([warnings.length, syncs.length]).toEqual([1, 1])
    expect(replayed(unsynced)).toEqual([1, 2])
    unsynced.close()
  })
})

describe('a log that cannot be written', () => {
  it('is fatal when the device is full, and nothing is acknowledged', async () => {
    const disk = open({ preAllocBytes: 0 })
    symlinkSync('/dev/full', join(logFolder, 'log.1'))
    disk.write([append(1)], () => expect.unreachable('acknowledged'))
    expect(await fatal).toMatch(/^writing .*log\.1 failed: ENOSPC/)
    disk.write([append(2)], () => expect.unreachable('written after a failure'))
    expect(syncs).toEqual([])
    disk.close()
  })

  it('is fatal when it cannot be created', async () => {
    const disk = open()
    mkdirSync(join(logFolder, 'log.1'))
    disk.write([append(1)], () => expect.unreachable('acknowledged'))
    expect(await fatal).toMatch(/^creating .*log\.1 failed: EISDIR/)
    rmdirSync(join(logFolder, 'log.1'))
    disk.write([append(1)], () => expect.unreachable('written after a failure'))
    expect(disk.listLogs()).toEqual([])
  })

  it('is fatal when it cannot be extended', async () => {
    const disk = open()
    symlinkSync('/dev/full', join(logFolder, 'log.1'))
    disk.write([append(1)], () => expect.unreachable('acknowledged'))
    expect(await fatal).toMatch(/^extending .*log\.1 failed: EINVAL/)
  })

  it('is fatal when the folder is gone', async () => {
    const disk = open()
    await write(disk, append(1), { kind: 'rollLog' })
    rmSync(logFolder, { recursive: true })
    disk.write([append(2)], () => expect.unreachable('acknowledged'))
    expect(await fatal).toMatch(/^creating .*log\.2 failed: ENOENT/)
  })
})

describe('the directories', () => {
  it('are created, or not', () => {
    const deep = join(folder, 'a', 'b')
    expect(tryOpen({ dataDir: deep, dataDirAutocreate: false })).toMatch(
      /a\/b\/version-2 cannot be used: ENOENT.*datadir\.autocreate is false/,
    )
    const disk = open({ dataDir: deep, dataLogDir: join(folder, 'c') })
    expect(existsSync(join(deep, 'version-2'))).toBe(true)
    expect(disk.logFolder).toBe(join(folder, 'c', 'version-2'))
    open({ dataDir: deep, dataLogDir: join(folder, 'c'), dataDirAutocreate: false })
    writeFileSync(join(folder, 'file'), '')
    expect(tryOpen({ dataDir: join(folder, 'file') })).toMatch(/cannot be used: ENOTDIR/)
  })

  it('refuses a directory that can never be made, and does not try for ever', () => {
    expect(tryOpen({ dataDir: '/proc/zk-test', dataLogDir: '/proc/zk-test' })).toMatch(
      /^data directory \/proc\/zk-test\/version-2 cannot be used: ENOENT.*; set dataDir and dataLogDir to/,
    )
  })

  it('are refused when files are in the wrong one', () => {
    const other = join(folder, 'logs')
    const both = { dataLogDir: other }
    open(both)
    writeFileSync(join(logFolder, 'log.1'), '')
    expect(tryOpen(both)).toMatch(/log\.1 is a log, but logs belong in .*logs/)
    rmSync(join(logFolder, 'log.1'))
    writeFileSync(join(other, 'version-2', 'snapshot.0.gz'), '')
    expect(tryOpen(both)).toMatch(/snapshot\.0\.gz is a snapshot, but snapshots belong in/)
  })

  it('are listed by zxid, other names left out', () => {
    const disk = open()
    for (const name of ['log.a', 'log.9', 'log.100', 'log.', 'log.x', 'xlog.1', 'snapshot.b.gz'])
      writeFileSync(join(logFolder, name), 'abc')
    writeFileSync(join(logFolder, 'snapshot.a'), '')
    writeFileSync(join(logFolder, 'snapshot'), '')
    expect(disk.listLogs()).toEqual([
      { zxid: 9, name: 'log.9', bytes: 3 },
      { zxid: 10, name: 'log.a', bytes: 3 },
      { zxid: 256, name: 'log.100', bytes: 3 },
    ])
    expect(disk.listSnapshots()).toEqual([
      { zxid: 10, name: 'snapshot.a', bytes: 0 },
      { zxid: 11, name: 'snapshot.b.gz', bytes: 3 },
    ])
    expect(disk.readLog('log.a', 1, 10).toString()).toBe('bc')
    expect(disk.readLog('log.a', 5, 10).length).toBe(0)
  })
})

describe('the tail that a crash left', () => {
  const cut = (disk: NodeDisk): string | undefined => {
    const result = replayLogs(disk, 0, () => undefined)
    if (result.kind === 'refused' || result.tail === undefined) return 'there is no tail'
    return disk.cutTail(result.tail)
  }
  const path = (): string => join(logFolder, 'log.1')

  it('is cut off', () => {
    const disk = open()
    writeFileSync(path(), logFile([record(1), record(2).subarray(0, 30)], 100))
    expect(cut(disk)).toBe(undefined)
    expect(readFileSync(path()).equals(logFile([record(1)]))).toBe(true)
  })

  it('is completed if only the end mark is missing', () => {
    const disk = open()
    writeFileSync(path(), logFile([record(1), record(2).subarray(0, -1)], 100))
    expect(cut(disk)).toBe(undefined)
    expect(readFileSync(path()).equals(logFile([record(1), record(2)]))).toBe(true)
  })

  it('is removed with the file when that has no header', () => {
    const disk = open()
    writeFileSync(path(), '')
    expect(cut(disk)).toBe(undefined)
    expect(disk.listLogs()).toEqual([])
  })

  it('is told of when it cannot be cut', () => {
    const tail = { name: 'log.1', offset: 16, addEndMark: false, detail: '' }
    expect(open().cutTail(tail)).toMatch(/^cutting .*log\.1 at offset 16 failed: ENOENT/)
  })
})

describe('a place that is not what it was', () => {
  it('is none while nobody has touched it, whatever is open', async () => {
    const disk = open()
    disk.checkPlace()
    await write(disk, append(1))
    disk.checkPlace()
    await write(disk, { kind: 'rollLog' }, append(2))
    disk.checkPlace()
    await write(disk, append(3))
    disk.close()
    expect(replayed(open())).toEqual([1, 2, 3])
  })

  it.each(['the log', 'the folder'])(
    'lets no write be acknowledged: %s was removed',
    async (what) => {
      const disk = open()
      await write(disk, append(1))
      rmSync(what === 'the log' ? join(logFolder, 'log.1') : logFolder, { recursive: true })
      // The system takes it as if nothing had happened.
      disk.write([append(2)], () => onFatal('acknowledged'))
      expect(await fatal).toMatch(
        /^keeping .*log\.1 failed: it was removed, so nothing written would/,
      )
      disk.write([append(3)], () => expect.unreachable('acknowledged'))
    },
  )

  it('is noticed by and by where nothing need be durable: the log was removed', async () => {
    const disk = open({ forceSync: false })
    await write(disk, append(1))
    rmSync(join(logFolder, 'log.1'))
    await write(disk, append(2))
    disk.checkPlace()
    expect(await fatal).toMatch(/^keeping .*log\.1 failed: it was removed/)
  })

  it('is noticed: another file has the name, or the folder is gone while none is open', async () => {
    const disk = open()
    await write(disk, append(1))
    rmSync(join(logFolder, 'log.1'))
    writeFileSync(join(logFolder, 'other'), '')
    renameSync(join(logFolder, 'other'), join(logFolder, 'log.1'))
    disk.checkPlace()
    expect(await fatal).toMatch(/log\.1 failed: another file is in its place/)
    fatal = new Promise((resolve) => {
      onFatal = resolve
    })
    const idle = open()
    rmSync(logFolder, { recursive: true })
    idle.checkPlace()
    expect(await fatal).toMatch(/version-2 failed: it was removed/)
  })
})
