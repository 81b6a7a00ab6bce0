import { describe, expect, it } from 'vitest'
import { PowerLoss } from './power-loss.ts'

const { POWER_LOSS_SEED: one, POWER_LOSS_SEEDS: count = '300' } = process.env
const first = one === undefined ? 1 : Number(one)
const last = one === undefined ? Number(count) : first

describe('after a loss of power', () => {
  it('every acknowledged txn is there, and nothing in part', () => {
    const seen = { acked: 0, lost: 0, fromSnapshot: 0, tails: 0 }
    for (let seed = first; seed <= last; seed += 1) {
      const run = new PowerLoss(seed)
      try {
        run.run()
      } catch (error) {
        const again = `POWER_LOSS_SEED=${seed} npx vitest run --project unit test/sim/power-loss`
        throw new Error(`seed ${seed}: ${again}`, { cause: error })
      }
      for (const key of ['acked', 'lost', 'fromSnapshot', 'tails'] as const)
        seen[key] += run.seen[key]
    }
    if (one !== undefined) return
    // Otherwise the seeds would prove less than they seem to.
    for (const amount of Object.values(seen)) expect(amount).toBeGreaterThan(last - first)
  }, 600_000)
})
