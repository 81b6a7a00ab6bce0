import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

/** Who may import whom. The table is the architecture; docs/architecture.md only explains it. */
const mayImport: ReadonlyMap<string, readonly string[]> = new Map([
  ['base', []],
  ['data', ['base']],
  ['tree', ['base', 'data']],
  ['quorum', ['base', 'data']], // Not tree: Zab orders bytes, it does not read them.
  ['persistence', ['base', 'data', 'tree']],
  ['config', ['base', 'data', 'quorum', 'persistence']],
  ['server', ['base', 'data', 'tree', 'quorum', 'persistence', 'config']],
  ['admin', ['base', 'data', 'tree', 'config', 'server']],
  ['tools', ['base', 'data', 'tree', 'persistence']],
])
/** The shell: the only folder that knows the machine, and may import everything. */
const SHELL = 'node'
/** Packages that pure code may import; every other one belongs to the shell. */
const purePackages: ReadonlySet<string> = new Set(['jute-ts'])
const impure = /\b(Date\.now|new Date|Math\.random|performance|process|async|await|Promise)\b/
const timers = /\bset(Timeout|Interval|Immediate)\b|\bqueueMicrotask\b/
const FILE_LINES_MAX = 800
const FUNCTION_LINES_MAX = 70
const generated = 'src/data/records.ts'

function withoutComments(source: string): string[] {
  const blanked = source.replace(/\/\*[\s\S]*?\*\//g, (text) => text.replace(/[^\n]/g, ' '))
  return blanked.split('\n').map((line) => line.replace(/(^|\s)\/\/.*$/, ''))
}

/** What is wrong with one file under src/, as lines that a person can act on. */
function tidy(path: string, source: string): string[] {
  const wrong: string[] = []
  const lines = source.split('\n')
  if (lines.length > FILE_LINES_MAX && path !== generated)
    wrong.push(`${path}: ${lines.length} lines, at most ${FILE_LINES_MAX}`)
  if (/\b(?:TODO|FIXME|XXX)\b/.test(source)) wrong.push(`${path}: unfinished work is marked in it`)
  if (path !== generated) wrong.push(...longFunctions(path, lines))
  const folder = path.split('/')[1] ?? ''
  if (folder === SHELL || folder === 'jute-ts') return wrong
  const allowed = mayImport.get(folder)
  if (allowed === undefined) return [...wrong, `${path}: src/${folder} is not in the import table`]
  for (const [index, line] of withoutComments(source).entries()) {
    const at = `${path}:${index + 1}`
    const target = /from '(?:\.\.\/)+([a-z-]+)\//.exec(line)?.[1]
    if (target !== undefined && target !== folder && !allowed.includes(target))
      if (mayImport.has(target) || target === SHELL)
        wrong.push(`${at}: src/${folder} may not import src/${target}`)
    const name = /from '([^.'][^']*)'/.exec(line)?.[1]
    if (name !== undefined && !purePackages.has(name))
      wrong.push(`${at}: only src/${SHELL} may import ${name}`)
    const code = line.replace(/'[^']*'/g, "''")
    const found = impure.exec(code)?.[0] ?? timers.exec(code)?.[0]
    if (found !== undefined) wrong.push(`${at}: ${found} in a pure layer`)
  }
  return wrong
}

/** Functions and methods, by their indentation: Biome has laid them out. */
function longFunctions(path: string, lines: readonly string[]): string[] {
  const wrong: string[] = []
  const opening =
    /^( {0,2})(?:export |readonly |static |override |private )*(?:async )?(?:function\*? |get |set |\*)?[#\w[][\w.\]]*(?:: [^=]+)?(?: = )?(?:<[^>]*>)?\(.*\{$/
  for (let i = 0; i < lines.length; i += 1) {
    const indent = opening.exec(lines[i] ?? '')?.[1]
    if (indent === undefined) continue
    const end = lines.indexOf(`${indent}}`, i)
    if (end - i + 1 > FUNCTION_LINES_MAX)
      wrong.push(`${path}:${i + 1}: a function of ${end - i + 1} lines`)
  }
  return wrong
}

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory())
      return ['dist', 'node_modules'].includes(entry.name) ? [] : sources(path)
    return entry.name.endsWith('.ts') ? [path] : []
  })
}

const root = join(import.meta.dirname, '..')
process.chdir(root)

describe('the house is tidy', () => {
  it('finds what is wrong', () => {
    const bad = "import { x } from '../tree/x.ts'\nconst now = Date.now()\nsetTimeout(x, 1)\n"
    expect(tidy('src/quorum/x.ts', bad)).toEqual([
      'src/quorum/x.ts:1: src/quorum may not import src/tree',
      'src/quorum/x.ts:2: Date.now in a pure layer',
      'src/quorum/x.ts:3: setTimeout in a pure layer',
    ])
    expect(tidy('src/tree/x.ts', "import fs from 'node:fs'\n")).toEqual([
      'src/tree/x.ts:1: only src/node may import node:fs',
    ])
    const long = `export function f(): void {\n${'  f()\n'.repeat(80)}}\n`
    expect(tidy('src/base/x.ts', long)).toEqual(['src/base/x.ts:1: a function of 82 lines'])
  })

  it('keeps the import table, purity and length in src/', () => {
    const wrong = sources('src').flatMap((path) => tidy(path, readFileSync(path, 'utf8')))
    expect(wrong).toEqual([])
  })

  it('skips no test', () => {
    const mark = new RegExp(
      `\\b(?:it|test|describe)\\.(?:${['skip', 'only', 'todo'].join('|')})\\b`,
    )
    const wrong = sources('test').filter((path) => mark.test(readFileSync(path, 'utf8')))
    expect(wrong).toEqual([])
  })
})
