import { constants, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { loadData } from '../../../../src/node/files/data-folder.ts'
import { NodeDisk } from '../../../../src/node/files/disk.ts'
import type { DiskOp } from '../../../../src/persistence/disk.ts'
import type { Loaded } from '../../../../src/server/storage/load.ts'
import { record } from '../../../support/memory-disk.ts'
import { configOf } from '../../../support/memory-server.ts'
import { silentLogger } from '../../../support/silent-logger.ts'

/**
 * The files are what the kernel has in memory, the platter is what would be there after a loss of
 * power. A write that fails is in memory all the same; no sync writes it later, since the kernel has
 * told of it and takes its pages for clean.
 */
const platter = vi.hoisted(() => ({
  files: new Map<string, Buffer>(),
  open: new Map<number, { readonly path: string; readonly isDurable: boolean }>(),
  dirty: new Map<string, [from: number, to: number][]>(),
  failsWrites: false,
  failsSyncs: false,
}))

vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>()
  const eio = (): Error => Object.assign(new Error('EIO: i/o error'), { code: 'EIO' })
  const put = (path: string, from: number, to: number): void => {
    const before = platter.files.get(path) ?? Buffer.alloc(0)
    const after = Buffer.alloc(Math.max(before.length, to))
    before.copy(after)
    fs.readFileSync(path).copy(after, from, from, to)
    platter.files.set(path, after)
  }
  const sync = (fd: number): void => {
    if (platter.failsSyncs) throw eio()
    const path = platter.open.get(fd)?.path ?? ''
    for (const [from, to] of platter.dirty.get(path) ?? []) put(path, from, to)
    platter.dirty.delete(path)
  }
  return {
    ...fs,
    openSync: (path: string, flags: string | number, mode?: number): number => {
      const fd = fs.openSync(path, flags, mode)
      const isDurable = typeof flags === 'number' && (flags & constants.O_DSYNC) !== 0
      platter.open.set(fd, { path, isDurable })
      return fd
    },
    write: (
      fd: number,
      bytes: Buffer,
      at: number,
      length: number,
      position: number,
      done: (error: Error | null, written: number) => void,
    ): void => {
      fs.writeSync(fd, bytes, at, length, position)
      const file = platter.open.get(fd)
      if (platter.failsWrites) return process.nextTick(done, eio(), 0)
      if (file?.isDurable === true) put(file.path, position, position + length)
      process.nextTick(done, null, length)
    },
    writeSync: (fd: number, bytes: Buffer, at: number, length: number, position: number) => {
      const written = fs.writeSync(fd, bytes, at, length, position)
      const path = platter.open.get(fd)?.path ?? ''
      const dirty = platter.dirty.get(path) ?? []
      platter.dirty.set(path, [...dirty, [position, position + written]])
      return written
    },
    fsyncSync: sync,
    fdatasyncSync: sync,
  }
})

let folder = ''
let log = ''
let fatal: Promise<string>

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'recovered-end-test-'))
  log = join(folder, 'version-2', 'log.1')
  platter.files.clear()
  platter.dirty.clear()
  platter.failsWrites = false
  platter.failsSyncs = false
})
afterEach(() => rmSync(folder, { recursive: true }))

function open(): NodeDisk {
  let onFatal: (reason: string) => void
  fatal = new Promise((resolve) => {
    onFatal = resolve
  })
  const disk = NodeDisk.open(configOf({ dataDir: folder, preAllocSize: '64' }), {
    logger: silentLogger,
    onSync: () => {},
    onFatal: (reason) => onFatal(reason),
  })
  if (typeof disk === 'string') throw new Error(disk)
  return disk
}

const load = (forceSync = 'yes'): Loaded =>
  loadData(open(), configOf({ dataDir: folder, forceSync }), silentLogger)

const append = (...zxids: number[]): DiskOp => ({
  kind: 'appendTxns',
  bytes: Buffer.concat(zxids.map((zxid) => record(zxid))),
  firstZxid: zxids[0] ?? 0,
  lastZxid: zxids.at(-1) ?? 0,
})

/** A server that has acked 1 and 2, and ended because it could not write 3 and 4. */
async function failedServer(): Promise<void> {
  load()
  const disk = open()
  await new Promise<void>((resolve) => disk.write([append(1, 2)], resolve))
  platter.failsWrites = true
  disk.write([append(3, 4)], () => expect.unreachable('acknowledged'))
  expect(await fatal).toMatch(/log\.1 failed: EIO/)
  platter.failsWrites = false
  disk.close()
}

function losePower(): void {
  const onPlatter = platter.files.get(log)
  expect(onPlatter).toBeDefined()
  writeFileSync(log, onPlatter ?? '')
}

describe('what a write that failed has left in the memory of the kernel', () => {
  it('is lost with the power', async () => {
    await failedServer()
    losePower()
    expect(load().lastZxid).toBe(2)
  })

  it('is on the platter before anybody is told that it is there', async () => {
    await failedServer()
    expect(load().lastZxid).toBe(4)
    losePower()
    expect(load().lastZxid).toBe(4)
  })

  it('ends the start, if the platter does not take it now either', async () => {
    await failedServer()
    platter.failsSyncs = true
    expect(() => load()).toThrow(
      /^writing the end of the log in .*version-2 anew failed: EIO: i\/o error\. The disk may be failing/,
    )
    platter.failsSyncs = false
    expect(load().lastZxid).toBe(4)
  })

  it('is the same to the byte afterwards', async () => {
    await failedServer()
    const before = readFileSync(log)
    load()
    expect(readFileSync(log).equals(before)).toBe(true)
  })
})
