import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { boundsIn, sourceFiles, undeclaredIn } from '../docs/generate/limits.ts'
import { sections as generated, withSection } from '../docs/generate/sections.ts'

/**
 * Documents are claims: what code and documents cite has to be there. Checked are citations of the
 * specification ("spec 05 §8") and of the original's tracker, paths of files, and the relative links
 * of Markdown; and that what is made from the code is what the code says.
 */

const root = join(import.meta.dirname, '..')
const specFolder = join(root, 'docs/spec')

/** Numbers of the sections of each file of the specification, by the number of the file. */
function specSections(): ReadonlyMap<string, ReadonlySet<string>> {
  const sections = new Map<string, Set<string>>()
  for (const name of readdirSync(specFolder)) {
    const file = /^(\d\d)-.*\.md$/.exec(name)?.[1]
    if (file === undefined) continue
    const text = readFileSync(join(specFolder, name), 'utf8')
    const numbers = [...text.matchAll(/^#{2,3} (\d+(?:\.\d+)?)\.? /gm)].map(
      (match) => match[1] ?? '',
    )
    sections.set(file, new Set(numbers))
  }
  return sections
}

const sections = specSections()

/** "spec 05", "spec 05 §8", "spec 04 §5, §6": each file and section that is named, once. */
function badCitations(text: string): string[] {
  const bad: string[] = []
  for (const [citation, file, numbers] of text.matchAll(
    /\bspec (\d\d)((?:,? (?:and )?§\d+(?:\.\d+)?)*)/g,
  )) {
    const known = sections.get(file ?? '')
    if (known === undefined) bad.push(citation)
    for (const [, number] of (numbers ?? '').matchAll(/§(\d+(?:\.\d+)?)/g))
      if (known !== undefined && !known.has(number ?? '')) bad.push(citation)
  }
  return bad
}

/** Paths under docs/ that code and documents name; `docs/decisions/006` stands for its page. */
function badPaths(text: string): string[] {
  return [...text.matchAll(/\bdocs\/[A-Za-z0-9_/.-]*[A-Za-z0-9_/]/g)]
    .map(([path]) => path)
    .filter((path) => !existsSync(join(root, path)) && !isDecision(path))
}

function isDecision(path: string): boolean {
  const number = /^docs\/decisions\/(\d{3})$/.exec(path)?.[1]
  const pages = readdirSync(join(root, 'docs/decisions'))
  return number !== undefined && pages.some((name) => name.startsWith(`${number}-`))
}

/**
 * Sources and tests: by their path, with or without `src/` and `.ts`, or by the name of the file alone.
 * Some names stand for any file.
 */
function badSources(text: string, isDocument: boolean): string[] {
  const full = /(?<![\w./-])(?:src|test)\/[\w/.-]*[\w/]/g
  const ending = isDocument ? '' : '\\.ts\\b'
  const short = new RegExp(`(?<![\\w./-])(?:${rooms})/[\\w/-]+${ending}(?:\\.\\w+)*`, 'g')
  const paths = [full, short].flatMap((pattern) =>
    [...text.matchAll(pattern)].map(([path]) => path),
  )
  const names = [...text.matchAll(/(?<![\w./*-])[a-z][\w.-]*\.ts\b/g)].map(([name]) => name)
  return [
    ...paths.filter(
      (path) => !['', '.ts'].some((end) => isThere(path + end) || isThere(`src/${path}${end}`)),
    ),
    ...names.filter((name) => !fileNames.has(name)),
  ].filter((path) => !/\b(?:x|out|greeting)\.ts$/.test(path))
}

const rooms = readdirSync(join(root, 'src')).join('|')
const fileNames = new Set(
  ['.', 'src', 'test', 'docs']
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: folder !== '.', encoding: 'utf8' }),
    )
    .map((path) => path.slice(path.lastIndexOf('/') + 1)),
)
const isThere = (path: string): boolean => existsSync(join(root, path))

/** Entries of the original's tracker: each is told of in the specification. */
function badEntries(text: string): string[] {
  return [...text.matchAll(/\bZOOKEEPER-\d+\b/g)]
    .map(([entry]) => entry)
    .filter((entry) => !entries.has(entry))
}

const entries = new Set(
  readdirSync(specFolder).flatMap((name) => {
    const text = readFileSync(join(specFolder, name), 'utf8')
    return [...text.matchAll(/\bZOOKEEPER-\d+\b/g)].map(([entry]) => entry)
  }),
)

function badLinks(text: string, folder: string): string[] {
  return [...text.matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g)]
    .map(([, target]) => target ?? '')
    .filter((target) => !existsSync(join(folder, target)))
}

function texts(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory())
      return ['dist', 'node_modules', 'golden'].includes(entry.name) ? [] : texts(path)
    return /\.(ts|md|jute|mjs|txt)$/.test(entry.name) ? [path] : []
  })
}

function wrongIn(path: string): string[] {
  const text = readFileSync(join(root, path), 'utf8')
  // Comments and paragraphs are broken into lines; a citation may be, too.
  const joined = text.replace(/\n\s*(?:\*|\/\/)?\s*/g, ' ')
  const links = path.endsWith('.md') ? badLinks(text, join(root, dirname(path))) : []
  const sources = badSources(text, /^(docs\/(?!spec)|[A-Z]+\.md)/.test(path))
  const wrong = [
    ...badCitations(joined),
    ...badPaths(text),
    // That test makes up sources to judge.
    ...(path === 'test/tidy.test.ts' ? [] : sources),
    ...badEntries(text),
  ]
  return [...wrong, ...links].map((what) => `${path}: ${what}`)
}

describe('what is cited is there', () => {
  it('finds what is not', () => {
    const file = '99'
    expect(badCitations(`(spec ${file} §1), (spec 05 §8), (spec 05 §8, §${file})`)).toEqual([
      `spec ${file} §1`,
      `spec 05 §8, §${file}`,
    ])
    const folder = 'docs'
    expect(badPaths(`see ${folder}/zab.md and ${folder}/none.md`)).toEqual([`${folder}/none.md`])
    const source = 'src'
    expect(
      badSources(`${source}/base/limits.ts ${source}/base/none.ts base/none${'.ts'}`, false),
    ).toEqual([`${source}/base/none.ts`, `base/none${'.ts'}`])
    expect(badSources(`the file none${'.ts'}`, false)).toEqual([`none${'.ts'}`])
    const entry = 'ZOOKEEPER'
    expect(badEntries(`${entry}-4394, ${entry}-9999999`)).toEqual([`${entry}-9999999`])
    expect(badLinks('[a](zab.md) [b](none.md)', join(root, folder))).toEqual(['none.md'])
  })

  it('in the sources, the tests and the documents', () => {
    const pages = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md']
    const paths = [...['src', 'test', 'docs'].flatMap(texts), ...pages]
    expect(paths.flatMap(wrongIn)).toEqual([])
  })
})

/** Numbers that look like bounds of what is held and are none: ranges of formats, and tuning. */
const noBounds: ReadonlySet<string> = new Set(
  (
    'INT_MAX LONG_MAX NUMBER_MAX ID_MAX ID_BYTE_MAX EXTENDED_ID_MAX MYID_MAX PORT_MAX EPOCH_MAX TTL_MS_MAX ' +
    'ROUND_MAX OCTET_MAX GROUP_DIGITS_MAX ASCII_MAX PATH_BYTES_MAX endZxid ' +
    'COPY_BYTES_MAX SNAPPY_BLOCK_BYTES_MAX BLOCK_CONTENT_BYTES_MAX BUCKET_NODES_MAX SHARED_BYTES_MAX ' +
    'BYTES_PER_REDUCTION ENTRIES_PER_STEP NODES_PER_CALL PIECE_BYTES_MAX RESERVE_SHARE_MAX LOOK_MS_MAX ' +
    'STAGED_SLOTS_KEPT'
  ).split(' '),
)

const textOf = (path: string): string => readFileSync(join(root, path), 'utf8')

describe('what is made from the code is what the code says', () => {
  it.each(generated)('$marker in $file; if not: npm run generate', (section) => {
    expect(textOf(section.file)).toBe(withSection(textOf(section.file), section))
  })

  it('every bound says its unit and what happens at it', () => {
    expect(undeclaredIn('x.ts', 'const A_MAX = 3\n')).toEqual(['A_MAX'])
    const declared =
      '/**\n * What is held.\n * @bound bytes: dropped\n */\nconst A_MAX = 4 * 1024\n'
    expect(undeclaredIn('x.ts', declared)).toEqual([])
    expect(boundsIn('x.ts', declared)).toMatchObject([
      { name: 'A_MAX', value: 4096, unit: 'bytes' },
    ])
    const missing = sourceFiles().flatMap((file) => undeclaredIn(file, textOf(file)))
    expect(missing.filter((name) => !noBounds.has(name))).toEqual([])
  })

  it('the bounds that docs/architecture.md names are there', () => {
    const queues =
      textOf('docs/architecture.md').split('## Why no queue grows')[1]?.split('\n## ')[0] ?? ''
    const names = [...queues.matchAll(/`(\w+|nio\.\w+)`/g)].map(([, name]) => name ?? '')
    expect(names.length).toBeGreaterThan(30)
    const bounds = sourceFiles().flatMap((file) => boundsIn(file, textOf(file)))
    const known = new Set(bounds.map(({ name }) => name))
    const isKey = (name: string): boolean => textOf('docs/operations.md').includes(`\`${name}\``)
    expect(names.filter((name) => !known.has(name) && !isKey(name))).toEqual([])
  })
})
