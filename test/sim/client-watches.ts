import { Err } from '../../src/data/error-code.ts'
import { EventType } from '../../src/data/watch-event.ts'
import {
  type Call,
  type Op,
  type PersistentLog,
  type SessionLog,
  Violation,
  type WatchLog,
} from './history.ts'

type WatchCall = { readonly path: string; readonly recursive: boolean }
type Answer = { readonly err: number; readonly zxid: number }

/**
 * The watches that a client knows to be set. It holds one of a kind on a path, as the server does;
 * data and exist share a place.
 */
export class ClientWatches {
  readonly #active = new Map<string, WatchLog>()
  readonly #persistent = new Map<string, PersistentLog>()
  /** Paths whose deletion has been told: setWatches may tell it once more for the other table. */
  readonly #deleted = new Set<string>()

  /** The request that sets all of them anew on another connection; undefined: there are none. */
  toSetAnew(relativeZxid: number): Call | undefined {
    if (this.#active.size + this.#persistent.size === 0) return undefined
    const paths = (kind: WatchLog['kind']): readonly string[] =>
      [...this.#active.values()].filter((watch) => watch.kind === kind).map(({ path }) => path)
    const staying = [...this.#persistent.values()]
    const lists = {
      data: paths('data'),
      exist: paths('exist'),
      child: paths('child'),
      persistent: staying.filter(({ recursive }) => !recursive).map(({ path }) => path),
      recursive: staying.filter(({ recursive }) => recursive).map(({ path }) => path),
    }
    return { op: 'setWatches', relativeZxid, ...lists }
  }

  onReply(op: Op): void {
    const { call, reply, session } = op
    if (reply === undefined) return
    if (call.op === 'setWatches') {
      for (const watch of this.#active.values()) watch.rearmedAt.push(session.received.length - 1)
      for (const log of this.#persistent.values()) begin(log, session, reply.zxid)
      return
    }
    if (call.op === 'addWatch') this.#add(call, session, reply)
    if (call.op === 'removeWatches') this.#remove(call, session, reply)
    if (call.op === 'removeWatch') this.#removeOne(keyOf(call.kind, call.path), session, reply)
    if (!('watch' in call) || !call.watch) return
    const kind = kindOf(call.op, reply.err)
    if (kind === undefined) return
    const key = keyOf(kind, call.path)
    if (this.#active.has(key)) return
    const watch: WatchLog = {
      kind,
      path: call.path,
      setZxid: reply.zxid,
      setAt: session.received.length - 1,
      firedAt: undefined,
      rearmedAt: [],
    }
    session.watches.push(watch)
    this.#active.set(key, watch)
    this.#deleted.delete(call.path)
  }

  #add({ path, recursive }: WatchCall, session: SessionLog, reply: Answer): void {
    const key = `${recursive} ${path}`
    if (reply.err !== Err.ok || this.#persistent.has(key)) return
    const log: PersistentLog = { path, recursive, spans: [] }
    this.#persistent.set(key, log)
    session.persistent.push(log)
    begin(log, session, reply.zxid)
  }

  #remove({ path, recursive }: WatchCall, session: SessionLog, reply: Answer): void {
    const key = `${recursive} ${path}`
    const log = this.#persistent.get(key)
    judgeRemoval(session, path, log !== undefined, reply.err)
    if (log === undefined) return
    end(log, session)
    this.#persistent.delete(key)
  }

  /** data: also one that waits for the node. */
  #removeOne(key: string, session: SessionLog, { err }: Answer): void {
    const watch = this.#active.get(key)
    judgeRemoval(session, key, watch !== undefined, err)
    if (watch === undefined) return
    watch.removedAt = session.received.length - 1
    this.#active.delete(key)
  }

  /** The connection is gone, and with it all watches that the server had. */
  onDisconnect(session: SessionLog): void {
    for (const log of this.#persistent.values()) end(log, session)
  }

  #isPersistent(type: number, path: string): boolean {
    if (this.#persistent.has(`false ${path}`)) return true
    if (type === EventType.NodeChildrenChanged) return false
    for (const { path: root, recursive } of this.#persistent.values())
      if (recursive && isWithin(path, root)) return true
    return false
  }

  onEvent(session: SessionLog, type: number, path: string, zxid: number): void {
    session.received.push({ kind: 'event', type, path, zxid })
    const isDeletion = type === EventType.NodeDeleted
    const keys = isDeletion
      ? [keyOf('data', path), keyOf('child', path)]
      : [keyOf(type === EventType.NodeChildrenChanged ? 'child' : 'data', path)]
    let fired = 0
    for (const key of keys) {
      const watch = this.#active.get(key)
      if (watch === undefined) continue
      watch.firedAt = session.received.length - 1
      this.#active.delete(key)
      fired += 1
    }
    if (isDeletion && fired > 0) this.#deleted.add(path)
    else if (fired > 0 || this.#isPersistent(type, path)) return
    else if (!(isDeletion && this.#deleted.has(path)))
      throw new Violation(
        'events have watches',
        `client ${session.client} is told event ${type} of ${path} and has no watch there`,
      )
  }
}

function judgeRemoval(session: SessionLog, name: string, isThere: boolean, err: number): void {
  if (err === (isThere ? Err.ok : Err.noWatcher)) return
  throw new Violation(
    'watches stay until removed',
    `client ${session.client} is told ${err} for the watch on ${name} that ${isThere ? 'is' : 'is not'} set`,
  )
}

const begin = (log: PersistentLog, session: SessionLog, zxid: number): void => {
  const last = log.spans.at(-1)
  if (last === undefined || last.to !== undefined)
    log.spans.push({ from: session.received.length, zxid, to: undefined })
}

const end = (log: PersistentLog, session: SessionLog): void => {
  const last = log.spans.at(-1)
  if (last !== undefined) last.to ??= session.received.length
}

export const isWithin = (path: string, root: string): boolean =>
  path === root || root === '/' || path.startsWith(`${root}/`)

const keyOf = (kind: WatchLog['kind'], path: string): string =>
  `${kind === 'child' ? 'child' : 'data'} ${path}`

/** What a read has set, if anything. */
function kindOf(
  op: 'getData' | 'exists' | 'getChildren',
  err: number,
): WatchLog['kind'] | undefined {
  if (err === Err.ok) return op === 'getChildren' ? 'child' : 'data'
  return op === 'exists' && err === Err.noNode ? 'exist' : undefined
}
