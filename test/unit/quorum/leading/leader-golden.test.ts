import { describe, expect, it } from 'vitest'
import { type Replayed, replayLeader } from '../../../support/leader-replay.ts'

/**
 * Real followers and observers of 3.8.0 against our leader: what they said is played to it, and what
 * it answers must be what the real leader answered.
 */
describe('in the place of a recorded leader', () => {
  const first = replayLeader({
    recording: 'run1-learner',
    leader: 2,
    conns: [1, 2, 3, 4, 5, 6, 7],
    observers: [4],
    log: [],
    acceptedEpoch: 0,
    currentEpoch: 0,
    sessions: [0x1000024aa070000n],
  })
  const upTo215 = first.committed
  const second = replayLeader({
    recording: 'run1-learner',
    leader: 3,
    conns: [8, 9],
    observers: [4],
    log: upTo215,
    acceptedEpoch: 1,
    currentEpoch: 1,
  })
  const third = replayLeader({
    recording: 'run1-learner',
    leader: 2,
    conns: [10],
    observers: [4],
    log: second.committed,
    acceptedEpoch: 2,
    currentEpoch: 2,
  })

  const steps: readonly (readonly [string, Replayed, number, RegExp])[] = [
    ['1 is in the first quorum: DIFF(0), and all that follows', first, 1, /^DIFF 0 /],
    ['3 comes later: SNAP of an empty tree', first, 2, /^SNAP 100000000 /],
    ['4 observes: SNAP, then INFORM', first, 3, /^SNAP 100000000 /],
    ['3 missed some: DIFF with pairs', first, 4, /^DIFF 100000017 /],
    ['3 missed nothing: empty DIFF', first, 5, /^DIFF 100000017 /],
    ['3 missed more than is in memory: SNAP', first, 6, /^SNAP 100000210 /],
    ['4 missed some: DIFF with pairs for an observer, too', first, 7, /^DIFF 100000213 /],
    ['1 in epoch 2: DIFF', second, 8, /^DIFF 100000215 /],
    ['2 has two that were never committed: TRUNC', second, 9, /^TRUNC 100000215 /],
    ['1 in epoch 3: DIFF', third, 10, /^DIFF 200000003 /],
  ]

  it.each(steps)('%s', (_, { recorded, ours }, conn, how) => {
    expect(recorded.get(conn)?.find((line) => /^(DIFF|TRUNC|SNAP) /.test(line))).toMatch(how)
    expect(ours.get(conn)).toEqual(recorded.get(conn))
  })

  it('nobody was dropped', () => {
    for (const { rig } of [first, second, third]) {
      expect(rig.ends.filter((reason) => !reason.includes('quorum'))).toEqual([])
      expect(
        rig.logs.filter((line) => line.includes('is gone') && !line.includes('closed by')),
      ).toEqual([])
    }
    expect(third.committed.at(-1)?.zxid).toBe(3 * 2 ** 32 + 3)
  })

  it('505 missed, and the log files may be read: DIFF', () => {
    const replayed = replayLeader({
      recording: 'run2-learner',
      leader: 2,
      conns: [1, 2, 3],
      observers: [4],
      log: [],
      acceptedEpoch: 0,
      currentEpoch: 0,
      history: (committed) => committed,
    })
    for (const [conn, lines] of replayed.recorded) expect(replayed.ours.get(conn)).toEqual(lines)
  })
})
