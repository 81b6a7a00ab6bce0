import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseLines } from 'dot-properties'
import { systemProperties } from '../../config/jvm-flags.ts'
import { type ParsedConfig, parseConfig } from '../../config/parse.ts'
import {
  type ConfigEntry,
  type ConfigError,
  type ConfigFiles,
  isConfigError,
  type ReadFile,
} from '../../config/source.ts'
import { type Environment, isSet } from '../process/environment.ts'

/** What runs when no configuration file is named and conf/zoo.cfg does not exist. */
export const BUILT_IN = 'built-in default'
const builtInText = 'dataDir=./data\nclientPort=2181\ntickTime=2000\n4lw.commands.whitelist=*\n'

/** What a configuration file gives before a single key is looked at. Never throws. */
export function readConfigEntries(file: string): ReadFile<readonly ConfigEntry[]> {
  if (file === BUILT_IN) return { kind: 'read', content: parseProperties(builtInText) }
  return configFiles.readProperties(file)
}

/**
 * Reads and parses a configuration, with the system properties of SERVER_JVMFLAGS and JVMFLAGS; of
 * the same flag in both, JVMFLAGS wins, as in zkServer.sh. Relative directories are relative to the
 * working directory, as in the original, and come back absolute.
 */
export function loadConfig(file: string, env: Environment): ParsedConfig | ConfigError {
  const read = readConfigEntries(file)
  if (read.kind !== 'read') {
    const problem = read.kind === 'missing' ? 'the file does not exist' : read.reason
    return { key: 'configuration', value: undefined, file, line: undefined, problem }
  }
  const flags = `${env.SERVER_JVMFLAGS ?? ''} ${env.JVMFLAGS ?? ''}`
  const properties = systemProperties(flags)
  if (isSet(env.ZOO_DATADIR_AUTOCREATE_DISABLE))
    properties.set('zookeeper.datadir.autocreate', 'false')
  const parsed = parseConfig(read.content, file, properties, configFiles)
  if (isConfigError(parsed)) return parsed
  const { config, notes } = parsed
  const dataDir = resolve(config.dataDir)
  return { config: { ...config, dataDir, dataLogDir: resolve(config.dataLogDir) }, notes }
}

/** Java properties, with the line of each key. Any text gives entries. */
export function parseProperties(text: string): readonly ConfigEntry[] {
  const entries: ConfigEntry[] = []
  let line = 1
  let counted = 0
  for (const node of parseLines(text, true)) {
    if (!isPair(node)) continue
    const start = node.range[0]
    line += lineBreaks(text, counted, start)
    counted = start
    entries.push({ key: node.key, value: node.value, line })
  }
  return entries
}

/** The library's types hide its classes, so a pair is known by what it has. */
function isPair(
  node: object,
): node is { readonly key: string; readonly value: string; readonly range: readonly [number] } {
  return 'key' in node && 'value' in node && 'range' in node
}

function lineBreaks(text: string, start: number, end: number): number {
  let count = 0
  for (let at = start; at < end; at += 1) {
    const char = text.charCodeAt(at)
    if (char === 0x0a || (char === 0x0d && text.charCodeAt(at + 1) !== 0x0a)) count += 1
  }
  return count
}

/** Java reads Latin-1. What people write today is UTF-8, so that comes first. */
function decode(bytes: Buffer): string {
  const utf8 = bytes.toString('utf8')
  const text = utf8.includes('\uFFFD') ? bytes.toString('latin1') : utf8
  return text.replace(/^\uFEFF/, '')
}

/**
 * A file of the configuration.
 * @bound bytes: the start is refused
 */
const FILE_BYTES_MAX = 16 * 1024 * 1024

function readText(path: string): ReadFile<string> {
  try {
    const bytes = readFileSync(path)
    if (bytes.length > FILE_BYTES_MAX)
      return { kind: 'unreadable', reason: 'the file is too large' }
    return { kind: 'read', content: decode(bytes) }
  } catch (error) {
    return whyUnreadable(error)
  }
}

function whyUnreadable(error: unknown): ReadFile<never> {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
  if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'missing' }
  if (code === 'EACCES') return { kind: 'unreadable', reason: 'permission denied' }
  if (code === 'EISDIR') return { kind: 'unreadable', reason: 'it is a directory' }
  return { kind: 'unreadable', reason: `the system says ${code}` }
}

export const configFiles: ConfigFiles = {
  readText,
  readProperties(path) {
    const file = readText(path)
    return file.kind === 'read' ? { kind: 'read', content: parseProperties(file.content) } : file
  },
}
