import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { plants, runPlanted } from './plants.ts'

const root = join(import.meta.dirname, '..', '..')

describe('the checkers can fail', () => {
  for (const plant of plants)
    it(`find ${plant.name}: ${plant.story}`, () => {
      expect(runPlanted(plant, root)).toBe(0)
    }, 600_000)
})
