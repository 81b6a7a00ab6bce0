import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { plants, runPlanted } from './plants.ts'

const { CI } = process.env
/** All of them take a minute or two: that is for CI, or for npm run sim -- --plant all. */
const QUICK_SEEDS = CI === undefined ? 20 : Infinity

const root = join(import.meta.dirname, '..', '..')

describe('the checkers can fail', () => {
  for (const plant of plants.filter(({ seedsMax }) => seedsMax <= QUICK_SEEDS))
    it(`find ${plant.name}: ${plant.story}`, () => {
      expect(runPlanted(plant, root)).toBe(0)
    }, 600_000)
})
