import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { circles, deadFunctions, unusedExports } from './tidy/graph.ts'
import { strayTests, unnamedFixtures } from './tidy/mirror.ts'
import { rooms, shellRooms } from './tidy/rooms.ts'
import { parse, root, type Source, sourcesOf } from './tidy/source.ts'

/** Packages that pure code may import; every other one belongs to the shell. */
const purePackages: ReadonlySet<string> = new Set(['jute-ts'])
/** A pure function of the machine's, taken where ours is slower (docs/decisions/001). */
const pureExceptions: ReadonlySet<string> = new Set(['src/base/crc32.ts node:zlib'])
const impure = /\b(Date\.now|new Date\(\)|Math\.random|performance|process|async|await|Promise)\b/
const timers = /\bset(Timeout|Interval|Immediate)\b|\bqueueMicrotask\b/
const FILE_LINES_MAX = 500
const FUNCTION_LINES_MAX = 55
const generated = 'src/data/records.ts'

function withoutComments(source: string): string[] {
  const blanked = source.replace(/\/\*[\s\S]*?\*\//g, (text) => text.replace(/[^\n]/g, ' '))
  return blanked.split('\n').map((line) => line.replace(/(^|\s)\/\/.*$/, ''))
}

function roomOf(path: string): string {
  return path.split('/').slice(1, -1).join('/')
}

/** What is wrong with one file under src/, as lines that a person can act on. */
function tidy(source: Source): string[] {
  const { path, text } = source
  const wrong: string[] = []
  const lines = text.split('\n')
  if (lines.length > FILE_LINES_MAX && path !== generated)
    wrong.push(`${path}: ${lines.length} lines, at most ${FILE_LINES_MAX}`)
  if (/\b(?:TODO|FIXME|XXX)\b/.test(text)) wrong.push(`${path}: unfinished work is marked in it`)
  if (path !== generated) wrong.push(...longFunctions(path, lines))
  if (path.startsWith('src/jute-ts/')) return wrong
  wrong.push(...wrongImports(source))
  if (!rooms.has(roomOf(path))) return wrong
  for (const [index, line] of withoutComments(text).entries()) {
    const code = line.replace(/'[^']*'/g, "''")
    const found = impure.exec(code)?.[0] ?? timers.exec(code)?.[0]
    if (found !== undefined) wrong.push(`${path}:${index + 1}: ${found} in a pure layer`)
  }
  return wrong
}

function wrongImports({ path, imports }: Source): string[] {
  const room = roomOf(path)
  const pure = rooms.get(room)
  const allowed = pure ?? shellRooms.get(room)
  if (allowed === undefined) return [`${path}: src/${room} is not in the table of rooms`]
  const wrong: string[] = []
  for (const { line, target, isFile } of imports) {
    const at = `${path}:${line}`
    const other = roomOf(target)
    const isPure = purePackages.has(target) || pureExceptions.has(`${path} ${target}`)
    if (!isFile && pure !== undefined && !isPure)
      wrong.push(`${at}: only src/node may import ${target}`)
    const isFree = !isFile || other === room || allowed.includes(other)
    if (!isFree && (pure !== undefined || !rooms.has(other)))
      wrong.push(`${at}: src/${room} may not import src/${other}`)
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

const src = sourcesOf('src')
const test = sourcesOf('test')
const docs = sourcesOf('docs')
/** What bin/ loads, and what the package offers. */
const entries = ['src/index.ts', 'src/node/cli/cli.ts', 'src/node/data-tools/cli.ts']
const ours = src.filter(({ path }) => !path.startsWith('src/jute-ts/'))

describe('the house is tidy', () => {
  it('finds what is wrong', () => {
    const bad = "import { x } from '../../tree/x.ts'\nconst now = Date.now()\nsetTimeout(x, 1)\n"
    expect(tidy(parse('src/quorum/wire/x.ts', bad))).toEqual([
      'src/quorum/wire/x.ts:1: src/quorum/wire may not import src/tree',
      'src/quorum/wire/x.ts:2: Date.now in a pure layer',
      'src/quorum/wire/x.ts:3: setTimeout in a pure layer',
    ])
    expect(tidy(parse('src/tree/x.ts', "import fs from 'node:fs'\n"))).toEqual([
      'src/tree/x.ts:1: only src/node may import node:fs',
    ])
    expect(tidy(parse('src/node/log/x.ts', "import type { A } from '../cli/a.ts'\n"))).toEqual([
      'src/node/log/x.ts:1: src/node/log may not import src/node/cli',
    ])
    expect(tidy(parse('src/attic/x.ts', ''))).toEqual([
      'src/attic/x.ts: src/attic is not in the table of rooms',
    ])
    const long = `export function f(): void {\n${'  f()\n'.repeat(80)}}\n`
    expect(tidy(parse('src/base/x.ts', long))).toEqual(['src/base/x.ts:1: a function of 82 lines'])
  })

  it('finds circles and what nobody imports', () => {
    const a = parse('src/base/a.ts', "import { b } from './b.ts'\nexport const a = b\n")
    const b = parse('src/base/b.ts', "import type {\n  A,\n} from './a.ts'\nexport const b = 1\n")
    expect(circles([a, b])).toEqual(['a circle: src/base/a.ts -> src/base/b.ts -> src/base/a.ts'])
    expect(unusedExports([a, b], [a, b])).toEqual([
      'src/base/a.ts: a is exported, and nobody imports it',
    ])
  })

  it('keeps the table of rooms, purity and length in src/', () => {
    expect(src.flatMap(tidy)).toEqual([])
  })

  it('has a table of rooms that goes one way', () => {
    const floors = [...rooms.keys()]
    for (const [room, below] of rooms)
      for (const other of below)
        expect(floors.indexOf(other), `${room} -> ${other}`).toBeLessThan(floors.indexOf(room))
  })

  it('has no circles of imports', () => {
    expect(circles(src)).toEqual([])
  })

  it('exports nothing that nobody imports', () => {
    const judged = ours.filter(({ path }) => path !== generated && !entries.includes(path))
    expect(unusedExports(judged, [...src, ...test, ...docs])).toEqual([])
    expect(
      deadFunctions(ours.filter(({ path }) => path !== generated && !entries.includes(path))),
    ).toEqual([])
  })

  it('has its tests in the same rooms', () => {
    const files = ['src/base/prep.ts', 'src/tree/apply.ts']
    const stray = (path: string): string[] => strayTests([`test/unit/${path}.ts`], files)
    expect(['base/prep.test', 'base/prep-create.test', 'base/story-x.test'].flatMap(stray)).toEqual(
      [],
    )
    expect(
      ['base/apply.test', 'base/prepare.test', 'attic/story-x.test', 'base/rig'].flatMap(stray),
    ).toEqual([
      'test/unit/base/apply.test.ts: src/base/ has no file of its name, and it is called no story',
      'test/unit/base/prepare.test.ts: src/base/ has no file of its name, and it is called no story',
      'test/unit/attic/story-x.test.ts: there is no src/attic/',
      'test/unit/base/rig.ts: what tests share belongs to test/support',
    ])
    const tests = test.map(({ path }) => path).filter((path) => path.startsWith('test/unit/'))
    expect(
      strayTests(
        tests,
        src.map(({ path }) => path),
      ),
    ).toEqual([])
  })

  it('says of every fixture what it is for', () => {
    expect(unnamedFixtures(['test/support/a.ts', 'test/support/b.ts'], 'take `a.ts`')).toEqual([
      'test/support/b.ts: test/support/README.md does not say what it is for',
    ])
    const readme = readFileSync(join(root, 'test/support/README.md'), 'utf8')
    const paths = test.map(({ path }) => path).filter((path) => path.startsWith('test/support/'))
    expect(unnamedFixtures(paths, readme)).toEqual([])
  })

  it('skips no test', () => {
    const mark = new RegExp(
      `\\b(?:it|test|describe)\\.(?:${['skip', 'only', 'todo'].join('|')})\\b`,
    )
    const wrong = test.filter(({ text }) => mark.test(text)).map(({ path }) => path)
    expect(wrong).toEqual([])
  })
})
