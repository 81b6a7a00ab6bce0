import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { askFourLetterWord } from '../../src/node/cli/status.ts'
import { freePorts } from '../support/ports.ts'

const TIMEOUT_MS = 60_000
/** Some 150 bytes of log each, and the pipe takes 64 KiB of them. */
const WORDS = 1000
const STOP_MS_MAX = 5000

let dir = ''
let child: ChildProcess | undefined
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'zk-log-pipe-'))
})
afterEach(() => {
  child?.kill('SIGKILL')
  rmSync(dir, { recursive: true, force: true })
})

it('SIGTERM ends a server whose log nobody reads', { timeout: TIMEOUT_MS }, async () => {
  const port = await freePorts(1)
  const lines = [`dataDir=${dir}/data`, `clientPort=${port}`, 'clientPortAddress=127.0.0.1']
  writeFileSync(join(dir, 'zoo.cfg'), `${lines.join('\n')}\n`)
  const pipe = join(dir, 'pipe')
  spawnSync('mkfifo', [pipe])
  const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK)
  const writer = openSync(pipe, 'w')
  const script = fileURLToPath(new URL('zk-server-from-source.ts', import.meta.url))
  const node = ['--conditions=source', '--import', import.meta.resolve('tsx'), script]
  child = spawn(process.execPath, [...node, 'start-foreground', join(dir, 'zoo.cfg')], {
    stdio: ['ignore', writer, writer],
    env: { ...process.env, ZK_SERVER_LOG_LEVEL: 'debug' },
  })
  closeSync(writer)
  const ended = once(child, 'exit')
  while ((await askFourLetterWord('127.0.0.1', port, 'srvr')) === undefined) await delay(50)
  for (let n = 0; n < WORDS; n += 1)
    expect(await askFourLetterWord('127.0.0.1', port, 'srvr')).toContain('Mode: standalone')
  const began = performance.now()
  child.kill('SIGTERM')
  expect(await ended).toEqual([0, null])
  expect(performance.now() - began).toBeLessThan(STOP_MS_MAX)
  closeSync(reader)
})
