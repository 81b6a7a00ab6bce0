import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { play } from './play.ts'

const { REWRITE } = process.env
const folder = import.meta.dirname

describe('stories of an ensemble', () => {
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.txt')))
    it(name, () => {
      const path = join(folder, name)
      const told = readFileSync(path, 'utf8')
      const now = play(told)
      // After a change on purpose: REWRITE=1, and a look at the diff that explains every line of it.
      if (REWRITE === undefined) expect(now).toBe(told)
      else writeFileSync(path, now)
      expect(play(told)).toBe(now)
    }, 60_000)
})
