import type { Part } from './history.ts'

const PREFIX = '/zookeeper/quota'
export const quotaBase = (top: string): string => PREFIX + top
export const quotaLimits = (top: string): string => `${PREFIX}${top}/zookeeper_limits`
export const quotaStats = (top: string): string => `${PREFIX}${top}/zookeeper_stats`

/** What the server is to write over as soon as it is there. */
export const NO_STATS = 'count=0,bytes=0'

export const limitsText = (count: number, bytes: number): string =>
  `count=-1,bytes=-1=;byteHardLimit=${bytes};countHardLimit=${count}`

/** As a client sets a quota: all of it, or nothing where there is one. */
export const quotaParts = (top: string, mark: string, limits: string): readonly Part[] => {
  const node = { op: 'create', flags: 0, acl: 'open' } as const
  return [
    { ...node, path: quotaBase(top), data: mark },
    { ...node, path: quotaLimits(top), data: limits },
    { ...node, path: quotaStats(top), data: NO_STATS },
  ]
}

export const noQuotaParts = (top: string): readonly Part[] =>
  [quotaLimits(top), quotaStats(top), quotaBase(top)].map((path) => ({
    op: 'delete',
    path,
    version: -1,
  }))

/** Of a path: the node right below the root, which is what quotas are set on here. */
export const topOf = (path: string): string => `/${path.split('/')[1]}`

/** The path whose stats node it is. */
export const countedBy = (path: string): string | undefined =>
  path.startsWith(PREFIX) && path.endsWith('/zookeeper_stats')
    ? path.slice(PREFIX.length, -'/zookeeper_stats'.length)
    : undefined

export interface Usage {
  readonly count: number
  readonly bytes: number
}

export const statsText = ({ count, bytes }: Usage): string => `count=${count},bytes=${bytes}`

interface Standing extends Usage {
  readonly zxid: number
  readonly countMax: number
  readonly bytesMax: number
}

/** Who asks whether a write may have been refused, or let pass. */
export interface QuotaQuestion {
  readonly top: string
  readonly countDelta: number
  readonly bytesDelta: number
  /** A leader has applied at least this when it judges, and what is at its place not yet. */
  readonly since: number
  readonly zxid: number
  /** What it has said. */
  readonly isRefused: boolean
}

const numberAt = (text: string, key: string): number =>
  Number(new RegExp(`${key}=(-?\\d+)`).exec(text)?.[1] ?? -1)

/**
 * How much there was below each quota, and how much of it might be, at every zxid. A leader judges by
 * what it has applied, not by what is under way: any state in between may have been before it.
 */
export class QuotaPast {
  readonly #past = new Map<string, Standing[]>()

  /** All that something was noted of. */
  get tops(): readonly string[] {
    return [...this.#past.keys()]
  }

  note(top: string, zxid: number, limits: string | undefined, usage: Usage): void {
    const list = this.#past.get(top) ?? []
    this.#past.set(top, list)
    const countMax = limits === undefined ? -1 : numberAt(limits, 'countHardLimit')
    const bytesMax = limits === undefined ? -1 : numberAt(limits, 'byteHardLimit')
    list.push({ zxid, countMax, bytesMax, ...usage })
  }

  /** Whether the write is to be refused: as the server did, if it may have seen a reason to. */
  refuses(question: QuotaQuestion): boolean {
    const { top, since, zxid, isRefused } = question
    const list = this.#past.get(top) ?? []
    const before = list.findLast((one) => one.zxid <= since)
    const seen = list.filter((one) => one.zxid > since && one.zxid < zxid)
    const views = [before, ...seen].map((one) => one !== undefined && exceeds(one, question))
    return views.includes(isRefused) ? isRefused : !isRefused
  }
}

function exceeds(standing: Standing, { countDelta, bytesDelta }: QuotaQuestion): boolean {
  const { count, countMax, bytes, bytesMax } = standing
  const hasTooMany = countMax >= 0 && countDelta !== 0 && count + countDelta > countMax
  return hasTooMany || (bytesMax >= 0 && bytesDelta !== 0 && bytes + bytesDelta > bytesMax)
}
