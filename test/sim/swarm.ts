import { type Aim, drawAims, feedAims, type Step } from './aims.ts'
import { Chance } from './chance.ts'
import type { NetworkRates } from './network.ts'
import { drawBounds, type SwarmBounds, TINY_FRAME_BYTES, withShortMemory } from './swarm-bounds.ts'

/** What may go wrong; each run has its own mix. */
export const faultKinds = [
  'power',
  'kill',
  'stall',
  'slowDisk',
  'stuckDisk',
  'partition',
  'oneWay',
  'slowLink',
  'reset',
  'halfOpen',
  'wallJump',
  'cutClients',
  'clientDies',
  'purge',
  'wipe',
  'failedWrite',
  'fullDisk',
  'readError',
  'bitFlip',
] as const
export type FaultKind = (typeof faultKinds)[number]

/**
 * Drawn apart, so that what a seed draws of the others stays as it was; and only where nobody asks
 * for certain faults or steps.
 */
const laterKinds: ReadonlySet<FaultKind> = new Set(['readError', 'bitFlip'])

/** What members do not stand yet: only in runs that ask for it, until they do. */
export const awaitedKinds = [] as const
export type AwaitedKind = (typeof awaitedKinds)[number]

/** One run, as its seed has drawn it. Times in simulated ms. */
export interface Swarm {
  readonly seed: number
  readonly members: number
  readonly observers: number
  /** Weights by sid; undefined: a majority decides. */
  readonly weights: ReadonlyMap<number, number> | undefined
  /** Sids of the voters of each group; a majority of groups decides, each by its own majority. */
  readonly groups: readonly (readonly number[])[] | undefined
  /** What a member has promised before it was ever in this ensemble: far above all others. */
  readonly farEpoch: { readonly sid: number; readonly acceptedEpoch: number } | undefined
  /**
   * A member whose disk is from an earlier life of this ensemble, with later epochs: the others had
   * theirs emptied, and begin anew. It comes after a while, and stays out. Only where nothing else goes
   * wrong: an election that it takes part in is its own. Never drawn.
   */
  readonly revenant:
    | { readonly sid: number; readonly epoch: number; readonly comesMs: number }
    | undefined
  /** Sid of a voter that leads as the original does; undefined: all are ours. */
  readonly original: number | undefined
  /** Sids of members whose dataLogDir is on a device of its own. */
  readonly logDevices: readonly number[]
  /** Whether an operator puts backups back; only where nobody else has the database. */
  readonly restores: boolean
  readonly clients: number
  /** How long faults are injected. */
  readonly faultyMs: number
  readonly thinkMs: number
  /** Requests that a client may have out at once. */
  readonly pipeline: number
  readonly tickMs: number
  readonly timeoutMsMax: number
  readonly paths: number
  /** Bytes that values and names of sequential nodes may have on top; 0: none. */
  readonly fatBytes: number
  /** Whether clients set quotas, and what is above them is refused. */
  readonly quotas: 'none' | 'told' | 'enforced'
  /** Of clients, so many of 1 that do nothing but keep their session; and so many that read slowly. */
  readonly idleShare: number
  readonly slowReaderShare: number
  readonly rates: NetworkRates
  /** How often each fault is drawn; those that are not there never happen. */
  readonly faults: ReadonlyMap<FaultKind, number>
  readonly faultEveryMs: number
  /** At which steps of the protocol something happens. */
  readonly aims: readonly Aim[]
  readonly settings: Readonly<Record<string, string>>
  /** As the java properties say. */
  readonly properties: ReadonlyMap<string, string>
  readonly bounds: SwarmBounds
  readonly clockRateError: number
  readonly awaited: ReadonlySet<AwaitedKind>
}

export interface SwarmWishes {
  readonly members?: number | undefined
  readonly faultyMs?: number | undefined
  /** These faults and no others. */
  readonly faults?: readonly FaultKind[] | undefined
  readonly awaited?: readonly AwaitedKind[] | undefined
  /** In every ensemble somebody leads as the original does. */
  readonly original?: boolean | undefined
  /** In every run all logs are on devices of their own. */
  readonly logDevices?: boolean | undefined
  /** Only these steps are struck at. With `faults` and without this: none. */
  readonly aims?: readonly (Step | Aim)[] | undefined
  /** Instead of what the seed draws; settings are added to those that it draws. */
  readonly shape?: Partial<Swarm> | undefined
}

/** Even the kind of run is drawn: no two test the same. */
export function drawSwarm(seed: number, wishes: SwarmWishes = {}): Swarm {
  const chance = new Chance(seed, 'swarm')
  const members = wishes.members ?? widened(seed, chance.pick([1, 3, 3, 3, 5]))
  const tickMs = chance.pick([200, 300, 500])
  const bounds = drawBounds(new Chance(seed, 'swarm', 1))
  const isCalm = chance.chance(0.05)
  const isOpen = !isCalm && wishes.faults === undefined && wishes.aims === undefined
  const readsFiles = isOpen && members > 1 && new Chance(seed, 'swarm', 6).chance(FILES_SHARE)
  const faults = new Map<FaultKind, number>()
  const noAims = isCalm || members === 1 || wishes.faults !== undefined
  const later = new Chance(seed, 'swarm', 4)
  for (const kind of faultKinds) {
    const from = laterKinds.has(kind) ? later : chance
    const weight = from.between(1, 10)
    const isDrawn = (from === later ? isOpen : !isCalm) && from.chance(0.5)
    if (wishes.faults?.includes(kind) ?? isDrawn) faults.set(kind, weight)
  }
  const quotas = new Chance(seed, 'swarm', 4).pick(['none', 'none', 'told', 'enforced'] as const)
  const observers = members >= 3 && chance.chance(0.25) ? chance.between(1, 2) : 0
  const mayDrawDevices = isOpen && wishes.shape === undefined
  const drawn: Swarm = {
    seed,
    members,
    observers,
    ...drawShape(new Chance(seed, 'swarm', 2), members),
    original: undefined,
    logDevices: drawLogDevices(
      new Chance(seed, 'swarm', 7),
      members + observers,
      wishes.logDevices ?? (mayDrawDevices ? undefined : false),
    ),
    restores: members === 1 && isOpen && new Chance(seed, 'swarm', 8).chance(RESTORES_SHARE),
    clients: chance.between(2, 6),
    fatBytes: chance.pick([0, 0, 40, 400]),
    quotas,
    idleShare: chance.pick([0, 0, 0.4]),
    slowReaderShare: chance.pick([0, 0, 0.5]),
    faultyMs: wishes.faultyMs ?? chance.between(5, 20) * 1000,
    thinkMs: chance.pick([5, 20, 60, 150]),
    pipeline: chance.pick([1, 1, 4, 16]),
    tickMs,
    timeoutMsMax: tickMs * chance.pick([4, 8, 16]),
    paths: chance.pick([2, 5, 12]),
    rates: {
      latencyMs: chance.pick([0.05, 0.2, 1, 5]),
      jitterMs: chance.pick([0.05, 0.5, 5, 20]),
      cutShare: chance.pick([0, 0.02, 0.3]),
      windowBytes: bounds.windowBytes,
    },
    faults,
    faultEveryMs: chance.pick([200, 500, 1500, 4000]),
    aims: [
      ...drawAims(new Chance(seed, 'nemesis', 2), wishes.aims ?? (noAims ? [] : undefined)),
      ...(readsFiles ? feedAims : []),
    ],
    settings: {
      tickTime: String(tickMs),
      initLimit: String(chance.pick([5, 10])),
      syncLimit: String(chance.pick([3, 5])),
      snapshotSizeFactor: chance.pick(['0.33', '0', '-1']),
      snapCount: String(chance.pick([10, 50, 300, 100_000])),
      globalOutstandingLimit: String(chance.pick(bounds.isTiny ? [1, 4, 30] : [4, 30, 1000])),
      maxClientCnxns: '0',
      ...drawSettings(new Chance(seed, 'swarm', 3), members),
      ...(readsFiles ? { snapshotSizeFactor: '0', snapCount: '10' } : {}),
      preAllocSize: '4',
    },
    properties: new Map([
      ['zookeeper.extendedTypesEnabled', 'true'],
      ['znode.container.checkIntervalMs', '300'],
      ...(quotas === 'enforced' ? [['zookeeper.enforceQuota', 'true'] as const] : []),
      ...(bounds.isTiny ? [['jute.maxbuffer', String(TINY_FRAME_BYTES)] as const] : []),
    ]),
    bounds: readsFiles ? withShortMemory(bounds) : bounds,
    clockRateError: chance.pick([0, 0, 0.001, 0.01]),
    awaited: new Set(wishes.awaited),
  }
  const { shape } = wishes
  if (shape === undefined)
    return isOpen ? withOriginal(drawn, wishes.original === true ? 1 : ORIGINAL_SHARE) : drawn
  return { ...drawn, ...shape, settings: { ...drawn.settings, ...shape.settings } }
}

/** Of ensembles, so many keep so little in memory that a DIFF is read from the log files. */
const FILES_SHARE = 0.2
const FIVE_SHARE = 0.2
/** Of standalone servers. */
const RESTORES_SHARE = 0.5
const ORIGINAL_SHARE = 0.15

const LOG_DEVICE_SHARE = 0.25

/** Nobody, all, or one of them. `wanted` undefined: as it is drawn. */
function drawLogDevices(
  chance: Chance,
  machines: number,
  wanted: boolean | undefined,
): readonly number[] {
  const isSplit = wanted ?? chance.chance(LOG_DEVICE_SHARE)
  if (!isSplit) return []
  const all = Array.from({ length: machines }, (_, index) => index + 1)
  return wanted === undefined && chance.chance(0.3) ? [chance.pick(all)] : all
}

/** Mostly the one that wins where all have the same. */
function withOriginal(drawn: Swarm, share: number): Swarm {
  const { seed, members } = drawn
  const chance = new Chance(seed, 'original')
  if (members === 1 || !chance.chance(share)) return drawn
  const original = chance.chance(0.7) ? members : chance.between(1, members)
  return { ...drawn, original, farEpoch: undefined }
}

/** Five find what three cannot: a quorum and two that know nothing of it. */
function widened(seed: number, members: number): number {
  return members === 3 && new Chance(seed, 'swarm', 5).chance(FIVE_SHARE) ? 5 : members
}

type Shape = Pick<Swarm, 'weights' | 'groups' | 'farEpoch' | 'revenant'>

/** Who decides: mostly a majority. */
function drawShape(chance: Chance, members: number): Shape {
  const plain = {
    weights: undefined,
    groups: undefined,
    farEpoch: undefined,
    revenant: undefined,
  }
  if (members === 1) return plain
  const acceptedEpoch = chance.pick([3, 50, 1000])
  const sid = chance.between(1, members)
  const farEpoch = chance.chance(0.1) ? { sid, acceptedEpoch } : undefined
  // Nobody is a quorum alone.
  const heavier = new Map([
    [chance.between(1, members), chance.pick(members === 3 ? [0, 2] : [0, 2, 3])],
  ])
  if (chance.chance(0.15)) return { ...plain, farEpoch, weights: heavier }
  if (members === 5 && chance.chance(0.15))
    return {
      ...plain,
      farEpoch,
      groups: [
        [1, 2, 3],
        [4, 5],
      ],
    }
  return { ...plain, farEpoch }
}

/** What some set and most do not. */
function drawSettings(chance: Chance, members: number): Readonly<Record<string, string>> {
  const isAlone = members === 1
  return {
    ...(chance.chance(0.1) ? { flushDelay: chance.pick(['2', '20']) } : {}),
    ...(chance.chance(0.1) ? { maxBatchSize: chance.pick(['1', '3']) } : {}),
    ...(!isAlone && chance.chance(0.1) ? { forceSnapshotSync: 'true' } : {}),
    ...(!isAlone && chance.chance(0.1) ? { leaderServes: 'no' } : {}),
  }
}
