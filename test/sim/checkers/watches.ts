import { EventType } from '../../../src/data/watch-event.ts'
import { isWithin } from '../client-watches.ts'
import {
  type History,
  hex,
  type PersistentLog,
  type SessionLog,
  Violation,
  type WatchLog,
} from '../history.ts'
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
  for (const session of history.sessions) {
    for (const watch of session.watches) checkWatch(session, watch, story)
    for (const log of session.persistent) checkPersistent(session, log, story)
  }
}

const told = (zxid: number, type: number, path: string): string => `${zxid} ${type} ${path}`

/** One that stays is told of every change, before any reply that shows it, on the connection that it is set on. */
function checkPersistent(session: SessionLog, log: PersistentLog, story: Story): void {
  const changes = changesFor(log, story)
  for (const { from, zxid, to = session.received.length } of log.spans) {
    const events = new Set<string>()
    let next = 0
    for (let at = from; at < to; at += 1) {
      const item = session.received[at]
      if (item?.kind === 'event') events.add(told(item.zxid, item.type, item.path))
      if (item?.kind !== 'reply') continue
      for (let change = changes[next]; change !== undefined; change = changes[next]) {
        if (change.zxid > item.zxid) break
        next += 1
        if (
          change.isUntold ||
          change.zxid <= zxid ||
          events.has(told(change.zxid, eventOf[change.kind], change.path))
        )
          continue
        throw new Violation(
          'watch before data',
          `the persistent watch of client ${session.client} on ${log.path} was to tell of ${change.path} ${change.kind} at ${hex(change.zxid)} before a reply at ${hex(item.zxid)}`,
        )
      }
    }
  }
}

function changesFor({ path, recursive }: PersistentLog, story: Story): readonly TimedChange[] {
  if (!recursive) return story.changes.get(path) ?? []
  const all: TimedChange[] = []
  for (const [changed, changes] of story.changes)
    if (isWithin(changed, path)) all.push(...changes.filter(({ kind }) => kind !== 'children'))
  return all.sort((a, b) => a.zxid - b.zxid)
}

function checkWatch(session: SessionLog, watch: WatchLog, story: Story): void {
  if (outlivesRestore(session, watch, story)) return
  const change = firstChange(watch, watchedFrom(session, watch, story), story)
  const end = watch.firedAt ?? watch.removedAt ?? session.received.length
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

/**
 * Whether it was set in a database that was replaced, and set anew in the one that was restored. What is
 * otherwise by that has no txn, and setWatches finds only what it sees by the node itself.
 */
function outlivesRestore(session: SessionLog, watch: WatchLog, { restores }: Story): boolean {
  const { received } = session
  const end = watch.firedAt ?? watch.removedAt ?? received.length
  const connected = received.findLastIndex(
    ({ kind }, at) => kind === 'connected' && at > watch.setAt && at < end,
  )
  if (connected < 0) return false
  const next = received.find((item, at) => item.kind === 'reply' && at > connected)
  const zxid = next?.kind === 'reply' ? next.zxid : Infinity
  return restores.some((restored) => watch.setZxid < restored.zxid && restored.zxid <= zxid)
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
    ?.find(
      ({ zxid, kind, isUntold }) => !isUntold && zxid > from && heard[watch.kind].includes(kind),
    )
}
