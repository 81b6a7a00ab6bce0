import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from './process.ts'

/** The root of the checkout, without a slash at its end. */
export const repositoryRoot: string = fileURLToPath(new URL('../../../', import.meta.url)).replace(
  /\/$/,
  '',
)

/** What is costly to fetch or compile is kept here between runs; git ignores it. */
export const cacheDirectory: string = join(repositoryRoot, '.cache')

let built: Promise<void> | undefined

/** Builds `dist` once a test run, and only when a source is newer: proofs run what users run. */
export async function ensureBuilt(): Promise<void> {
  built ??= build()
  await built
}

async function build(): Promise<void> {
  const main = join(repositoryRoot, 'dist/node/main.js')
  const source = join(repositoryRoot, 'src')
  if (existsSync(main) && newestMtimeMs(source) <= statSync(main).mtimeMs) return
  const result = await run('npm', ['run', 'build'], { cwd: repositoryRoot })
  if (result.code !== 0) throw new Error(`npm run build failed\n${result.stdout}${result.stderr}`)
}

function newestMtimeMs(directory: string): number {
  let newest = 0
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.name === 'node_modules' || entry.name === 'dist') continue
    const path = join(directory, entry.name)
    newest = Math.max(newest, entry.isDirectory() ? newestMtimeMs(path) : statSync(path).mtimeMs)
  }
  return newest
}
