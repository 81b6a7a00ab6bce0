import type { Chance } from './chance.ts'

/**
 * Steps of the protocol that a machine sees pass: packets of the kind that its process sends, and
 * what its process asks of the disk. Between two of them lies every state that a member can be in.
 */
export const steps = [
  // Packets, as they leave.
  'leaderInfo',
  'ackEpoch',
  'diff',
  'trunc',
  'snap',
  'newLeader',
  'newLeaderAck',
  'upToDate',
  'proposal',
  // On their way to the disk, and a loss of power may stop anywhere in them.
  'acceptedEpoch',
  'currentEpoch',
  /** What a learner was told before NEWLEADER, and the epoch, in one batch. */
  'historyAndEpoch',
  'cutting',
  'forgetting',
  // All of a snapshot is written, and it waits for the log to reach as far.
  'snapshotAtLog',
  'snapshotNamed',
] as const
export type Step = (typeof steps)[number]

/** What happens at that very step, or so soon after it that nothing has come of it yet. */
export const strikes = [
  'kill',
  'power',
  'powerOfAll',
  'isolate',
  /** Cut off from all others, and started anew meanwhile. */
  'isolateAndKill',
  'cutPair',
  'reset',
  'stall',
  'stuckDisk',
  // At what is being read for a learner.
  'purge',
  'readError',
] as const
export type Strike = (typeof strikes)[number]

export interface Aim {
  readonly step: Step
  readonly strike: Strike
  /** How often of the times that the step is seen. */
  readonly share: number
  /** At the other end of the link, where the step is a packet. */
  readonly atPeer: boolean
}

/** They come within the very step: a feed that has begun to read may be done a moment later. */
export const feedStrikes: ReadonlySet<Strike> = new Set(['purge', 'readError'])
const laterStrikes = strikes.filter((strike) => !feedStrikes.has(strike))

/** Steps that are seen all the time: struck at now and then only, or nothing would ever be done. */
const COMMON: ReadonlySet<Step> = new Set(['proposal'])
const COMMON_SHARE = 0.002
const AIMED_SHARE = 0.6
const AIMS_MAX = 3

/** So much is aimed at in one run; more would leave the others nothing to do. */
export const AIMED_STRIKES_MAX = 25

/**
 * What a run aims at: nothing, or few steps, at which it strikes again and again. `wanted`: these
 * and no others, or one of these steps where no more is said.
 */
export function drawAims(
  chance: Chance,
  wanted: readonly (Step | Aim)[] | undefined,
): readonly Aim[] {
  if (wanted === undefined) return chance.chance(AIMED_SHARE) ? drawFrom(chance, steps) : []
  const named = wanted.filter((one) => typeof one === 'string')
  const given = wanted.filter((one) => typeof one !== 'string')
  return named.length === 0 ? given : [...given, ...drawFrom(chance, named)]
}

/** Files vanish, or cannot be read, when the sender has just begun to read them for a learner. */
export const feedAims: readonly Aim[] = (['diff', 'trunc', 'snap'] as const).flatMap((step) =>
  [...feedStrikes].map((strike) => ({ step, strike, share: 0.5, atPeer: false })),
)

function drawFrom(chance: Chance, from: readonly Step[]): readonly Aim[] {
  return Array.from({ length: chance.between(1, AIMS_MAX) }, () => {
    const step = chance.pick(from)
    return {
      step,
      strike: chance.pick(laterStrikes),
      share: COMMON.has(step) ? COMMON_SHARE : chance.pick([0.1, 0.3, 1]),
      atPeer: chance.chance(0.5),
    }
  })
}
