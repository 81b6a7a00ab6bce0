import { check } from './check.ts'
import { emit } from './emit.ts'
import { formatProblem } from './model.ts'
import { parse } from './parser.ts'

export type CompileResult =
  | { readonly ok: true; readonly code: string }
  /** One line: `sourceName:line:column: message`. */
  | { readonly ok: false; readonly error: string }

/** Compiles Jute IDL to the text of one TypeScript module. `sourceName` is for its head and errors. */
export function compile(source: string, sourceName: string): CompileResult {
  const parsed = parse(source)
  const problem = parsed.ok ? check(parsed.classes) : parsed.problem
  if (problem !== undefined) return { ok: false, error: formatProblem(sourceName, problem) }
  return { ok: true, code: parsed.ok ? emit(parsed.classes, baseName(sourceName)) : '' }
}

/** The generated file is the same from whatever folder the compiler is run. */
function baseName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1)
}
