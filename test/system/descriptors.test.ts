import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { OpCode } from '../../src/data/op-code.ts'
import { freePorts } from '../support/ports.ts'
import { create } from '../support/requests.ts'
import { WireClient } from '../support/wire-client.ts'

const TIMEOUT_MS = 60_000
const DESCRIPTORS_MAX = 1024

let dir = ''
let child: ChildProcess | undefined
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'zk-descriptors-'))
})
afterEach(() => {
  child?.kill('SIGKILL')
  rmSync(dir, { recursive: true, force: true })
})

/** A script of this folder in a process that may have so many files open. */
function launch(script: string, args: readonly string[], descriptors: number): ChildProcess {
  const path = fileURLToPath(new URL(script, import.meta.url))
  const node = [process.execPath, '--conditions=source', '--import', import.meta.resolve('tsx')]
  const command = [...node, path, ...args].map((word) => `'${word}'`).join(' ')
  const log = `>'${join(dir, 'out')}' 2>&1`
  child = spawn('bash', ['-c', `ulimit -n ${descriptors}; exec ${command} ${log}`])
  return child
}

const output = (): string => readFileSync(join(dir, 'out'), 'utf8')

async function serving(port: number): Promise<WireClient> {
  for (;;) {
    const client = await WireClient.open(port, 30_000).catch(() => undefined)
    if (client !== undefined) return client
    await delay(50)
  }
}

/** Asks for the mode at a rate, and never ends its side of a connection. */
function flood(port: number, perSecond: number): { stop: () => number } {
  const sockets: Socket[] = []
  const timer = setInterval(() => {
    for (let n = 0; n < perSecond / 50; n += 1) {
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
      socket.on('error', () => {})
      socket.on('connect', () => socket.write('srvr'))
      socket.resume()
      sockets.push(socket)
    }
  }, 20)
  return {
    stop: () => {
      clearInterval(timer)
      for (const socket of sockets) socket.destroy()
      return sockets.length
    },
  }
}

it('a flood of words takes no descriptor that the log needs', { timeout: TIMEOUT_MS }, async () => {
  const port = await freePorts(1)
  const lines = ['clientPortAddress=127.0.0.1', 'maxClientCnxns=0', 'snapCount=100']
  const config = [`dataDir=${dir}/data`, `clientPort=${port}`, ...lines].join('\n')
  writeFileSync(join(dir, 'zoo.cfg'), `${config}\n`)
  const server = launch(
    'zk-server-from-source.ts',
    ['start-foreground', join(dir, 'zoo.cfg')],
    DESCRIPTORS_MAX,
  )
  let isGone = false
  server.once('exit', () => {
    isGone = true
  })
  const writer = await serving(port)
  await writer.call(OpCode.create, create('/n'))
  const flooding = flood(port, 1500)
  const until = performance.now() + 4000
  let written = 0
  while (performance.now() < until && !isGone) {
    const writes = Array.from({ length: 50 }, (_, n) =>
      writer.call(OpCode.create, create(`/n/${written + n}`)),
    )
    for (const reply of await Promise.all(writes)) expect(reply.err).toBe(0)
    written += writes.length
  }
  expect(flooding.stop()).toBeGreaterThan(DESCRIPTORS_MAX)
  expect(isGone).toBe(false)
  expect(output()).toContain('too many open files, refusing a client')
  // The log was rolled again and again meanwhile.
  const logs = readdirSync(join(dir, 'data/version-2')).filter((name) => name.startsWith('log.'))
  expect(logs.length).toBeGreaterThan(3)
  await writer.close()
})

it('the log and the epoch files wait for a descriptor', { timeout: TIMEOUT_MS }, async () => {
  const process = launch('disk-without-descriptors.ts', [join(dir, 'data')], 128)
  const [code] = await once(process, 'exit')
  expect(output()).toMatch(
    /^all descriptors are taken\nno file descriptor is left, writes wait for one\nwritten\n$/,
  )
  expect(code).toBe(0)
  expect(readFileSync(join(dir, 'data/version-2/acceptedEpoch'), 'utf8')).toBe('2')
})
