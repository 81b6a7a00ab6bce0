import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const here = fileURLToPath(new URL('.', import.meta.url))
const cli = join(here, '../src/cli.ts')
const tsx = fileURLToPath(import.meta.resolve('tsx'))

interface Result {
  readonly code: number
  readonly stderr: string
}

function run(...args: string[]): Promise<Result> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, ['--import', tsx, cli, ...args], (_, __, stderr) => {
      resolve({ code: child.exitCode ?? -1, stderr })
    })
  })
}

/** Each run starts a Node: seconds, on a busy machine. */
const slow = { timeout: 60_000 }

describe('jute-ts', slow, () => {
  let folder = ''
  let input = ''
  let output = ''

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'jute-ts-'))
    input = join(folder, 'in.jute')
    output = join(folder, 'out.ts')
    writeFileSync(input, 'module a { class A { int x; } }')
  })

  afterEach(() => rmSync(folder, { recursive: true }))

  it('compiles, and --check then finds nothing to do', async () => {
    expect(await run(input, output)).toEqual({ code: 0, stderr: '' })
    expect(readFileSync(output, 'utf8')).toContain('export interface A {')
    expect(await run('--check', input, output)).toEqual({ code: 0, stderr: '' })
  })

  it('--check fails on a difference, and changes nothing', async () => {
    writeFileSync(output, 'export const edited = 1\n')
    const { code, stderr } = await run(input, output, '--check')
    expect(code).toBe(1)
    expect(stderr).toContain('out.ts is not what')
    expect(readFileSync(output, 'utf8')).toBe('export const edited = 1\n')
    rmSync(output)
    expect((await run(input, output, '--check')).code).toBe(1)
  })

  it('reports an error of the source on one line, and writes nothing', async () => {
    writeFileSync(input, 'module a {\n  class A { integer x; }\n}')
    expect(await run(input, output)).toEqual({
      code: 1,
      stderr: `${input}:2:13: unknown type integer\n`,
    })
    expect(() => readFileSync(output)).toThrow('ENOENT')
  })

  it('reports wrong usage and unreadable files without a stack trace', async () => {
    const misuses = [[], [input], ['--nonsense'], [join(folder, 'absent'), output]]
    for (const { code, stderr } of await Promise.all(misuses.map((args) => run(...args)))) {
      expect(code).toBe(2)
      expect(stderr).not.toMatch(/^\s+at /mu)
    }
  })
})

describe('the generated file of these tests', slow, () => {
  it('is up to date', async () => {
    const files = [join(here, 'every-type.jute'), join(here, 'every-type.ts')]
    expect(await run('--check', ...files)).toEqual({ code: 0, stderr: '' })
  })
})
