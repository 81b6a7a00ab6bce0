import { assert } from '../../base/assert.ts'
import type { SessionId } from '../../data/session-id.ts'
import type { LinkId } from '../../quorum/ports/links.ts'
import { type Expiring, ExpiryQueue } from './expiry-queue.ts'

/** The owner of sessions whose clients are connected to this member; links have other ids. */
export const LOCAL_OWNER: LinkId = 0

/** A session this member watches over. */
export class Session implements Expiring {
  readonly id: SessionId
  timeoutMs: number
  expiresMono = 0
  /** A closeSession is under way: no further write of it is let through. */
  closing = false
  /**
   * On the leader: the connection that its requests come by, LOCAL_OWNER or that of a learner. The
   * first request settles it, and later a client that moves (spec 04 §7).
   */
  owner: LinkId | undefined = undefined

  /** On the leader: learners that have asked after it since it is closing; as many as have clients. */
  askers: Set<LinkId> | undefined = undefined

  constructor(id: SessionId, timeoutMs: number) {
    this.id = id
    this.timeoutMs = timeoutMs
  }

  addAsker(link: LinkId): void {
    this.askers ??= new Set()
    this.askers.add(link)
  }
}

/**
 * The sessions of the ensemble and their deadlines, on the member that decides about expiry: the
 * leader, or a standalone server (spec 05 §8). Bounded by the clients' createSession txns.
 */
export class SessionTracker {
  readonly #sessions = new Map<SessionId, Session>()
  readonly #deadlines: ExpiryQueue<Session>
  #nextId: SessionId
  #closingCount = 0
  /** On a learner: what its leader has to be told of. */
  #touched: Set<Session> | undefined = undefined

  constructor(firstId: SessionId, tickTimeMs: number) {
    this.#nextId = firstId
    this.#deadlines = new ExpiryQueue(tickTimeMs)
  }

  get count(): number {
    return this.#sessions.size
  }

  /** Sessions whose closeSession is under way. */
  get closingCount(): number {
    return this.#closingCount
  }

  get all(): ReadonlyMap<SessionId, Session> {
    return this.#sessions
  }

  get(id: SessionId): Session | undefined {
    return this.#sessions.get(id)
  }

  /** An id nobody has. Ids restored from the log are passed over, should the clock have gone back. */
  newId(): SessionId {
    let id = this.#nextId
    while (this.#sessions.has(id) || id === BigInt.asIntN(64, 1n << 63n)) id += 1n
    this.#nextId = id + 1n
    return id
  }

  /** Starts to watch over a session, or gives a known one a full timeout. */
  track(id: SessionId, timeoutMs: number, nowMono: number): Session {
    let session = this.#sessions.get(id)
    if (session === undefined) {
      session = new Session(id, timeoutMs)
      this.#sessions.set(id, session)
    }
    session.timeoutMs = timeoutMs
    this.touch(session, nowMono)
    return session
  }

  /** Something was heard of the session. */
  touch(session: Session, nowMono: number): void {
    if (session.closing) return
    this.#deadlines.touch(session, nowMono + session.timeoutMs)
    this.#touched?.add(session)
  }

  /** Begins or ends to gather what is touched, for a leader who decides about expiry. */
  gatherTouched(gathers: boolean): void {
    this.#touched = gathers ? new Set() : undefined
  }

  /** What was touched since the last call. */
  takeTouched(): readonly Session[] {
    if (this.#touched === undefined || this.#touched.size === 0) return none
    const touched = [...this.#touched]
    this.#touched.clear()
    return touched
  }

  /** A new leader knows of no client when it was last heard, nor where it is: all begin anew. */
  rearm(nowMono: number): void {
    this.#closingCount = 0
    for (const session of this.#sessions.values()) {
      session.closing = false
      session.owner = undefined
      session.askers = undefined
      this.touch(session, nowMono)
    }
  }

  /** Every session with its timeout in ms, as a snapshot has them. */
  timeouts(): (readonly [SessionId, number])[] {
    return [...this.#sessions.values()].map(({ id, timeoutMs }) => [id, timeoutMs] as const)
  }

  /** The sessions of another state, with their timeouts in ms. */
  replaceAll(sessions: ReadonlyMap<SessionId, number>, nowMono: number): void {
    for (const id of [...this.#sessions.keys()]) this.remove(id)
    for (const [id, timeoutMs] of sessions) this.track(id, timeoutMs, nowMono)
  }

  setClosing(id: SessionId): void {
    const session = this.#sessions.get(id)
    if (session === undefined) return
    if (!session.closing) this.#closingCount += 1
    session.closing = true
    this.#deadlines.remove(session)
  }

  /** The closeSession txn was applied. */
  remove(id: SessionId): void {
    const session = this.#sessions.get(id)
    if (session === undefined) return
    this.#deadlines.remove(session)
    this.#touched?.delete(session)
    if (session.closing) this.#closingCount -= 1
    assert(this.#closingCount >= 0, 'more sessions end than were closing')
    this.#sessions.delete(id)
  }

  /** Nobody could be heard for so long: no session is to blame for it. */
  onPaused(ms: number): void {
    this.#deadlines.postpone(ms)
  }

  /** Sessions whose deadline has passed; each is returned once and must then be closed. */
  takeExpired(nowMono: number, countMax?: number): readonly Session[] {
    return this.#deadlines.takeExpired(nowMono, countMax)
  }

  /** False: takeExpired would find none. */
  mayHaveExpired(nowMono: number): boolean {
    return this.#deadlines.mayHaveExpired(nowMono)
  }
}

const none: readonly Session[] = []
