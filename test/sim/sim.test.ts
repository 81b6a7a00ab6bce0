import { describe, expect, it } from 'vitest'
import { CoverageSum } from './coverage.ts'
import { Simulation } from './simulation.ts'
import { drawSwarm } from './swarm.ts'

const { CI, SIM_SECONDS, SIM_FROM } = process.env
const seconds = Number(SIM_SECONDS ?? (CI === undefined ? '15' : '60'))
/** Seeds that nobody has run before. */
const first = SIM_FROM === undefined ? (Date.now() >>> 4) % 0x7fff_ffff : Number(SIM_FROM)

const runSeed = (seed: number): ReturnType<Simulation['run']> => {
  try {
    return new Simulation({ swarm: drawSwarm(seed) }).run()
  } catch (error) {
    throw new Error(`replay with: npm run sim -- --seed ${seed}`, { cause: error })
  }
}

describe('the simulator', () => {
  it('finds nothing in as many fresh seeds as there is time for', () => {
    const until = performance.now() + seconds * 1000
    const sum = new CoverageSum()
    let replies = 0
    let seed = first
    for (; performance.now() < until; seed += 1) {
      const summary = runSeed(seed)
      replies += summary.replies
      sum.add(summary.coverage)
    }
    // Runs in which nobody is answered would prove nothing.
    expect(replies).toBeGreaterThan((seed - first) * 100)
    // Nor would runs that never come to where things go wrong.
    process.stdout.write(
      `${sum.text()}\n${seed - first} seeds from ${first} on, ${replies} replies\n`,
    )
    expect(sum.missed()).toEqual([])
  }, 600_000)

  it('does the same again from the same seed', () => {
    const story = (seed: number): string => {
      const lines: string[] = []
      const swarm = drawSwarm(seed, { faultyMs: 3000 })
      new Simulation({ swarm, trace: (line) => lines.push(line) }).run()
      return lines.join('\n')
    }
    const told = story(5)
    expect(story(5)).toBe(told)
    expect(told.length).toBeGreaterThan(10_000)
    expect(story(6)).not.toBe(told)
  })
})
