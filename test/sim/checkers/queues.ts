import type { Limits } from '../../../src/base/limits.ts'
import type { MemberBounds } from '../../../src/server/bounds/member-bounds.ts'
import { Violation } from '../history.ts'

/** A connection of a client, as far as it can be looked at from outside. */
interface SeenCnxn {
  readonly address: string
  readonly parkedReads: number
  readonly unsentBytes: number
  readonly largeReplyBytes: number
  readonly ids: readonly unknown[]
  readonly splitter: { readonly heldBytes: number }
  readonly pending: Iterable<{ readonly bytes: number }>
}

export interface SeenMember {
  readonly clients: {
    readonly outstandingRequests: number
    readonly cnxns: ReadonlyMap<number, SeenCnxn>
  }
  readonly peering:
    | {
        readonly leader:
          | { learners(): readonly { readonly sid: number; readonly waitingBytes: number }[] }
          | undefined
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
  for (const cnxn of clients.cnxns.values()) {
    for (const { bytes } of cnxn.pending) requestBytes += bytes
    judge(name, 'parkedReads', cnxn.parkedReads, limits.parkedReadsMax)
    judge(name, 'cnxnIds', cnxn.ids.length, limits.cnxnIdsMax)
    const unsentMax = limits.replyBytesMax + cnxn.largeReplyBytes + slack.turnBytes
    judge(name, 'unsentBytes', cnxn.unsentBytes, unsentMax)
    const aheadMax = Math.max(limits.frameBytesMax, limits.unservedBytesPause)
    judge(name, 'bytes read ahead', cnxn.splitter.heldBytes, aheadMax + slack.readBytes)
  }
  // The one that reaches it is let through, and beyond that a small one of each.
  const smallBytes = slack.cnxnsMost * limits.unservedBytesPause
  const requestBytesMax = limits.requestBytesOutstandingMax + limits.frameBytesMax + smallBytes
  judge(name, 'bytes of requests', requestBytes, requestBytesMax)
  // What is outstanding comes on top.
  const owedMax = bounds.leader.learnerBytesMax + limits.requestBytesOutstandingMax
  for (const learner of peering?.leader?.learners() ?? [])
    judge(name, 'bytes for a learner', learner.waitingBytes, owedMax + slack.turnBytes)
}
