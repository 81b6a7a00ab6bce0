import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runCommandLine } from '../../src/node/cli/command-line.ts'
import { isServerAlive } from '../../src/node/cli/pid-file.ts'
import { askFourLetterWord } from '../../src/node/cli/status.ts'

const script = fileURLToPath(new URL('zk-server-from-source.ts', import.meta.url))
const nodeOptions = ['--conditions=source', '--import', import.meta.resolve('tsx')]
const TIMEOUT_MS = 60_000

interface Result {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

let dir = ''
let port = 0
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'zk-cli-'))
  const probe = await occupy(0)
  port = probe.port
  probe.server.close()
  write('zoo.cfg', `dataDir=${dir}/data\nclientPort=${port}\nclientPortAddress=127.0.0.1\n`)
})
afterEach(() => {
  const pid = pidOf()
  if (pid !== undefined && isServerAlive(pid)) process.kill(pid, 'SIGKILL')
  rmSync(dir, { recursive: true, force: true })
})

function write(name: string, text: string): void {
  writeFileSync(join(dir, name), text)
}

function pidOf(): number | undefined {
  const file = join(dir, 'data/zookeeper_server.pid')
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined
}

async function occupy(wanted: number): Promise<{ server: Server; port: number }> {
  const server = createServer().listen(wanted, '127.0.0.1')
  await once(server, 'listening')
  const address: AddressInfo | string | null = server.address()
  return { server, port: typeof address === 'object' && address !== null ? address.port : 0 }
}

interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<Result>
}

function launch(args: readonly string[], env: Readonly<Record<string, string>>): Running {
  const { SERVER_JVMFLAGS: _, JVMFLAGS: __, ZOOCFGDIR: ___, ...inherited } = process.env
  const child = spawn(process.execPath, [...nodeOptions, script, ...args], {
    cwd: dir,
    env: { ...inherited, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  return { child, ended: once(child, 'close').then(([code]) => ({ code, out, err })) }
}

/** Runs a command in this process; a server that it starts is a process of its own. */
async function run(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Result> {
  let out = ''
  let err = ''
  const code = await runCommandLine(args, {
    env: { ZOOCFGDIR: dir, ...env },
    executable: script,
    nodeOptions,
    out: (text) => {
      out += text
    },
    err: (text) => {
      err += text
    },
  })
  return { code, out, err }
}

const using = (name = 'zoo.cfg'): string => `Using config: ${join(dir, name)}\n`

describe('the life of a server', { timeout: TIMEOUT_MS }, () => {
  it('start, status, start again, restart, stop, stop again', async () => {
    expect(await run(['start'])).toEqual({
      code: 0,
      out: 'Starting zookeeper ... STARTED\n',
      err: using(),
    })
    const pid = pidOf()
    // No waiting here: start has returned, so the server serves.
    expect(await askFourLetterWord('127.0.0.1', port, 'srvr')).toContain('Mode: standalone\n')
    expect(await run(['status'])).toEqual({
      code: 0,
      out: `Client port found: ${port}. Client address: 127.0.0.1. Client SSL: false.\nMode: standalone\n`,
      err: using(),
    })
    expect(await run(['start'])).toMatchObject({
      code: 1,
      out: `Starting zookeeper ... already running as process ${pid}.\n`,
    })
    expect(await run(['restart'])).toMatchObject({
      code: 0,
      out: 'Stopping zookeeper ... STOPPED\nStarting zookeeper ... STARTED\n',
    })
    const next = pidOf()
    expect(next).not.toBe(pid)
    expect(isServerAlive(next ?? 0)).toBe(true)
    expect(await run(['stop'])).toEqual({
      code: 0,
      out: 'Stopping zookeeper ... STOPPED\n',
      err: using(),
    })
    // Nor here: stop has returned, so the process is gone.
    expect(isServerAlive(next ?? 0)).toBe(false)
    expect(pidOf()).toBe(undefined)
    const pidFile = join(dir, 'data/zookeeper_server.pid')
    expect(await run(['stop'])).toMatchObject({
      code: 0,
      out: `Stopping zookeeper ... no zookeeper to stop (could not find file ${pidFile})\n`,
    })
    expect(await run(['status'])).toMatchObject({
      code: 1,
      out: `Client port found: ${port}. Client address: 127.0.0.1. Client SSL: false.\nError contacting service. It is probably not running.\n`,
    })
  })

  it('puts its log where it was told, one JSON object a line', async () => {
    const env = { ZOO_LOG_DIR: join(dir, 'log/s'), ZOOPIDFILE: join(dir, 'run/zk.pid') }
    const command = (await run(['print-cmd'], env)).out
    const log = /"([^"]*)" 2>&1/.exec(command)?.[1] ?? ''
    expect(log).toMatch(/\/log\/s\/zookeeper-.*-server-.*\.out$/)
    expect((await run(['start'], env)).code).toBe(0)
    expect((await run(['stop'], env)).out).toBe('Stopping zookeeper ... STOPPED\n')
    const lines = readFileSync(log, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('{'))
    const messages = lines.map((line) => JSON.parse(line).msg)
    expect(messages).toContain('starting')
    expect(messages.at(-1)).toBe('stopping')
  })

  it('a pid file of a process that is no server stops nothing and prevents nothing', async () => {
    mkdirSync(join(dir, 'data'))
    write('data/zookeeper_server.pid', '999999999')
    expect((await run(['stop'])).out).toBe('Stopping zookeeper ... STOPPED\n')
    expect(pidOf()).toBe(undefined)
    write('data/zookeeper_server.pid', '999999999')
    expect((await run(['start'])).code).toBe(0)
    expect((await run(['stop'])).code).toBe(0)
  })
})

describe('a server that cannot start', { timeout: TIMEOUT_MS }, () => {
  it('because its port is taken says so, in the foreground and in the background', async () => {
    const { server } = await occupy(port)
    try {
      const started = await run(['start'])
      expect(started).toMatchObject({ code: 1, out: 'Starting zookeeper ... FAILED TO START\n' })
      expect(started.err).toContain('EADDRINUSE')
      expect(pidOf()).toBe(undefined)
      const foreground = await launch(['start-foreground'], { ZOOCFGDIR: dir }).ended
      expect(foreground).toMatchObject({ code: 1 })
      expect(foreground.err).toContain('EADDRINUSE')
      // The last line of the log is not lost in the exit.
      expect(foreground.out).toContain('"msg":"the server ends"')
    } finally {
      server.close()
    }
  })

  it('because of its configuration says so in one line', async () => {
    write('zoo.cfg', `dataDir=${dir}/data\nclientPort=${port}\ntickTime=abc\n`)
    const problem = `${join(dir, 'zoo.cfg')}:3: tickTime=abc: must be a whole number of milliseconds above 0\n`
    expect(await run(['start'])).toEqual({
      code: 1,
      out: 'Starting zookeeper ... FAILED TO START\n',
      err: using() + problem,
    })
    expect(await launch(['start-foreground'], { ZOOCFGDIR: dir }).ended).toEqual({
      code: 2,
      out: '',
      err: using() + problem,
    })
    expect(await run(['status'])).toEqual({ code: 1, out: '', err: using() + problem })
    const foreground = (env: Record<string, string>): Promise<Result> =>
      launch(['start-foreground'], { ZOOCFGDIR: dir, ...env }).ended
    const flags = { SERVER_JVMFLAGS: '-Dzookeeper.snapCount=x' }
    write('zoo.cfg', `dataDir=${dir}/data\nclientPort=${port}\n`)
    expect((await foreground(flags)).err).toContain('-Dzookeeper.snapCount=x: must be')
    const level = await foreground({ ZK_SERVER_LOG_LEVEL: 'loud' })
    expect(level).toMatchObject({ code: 2, err: expect.stringContaining('must be one of debug') })
  })

  it('because its data directory is not to be made says so', async () => {
    expect(await run(['start'], { ZOO_DATADIR_AUTOCREATE_DISABLE: '1' })).toMatchObject({
      code: 1,
      out: `Starting zookeeper ... ZooKeeper data directory is missing at ${dir}/data fix the path or run initialize\n`,
    })
    expect(existsSync(join(dir, 'data'))).toBe(false)
  })
})

describe('a server in the foreground', { timeout: TIMEOUT_MS }, () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('ends cleanly on %s', async (signal) => {
    const { child, ended } = launch(['start-foreground', './zoo.cfg'], {})
    await served(child)
    expect(await askFourLetterWord('127.0.0.1', port, 'srvr')).toContain('Mode: standalone')
    child.kill(signal)
    const { code, out, err } = await ended
    expect({ code, err }).toEqual({ code: 0, err: 'Using config: ./zoo.cfg\n' })
    expect(out).toContain(`"signal":"${signal}","msg":"stopping"`)
  })

  /** The log says when it serves, so that nobody has to ask again and again. */
  async function served(child: ChildProcess): Promise<void> {
    let out = ''
    for (;;) {
      const [text] = await once(child.stdout ?? child, 'data')
      out += text
      if (out.includes('serving clients')) return
    }
  }
})

describe('other commands', { timeout: TIMEOUT_MS }, () => {
  it('name the built-in configuration when there is none', async () => {
    const { err } = await launch(['print-cmd'], {}).ended
    expect(err).toBe(
      `Using config: built-in default (clientPort=2181, dataDir=${join(dir, 'data')})\n`,
    )
  })

  it('take --config, and refuse what they do not know', async () => {
    const { ended } = launch(['--config', dir, 'print-cmd', 'other.cfg'], {})
    expect(await ended).toMatchObject({ code: 0, err: using('other.cfg') })
    const unknown = await run(['begin'])
    expect(unknown).toMatchObject({ code: 1, out: '' })
    expect(unknown.err).toContain('Usage: zk-server')
    expect((await run([])).code).toBe(1)
  })

  it('tell the version, and that nothing needs an upgrade', async () => {
    expect((await run(['version'])).out).toMatch(/^zk-server, version [0-9]+\.[0-9]+\.[0-9]+/)
    expect(await run(['upgrade'])).toMatchObject({
      code: 0,
      out: expect.stringContaining('Nothing'),
    })
    mkdirSync(join(dir, 'data'))
    write('data/snapshot.1a', '')
    expect(await run(['upgrade'])).toMatchObject({ code: 1, out: '' })
  })
})
