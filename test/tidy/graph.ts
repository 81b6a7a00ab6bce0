import type { Source } from './source.ts'

/** Files that import each other in a circle, each circle once, as a line. */
export function circles(sources: readonly Source[]): string[] {
  const byPath = new Map(sources.map((source) => [source.path, source]))
  const done = new Set<string>()
  const found: string[] = []
  const walk = (path: string, way: readonly string[]): void => {
    const at = way.indexOf(path)
    if (at >= 0) found.push(`a circle: ${[...way.slice(at), path].join(' -> ')}`)
    if (at >= 0 || done.has(path)) return
    for (const { target } of byPath.get(path)?.imports ?? [])
      if (byPath.has(target)) walk(target, [...way, path])
    done.add(path)
  }
  for (const { path } of sources) walk(path, [])
  return found
}

const exported =
  /^export (?:declare |abstract |async )*(?:const|let|function\*?|class|interface|type|enum) (\w+)/gm

/** What a file offers and no other one takes. `users` may be more than the `sources` that are judged. */
export function unusedExports(sources: readonly Source[], users: readonly Source[]): string[] {
  const taken = new Set<string>()
  for (const { path, imports } of users)
    for (const { target, names } of imports)
      if (target !== path) for (const name of names) taken.add(`${target} ${name}`)
  return sources.flatMap(({ path, text }) =>
    [...text.matchAll(exported)]
      .map((match) => match[1] ?? '')
      .filter((name) => !taken.has(`${path} ${name}`) && !taken.has(`${path} *`))
      .map((name) => `${path}: ${name} is exported, and nobody imports it`),
  )
}

/** Functions that a file offers, and that nothing but tests ever calls. */
export function deadFunctions(sources: readonly Source[]): string[] {
  const taken = new Set<string>()
  for (const { imports } of sources)
    for (const { target, names } of imports)
      for (const name of names) taken.add(`${target} ${name}`)
  return sources.flatMap(({ path, text }) =>
    [...text.matchAll(/^export (?:function\*?|const(?=[^=]* = \(.*=>)) ([a-z]\w*)/gm)]
      .map((match) => match[1] ?? '')
      .filter((name) => !taken.has(`${path} ${name}`) && !taken.has(`${path} *`))
      .filter((name) => text.split(new RegExp(`\\b${name}\\b`)).length <= 2)
      .map((name) => `${path}: ${name} is called by tests only`),
  )
}
