import { javaDate } from '../base/utc.ts'
import type { CnxnView, ServerView, SessionView } from './server-view.ts'
import { hexOfLong } from './text-writer.ts'

/** Gathering takes time, too, so the answer is made in pieces; those made while gathering are empty. */
const NOTHING_YET = ''

/** Sessions by deadline, ephemeral znodes by session, connections by deadline. */
export function* dumpText(view: ServerView): Iterable<string> {
  yield 'SessionTracker dump:\n'
  yield* sessionsText(view)
  yield 'ephemeral nodes dump:\n'
  yield* ephemeralsText(view)
  yield 'Connections dump:\nConnections '
  yield* bucketsText(view, view.cnxns, cnxnName)
}

function* sessionsText(view: ServerView): Iterable<string> {
  const { sessions } = view
  if (sessions.localSessionsEnabled) {
    yield 'Local Session '
    yield* bucketsText(view, sessions.local, sessionName)
    if (sessions.ownsDeadlines) yield 'Global '
  }
  if (sessions.ownsDeadlines) {
    yield 'Session '
    yield* bucketsText(view, sessions.global, sessionName)
    return
  }
  // The deadlines of global sessions are the leader's; a learner knows the timeouts only.
  const timeouts = new Map<bigint, number>()
  for (const { sessionId, timeoutMs } of sessions.global) {
    timeouts.set(sessionId, timeoutMs)
    yield NOTHING_YET
  }
  // Numbers sort far faster than what needs a function to be compared.
  const ids = BigInt64Array.from(timeouts.keys()).sort()
  yield `Global Sessions(${ids.length}):\n`
  for (const id of ids) yield `0x${hexOfLong(id)}\t${timeouts.get(id)}ms\n`
}

function* ephemeralsText(view: ServerView): Iterable<string> {
  const owners: (readonly [sessionId: bigint, paths: Iterable<string>])[] = []
  for (const owner of view.ephemerals) {
    owners.push(owner)
    yield NOTHING_YET
  }
  yield `Sessions with Ephemerals (${owners.length}):\n`
  for (const [sessionId, paths] of owners) {
    yield `0x${hexOfLong(sessionId)}:\n`
    for (const path of paths) yield `\t${path}\n`
  }
}

/** Things that expire together are listed together, the earliest deadline first. */
function* bucketsText<T extends { readonly expiresMono: number | undefined }>(
  view: ServerView,
  things: Iterable<T>,
  nameOf: (thing: T) => string,
): Iterable<string> {
  const { mono, wall } = view.clock
  const buckets = new Map<number, T[]>()
  let count = 0
  for (const thing of things) {
    count += 1
    yield NOTHING_YET
    if (thing.expiresMono === undefined) continue
    const bucket = buckets.get(thing.expiresMono)
    if (bucket === undefined) buckets.set(thing.expiresMono, [thing])
    else bucket.push(thing)
  }
  yield `Sets (${buckets.size})/(${count}):\n`
  for (const [expiresMono, bucket] of [...buckets].sort(([a], [b]) => a - b)) {
    yield `${bucket.length} expire at ${javaDate(wall + expiresMono - mono)}:\n`
    for (const thing of bucket) yield `\t${nameOf(thing)}\n`
  }
}

function sessionName(session: SessionView): string {
  return `0x${hexOfLong(session.sessionId)}`
}

function cnxnName(cnxn: CnxnView): string {
  return `ip: ${cnxn.remoteAddress} sessionId: 0x${hexOfLong(cnxn.sessionId)}`
}
