import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Runs once around all interop tests. Workers may be ended without notice, so what they leave (a
 * directory, a process that still runs) is cleared away here.
 */
export function setup(): void {
  const root = mkdtempSync(join(tmpdir(), 'zk-interop-'))
  mkdirSync(join(root, 'pids'))
  Object.assign(process.env, { INTEROP_SCRATCH: root })
}

export function teardown(): void {
  const { INTEROP_SCRATCH: root } = process.env
  if (root === undefined) return
  for (const name of readdirSync(join(root, 'pids'))) {
    try {
      process.kill(-Number(name), 'SIGKILL')
    } catch {
      // The group ended in the meantime.
    }
  }
  rmSync(root, { recursive: true, force: true, maxRetries: 5 })
}
