import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { MemberRun } from './member-run.ts'
import { type Step, steps } from './member-steps.ts'

const { FUZZ_MS: budget = '8000', FUZZ_SEED: seed, FUZZ_PATH: path = '' } = process.env
/** How long cases are tried; FUZZ_MS=3600000 for an hour of it. */
const budgetMs = Number(budget)
const CASES_MAX = 1_000_000

vi.setConfig({ testTimeout: budgetMs + 60_000 })

describe('whatever several clients do to a member', () => {
  it('it goes on, keeps its state sound, and another client does not feel it', () => {
    let cases = 0
    let frames = 0
    let replies = 0
    const property = fc.property(steps, (taken: readonly Step[]) => {
      const run = new MemberRun()
      run.run(taken)
      cases += 1
      frames += run.frames
      replies += run.replies
    })
    const result = fc.check(property, {
      numRuns: CASES_MAX,
      interruptAfterTimeLimit: budgetMs,
      markInterruptAsFailure: false,
      ...(seed === undefined ? {} : { seed: Number(seed), path }),
    })
    if (result.failed)
      throw new Error(
        `${fc.defaultReportMessage(result)}\nTo see it again: FUZZ_SEED=${result.seed} ` +
          `FUZZ_PATH=${result.counterexamplePath} npx vitest run test/fuzz/member.test.ts`,
        { cause: result.errorInstance },
      )
    console.log(
      `member fuzz: ${cases} cases, ${frames} frames sent, ${replies} received, ` +
        `seed ${result.seed}`,
    )
    expect(cases).toBeGreaterThan(0)
  })
})
