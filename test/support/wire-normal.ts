import type { WireMessage } from './wire-decoder.ts'

/**
 * What two servers may differ in when they are asked the same: session ids, passwords, times, and the
 * zxid at which a scenario began. Names take their place, so that what must agree can be compared
 * with `toEqual`: the same session has the same name throughout, and zxids keep their order.
 */
export interface NormalizeOptions {
  /**
   * Whether the zxids of reply headers count. They tell what had been applied when a reply was built,
   * so pipelined replies may differ in them and both be right (spec 01 §4).
   */
  readonly headerZxids: boolean
}

const timeFields: ReadonlySet<string> = new Set(['ctime', 'mtime'])
const sessionFields: ReadonlySet<string> = new Set(['sessionId', 'ephemeralOwner'])
const zxidFields: ReadonlySet<string> = new Set([
  'czxid',
  'mzxid',
  'pzxid',
  'zxid',
  'relativeZxid',
  'lastZxidSeen',
])
/** Lists without an order: the original's is that of a Java hash table. */
const setFields: ReadonlySet<string> = new Set(['children', 'ephemerals', 'clientInfo'])

/** All messages of one scenario, both directions, in the order in which they were seen. */
export function normalize(
  messages: readonly WireMessage[],
  options: NormalizeOptions = { headerZxids: true },
): unknown[] {
  const names = new Names(options)
  for (const message of messages) names.collect(message, '')
  names.rank()
  return messages.map((message) => names.map(message, ''))
}

class Names {
  readonly #options: NormalizeOptions
  readonly #sessions = new Map<bigint, string>()
  readonly #passwords = new Map<string, string>()
  readonly #zxids = new Set<number>()
  #ranks: ReadonlyMap<number, string> = new Map()

  constructor(options: NormalizeOptions) {
    this.#options = options
  }

  /** Zxids are named by their rank among all that were seen: `zxid 1` is the oldest. */
  rank(): void {
    const sorted = [...this.#zxids].sort((a, b) => a - b)
    this.#ranks = new Map(sorted.map((zxid, index) => [zxid, `zxid ${index + 1}`]))
  }

  collect(value: unknown, field: string): void {
    if (typeof value === 'number') {
      if (zxidFields.has(field) && value > 0 && this.#counts(field)) this.#zxids.add(value)
    } else if (typeof value === 'object' && value !== null && !Buffer.isBuffer(value)) {
      for (const [name, inner] of Object.entries(value)) this.collect(inner, name)
    }
  }

  map(value: unknown, field: string): unknown {
    if (typeof value === 'number') return this.#number(value, field)
    if (typeof value === 'bigint')
      return sessionFields.has(field) && value !== 0n ? this.#session(value) : value
    if (Buffer.isBuffer(value)) return field === 'passwd' ? this.#password(value) : hex(value)
    if (Array.isArray(value)) {
      const items = value.map((item) => this.map(item, ''))
      return setFields.has(field) ? items.sort(byText) : items
    }
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [name, this.map(inner, name)]),
    )
  }

  #number(value: number, field: string): unknown {
    if (timeFields.has(field)) return value === 0 ? 0 : 'time'
    if (!zxidFields.has(field) || value <= 0) return value
    return this.#counts(field) ? this.#ranks.get(value) : 'zxid'
  }

  /** Only a reply header has a field of just this name. */
  #counts(field: string): boolean {
    return field !== 'zxid' || this.#options.headerZxids
  }

  #session(id: bigint): string {
    const name = this.#sessions.get(id) ?? `session ${this.#sessions.size + 1}`
    this.#sessions.set(id, name)
    return name
  }

  #password(bytes: Buffer): string {
    if (bytes.every((byte) => byte === 0)) return `${bytes.length} zeros`
    const key = bytes.toString('hex')
    const name = this.#passwords.get(key) ?? `password ${this.#passwords.size + 1}`
    this.#passwords.set(key, name)
    return name
  }
}

const hex = (bytes: Buffer): string => `x${bytes.toString('hex')}`

function byText(a: unknown, b: unknown): number {
  const [left, right] = [JSON.stringify(a), JSON.stringify(b)]
  return left < right ? -1 : left > right ? 1 : 0
}
