/** A log line: a level, a fixed message that can be searched for, and fields that vary. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>

/** Port: src/node hands in pino, tests hand in an array. Pure code never formats a log line. */
export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
}

export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} }
