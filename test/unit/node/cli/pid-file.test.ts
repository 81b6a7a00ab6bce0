import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { isServerAlive, readPid, removePid, writePid } from '../../../../src/node/cli/pid-file.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'zk-pid-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

it('holds a number without a line end, in a directory that is made', () => {
  const file = join(dir, 'a/b/pid')
  expect(readPid(file)).toBe(undefined)
  writePid(file, 123)
  expect(readFileSync(file, 'utf8')).toBe('123')
  expect(readPid(file)).toBe(123)
})

it.each(['', 'abc', '-1', '0', '1.5', '12345678901'])('ignores %j', (text) => {
  writeFileSync(join(dir, 'pid'), text)
  expect(readPid(join(dir, 'pid'))).toBe(undefined)
})

it('is not removed when it names another process by now', () => {
  const file = join(dir, 'pid')
  writePid(file, 5)
  removePid(file, 4)
  expect(existsSync(file)).toBe(true)
  removePid(file, 5)
  expect(existsSync(file)).toBe(false)
})

it('counts a process only if it is a server', async () => {
  const wait = 'process.stdin.resume()'
  const stranger = spawn(process.execPath, ['-e', wait])
  const server = spawn(process.execPath, ['-e', wait, 'zk-server'])
  try {
    await Promise.all([once(stranger, 'spawn'), once(server, 'spawn')])
    expect(isServerAlive(server.pid ?? 0)).toBe(true)
    if (process.platform === 'linux') expect(isServerAlive(stranger.pid ?? 0)).toBe(false)
  } finally {
    stranger.kill()
    server.kill()
    await Promise.all([once(stranger, 'exit'), once(server, 'exit')])
  }
  expect(isServerAlive(server.pid ?? 0)).toBe(false)
})
