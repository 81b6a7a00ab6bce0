import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { table } from './table.ts'

const root = join(import.meta.dirname, '../..')

/** A bound of the code: a number whose comment has a line `@bound UNIT: WHAT HAPPENS AT IT`. */
export interface Bound {
  readonly file: string
  readonly name: string
  readonly value: number
  readonly unit: string
  /** The comment. */
  readonly meaning: string
  readonly effect: string
}

/** What the comments of one source file declare, in its order. */
export function boundsIn(file: string, source: string): Bound[] {
  const bounds: Bound[] = []
  for (const [, comment = '', declaration = ''] of source.matchAll(
    /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n *(.*)/g,
  )) {
    const [meaning = '', tag] = comment
      .replace(/\n\s*\* ?/g, ' ')
      .trim()
      .split(/\s*@bound /)
    if (tag === undefined) continue
    const [, unit = '', effect = ''] = /^([^:]+): (.+)$/.exec(tag) ?? []
    const name = /(?:const|readonly) (\w+)/.exec(declaration)?.[1] ?? ''
    const value = numberOf(source, name)
    if (unit === '' || value === undefined)
      throw new Error(`${file}: @bound of ${name} needs a unit, what happens, and a number`)
    bounds.push({ file, name, value, unit, meaning, effect })
  }
  return bounds
}

/** Names of numbers that look like bounds, and whose comment does not say so. */
export function undeclaredIn(file: string, source: string): string[] {
  const declared = new Set(boundsIn(file, source).map(({ name }) => name))
  const constants = source.matchAll(/^(?:export )?const ([A-Z_]+)(?:: number)? = [\d(]/gm)
  const looksLikeBound = /_(MAX|KEPT|RESERVED|PAUSE|PER_[A-Z]+)$|_SLICE_/
  const names = [...constants]
    .map(([, name = '']) => name)
    .filter((name) => looksLikeBound.test(name))
  for (const [, fields = ''] of source.matchAll(
    /^export interface \w*(?:Limits|Bounds) \{([^}]*)\}/gm,
  ))
    names.push(...[...fields.matchAll(/readonly (\w+): number/g)].map(([, name = '']) => name))
  return names.filter((name) => !declared.has(name))
}

/** A constant, or a field of the defaults in the same file. Only products and powers are understood. */
function numberOf(source: string, name: string): number | undefined {
  const found =
    new RegExp(`const ${name}(?:: number)? = (.+)`).exec(source) ??
    new RegExp(`^  ${name}: (.+),$`, 'm').exec(source)
  let product = 1
  for (const factor of (found?.[1] ?? '').split(' * ')) {
    const [base = '', exponent = '1'] = factor.split(' ** ')
    const isNumber = /^[\dxa-f_.]+$/.test(base)
    const value = isNumber ? Number(base.replaceAll('_', '')) : imported(base)
    if (value === undefined) return undefined
    product *= value ** Number(exponent)
  }
  return product
}

function imported(name: string): number | undefined {
  const file = sourceFiles().find((path) => read(path).includes(`export const ${name}`))
  return file === undefined ? undefined : numberOf(read(file), name)
}

const read = (path: string): string => readFileSync(join(root, path), 'utf8')

/** All of src/ but the compiler of records, which is a package of its own. */
export function sourceFiles(): readonly string[] {
  return readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .map((path) => `src/${path.replaceAll('\\', '/')}`)
    .filter((path) => path.endsWith('.ts') && !path.startsWith('src/jute-ts/'))
    .sort()
}

export function limitsText(): string {
  const byFolder = new Map<string, Bound[]>()
  for (const file of sourceFiles()) {
    const folder = dirname(file)
    byFolder.set(folder, [...(byFolder.get(folder) ?? []), ...boundsIn(file, read(file))])
  }
  return [...byFolder]
    .filter(([, bounds]) => bounds.length > 0)
    .map(([folder, bounds]) => `### ${folder}\n\n${tableOf(bounds)}`)
    .join('\n\n')
}

const tableOf = (bounds: readonly Bound[]): string =>
  table(
    ['name', 'in', 'value', 'what it bounds', 'what happens at it'],
    bounds.map(({ name, file, value, unit, meaning, effect }) => [
      `\`${name}\``,
      basename(file, '.ts'),
      amount(value, unit),
      meaning,
      effect,
    ]),
  )

const KIB = 1024
const MIB = KIB * KIB
const SECOND_MS = 1000

function amount(value: number, unit: string): string {
  if (unit === 'bytes' && value % MIB === 0) return `${value / MIB} MiB`
  if (unit === 'bytes' && value % KIB === 0) return `${value / KIB} KiB`
  if (unit === 'milliseconds' && value % SECOND_MS === 0) return `${value / SECOND_MS} s`
  return `${value.toLocaleString('en')} ${unit}`
}
