import { defaultLimits, type Limits } from '../../src/base/limits.ts'
import { defaultLeaderBounds } from '../../src/quorum/leading/leader-bounds.ts'
import { defaultLearnerLimits } from '../../src/quorum/learning/learner-history.ts'
import { defaultMemberBounds, type MemberBounds } from '../../src/server/bounds/member-bounds.ts'
import type { Chance } from './chance.ts'

/** Of what members hold at most. Limits that settings decide are among the settings. */
export interface SwarmBounds {
  readonly isTiny: boolean
  readonly limits: Limits
  readonly member: MemberBounds
  /** What the system takes of a socket before bytes are said to wait. */
  readonly windowBytes: number
}

const DEFAULT_WINDOW_BYTES = 64 * 1024
/** No request of a simulated client is larger, and setWatches grows with the paths. */
export const TINY_FRAME_BYTES = 8192

/** As in production. */
export const defaultBounds: SwarmBounds = {
  isTiny: false,
  limits: defaultLimits,
  member: defaultMemberBounds,
  windowBytes: DEFAULT_WINDOW_BYTES,
}

/** The committed log is next to nothing. */
export const withShortMemory = (bounds: SwarmBounds): SwarmBounds => ({
  ...bounds,
  member: { ...bounds.member, committedLogBytesMax: 1 },
})

/** Half of the runs are as in production; the others meet in seconds what 64 MiB never does. */
export function drawBounds(chance: Chance): SwarmBounds {
  if (chance.chance(0.5)) return defaultBounds
  const tiny = drawTiny(chance)
  // Drawn last, so that what a seed draws of the others stays as it was.
  const applyStepsPerTurn = chance.pick([1, 200, 2000])
  return { ...tiny, member: { ...tiny.member, applyStepsPerTurn } }
}

function drawTiny(chance: Chance): SwarmBounds {
  const syncBytesWaitingMax = chance.pick([500, 4000, 40_000])
  return {
    isTiny: true,
    limits: {
      ...defaultLimits,
      frameBytesMax: TINY_FRAME_BYTES,
      unservedBytesPause: chance.pick([0, 0, 100]),
      replyBytesPause: chance.pick([100, 1000, 8000]),
      replyBytesMax: chance.pick([9000, 40_000]),
      parkedReadsMax: chance.pick([1, 2, 8]),
      requestBytesOutstandingMax: chance.pick([200, 5000, 20_000]),
      workStepsPerTurn: chance.pick([1, 200, 5000]),
    },
    member: {
      ...defaultMemberBounds,
      leader: {
        ...defaultLeaderBounds,
        syncBytesWaitingMax,
        syncBytesPerTurn: chance.pick([100, 1000, 10_000]),
        // What is outstanding comes on top.
        learnerBytesMax: chance.pick([50_000, 400_000]),
        pingsInFlightMax: chance.pick([2, 8, 64]),
      },
      learner: { ...defaultLearnerLimits, logBytesPause: chance.pick([1, 500, 5000]) },
      sliceBytes: chance.pick([300, 1000, 4000]),
      committedLogBytesMax: chance.pick([1, 1000, 20_000]),
      leaderLogBytesMax: 100_000,
    },
    windowBytes: chance.pick([500, 4000, DEFAULT_WINDOW_BYTES]),
  }
}
