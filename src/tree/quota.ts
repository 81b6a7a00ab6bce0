import { parentOf, QUOTA_PATH, ROOT_PATH } from '../data/path.ts'

/** What a limits or stats node says. -1: not said, which for a limit means none (spec 05 §10). */
export interface QuotaText {
  /** Nodes of the subtree, its own top included. As a limit: the soft one. */
  readonly count: number
  /** Bytes of data in the subtree; null data counts 0. As a limit: the soft one. */
  readonly bytes: number
  readonly countHardLimit: number
  readonly byteHardLimit: number
}

const unset: QuotaText = { count: -1, bytes: -1, countHardLimit: -1, byteHardLimit: -1 }
const LONG_MAX = 2 ** 63

/**
 * Reads the text of a limits or stats node as 3.7 and later do: `key=number` between commas or
 * semicolons, unknown keys ignored, the last of equal keys counts, and only what stands between
 * the first and the second `=` is the number. The 3.4 text is a case of it. Anybody may write
 * anything into these nodes, so what cannot be read is an answer and no error: the caller warns
 * and goes on as if there were no quota (the original throws while it handles a request). Numbers
 * beyond 2^53 lose their last digits.
 */
export function parseQuotaText(data: Buffer | null): QuotaText | 'malformed' {
  const text = data === null ? '' : data.toString('utf8')
  if (text === '') return unset
  const found = new Map<string, number>()
  for (const pair of text.split(/[,;]+/)) {
    // A separator at the very end leaves an empty pair, which is no fault.
    if (pair === '' && found.size > 0) continue
    const [key, digits] = pair.replace(/=+$/, '').split('=')
    const value = digits === undefined ? undefined : parseJavaLong(digits)
    if (key === undefined || value === undefined) return 'malformed'
    found.set(key, value)
  }
  return {
    count: found.get('count') ?? -1,
    bytes: found.get('bytes') ?? -1,
    countHardLimit: found.get('countHardLimit') ?? -1,
    byteHardLimit: found.get('byteHardLimit') ?? -1,
  }
}

/** Long.parseLong, but for the empty text, which stands for "no limit". */
function parseJavaLong(digits: string): number | undefined {
  if (digits === '') return -1
  if (!/^[+-]?\d+$/.test(digits)) return undefined
  const value = Number(digits)
  return Math.abs(value) > LONG_MAX ? undefined : value
}

/** What the server keeps in a stats node. */
export function formatStats(count: number, bytes: number): Buffer {
  return Buffer.from(`count=${count},bytes=${bytes}`)
}

/** The stats node's next data. Undefined: its text is not ours to count on, leave it alone. */
export function adjustStats(
  data: Buffer | null,
  countDelta: number,
  bytesDelta: number,
): Buffer | undefined {
  const stats = parseQuotaText(data)
  if (stats === 'malformed') return undefined
  return formatStats(stats.count + countDelta, stats.bytes + bytesDelta)
}

export interface QuotaExcess {
  /** Only `hard` refuses the request (-125, under enforceQuota); `soft` is a warning in the log. */
  readonly kind: 'hard' | 'soft'
  readonly what: 'count' | 'bytes'
  /** What the subtree would come to, and the limit that this is above. */
  readonly wanted: number
  readonly limit: number
}

/**
 * Whether a create (countDelta 1) or setData (countDelta 0) would pass the limits. A hard limit
 * hides the soft one of its kind; a delta of 0 is not looked at, but a negative one is, so
 * that shrinking a node while the subtree stays above its limit is refused, as by the original.
 */
export function wouldExceed(
  limits: QuotaText,
  stats: QuotaText,
  countDelta: number,
  bytesDelta: number,
): QuotaExcess | undefined {
  const count = excess('count', limits.count, limits.countHardLimit, stats.count, countDelta)
  const bytes = excess('bytes', limits.bytes, limits.byteHardLimit, stats.bytes, bytesDelta)
  return bytes?.kind === 'hard' && count?.kind !== 'hard' ? bytes : (count ?? bytes)
}

function excess(
  what: 'count' | 'bytes',
  softLimit: number,
  hardLimit: number,
  current: number,
  delta: number,
): QuotaExcess | undefined {
  const kind = hardLimit > -1 ? 'hard' : 'soft'
  const limit = kind === 'hard' ? hardLimit : softLimit
  const wanted = current + delta
  if (delta === 0 || limit <= -1 || wanted <= limit) return undefined
  return { kind, what, wanted, limit }
}

/** A subtree under a quota, and the two nodes that describe it. */
interface QuotaRoot {
  readonly path: string
  readonly limitsPath: string
  readonly statsPath: string
}

const QUOTA_PREFIX = `${QUOTA_PATH}/`
const LIMITS_SUFFIX = '/zookeeper_limits'
const STATS_SUFFIX = '/zookeeper_stats'

/** The path whose limits node this is. Undefined: it is none, or that of the root, which is void. */
export function pathLimitedBy(path: string): string | undefined {
  return quotaPathOf(path, LIMITS_SUFFIX)
}

/** The path whose stats node `path` is, likewise. */
export function pathCountedBy(path: string): string | undefined {
  return quotaPathOf(path, STATS_SUFFIX)
}

/** Asked of every node that comes or goes: nearly always answered by the first comparison. */
function quotaPathOf(path: string, suffix: string): string | undefined {
  if (!path.startsWith(QUOTA_PREFIX) || !path.endsWith(suffix)) return undefined
  const limited = path.slice(QUOTA_PATH.length, -suffix.length)
  return limited === '' ? undefined : limited
}

/**
 * Which subtrees have limits. Fed with the coming and going of limits nodes; nothing here reads
 * their data, so a malformed one still marks its subtree (and hides a quota further up).
 */
export class QuotaTable {
  readonly #roots = new Map<string, QuotaRoot>()

  get size(): number {
    return this.#roots.size
  }

  roots(): IterableIterator<QuotaRoot> {
    return this.#roots.values()
  }

  /** `path` as pathLimitedBy gives it. */
  add(path: string): void {
    const base = QUOTA_PATH + path
    this.#roots.set(path, {
      path,
      limitsPath: base + LIMITS_SUFFIX,
      statsPath: base + STATS_SUFFIX,
    })
  }

  delete(path: string): void {
    this.#roots.delete(path)
  }

  clear(): void {
    this.#roots.clear()
  }

  /** The quota of the path itself or of its nearest ancestor that has one; never the root. */
  nearest(path: string): QuotaRoot | undefined {
    if (this.#roots.size === 0) return undefined
    for (let at = path; at !== '' && at !== ROOT_PATH; at = parentOf(at)) {
      const root = this.#roots.get(at)
      if (root !== undefined) return root
    }
    return undefined
  }
}
