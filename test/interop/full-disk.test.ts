import { execFileSync } from 'node:child_process'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { Err } from '../../src/data/error-code.ts'
import { OpCode } from '../../src/data/op-code.ts'
import { create, getData } from '../support/requests.ts'
import { WireClient } from '../support/wire-client.ts'
import { scratchDirectory, startServer, type TestServer } from './harness/server.ts'

const DISK_BYTES = 48 * 1024 * 1024
const config = { snapCount: '500', preAllocSize: '1024', freeSpaceMinInKb: '8192' }
const DATA = Buffer.alloc(4000, 'x')

let disk: string | undefined
let server: TestServer | undefined
afterEach(async () => {
  await server?.stop('SIGKILL')
  if (disk !== undefined) execFileSync('umount', [disk])
})

/** A file system of its own, so small that logs and snapshots fill it. Needs root. */
function smallDisk(): string {
  const folder = scratchDirectory('full-disk')
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', folder])
  return folder
}

const zxidOf = (name: string): number => Number.parseInt(name.split('.')[1] ?? '', 16)

/** What an operator does who is short of space: all but the newest snapshot and its log. */
function makeRoom(folder: string): void {
  const named = (prefix: string): string[] =>
    readdirSync(folder)
      .filter((name) => name.startsWith(`${prefix}.`))
      .sort((a, b) => zxidOf(a) - zxidOf(b))
  const snapshots = named('snapshot')
  const newest = zxidOf(snapshots.at(-1) ?? '')
  const older = named('log').filter((name) => zxidOf(name) <= newest)
  for (const name of [...snapshots.slice(0, -1), ...older.slice(0, -1)]) rmSync(join(folder, name))
}

it('a full disk stops writes, loses none, and is left behind when there is room again', async () => {
  disk = smallDisk()
  const dataDir = join(disk, 'data')
  server = await startServer({ kind: 'zk-server', config, dataDir })
  const client = await WireClient.open(server.port, 30_000)
  const acknowledged: string[] = []
  const errors = new Set<number>()
  for (let i = 0; errors.size === 0; i += 20) {
    const paths = Array.from({ length: 20 }, (_, k) => `/n${i + k}`)
    const one = async (path: string): Promise<void> => {
      const { err } = await client.call(OpCode.create, create(path, { data: DATA }))
      if (err === Err.ok) acknowledged.push(path)
      else errors.add(err)
    }
    await Promise.all(paths.map(one))
  }
  expect([...errors]).toEqual([Err.systemError])
  expect(acknowledged.length).toBeGreaterThan(1000)
  expect((await client.call(OpCode.getData, getData('/n0'))).err).toBe(Err.ok)
  expect(server.log()).toContain('the disk of the log is nearly full, refusing writes')

  makeRoom(join(dataDir, 'version-2'))
  const deadline = Date.now() + 10_000
  for (;;) {
    const { err } = await client.call(OpCode.create, create('/again'))
    if (err === Err.ok) break
    expect([err, Date.now() < deadline]).toEqual([Err.systemError, true])
  }
  await server.stop('SIGKILL')
  server = await startServer({ kind: 'zk-server', config, dataDir })
  const after = await WireClient.open(server.port, 30_000)
  for (const path of [...acknowledged, '/again'])
    expect([path, (await after.call(OpCode.getData, getData(path))).err]).toEqual([path, Err.ok])
})
