import { EventType } from '../../../src/data/watch-event.ts'
import { type History, hex, type SessionLog, Violation, type WatchLog } from '../history.ts'
import type { Story, TimedChange } from './replay.ts'

const eventOf: Readonly<Record<TimedChange['kind'], number>> = {
  created: EventType.NodeCreated,
  deleted: EventType.NodeDeleted,
  changed: EventType.NodeDataChanged,
  children: EventType.NodeChildrenChanged,
}

/** Which changes a watch is told of. */
const heard: Readonly<Record<WatchLog['kind'], readonly TimedChange['kind'][]>> = {
  data: ['changed', 'deleted', 'created'],
  exist: ['created', 'changed', 'deleted'],
  child: ['children', 'deleted'],
}

/**
 * A client is told of a change by its watch before it is shown a state with that change; each event
 * has its change, and says what has happened.
 */
export function checkWatches(history: History, story: Story): void {
  for (const session of history.sessions)
    for (const watch of session.watches) checkWatch(session, watch, story)
}

function checkWatch(session: SessionLog, watch: WatchLog, story: Story): void {
  const change = firstChange(watch, watchedFrom(session, watch, story), story)
  const end = watch.firedAt ?? session.received.length
  const name = `the ${watch.kind} watch of client ${session.client} on ${watch.path}, set at ${hex(watch.setZxid)}`
  if (change !== undefined)
    for (let at = watch.setAt + 1; at < end; at += 1) {
      const item = session.received[at]
      if (item?.kind !== 'reply' || item.zxid < change.zxid) continue
      throw new Violation(
        'watch before data',
        `${name} was to tell of ${change.kind} at ${hex(change.zxid)} before a reply at ${hex(item.zxid)}`,
      )
    }
  if (watch.firedAt === undefined) return
  const event = session.received[watch.firedAt]
  if (event?.kind !== 'event') return
  if (change === undefined) throw new Violation('events are true', `${name} fired without a change`)
  // A setWatches tells of the state that it finds, whatever has led to it.
  if (watch.rearmedAt.length > 0 || wasCaughtUp(session, watch)) return
  if (event.type !== eventOf[change.kind])
    throw new Violation('events are true', `${name} told ${event.type} of ${change.kind}`)
  if (event.zxid > 0 && event.zxid !== change.zxid)
    throw new Violation(
      'events are true',
      `${name} fired at ${hex(event.zxid)}, not ${hex(change.zxid)}`,
    )
}

/** Whether the event came over another connection than the one the watch was set on. */
function wasCaughtUp(session: SessionLog, watch: WatchLog): boolean {
  for (let at = watch.setAt; at < (watch.firedAt ?? 0); at += 1)
    if (session.received[at]?.kind === 'connected') return true
  return false
}

/**
 * A watch on a node that is not there, set anew after a reconnect, has no memory: if the node was
 * created and deleted meanwhile, nobody tells.
 */
function watchedFrom(session: SessionLog, watch: WatchLog, story: Story): number {
  let from = watch.setZxid
  if (watch.kind !== 'exist') return from
  for (const at of watch.rearmedAt) {
    const item = session.received[at]
    if (item?.kind === 'reply' && !existsAt(watch.path, item.zxid, story)) from = item.zxid
  }
  return from
}

function existsAt(path: string, zxid: number, story: Story): boolean {
  let exists = false
  for (const change of story.changes.get(path) ?? []) {
    if (change.zxid > zxid) break
    if (change.kind === 'created') exists = true
    if (change.kind === 'deleted') exists = false
  }
  return exists
}

function firstChange(watch: WatchLog, from: number, story: Story): TimedChange | undefined {
  return story.changes
    .get(watch.path)
    ?.find(({ zxid, kind }) => zxid > from && heard[watch.kind].includes(kind))
}
