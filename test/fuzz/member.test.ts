import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { OpCode } from '../../src/data/op-code.ts'
import { MemberRun } from './member-run.ts'
import { type Item, type Step, steps } from './member-steps.ts'
import type { Wish } from './member-wishes.ts'

const { FUZZ_MS: budget = '8000', FUZZ_SEED: seed, FUZZ_PATH: path = '' } = process.env
/** How long cases are tried; FUZZ_MS=3600000 for an hour of it. */
const budgetMs = Number(budget)
/** More than there is time for. */
const CASES_MAX = 1_000_000

vi.setConfig({ testTimeout: budgetMs + 60_000 })

const wish: Wish = {
  op: OpCode.create,
  path: '/a/new',
  other: '/a',
  data: null,
  acl: 'open',
  number: 2,
  version: -1,
  ttl: 1n,
  isWatch: false,
  parts: [],
}
const send = (client: number, ...ops: readonly number[]): Step => ({
  do: 'send',
  client,
  items: ops.map((op): Item => ({ is: 'sound', wish: { ...wish, op } })),
  cuts: [],
})
const { create, ping, sync } = OpCode

/** What once went wrong. */
const found: readonly (readonly [what: string, taken: readonly Step[]])[] = [
  [
    'a sync is answered that was read only when the last write before it had been applied',
    [
      send(0, ping),
      send(1, ping),
      { do: 'hold', isHeld: true },
      send(0, create, create, create, create, create), // As many as are let in.
      send(1, sync),
      { do: 'hold', isHeld: false },
    ],
  ],
]

describe('whatever several clients do to a member', () => {
  it('it goes on, keeps its state sound, and another client does not feel it', () => {
    let cases = 0
    let frames = 0
    let replies = 0
    const property = fc.property(steps, (taken) => {
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

  it.each(found)('as once: %s', (_, taken) => {
    new MemberRun().run(taken)
  })
})
