import type { Limits } from '../../../src/base/limits.ts'
import type { MemberBounds } from '../../../src/server/bounds/member-bounds.ts'
import { Violation } from '../history.ts'

/** A connection of a client, as far as it can be looked at from outside. */
interface SeenCnxn {
  readonly address: string
  readonly state: string
  readonly parkedReads: number
  readonly unsentBytes: number
  readonly largeReplyBytes: number
  readonly ids: readonly unknown[]
  readonly splitter: { readonly heldBytes: number }
  readonly pending: Iterable<{ readonly bytes: number }>
}

export interface SeenMember {
  readonly role: string
  readonly clients: {
    readonly outstandingRequests: number
    readonly cnxns: ReadonlyMap<number, SeenCnxn>
  }
  readonly peering:
    | {
        readonly leader:
          | { learners(): readonly { readonly sid: number; readonly waitingBytes: number }[] }
          | undefined
        readonly replica: {
          readonly committedLog: { readonly length: number; readonly bytes: number }
        }
      }
    | undefined
}

/** What of a request or of one slice may come on top of a bound, since it was let in below it. */
export interface QueueSlack {
  /** Of one delivery of a socket. */
  readonly readBytes: number
  /** So many connections there have been at once. */
  cnxnsMost: number
  /** All that one turn may say to one client or learner. */
  readonly turnBytes: number
}

function judge(name: string, what: string, value: number, max: number): void {
  if (value > max)
    throw new Violation('bounded queues', `${name} has ${what} of ${value}, at most ${max}`)
}

/**
 * What a learner hands to its log at once is what has waited for it while its leader was read. On top may
 * come what is read in one turn, of `turnBytes` at most, and the beginning of an entry that came before.
 */
export function checkBacklog(
  name: string,
  records: Buffer,
  bounds: MemberBounds,
  turnBytes: number,
): void {
  const { all, largest } = entryBytes(records)
  const max = bounds.learner.logBytesPause + turnBytes + largest
  judge(name, 'bytes of its leader for its log', all, max)
}

const RECORD_FRAME_BYTES = 13

/** Of log records, without what the log puts around each: of all, and of the largest. */
function entryBytes(records: Buffer): { readonly all: number; readonly largest: number } {
  let all = 0
  let largest = 0
  for (let at = 0; at < records.length; ) {
    const length = records.readInt32BE(at + 8)
    all += length
    largest = Math.max(largest, length)
    at += RECORD_FRAME_BYTES + length
  }
  return { all, largest }
}

/** PINGs that a learner was sent and has not answered. */
export function checkPings(name: string, inFlight: number, bounds: MemberBounds): void {
  judge(name, 'pings in flight', inFlight, bounds.leader.pingsInFlightMax)
}

/** What a leader hands to its log at once is what has waited for it. */
export function checkLogBatch(
  name: string,
  batchBytes: number,
  bounds: MemberBounds,
  slack: QueueSlack,
): void {
  judge(name, 'bytes for its log', batchBytes, bounds.leaderLogBytesMax + slack.turnBytes)
}

/** At the end of a turn no queue of a member is above its bound. Throws a Violation. */
export function checkQueues(
  name: string,
  member: SeenMember,
  limits: Limits,
  bounds: MemberBounds,
  slack: QueueSlack,
): void {
  const { clients, peering } = member
  // One of each connection is let through; and writes whose connection has gone count as well.
  const outstandingMax = 2 * (limits.requestsOutstandingMax + slack.cnxnsMost)
  judge(name, 'requestsOutstanding', clients.outstandingRequests, outstandingMax)
  let requestBytes = 0
  let returning = 0
  for (const cnxn of clients.cnxns.values()) {
    for (const { bytes } of cnxn.pending) requestBytes += bytes
    if (cnxn.state === 'revalidating') returning += 1
    judge(name, 'parkedReads', cnxn.parkedReads, limits.parkedReadsMax)
    judge(name, 'cnxnIds', cnxn.ids.length, limits.cnxnIdsMax)
    const unsentMax = limits.replyBytesMax + cnxn.largeReplyBytes + slack.turnBytes
    judge(name, 'unsentBytes', cnxn.unsentBytes, unsentMax)
    const aheadMax = Math.max(limits.frameBytesMax, limits.unservedBytesPause)
    judge(name, 'bytes read ahead', cnxn.splitter.heldBytes, aheadMax + slack.readBytes)
  }
  // Where a leader decides itself, nobody is asked.
  if (member.role === 'following' || member.role === 'observing')
    judge(name, 'sessions that come back', returning, limits.sessionsReturningMax)
  const { length = 0, bytes = 0 } = peering?.replica.committedLog ?? {}
  // The newest entry is always kept.
  if (length > 1) judge(name, 'bytes of its committed log', bytes, bounds.committedLogBytesMax)
  // The one that reaches it is let through, and beyond that a small one of each.
  const smallBytes = slack.cnxnsMost * limits.unservedBytesPause
  const requestBytesMax = limits.requestBytesOutstandingMax + limits.frameBytesMax + smallBytes
  judge(name, 'bytes of requests', requestBytes, requestBytesMax)
  // What is outstanding comes on top.
  const owedMax = bounds.leader.learnerBytesMax + limits.requestBytesOutstandingMax
  for (const learner of peering?.leader?.learners() ?? [])
    judge(name, 'bytes for a learner', learner.waitingBytes, owedMax + slack.turnBytes)
}
