import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

export const root: string = join(import.meta.dirname, '../..')

/** A file of the project as its text has it; `path` is relative to the project. */
export interface Source {
  readonly path: string
  readonly text: string
  readonly imports: readonly Import[]
}

export interface Import {
  /** Line number, from 1. */
  readonly line: number
  /** A path relative to the project if it begins with a dot in the source; a package else. */
  readonly target: string
  readonly isFile: boolean
  /** What is named; `*` for all of it. */
  readonly names: readonly string[]
}

const importing =
  /(?:^|\n)(?:import|export)\s+(?:type\s+)?(?:([\w*]+(?: as \w+)?)\s*,?\s*)?(?:\{([^}]*)\}\s*)?(?:from\s+)?'([^']+)'|\bimport\('([^']+)'\)/g

export function parse(path: string, text: string): Source {
  const imports: Import[] = []
  for (const match of text.matchAll(importing)) {
    const [whole, star, braces, from, dynamic] = match
    const specifier = from ?? dynamic ?? ''
    const isFile = specifier.startsWith('.')
    imports.push({
      line: text.slice(0, (match.index ?? 0) + whole.length).split('\n').length,
      target: isFile ? relative(root, join(root, dirname(path), specifier)) : specifier,
      isFile,
      names: [...(star === undefined && dynamic === undefined ? [] : ['*']), ...named(braces)],
    })
  }
  return { path, text, imports }
}

function named(braces: string | undefined): string[] {
  const names = (braces ?? '').split(',').map((name) => name.trim().replace(/^type /, ''))
  return names.filter((name) => name !== '').map((name) => name.split(' as ')[0] ?? '')
}

/** All TypeScript below a folder of the project, without what is made from other files. */
export function sourcesOf(folder: string): Source[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory())
      return ['dist', 'node_modules'].includes(entry.name) ? [] : sourcesOf(path)
    return path.endsWith('.ts') ? [parse(path, readFileSync(join(root, path), 'utf8'))] : []
  })
}
