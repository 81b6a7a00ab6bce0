import { existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes a directory and those above it; throws as mkdirSync does. Node's own `recursive` spins
 * forever where a parent exists and yet nothing can be made in it with ENOENT, as in /proc.
 */
export function makeDirectory(path: string): void {
  if (existsSync(path)) return
  const parent = dirname(path)
  if (parent !== path) makeDirectory(parent)
  try {
    mkdirSync(path)
  } catch (error) {
    // Two servers that start at once may make the same directory.
    if (!existsSync(path)) throw error
  }
}
