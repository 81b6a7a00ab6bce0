import { describe, expect, it } from 'vitest'
import { CommittedLog } from '../../../../src/quorum/leading/committed-log.ts'
import { planSync, type SyncPlan } from '../../../../src/quorum/leading/sync-plan.ts'
import { MemoryReplica, textEntry } from '../../../support/memory-replica.ts'

/** Epoch and counter. */
const z = (epoch: number, counter: number): number => epoch * 2 ** 32 + counter

interface Situation {
  readonly peer: number
  readonly last: number
  /** Of the committed log; empty where there are none. */
  readonly committed?: readonly number[]
  /** Of the log files; undefined: not allowed. */
  readonly history?: readonly number[]
  readonly force?: boolean
  /** Of the log as the leader took over. */
  readonly end?: number
}

function plan({
  peer,
  last,
  committed = [],
  history,
  force = false,
  end = 0,
}: Situation): SyncPlan {
  const committedLog = new CommittedLog(500, 0)
  for (const zxid of committed) committedLog.add(textEntry(zxid))
  const replica = new MemoryReplica()
  replica.history = history?.map((zxid) => textEntry(zxid))
  const plan = planSync({
    peerZxid: peer,
    lastProcessedZxid: last,
    committedLog,
    historyEndZxid: end,
    forceSnapshot: force,
    readHistory: (from) => replica.readHistory(from, false)?.step(),
  })
  if (plan === 'later') throw new Error('all was looked through at once')
  return plan
}

const diff = (zxid: number, cursor: number): SyncPlan => ({ kind: 'diff', zxid, cursor })
const trunc = (zxid: number): SyncPlan => ({ kind: 'trunc', zxid, cursor: zxid })
const snap: SyncPlan = { kind: 'snap' }

const run = (epoch: number, from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => z(epoch, from + i))

const cases: readonly (readonly [string, Situation, SyncPlan])[] = [
  ['1: forced', { peer: z(1, 5), last: z(1, 5), force: true }, snap],
  [
    '2: nothing missed',
    { peer: z(1, 5), last: z(1, 5), committed: run(1, 1, 5) },
    diff(z(1, 5), z(1, 5)),
  ],
  ['2: the first quorum of all', { peer: 0, last: 0 }, diff(0, 0)],
  ['2: both where an epoch began', { peer: z(2, 0), last: z(2, 0) }, diff(z(2, 0), z(2, 0))],
  [
    '2: no txn since the log ended',
    { peer: z(1, 5), last: z(3, 0), end: z(1, 5) },
    diff(z(1, 5), z(1, 5)),
  ],
  ['2: but a member that has nothing is given all', { peer: 0, last: z(1, 0), end: 0 }, snap],
  [
    '3: an uncommitted tail',
    { peer: z(1, 7), last: z(1, 5), committed: run(1, 1, 5) },
    trunc(z(1, 5)),
  ],
  [
    '3: while the new leader has committed nothing',
    { peer: z(1, 7), last: z(2, 0), committed: run(1, 1, 5) },
    trunc(z(1, 5)),
  ],
  ['3: with an empty committed log', { peer: z(1, 7), last: z(1, 5) }, trunc(z(1, 5))],
  [
    '3: no log can end where an epoch begins',
    { peer: z(2, 0), last: z(1, 5), committed: run(1, 1, 5) },
    snap,
  ],
  [
    '3: the tail began in a later epoch',
    { peer: z(2, 1), last: z(3, 0), committed: run(1, 1, 5) },
    snap,
  ],
  [
    '4: some missed',
    { peer: z(1, 3), last: z(1, 5), committed: run(1, 1, 5) },
    diff(z(1, 5), z(1, 3)),
  ],
  [
    '4: at the oldest',
    { peer: z(1, 1), last: z(1, 5), committed: run(1, 1, 5) },
    diff(z(1, 5), z(1, 1)),
  ],
  [
    '4: at the newest, the epoch has begun',
    { peer: z(1, 5), last: z(2, 0), committed: run(1, 1, 5) },
    diff(z(1, 5), z(1, 5)),
  ],
  [
    '4: across an epoch',
    { peer: z(1, 5), last: z(2, 2), committed: [...run(1, 1, 5), ...run(2, 1, 2)] },
    diff(z(2, 2), z(1, 5)),
  ],
  [
    '4: a tail of another epoch',
    { peer: z(1, 7), last: z(2, 2), committed: [...run(1, 1, 5), ...run(2, 1, 2)] },
    snap,
  ],
  [
    '4: something that is not in our epoch',
    { peer: z(1, 3), last: z(1, 5), committed: [...run(1, 1, 2), ...run(1, 4, 5)] },
    trunc(z(1, 2)),
  ],
  [
    '4: the cut would cross an epoch',
    { peer: z(2, 1), last: z(2, 3), committed: [...run(1, 1, 2), ...run(2, 2, 3)] },
    snap,
  ],
  [
    '4: where an epoch began',
    { peer: z(2, 0), last: z(2, 2), committed: [...run(1, 4, 5), ...run(2, 1, 2)] },
    diff(z(2, 2), z(2, 0)),
  ],
  ['5: not allowed', { peer: z(1, 3), last: z(1, 9), committed: run(1, 6, 9) }, snap],
  [
    '5: from the log files',
    { peer: z(1, 3), last: z(1, 9), committed: run(1, 6, 9), history: run(1, 1, 9) },
    diff(z(1, 9), z(1, 3)),
  ],
  [
    '5: from the oldest in the files',
    { peer: z(1, 1), last: z(1, 9), committed: run(1, 6, 9), history: run(1, 1, 9) },
    diff(z(1, 9), z(1, 1)),
  ],
  [
    '5: the files begin too late',
    { peer: z(1, 1), last: z(1, 9), committed: run(1, 6, 9), history: run(1, 2, 9) },
    snap,
  ],
  [
    '5: the files end too early',
    { peer: z(1, 4), last: z(1, 9), committed: run(1, 6, 9), history: run(1, 1, 3) },
    snap,
  ],
  [
    '5: there are none',
    { peer: z(1, 4), last: z(1, 9), committed: run(1, 6, 9), history: [] },
    snap,
  ],
  [
    '5: a tail, cut from the files',
    {
      peer: z(1, 4),
      last: z(1, 9),
      committed: run(1, 6, 9),
      history: [...run(1, 1, 3), ...run(1, 5, 9)],
    },
    trunc(z(1, 3)),
  ],
  [
    '5: a tail of another epoch',
    {
      peer: z(1, 4),
      last: z(2, 9),
      committed: run(2, 6, 9),
      history: [...run(1, 1, 3), ...run(2, 1, 9)],
    },
    snap,
  ],
  [
    '5: where an epoch began',
    {
      peer: z(2, 0),
      last: z(2, 9),
      committed: run(2, 6, 9),
      history: [...run(1, 1, 3), ...run(2, 1, 9)],
    },
    diff(z(2, 9), z(2, 0)),
  ],
  [
    '5: a hole up to the committed log',
    {
      peer: z(1, 4),
      last: z(1, 9),
      committed: run(1, 6, 9),
      history: [...run(1, 1, 3), ...run(1, 8, 9)],
    },
    snap,
  ],
  ['6: a new member joins after the election', { peer: 0, last: z(1, 0) }, snap],
  [
    '6: a new member joins later',
    { peer: 0, last: z(1, 9), committed: run(1, 1, 9), history: run(1, 1, 9) },
    snap,
  ],
]

describe('how a learner is brought up to date (spec 04 §4)', () => {
  it.each(cases)('%s', (_, situation, expected) => {
    expect(plan(situation)).toEqual(expected)
  })

  it('reads no file where the committed log is enough', () => {
    const committedLog = new CommittedLog(500, 0)
    for (const zxid of run(1, 1, 5)) committedLog.add(textEntry(zxid))
    for (const peer of [z(1, 1), z(1, 5), z(1, 9)])
      planSync({
        peerZxid: peer,
        lastProcessedZxid: z(1, 5),
        committedLog,
        historyEndZxid: 0,
        forceSnapshot: false,
        readHistory: () => {
          throw new Error('read')
        },
      })
  })
})
