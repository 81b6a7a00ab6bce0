import { type DestinationStream, type Logger as Pino, pino, stdTimeFunctions } from 'pino'
import { cutFields, type LogFields, type Logger } from '../../base/logger.ts'
import { type Environment, isSet } from '../process/environment.ts'
import { LogStream } from './log-stream.ts'

/** A Logger that ends in a file, a pipe or a terminal. */
export interface LogSink {
  readonly logger: Logger
  /** Ends the log; resolves when all lines are written, or after a second if nobody takes them. */
  drain(): Promise<void>
  /**
   * Writes what is still held back, synchronously, for the last moment of a process. Lines that are
   * being written just then may be lost, so an end that can wait drains first.
   */
  flush(): void
}

export const logLevels: readonly string[] = ['debug', 'info', 'warn', 'error', 'silent']
const STDOUT = 1
/**
 * How long the end of the process waits for the log to be written: a pipe that nobody reads must
 * not keep a server from ending.
 * @bound milliseconds: the process ends
 */
const DRAIN_MS_MAX = 1000

/** The level of ZK_SERVER_LOG_LEVEL, info by default; undefined if the variable makes no sense. */
export function logLevelOf(env: Environment): string | undefined {
  const level = env.ZK_SERVER_LOG_LEVEL
  if (!isSet(level)) return 'info'
  return logLevels.includes(level.toLowerCase()) ? level.toLowerCase() : undefined
}

/**
 * Logs to standard output: one JSON object a line, or pretty on a terminal. Lines to a file or a
 * pipe never make this thread wait; a worker thread would cost 10 MB and 40 ms of the start.
 */
export async function openLogSink(level: string, isTerminal: boolean): Promise<LogSink> {
  if (isTerminal) {
    const { default: pretty } = await import('pino-pretty')
    const stream = pretty({
      destination: STDOUT,
      sync: true,
      ignore: 'pid,hostname',
      translateTime: 'SYS:yyyy-mm-dd HH:MM:ss.l',
      singleLine: true,
    })
    return { logger: toLogger(createPino(level, stream)), drain: async () => {}, flush() {} }
  }
  const stream = new LogStream(STDOUT)
  const log = createPino(level, stream)
  stream.onDropped = (lines) => log.warn(`${lines} log lines dropped`)
  const drain = (): Promise<void> =>
    new Promise((resolve) => {
      setTimeout(resolve, DRAIN_MS_MAX).unref()
      stream.end(resolve)
    })
  return { logger: toLogger(log), drain, flush: () => stream.flush() }
}

function createPino(level: string, stream: DestinationStream): Pino {
  return pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    stream,
  )
}

function toLogger(log: Pino): Logger {
  const none: LogFields = {}
  const of = (fields: LogFields | undefined): LogFields =>
    fields === undefined ? none : cutFields(fields)
  return {
    debug: (message, fields) => {
      if (log.isLevelEnabled('debug')) log.debug(of(fields), message)
    },
    info: (message, fields) => log.info(of(fields), message),
    warn: (message, fields) => log.warn(of(fields), message),
    error: (message, fields) => log.error(of(fields), message),
  }
}
