/** One key of a Java properties file, as written; a repeated key appears once for each line. */
export interface ConfigEntry {
  readonly key: string
  readonly value: string
  /** The line on which the key stands, from 1. */
  readonly line: number
}

/** What is wrong with a configuration. `formatConfigError` makes one line of it. */
export interface ConfigError {
  readonly key: string
  /** Undefined: the key is missing. */
  readonly value: string | undefined
  /** A file, or the environment variables that hold JVM flags. */
  readonly file: string
  /** Undefined when no line can be named. */
  readonly line: number | undefined
  /** Reads on after the value: `must be ...`. */
  readonly problem: string
}

/** What became of an attempt to read a file that the configuration names. */
export type ReadFile<T> =
  | { readonly kind: 'read'; readonly content: T }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unreadable'; readonly reason: string }

/** Port: the files that a configuration points to. src/node reads the disk, tests hand in maps. */
export interface ConfigFiles {
  readText(path: string): ReadFile<string>
  readProperties(path: string): ReadFile<readonly ConfigEntry[]>
}

/** For a configuration that stands alone: no myid, no JAAS file, no dynamic file. */
export const noConfigFiles: ConfigFiles = {
  readText: () => ({ kind: 'missing' }),
  readProperties: () => ({ kind: 'missing' }),
}

/**
 * Characters of a text from a configuration file that a message repeats.
 * @bound characters: the text is cut
 */
const SHOWN_CHARS_MAX = 200

/** Text from a file made fit for one line of a message: no control character, not endless. */
export function shown(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, '\uFFFD')
  return line.length > SHOWN_CHARS_MAX ? `${line.slice(0, SHOWN_CHARS_MAX)}...` : line
}

/** For example `zoo.cfg:12: tickTime=abc: must be a whole number of milliseconds above 0`. */
export function formatConfigError(error: ConfigError): string {
  const place = error.line === undefined ? '' : `:${error.line}`
  const value = error.value === undefined ? '' : `=${shown(error.value)}`
  return `${shown(error.file)}${place}: ${shown(error.key)}${value}: ${shown(error.problem)}`
}

export function isConfigError<T extends object>(result: T | ConfigError): result is ConfigError {
  return 'problem' in result
}
