import { Err } from '../../src/data/error-code.ts'
import { EventType } from '../../src/data/watch-event.ts'
import { type Call, type Op, type SessionLog, Violation, type WatchLog } from './history.ts'

/**
 * The watches that a client knows to be set. It holds one of a kind on a path, as the server does;
 * data and exist share a place.
 */
export class ClientWatches {
  readonly #active = new Map<string, WatchLog>()
  /** Paths whose deletion has been told: setWatches may tell it once more for the other table. */
  readonly #deleted = new Set<string>()

  /** The request that sets all of them anew on another connection; undefined: there are none. */
  toSetAnew(relativeZxid: number): Call | undefined {
    if (this.#active.size === 0) return undefined
    const paths = (kind: WatchLog['kind']): readonly string[] =>
      [...this.#active.values()].filter((watch) => watch.kind === kind).map(({ path }) => path)
    const lists = { data: paths('data'), exist: paths('exist'), child: paths('child') }
    return { op: 'setWatches', relativeZxid, ...lists }
  }

  onReply(op: Op): void {
    const { call, reply, session } = op
    if (reply === undefined) return
    if (call.op === 'setWatches') {
      for (const watch of this.#active.values()) watch.rearmedAt.push(session.received.length - 1)
      return
    }
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
    else if (fired === 0 && !(isDeletion && this.#deleted.has(path)))
      throw new Violation(
        'events have watches',
        `client ${session.client} is told event ${type} of ${path} and has no watch there`,
      )
  }
}

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
