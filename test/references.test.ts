import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'

/**
 * Documents are claims: what code and documents cite has to be there. Checked are citations of the
 * specification ("spec 05 §8"), paths under docs/, and the relative links of Markdown.
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
  return [...badCitations(joined), ...badPaths(text), ...links].map((what) => `${path}: ${what}`)
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
    expect(badLinks('[a](zab.md) [b](none.md)', join(root, folder))).toEqual(['none.md'])
  })

  it('in the sources, the tests and the documents', () => {
    const pages = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md']
    const paths = [...['src', 'test', 'docs'].flatMap(texts), ...pages]
    expect(paths.flatMap(wrongIn)).toEqual([])
  })
})
