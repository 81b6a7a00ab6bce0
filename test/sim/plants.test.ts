import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { misfits, plants, runPlanted } from './plants.ts'
import { runVariant, variants } from './variants.ts'

const { CI } = process.env
/** All of them take four minutes: that is for CI, or for npm run sim -- --plant all. */
const QUICK_SEEDS = CI === undefined ? 20 : Infinity

const root = join(import.meta.dirname, '..', '..')

describe('the checkers can fail', () => {
  for (const plant of plants.filter(({ seedsMax }) => seedsMax <= QUICK_SEEDS))
    it(`find ${plant.name}: ${plant.story}`, () => {
      expect(runPlanted(plant, root)).toBe(0)
    }, 600_000)
})

describe('sources with another constant', () => {
  it('are there to be varied', () => {
    expect(variants.flatMap((variant) => misfits(variant, root))).toEqual([])
  })

  for (const variant of variants)
    it(`find nothing where ${variant.story}`, () => {
      expect(runVariant(variant, root, CI === undefined ? 5 : 40, Date.now() % 1_000_000)).toBe(0)
    }, 600_000)
})
