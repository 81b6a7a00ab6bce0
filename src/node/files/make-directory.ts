import { existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes a directory and those above it, and returns those that were missing, the topmost first; throws
 * as mkdirSync does. Node's own `recursive` spins forever where a parent exists and yet nothing can be
 * made in it with ENOENT, as in /proc.
 */
export function makeDirectory(path: string): readonly string[] {
  if (existsSync(path)) return []
  const parent = dirname(path)
  const made = parent === path ? [] : makeDirectory(parent)
  try {
    mkdirSync(path)
  } catch (error) {
    // Two servers that start at once may make the same directory.
    if (!existsSync(path)) throw error
  }
  return [...made, path]
}
