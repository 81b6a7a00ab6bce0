import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type HonouredKey, honouredKeys } from '../../../src/config/honoured-keys.ts'
import { keysWithoutEffect, reasons } from '../../../src/config/keys-without-effect.ts'
import { parseConfig } from '../../../src/config/parse.ts'
import { refusedKeys } from '../../../src/config/protection.ts'
import { isConfigError } from '../../../src/config/source.ts'

const root = join(import.meta.dirname, '../../..')
const honoured = Object.entries<HonouredKey>(honouredKeys)

/** What the parser says, beside the configuration, of a standalone server with one more key. */
function notesOf(key: string, value: string): readonly string[] {
  const entries = Object.entries({ dataDir: '/data', clientPort: '2181', [key]: value })
  const lines = entries.map(([name, text], index) => ({ key: name, value: text, line: index + 1 }))
  const parsed = parseConfig(lines, 'zoo.cfg', new Map())
  return isConfigError(parsed) ? [] : parsed.notes
}

/** Of the interface, since it is gone when the test runs. */
function fieldsOfConfig(): string[] {
  const text = readFileSync(join(root, 'src/config/config.ts'), 'utf8')
  const body = /export interface Config \{([\s\S]*?)\n\}/.exec(text)?.[1] ?? ''
  return [...body.matchAll(/^ {2}readonly (\w+):/gm)].map(([, name]) => name ?? '')
}

/** The names in the tables of spec 06 §5, of all but keys of clients. */
function keysOfTheOriginal(): string[] {
  const text = readFileSync(join(root, 'docs/spec/06-feature-inventory.md'), 'utf8')
  const sections = text.slice(text.indexOf('### 5.1 '), text.indexOf('### 5.8 '))
  const [before = '', middle = '', after = ''] = sections.split(/### 5\.[45] /)
  const cells = [...`${before}\n${after}`.matchAll(/^\|([^|]*)\|/gm)].map(([, cell]) => cell ?? '')
  return [...`${cells.join(' ')} ${middle}`.matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? '')
}

const isInTable = (name: string): boolean =>
  honoured.some(([key]) => key === name) ||
  refusedKeys.some(({ key }) => key === name) ||
  keysWithoutEffect.some(
    ({ name: row }) => row === name || (row.endsWith('*') && name.startsWith(row.slice(0, -1))),
  )

/** Names that sources outside src/config read: behind a dot, or taken out of an object by `{ name }`. */
function fieldsRead(): ReadonlySet<string> {
  const paths = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  const isReader = (path: string): boolean => /^(?!config\/|jute-ts\/).*\.ts$/.test(path)
  const texts = paths.filter(isReader).map((path) => readFileSync(join(root, 'src', path), 'utf8'))
  const code = texts.join('\n').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
  const reads = code.matchAll(/\.(\w+)|\{([\w\s,:]*)\}(?:: \w+)?(?: =|\))/g)
  return new Set(
    [...reads].flatMap(([, field = '', fields = '']) => [field, ...fields.split(/\W+/)]),
  )
}

describe('the table of keys', () => {
  it('has every key that the original has', () => {
    const keys = keysOfTheOriginal()
    expect(keys.length).toBeGreaterThan(200)
    expect(isInTable('no.such.key')).toBe(false)
    expect(keys.filter((name) => !isInTable(name))).toEqual([])
  })

  it('has every key once', () => {
    const names = [...honoured.map(([key]) => key), ...keysWithoutEffect.map(({ name }) => name)]
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
  })

  const refusedAlways = new Set(['ssl.*', 'secureClientPort', 'secureClientPortAddress'])
  const accepted = keysWithoutEffect.filter(({ name }) => !refusedAlways.has(name))
  it.each(accepted)('$name, which has no effect, is named in the log', ({ name, reason }) => {
    const key = name.replace('*', '')
    // One of the two is a value that it may have.
    const notes = ['true', '1'].flatMap((value) => notesOf(key, value))
    expect(notes).toContain(`${key} ${reasons[reason]}`)
  })

  it.each(honoured)('%s, which is honoured, is read by the parser', (name) => {
    const key = name.replace(/\.[NX]$/, '.1')
    const notes = ['true', '1', 'yes'].flatMap((value) => notesOf(key, value))
    expect(notes.filter((note) => note.startsWith(`${key} `))).toEqual([])
  })

  it('of what is honoured, something outside src/config reads what it sets', () => {
    const read = fieldsRead()
    const unread = honoured.filter(([, { sets }]) => !sets.every((field) => read.has(field)))
    expect(unread.map(([key]) => key)).toEqual([])
  })

  it('names every part of the configuration', () => {
    const set = new Set<string>(honoured.flatMap(([, { sets }]) => sets))
    expect(fieldsOfConfig().filter((field) => !set.has(field))).toEqual(['file', 'reconfigEnabled'])
  })
})
