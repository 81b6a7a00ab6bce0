import { existsSync, writeFileSync, writeSync } from 'node:fs'
import { isatty } from 'node:tty'
import type { Logger } from '../../base/logger.ts'
import { messageOf } from '../../base/message-of.ts'
import type { Config } from '../../config/config.ts'
import { myidPath } from '../../config/ensemble-keys.ts'
import { formatConfigError, isConfigError } from '../../config/source.ts'
import { makeDirectory } from '../files/make-directory.ts'
import { type LogSink, logLevelOf, logLevels, openLogSink } from '../log/log-sink.ts'
import type { Environment } from '../process/environment.ts'
import { ExitCode, StartError } from '../process/exit-code.ts'
import { inlineMore } from '../process/inline-more.ts'
import { loadConfig } from './config-file.ts'
import { openReadySignal, type ReadySignal } from './ready-signal.ts'
import { describeConfigFile } from './server-paths.ts'

const STDOUT = 1
const STDERR = 2

/**
 * `start-foreground`: runs a server in this process until SIGTERM, SIGINT or SIGHUP, then ends it
 * cleanly with exit code 0. What prevents a start goes to standard error, and to the `start`
 * command if one waits.
 */
export async function runForeground(file: string, env: Environment): Promise<void> {
  process.stderr.write(`Using config: ${describeConfigFile(file)}\n`)
  const signal = openReadySignal(env)
  const level = logLevelOf(env)
  if (level === undefined) {
    const problem = `ZK_SERVER_LOG_LEVEL must be one of ${logLevels.join(', ')}`
    return refuse(signal, problem)
  }
  const loaded = loadConfig(file, env)
  if (isConfigError(loaded)) return refuse(signal, formatConfigError(loaded))
  const sink = await openLogSink(level, isatty(STDOUT))
  process.on('exit', sink.flush)
  process.on('uncaughtException', (error) => die(sink, signal, error))
  sink.logger.info('starting', { config: describeConfigFile(file), node: process.version })
  for (const note of loaded.notes) sink.logger.warn('configuration note', { note })
  await serve(loaded.config, sink, signal)
}

function refuse(signal: ReadySignal, problem: string): void {
  process.stderr.write(`${problem}\n`)
  signal.failed(problem)
  process.exitCode = ExitCode.invalidInvocation
}

async function serve(config: Config, sink: LogSink, signal: ReadySignal): Promise<void> {
  let stop = async (): Promise<void> => {}
  let isStopping = false
  const onSignal = (name: NodeJS.Signals): void => {
    if (isStopping) process.exit(ExitCode.unexpected)
    isStopping = true
    sink.logger.info('stopping', { signal: name })
    stop()
      .then(() => sink.drain())
      .then(
        () => process.exit(ExitCode.finished),
        (error: unknown) => die(sink, signal, error),
      )
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  // A server of `start` outlives the terminal it was started from, as under nohup.
  process.on('SIGHUP', signal.isWaitedFor ? () => {} : onSignal)
  try {
    writeMyid(config, sink.logger)
    inlineMore()
    const { runServer } = await import('../main.ts')
    const server = await runServer(config, sink.logger, (reason) => {
      sink.logger.error('the log cannot be written, ending the process', { reason })
      process.exit(ExitCode.unexpected)
    })
    stop = () => server.stop()
    signal.ready()
  } catch (error) {
    die(sink, signal, error)
  }
}

/** A member keeps its id with its data: the key myid of zoo.cfg becomes the file, once. */
function writeMyid({ servers, myid, dataDir, dataDirAutocreate }: Config, logger: Logger): void {
  const path = myidPath(dataDir)
  if (servers.size === 0 || myid === undefined || existsSync(path)) return
  if (dataDirAutocreate) makeDirectory(dataDir)
  writeFileSync(path, `${myid}\n`)
  logger.info('wrote the id of this server', { file: path, myid })
}

/** Says why, in the log and to whoever waits, and ends the process at once. */
function die(sink: LogSink, signal: ReadySignal, error: unknown): never {
  const reason = messageOf(error)
  const isExpected = error instanceof StartError || (error instanceof Error && 'code' in error)
  const stack = error instanceof Error && !isExpected ? error.stack : undefined
  sink.logger.error('the server ends', { reason, stack })
  sink.flush()
  writeNow(`zk-server: ${reason}\n`)
  signal.failed(reason)
  process.exit(error instanceof StartError ? error.exitCode : ExitCode.unexpected)
}

/** A reader that has stopped must not keep a process from ending: its descriptor does not block. */
function writeNow(text: string): void {
  try {
    writeSync(STDERR, text)
  } catch {
    // It is in the log as well.
  }
}
