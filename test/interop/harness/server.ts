import { spawn } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mavenClasspath, zookeeper39Coords } from './maven.ts'
import { environment, killGroup, track } from './process.ts'
import { ensureBuilt, repositoryRoot } from './repository.ts'

/** Ours, Debian's ZooKeeper 3.8.0, or the newest 3.9 of Maven Central. */
export type ServerKind = 'zk-server' | 'apache-3.8' | 'apache-3.9'

export interface StartOptions {
  /** Default: the environment variable INTEROP_SERVER, else `zk-server`. */
  kind?: ServerKind
  /** Lines of zoo.cfg over the defaults of `startServer`. */
  config?: Record<string, string>
  /** `-Dzookeeper.X=…` flags, apart by spaces. */
  jvmFlags?: string
  /** Default: any free port. */
  port?: number
  /** Default: a new directory that lives until the test run ends, so a server can be restarted. */
  dataDir?: string
}

export interface TestServer {
  port: number
  /** `127.0.0.1:<port>` */
  connectString: string
  dataDir: string
  kind: ServerKind
  /** Sends a signal (default SIGTERM) and resolves when the process is gone. Harmless twice. */
  stop(signal?: NodeJS.Signals): Promise<void>
  /** All that the server has printed. */
  log(): string
  pid: number
}

/** Debian's packages name what else they need in the manifest of the first jar. */
export const debianClasspath: string =
  '/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar'

const START_MS = 60_000
const POLL_MS = 50
const WORD_MS = 10_000

const scratch = new Set<string>()
process.on('exit', () => {
  for (const directory of scratch) rmSync(directory, { recursive: true, force: true })
})

/** A new directory for temporary files; removed when the test run ends. */
export function scratchDirectory(name: string): string {
  const { INTEROP_SCRATCH: root = tmpdir() } = process.env
  const directory = mkdtempSync(join(root, `zk-interop-${name}-`))
  scratch.add(directory)
  return directory
}

/** The server under test: INTEROP_SERVER, else ours. */
export function defaultKind(): ServerKind {
  const { INTEROP_SERVER: kind = 'zk-server' } = process.env
  if (kind === 'zk-server' || kind === 'apache-3.8' || kind === 'apache-3.9') return kind
  throw new Error(`INTEROP_SERVER is ${kind}; it may be zk-server, apache-3.8 or apache-3.9`)
}

/** A TCP port on the loopback interface that nobody has bound at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer()
  return await new Promise<number>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      if (address === null || typeof address === 'string') reject(new Error('no port'))
      else server.close(() => resolve(address.port))
    })
  })
}

/**
 * Sends a four-letter word and resolves with the whole answer. Rejects when nobody listens or the
 * answer takes longer than ten seconds.
 */
export async function fourLetterWord(port: number, word: string): Promise<string> {
  return await new Promise<string>((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(word))
    let answer = ''
    socket.setTimeout(WORD_MS, () => socket.destroy(new Error(`no answer to ${word}`)))
    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => {
      answer += chunk
    })
    socket.once('error', (error) => {
      // The original closes hard after some answers: what has come is the answer.
      if (answer === '') reject(error)
      else resolve(answer)
    })
    socket.once('close', () => resolve(answer))
  })
}

/**
 * Starts a standalone server and resolves once it serves: `srvr` names its mode or, where that word
 * is not on the whitelist, the port answers. Rejects with the log when the process ends before.
 */
export async function startServer(options: StartOptions = {}): Promise<TestServer> {
  const kind = options.kind ?? defaultKind()
  const port = options.port ?? (await freePort())
  const home = scratchDirectory(kind)
  const dataDir = options.dataDir ?? join(home, 'data')
  mkdirSync(dataDir, { recursive: true })
  const config: Record<string, string> = {
    tickTime: '2000',
    dataDir,
    clientPort: String(port),
    maxClientCnxns: '0',
    'admin.enableServer': 'false',
    '4lw.commands.whitelist': '*',
    ...options.config,
  }
  const configPath = join(home, 'zoo.cfg')
  const lines = Object.entries(config).map(([key, value]) => `${key}=${value}\n`)
  writeFileSync(configPath, lines.join(''))

  const start = await commandLine(kind, configPath, options.jvmFlags ?? '')
  const logPath = join(home, 'server.log')
  const logFile = openSync(logPath, 'a')
  const child = spawn(start.command, start.args, {
    cwd: home,
    detached: true,
    env: environment(start.env),
    stdio: ['ignore', logFile, logFile],
  })
  closeSync(logFile)
  track(child)
  let gone = false
  const exited = new Promise<void>((resolve) => {
    const end = (): void => {
      gone = true
      resolve()
    }
    child.once('error', end)
    child.once('exit', end)
  })
  const server: TestServer = {
    port,
    connectString: `127.0.0.1:${port}`,
    dataDir,
    kind,
    pid: child.pid ?? -1,
    log: () => (existsSync(logPath) ? readFileSync(logPath, 'utf8') : ''),
    stop: async (signal = 'SIGTERM') => {
      if (!gone) killGroup(child, signal)
      await exited
    },
  }
  await untilServing(server, () => gone)
  return server
}

export interface CommandLine {
  readonly command: string
  readonly args: string[]
  readonly env: Readonly<Record<string, string | undefined>>
}

/** What runs a server of that kind; `jvmFlags` are its `-Dzookeeper.X=…`, apart by spaces. */
export async function commandLine(
  kind: ServerKind,
  configPath: string,
  jvmFlags: string,
): Promise<CommandLine> {
  if (kind === 'zk-server') {
    await ensureBuilt()
    return {
      command: process.execPath,
      args: [join(repositoryRoot, 'bin/zk-server'), 'start-foreground', configPath],
      env: { JVMFLAGS: undefined, SERVER_JVMFLAGS: jvmFlags },
    }
  }
  const classpath =
    kind === 'apache-3.8' ? debianClasspath : await mavenClasspath(zookeeper39Coords)
  const flags = jvmFlags.split(/\s+/).filter((flag) => flag !== '')
  const main = 'org.apache.zookeeper.server.quorum.QuorumPeerMain'
  return {
    command: 'java',
    args: ['-Xmx512m', '-Dfile.encoding=UTF-8', ...flags, '-cp', classpath, main, configPath],
    env: { JVMFLAGS: undefined, SERVER_JVMFLAGS: undefined },
  }
}

async function untilServing(server: TestServer, gone: () => boolean): Promise<void> {
  const deadline = Date.now() + START_MS
  for (;;) {
    if (gone()) throw new Error(`${server.kind} ended at its start:\n${server.log()}`)
    const answer = await fourLetterWord(server.port, 'srvr').catch(() => '')
    if (answer.includes('Mode: ') || answer.includes('not in the whitelist')) return
    if (Date.now() > deadline) {
      await server.stop('SIGKILL')
      throw new Error(`${server.kind} does not serve after ${START_MS} ms:\n${server.log()}`)
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}
