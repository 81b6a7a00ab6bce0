import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FolderLock } from '../../../../src/node/files/folder-lock.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lock-test-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

async function take(path = folder): Promise<FolderLock> {
  const lock = await FolderLock.take(path)
  if (lock instanceof FolderLock) return lock
  throw new Error(lock.reason)
}

describe('the lock of a data directory', () => {
  it('is refused to a second owner, who learns of the first, and is free again after it', async () => {
    const lock = await take()
    expect(await FolderLock.take(folder)).toEqual({
      kind: 'held',
      reason: `${join(folder, 'zk-server.lock')} is held by process ${process.pid}`,
    })
    lock.release()
    const next = await take()
    next.release()
  })

  it('goes to one of many who come at once, also over what a crash has left', async () => {
    const script = `require('node:net').createServer().listen(process.argv[1],()=>console.log('up'))`
    const owner = spawn(process.execPath, ['-e', script, join(folder, 'zk-server.lock')])
    await once(owner.stdout, 'data')
    expect(await FolderLock.take(folder)).toMatchObject({ kind: 'held' })
    owner.kill('SIGKILL')
    await once(owner, 'exit')
    expect(existsSync(join(folder, 'zk-server.lock'))).toBe(true)
    const results = await Promise.all(Array.from({ length: 5 }, () => FolderLock.take(folder)))
    const locks = results.filter((result) => result instanceof FolderLock)
    expect(locks).toHaveLength(1)
    for (const lock of locks) lock.release()
  })

  it('works in a folder whose path is too long for a socket', async () => {
    const deep = join(folder, 'd'.repeat(120), 'e'.repeat(120))
    mkdirSync(deep, { recursive: true })
    const lock = await take(deep)
    expect(existsSync(join(deep, 'zk-server.lock'))).toBe(true)
    expect(await FolderLock.take(deep)).toMatchObject({ kind: 'held' })
    lock.release()
  })
})
