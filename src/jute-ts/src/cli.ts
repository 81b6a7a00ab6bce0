#!/usr/bin/env node
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { compile } from './compiler.ts'

const usage = 'usage: jute-ts [--check] IN.jute OUT.ts'

/** What to say on stderr, and the exit code: 0 done, 1 refused or different, 2 wrong usage. */
interface Outcome {
  readonly code: 0 | 1 | 2
  readonly message?: string
}

function main(args: readonly string[]): Outcome {
  const { input, output, isCheck } = parse(args)
  if (input === undefined || output === undefined) return { code: 2, message: usage }
  const compiled = compile(readFileSync(input, 'utf8'), input)
  if (!compiled.ok) return { code: 1, message: compiled.error }
  if (!isCheck) writeFileSync(output, compiled.code)
  else if (!existsSync(output) || readFileSync(output, 'utf8') !== compiled.code)
    return { code: 1, message: `${output} is not what ${input} compiles to: generate it anew` }
  return { code: 0 }
}

function parse(args: readonly string[]): { input?: string; output?: string; isCheck: boolean } {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { check: { type: 'boolean', default: false } },
  })
  const [input, output, ...rest] = positionals
  if (input === undefined || output === undefined || rest.length > 0)
    return { isCheck: values.check }
  return { input, output, isCheck: values.check }
}

function run(): Outcome {
  try {
    return main(process.argv.slice(2))
  } catch (error) {
    // A file that cannot be read or written, or an unknown flag: no stack trace for these.
    return { code: 2, message: error instanceof Error ? error.message : String(error) }
  }
}

const outcome = run()
if (outcome.message !== undefined) console.error(outcome.message)
process.exitCode = outcome.code
