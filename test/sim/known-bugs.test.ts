import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { knownBugs } from './known-bugs.ts'
import { misfits, plants } from './plants.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/testing.md'), 'utf8')

/** Rows of the table under that heading, cell by cell, without its head. */
function rowsUnder(heading: string): readonly (readonly string[])[] {
  const section = page.split(`### ${heading}\n`)[1]?.split('\n### ')[0]?.split('\n## ')[0] ?? ''
  return section
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(2)
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    )
}

const numbersOf = (cell: string | undefined): readonly number[] =>
  (cell?.match(/\d+/g) ?? []).map(Number)
const plantOf = (cell: string | undefined): string | undefined =>
  /^`([a-z0-9-]+)`$/.exec(cell ?? '')?.[1]

/** Those that are known to have lost or changed what was acknowledged, or to have kept an ensemble still. */
const wanted = [
  2247, 2355, 2845, 2872, 3023, 3104, 3109, 3127, 3144, 3306, 3642, 3911, 4394, 4541, 4643, 4646,
  4685, 4689, 4712, 4785, 4837, 4846, 4925,
]

describe('the known bugs of ZooKeeper', () => {
  const rows = rowsUnder("ZooKeeper's known bugs, planted")
  const planted = rows.filter(([, , plant]) => plantOf(plant) !== undefined)

  it('each have a row, and one only', () => {
    expect(rows.flatMap(([bugs]) => numbersOf(bugs)).toSorted((a, b) => a - b)).toEqual(wanted)
  })

  it('are planted under the name that the table gives, or it says why they cannot be', () => {
    const told = planted.map(([bugs, , plant]) => `${plantOf(plant)} ${numbersOf(bugs)}`)
    const there = knownBugs.map(({ name, bugs }) => `${name} ${bugs}`)
    expect(told.toSorted()).toEqual(there.toSorted())
    for (const [bugs, , plant, why] of rows)
      if (plantOf(plant) === undefined) expect([bugs, plant, why?.length]).not.toContain(0)
  })

  it('are told with the checker that finds them, the seed, and the commit', () => {
    for (const row of planted) {
      expect(row).toHaveLength(6)
      expect(row[4]).toMatch(/^\d+$/)
      expect(row[5]).toMatch(/^[0-9a-f]{7}$/)
    }
  })
})

describe('the plants', () => {
  it('fit the sources as they are', () => {
    const root = join(import.meta.dirname, '../..')
    expect(plants.flatMap((plant) => misfits(plant, root))).toEqual([])
  })

  it('of this house all have a row', () => {
    const told = rowsUnder('Can the checkers fail?').map(
      ([plant]) => /`([a-z0-9-]+)`/.exec(plant ?? '')?.[1],
    )
    const known = new Set(knownBugs.map(({ name }) => name))
    const there = plants.map(({ name }) => name).filter((name) => !known.has(name))
    expect(told.toSorted()).toEqual(there.toSorted())
  })
})
