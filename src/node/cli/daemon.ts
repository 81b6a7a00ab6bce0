import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { messageOf } from '../../base/message-of.ts'
import type { Config } from '../../config/config.ts'
import { formatConfigError, isConfigError } from '../../config/source.ts'
import { makeDirectory } from '../files/make-directory.ts'
import { type Environment, isSet } from '../process/environment.ts'
import { BUILT_IN, loadConfig, readConfigEntries } from './config-file.ts'
import { isServerAlive, readPid, removePid, writePid } from './pid-file.ts'
import { FAILED, READY } from './ready-signal.ts'
import { logFileOf, parentOf, pidFileOf } from './server-paths.ts'

/** What a command uses of the machine; tests hand in their own. */
export interface CommandContext {
  readonly env: Environment
  /** The script that the server process runs, that is bin/zk-server. */
  readonly executable: string
  /** Options of Node for that process, such as --max-old-space-size. */
  readonly nodeOptions: readonly string[]
  out(text: string): void
  err(text: string): void
}

/** 0: done. */
type ExitStatus = 0 | 1

const READY_FD = 3
/**
 * How long `zk-server stop` waits for the end of the process.
 * @bound milliseconds: `stop` says that the server still runs, and returns 1
 */
const STOP_MS_MAX = 30_000
const STOP_POLL_MS = 20

/**
 * Starts a server in the background. Returns when it serves on its ports, or when it has failed
 * to, for whatever reason; there is no time limit, since replaying a long log takes what it takes.
 */
export async function start(file: string, context: CommandContext): Promise<ExitStatus> {
  const { env, out, err } = context
  out('Starting zookeeper ... ')
  const loaded = loadConfig(file, env)
  if (isConfigError(loaded)) {
    out('FAILED TO START\n')
    err(`${formatConfigError(loaded)}\n`)
    return 1
  }
  const { config } = loaded
  const pidFile = pidFileOf(config.dataDir, env)
  const running = readPid(pidFile)
  if (running !== undefined && isServerAlive(running)) {
    out(`already running as process ${running}.\n`)
    return 1
  }
  const missing = missingDirectory(config, env)
  if (missing !== undefined) {
    out(`${missing}\n`)
    return 1
  }
  const logFile = logFileOf(config.dataDir, env)
  const problem = await launch(file, pidFile, logFile, context)
  if (problem === undefined) {
    out('STARTED\n')
    return 0
  }
  out(`${problem.word}\n`)
  err(`${problem.reason}\n`)
  if (existsSync(logFile)) err(`The log is ${logFile}\n`)
  return 1
}

/** zkServer.sh looks at this itself, because its pid file lies there. */
function missingDirectory(config: Config, env: Environment): string | undefined {
  if (!isSet(env.ZOO_DATADIR_AUTOCREATE_DISABLE)) return undefined
  const { dataDir, dataLogDir } = config
  const advice = 'fix the path or run initialize'
  if (!existsSync(join(dataDir, 'version-2')))
    return `ZooKeeper data directory is missing at ${dataDir} ${advice}`
  if (!existsSync(join(dataLogDir, 'version-2')))
    return `ZooKeeper txnlog directory is missing at ${dataLogDir} ${advice}`
  return undefined
}

interface Problem {
  readonly word: 'FAILED TO START' | 'FAILED TO WRITE PID'
  readonly reason: string
}

async function launch(
  file: string,
  pidFile: string,
  logFile: string,
  context: CommandContext,
): Promise<Problem | undefined> {
  let log: number
  try {
    makeDirectory(parentOf(logFile))
    log = openSync(logFile, 'a')
  } catch (error) {
    return { word: 'FAILED TO START', reason: `cannot write the log: ${messageOf(error)}` }
  }
  const child = spawn(process.execPath, serverArguments(file, context), {
    detached: true,
    stdio: ['ignore', log, log, 'pipe'],
    env: { ...context.env, ZK_SERVER_READY_FD: String(READY_FD) },
  })
  closeSync(log)
  const answer = readAnswer(child)
  if (child.pid === undefined) return { word: 'FAILED TO START', reason: await answer }
  try {
    writePid(pidFile, child.pid)
  } catch (error) {
    child.kill()
    return { word: 'FAILED TO WRITE PID', reason: messageOf(error) }
  }
  const line = await answer
  child.unref()
  if (line === READY) return undefined
  removePid(pidFile, child.pid)
  const reason = line.startsWith(FAILED) ? line.slice(FAILED.length) : lastLine(logFile)
  return { word: 'FAILED TO START', reason }
}

/** What the server process is called with. */
export function serverArguments(
  file: string,
  { executable, nodeOptions }: CommandContext,
): readonly string[] {
  // An absolute path, since a plain name would be looked for in the configuration directory.
  const name = file === BUILT_IN ? [] : [resolve(file)]
  return [...nodeOptions, executable, 'start-foreground', ...name]
}

/** What the server said on its pipe: READY, or FAILED and a reason, or nothing before it died. */
async function readAnswer(child: ChildProcess): Promise<string> {
  const failure = new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(FAILED + error.message))
  })
  const pipe = child.stdio[READY_FD]
  if (pipe === null || pipe === undefined || !('setEncoding' in pipe)) return failure
  pipe.setEncoding('utf8')
  let text = ''
  pipe.on('data', (chunk: string) => {
    text += chunk
  })
  return Promise.race([failure, once(pipe, 'end').then(() => text.trim())])
}

function lastLine(logFile: string): string {
  try {
    const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n')
    return lines.at(-1) || 'the server ended without a word'
  } catch (error) {
    return messageOf(error)
  }
}

/** Ends the server of the pid file, and returns when its process is gone. */
export async function stop(file: string, { env, out, err }: CommandContext): Promise<ExitStatus> {
  out('Stopping zookeeper ... ')
  const pidFile = pidFileOf(dataDirOf(file) ?? '.', env)
  if (!existsSync(pidFile)) {
    out(`no zookeeper to stop (could not find file ${pidFile})\n`)
    return 0
  }
  const pid = readPid(pidFile)
  if (pid !== undefined && isServerAlive(pid)) {
    try {
      process.kill(pid, 'SIGTERM')
    } catch (error) {
      out('FAILED\n')
      err(`process ${pid}: ${messageOf(error)}\n`)
      return 1
    }
    const until = performance.now() + STOP_MS_MAX
    while (isServerAlive(pid)) {
      if (performance.now() > until) {
        out('FAILED\n')
        err(`process ${pid} is still running after ${STOP_MS_MAX / 1000} s\n`)
        return 1
      }
      await delay(STOP_POLL_MS)
    }
  }
  removePid(pidFile, pid)
  out('STOPPED\n')
  return 0
}

/** A server must be stoppable also after its configuration was broken: only dataDir counts. */
export function dataDirOf(file: string): string | undefined {
  const read = readConfigEntries(file)
  if (read.kind !== 'read') return undefined
  return read.content.findLast(({ key }) => key.trim() === 'dataDir')?.value.trim()
}
