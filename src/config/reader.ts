import {
  type HonouredKey,
  honouredKeys,
  type KeyName,
  type NumberName,
  type Scope,
  type SwitchName,
} from './honoured-keys.ts'
import { type ConfigEntry, type ConfigError, shown } from './source.ts'

/** The range of a whole number, ends included; `unit` completes "a whole number of ...". */
interface WholeNumber {
  readonly min?: number
  readonly max?: number
  readonly unit?: string
}

/** A setting as found. */
export interface Setting {
  readonly key: string
  readonly value: string
  readonly file: string
  readonly line: number | undefined
}

const FLAGS_FILE = 'SERVER_JVMFLAGS, JVMFLAGS'
const PREFIX = 'zookeeper.'
const INT_MAX = 2 ** 31 - 1
const INT_MIN = -(2 ** 31)

/**
 * Typed access to the settings of one file and the system properties. Where a key may stand, its default
 * and its range are in the table of keys. A wrong value is noted, the default is returned, and reading
 * goes on: `firstError` tells in the end.
 */
export class ConfigReader {
  readonly file: string
  /** What a person should know although it is no error; one line each. */
  readonly notes: string[] = []
  readonly #entries = new Map<string, ConfigEntry>()
  readonly #properties: ReadonlyMap<string, string>
  readonly #keysRead = new Set<string>()
  readonly #propertiesRead = new Set<string>()
  readonly #errors: ConfigError[] = []

  constructor(
    entries: readonly ConfigEntry[],
    file: string,
    properties: ReadonlyMap<string, string>,
  ) {
    this.file = file
    this.#properties = properties
    for (const entry of entries) {
      const key = entry.key.trim()
      const earlier = this.#entries.get(key)
      if (earlier !== undefined)
        this.notes.push(`${shown(key)} is set twice: line ${entry.line} wins over ${earlier.line}`)
      this.#entries.set(key, { key, value: entry.value.trim(), line: entry.line })
    }
  }

  find(name: KeyName): Setting | undefined {
    return this.findIn(name, honouredKeys[name].scope)
  }

  /** For a key that is not in the table, or to look somewhere else than it says. */
  findIn(name: string, scope: Scope): Setting | undefined {
    const entry = this.#entries.get(name)
    const property = scope === 'bare' ? name : PREFIX + name
    const flag = scope === 'file' ? undefined : this.#properties.get(property)
    this.#keysRead.add(name)
    if (scope !== 'file') this.#propertiesRead.add(property)
    if (flag !== undefined && (entry === undefined || scope === 'bare'))
      return { key: `-D${property}`, value: flag.trim(), file: FLAGS_FILE, line: undefined }
    if (entry === undefined) return undefined
    return { key: name, value: entry.value, file: this.file, line: entry.line }
  }

  text(name: KeyName): string | undefined {
    return this.find(name)?.value
  }

  integer<N extends NumberName>(name: N): number | (typeof honouredKeys)[N]['otherwise'] {
    const setting = this.find(name)
    const { otherwise, scope } = honouredKeys[name]
    if (setting === undefined) return otherwise
    return this.integerOf(setting, scope, honouredKeys[name]) ?? otherwise
  }

  /** Undefined: it is refused. */
  integerOf(setting: Setting, scope: Scope, range: WholeNumber): number | undefined {
    const value = wholeNumber(setting.value, scope)
    const { min = INT_MIN, max = INT_MAX } = range
    if (value !== undefined && value >= min && value <= max) return value
    this.refuse(setting, `must be a whole number${rangeText({ ...range, min })}`)
    return undefined
  }

  /** Some are spelt with yes and no. */
  switch(name: SwitchName): boolean {
    const setting = this.find(name)
    const { otherwise, kind } = honouredKeys[name]
    return setting === undefined ? otherwise : (this.switchOf(setting, kind) ?? otherwise)
  }

  /** Undefined: it is refused. */
  switchOf(setting: Setting, kind: HonouredKey['kind']): boolean | undefined {
    const [yes, no] = kind === 'yesNo' ? ['yes', 'no'] : ['true', 'false']
    const value = setting.value.toLowerCase()
    if (value === yes) return true
    if (value === no) return false
    this.refuse(setting, `must be ${yes} or ${no}`)
    return undefined
  }

  /** Settings whose name is `prefix` or begins with `prefix.`; scope property. */
  family(prefix: string): readonly Setting[] {
    const names = new Set<string>()
    for (const key of this.#properties.keys()) {
      if (key.startsWith(PREFIX + prefix)) names.add(key.slice(PREFIX.length))
    }
    for (const key of this.#entries.keys()) names.add(key)
    const found: Setting[] = []
    for (const name of names) {
      if (name !== prefix && !name.startsWith(`${prefix}.`)) continue
      const setting = this.findIn(name, 'property')
      if (setting !== undefined) found.push(setting)
    }
    return found
  }

  /** Keys of the file that begin with `prefix`; scope file. */
  startingWith(prefix: string): readonly Setting[] {
    const found: Setting[] = []
    for (const { key, value, line } of this.#entries.values()) {
      if (key.startsWith(prefix)) found.push({ key, value, line, file: this.file })
    }
    return found
  }

  /** Every setting, those of the file first, and a flag with its `-D`. */
  all(): readonly Setting[] {
    const all: Setting[] = []
    for (const { key, value, line } of this.#entries.values())
      all.push({ key, value, line, file: this.file })
    for (const [key, value] of this.#properties)
      all.push({ key: `-D${key}`, value: value.trim(), line: undefined, file: FLAGS_FILE })
    return all
  }

  /** Settings that nobody has asked for, those of the file first. */
  unread(): readonly Setting[] {
    return this.all().filter(({ key, line }) =>
      line === undefined
        ? !this.#propertiesRead.has(key.slice('-D'.length))
        : !this.#keysRead.has(key),
    )
  }

  /** Whether somebody has asked for this key, so that it is one we know. */
  knows(key: string): boolean {
    return this.#keysRead.has(key)
  }

  refuse(setting: Setting, problem: string): void {
    const { key, value, file, line } = setting
    this.#errors.push({ key, value, file, line, problem })
  }

  refuseMissing(key: string, problem: string): void {
    this.#errors.push({ key, value: undefined, file: this.file, line: undefined, problem })
  }

  refuseWith(error: ConfigError): void {
    this.#errors.push(error)
  }

  /** The one that stands first in the file; what is missing comes after what is wrong. */
  firstError(): ConfigError | undefined {
    let first: ConfigError | undefined
    for (const error of this.#errors) {
      if (first === undefined || (error.line ?? Infinity) < (first.line ?? Infinity)) first = error
    }
    return first
  }
}

/** System properties may be written in hexadecimal (Integer.decode), keys of the file may not. */
function wholeNumber(text: string, scope: Scope): number | undefined {
  if (/^[+-]?[0-9]{1,15}$/.test(text)) return Number.parseInt(text, 10) + 0 // -0 is 0.
  if (scope !== 'file' && /^(0[xX]|#)[0-9a-fA-F]{1,12}$/.test(text))
    return Number.parseInt(text.replace(/^(0[xX]|#)/, ''), 16)
  return undefined
}

/** As it follows "a whole number". */
export function rangeText({ min = INT_MIN, max, unit }: WholeNumber): string {
  const of = unit === undefined ? '' : ` of ${unit}`
  if (max !== undefined && min < -1) return `${of}, ${max} at most`
  if (max !== undefined) return `${of} from ${min} to ${max}`
  if (min < -1) return of
  return min === 1 ? `${of} above 0` : `${of}, ${min} or more`
}
