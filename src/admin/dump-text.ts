import { javaDate } from '../base/utc.ts'
import type { CnxnView, ServerView, SessionView } from './server-view.ts'
import { hexOfLong, type TextWriter } from './text-writer.ts'

/** Sessions by deadline, ephemeral znodes by session, connections by deadline. */
export function writeDump(view: ServerView, out: TextWriter): void {
  out.line('SessionTracker dump:')
  writeSessions(view, out)
  out.line('ephemeral nodes dump:')
  writeEphemerals(view, out)
  out.line('Connections dump:')
  out.add('Connections ')
  writeBuckets(view, view.cnxns, cnxnName, out)
}

function writeSessions(view: ServerView, out: TextWriter): void {
  const { sessions } = view
  if (sessions.localSessionsEnabled) {
    out.add('Local Session ')
    writeBuckets(view, sessions.local, sessionName, out)
    if (sessions.ownsDeadlines) out.add('Global ')
  }
  if (sessions.ownsDeadlines) {
    out.add('Session ')
    writeBuckets(view, sessions.global, sessionName, out)
    return
  }
  // The deadlines of global sessions are the leader's; a learner knows the timeouts only.
  const byId = [...sessions.global].sort((a, b) => (a.sessionId < b.sessionId ? -1 : 1))
  out.line(`Global Sessions(${byId.length}):`)
  for (const session of byId) out.line(`${sessionName(session)}\t${session.timeoutMs}ms`)
}

function writeEphemerals(view: ServerView, out: TextWriter): void {
  const owners = [...view.ephemerals]
  out.line(`Sessions with Ephemerals (${owners.length}):`)
  for (const [sessionId, paths] of owners) {
    out.line(`0x${hexOfLong(sessionId)}:`)
    for (const path of paths) out.line(`\t${path}`)
  }
}

/** Things that expire together are listed together, the earliest deadline first. */
function writeBuckets<T extends { readonly expiresMono: number | undefined }>(
  view: ServerView,
  things: Iterable<T>,
  nameOf: (thing: T) => string,
  out: TextWriter,
): void {
  const buckets = new Map<number, string[]>()
  let count = 0
  for (const thing of things) {
    count += 1
    if (thing.expiresMono === undefined) continue
    const bucket = buckets.get(thing.expiresMono)
    if (bucket === undefined) buckets.set(thing.expiresMono, [nameOf(thing)])
    else bucket.push(nameOf(thing))
  }
  out.line(`Sets (${buckets.size})/(${count}):`)
  for (const [expiresMono, names] of [...buckets].sort(([a], [b]) => a - b)) {
    const wall = view.clock.wall + expiresMono - view.clock.mono
    out.line(`${names.length} expire at ${javaDate(wall)}:`)
    for (const name of names) out.line(`\t${name}`)
  }
}

function sessionName(session: SessionView): string {
  return `0x${hexOfLong(session.sessionId)}`
}

function cnxnName(cnxn: CnxnView): string {
  return `ip: ${cnxn.remoteAddress} sessionId: 0x${hexOfLong(cnxn.sessionId)}`
}
