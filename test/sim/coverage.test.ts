import { describe, expect, it } from 'vitest'
import { Coverage, CoverageSum } from './coverage.ts'

/** So many runs, each with what `runOf` says. */
function sumOf(runs: number, isMet: (run: number) => boolean): CoverageSum {
  const sum = new CoverageSum()
  for (let run = 0; run < runs; run += 1) {
    const { cover, counts } = new Coverage()
    if (isMet(run)) cover('role ended')
    sum.add(counts)
  }
  return sum
}

describe('the table of what runs have met', () => {
  it('misses what too few seeds have met', () => {
    const missed = sumOf(400, (run) => run < 20).missed()
    expect(missed).toContain('role ended: 20 of 400 seeds, at least 100')
    expect(
      sumOf(400, (run) => run < 100)
        .missed()
        .join(),
    ).not.toContain('role ended:')
  })

  it('asks nothing of a few seeds, where all is chance', () => {
    expect(sumOf(5, () => false).missed()).toEqual([])
  })

  it('counts how often and by how many', () => {
    const { cover, counts } = new Coverage()
    cover('TRUNC sent')
    cover('TRUNC sent')
    const sum = new CoverageSum()
    sum.add(counts)
    expect(sum.text()).toMatch(/TRUNC sent +2 +100.0 %/)
  })
})
