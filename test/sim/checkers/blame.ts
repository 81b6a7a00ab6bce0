import { Violation } from '../history.ts'

/** Bytes that have come to a machine, and that nobody there has read yet. */
export interface Unread {
  readonly from: string
  readonly bytes: Buffer
  /** When they came, in simulated ms. */
  readonly since: number
}

export interface Expiry {
  readonly sessionId: bigint
  /** The host of the client that has it; undefined: nobody has it any more. */
  readonly client: string | undefined
  readonly leader: string
  readonly now: number
  readonly tickMs: number
  /** Unread at that member. */
  unreadAt(host: string): Iterable<Unread>
  readonly hosts: readonly string[]
  /** Requests that this connection of the session there waits for; undefined: it is not open there. */
  pendingAt(host: string): number | undefined
  /** The process there stood still until then; and where the session's deadline stood when that began. */
  pauseOf(host: string): { readonly until: number; readonly deadline: number } | undefined
}

/**
 * A session does not expire while a sign of life of it lies unread on a machine of the ensemble,
 * whatever has kept the process there from reading. A sign of life that came too late is none: after
 * a pause, one that came before the deadline; else, one that has lain there for longer than a tick.
 */
export function checkExpiryBlame(expiry: Expiry): void {
  const { sessionId, client, leader, now, tickMs } = expiry
  const idBytes = Buffer.alloc(8)
  idBytes.writeBigInt64BE(BigInt.asIntN(64, sessionId))
  for (const host of expiry.hosts) {
    const pause = expiry.pauseOf(host)
    if (pause !== undefined && pause.until > now) continue
    const isFresh = pause !== undefined && now - pause.until < tickMs
    // A follower that has just come back cannot have told its leader yet.
    if (isFresh && host !== leader) continue
    const before = isFresh && pause.deadline > 0 ? Math.min(pause.deadline, now) - 1 : now - tickMs
    for (const { from, bytes, since } of expiry.unreadAt(host)) {
      if (since >= before) continue
      const isOwn = from === client && expiry.pendingAt(host) === 0
      const isTold = host === leader && from.startsWith('m') && bytes.includes(idBytes)
      if (!isOwn && !isTold) continue
      throw new Violation(
        'no blame',
        `session 0x${sessionId.toString(16)} expired at ${now} on ${leader}, and what ${from} has said to ${host} at ${since} lies there unread`,
      )
    }
  }
}

export interface Silence {
  readonly host: string
  readonly peer: string
  readonly limitMs: number
  readonly now: number
  readonly unread: Iterable<Unread>
  /** When the last pause of the process began; undefined: there was none. */
  readonly pausedFrom: number | undefined
}

/** Who was not read is not silent: a peer is not given up for a pause of one's own. */
export function checkSilenceBlame(silence: Silence): void {
  const { host, peer, limitMs, now, unread, pausedFrom } = silence
  if (pausedFrom === undefined) return
  for (const { from, since } of unread) {
    if (from !== peer || since < pausedFrom || since > pausedFrom + limitMs / 2) continue
    throw new Violation(
      'no blame',
      `${host} gives ${peer} up at ${now} for its silence, and what it has said at ${since} lies there unread`,
    )
  }
}
