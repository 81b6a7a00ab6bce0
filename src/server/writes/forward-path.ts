import type { JuteReader } from 'jute-ts'
import { assert } from '../../base/assert.ts'
import { Deque } from '../../base/deque.ts'
import { OpCode } from '../../data/op-code.ts'
import type { SessionId } from '../../data/session-id.ts'
import type { LeaderLine } from '../../quorum/ports/replica.ts'
import type { PendingRequest } from '../clients/cnxn.ts'
import type { WriteRequest, WriteRoute } from '../clients/write-route.ts'

const HEADER_BYTES = 8

/** A session whose client has come back to this member, which is not let in yet. */
interface Returning {
  readonly sessionId: SessionId
  /** REVALIDATE is answered, and the session lives. */
  isValid: boolean
  /** The SYNC behind it has come. */
  isSynced: boolean
  /** The client has come once more meanwhile, with that timeout: the leader must be asked anew. */
  againMs: number | undefined
}

/** A request of which it is not known yet whether its session has moved to another member. */
interface Doubt {
  readonly doubted: PendingRequest
}

/** What comes back from the leader, beside committed txns. */
export interface ForwardEvents {
  /** The sync of a client has reached its place. */
  onSynced(origin: PendingRequest): void
  /** The leader has said whether a session that comes back lives, and its client can be told. */
  onReturned(sessionId: SessionId, isAlive: boolean): void
  /**
   * All that was forwarded before has come, and of that request nothing if it still waits: the session
   * lives at another member by now, or the leader has left it out.
   */
  onUnanswered(origin: PendingRequest): void
}

/**
 * The way of a write on a learner: to the leader. It comes back as a committed txn with the session
 * and the cxid of the request, and a sync as a SYNC, first in, first out (spec 04 §7). Bounded by
 * the requests that admission lets through, and by `returningMax` sessions.
 *
 * A client that comes back is let in behind a sync. Its REVALIDATE takes the session away from where
 * it was, so nothing of it is proposed from there any more, and the SYNC stands behind all that was.
 * From then on a txn of the session is one that was forwarded from here. The answer to REVALIDATE
 * alone does not say so: a leader of Apache's gives it ahead of what it has proposed.
 */
export class ForwardPath implements WriteRoute {
  readonly forwards = true
  readonly #leader: LeaderLine
  readonly #events: ForwardEvents
  readonly #returningMax: number
  readonly #syncs = new Deque<PendingRequest | Returning | Doubt>()
  readonly #returning = new Map<SessionId, Returning>()
  /** Each the oldest of its connection. */
  readonly #doubted = new Set<PendingRequest>()

  constructor(leader: LeaderLine, returningMax: number, events: ForwardEvents) {
    this.#leader = leader
    this.#returningMax = returningMax
    this.#events = events
  }

  submit(request: WriteRequest, body: JuteReader): void {
    const { sessionId, cxid, op } = request
    const ids = op === OpCode.createSession ? null : request.ids
    this.#leader.forward(sessionId, cxid, op, body.buffer.subarray(body.at, body.end), ids)
  }

  sync(origin: PendingRequest): void {
    const { cnxn, xid, op, frame } = origin
    assert(frame !== undefined, 'a sync keeps its frame')
    this.#syncs.push(origin)
    this.#leader.forward(cnxn.sessionId, xid, op, frame.subarray(HEADER_BYTES), cnxn.ids)
  }

  /** The oldest sync is answered; a SYNC that nobody has asked for is passed over. */
  onSynced(): void {
    const synced = this.#syncs.shift()
    if (synced === undefined) return
    if ('cnxn' in synced) this.#events.onSynced(synced)
    else if ('doubted' in synced) {
      this.#doubted.delete(synced.doubted)
      this.#events.onUnanswered(synced.doubted)
    } else {
      synced.isSynced = true
      this.#endReturn(synced)
    }
  }

  /**
   * A txn with the session and cxid of that request says that the session has moved. It is its own,
   * or that of a write which was late at the member where the session was before. Only what the sync
   * leaves unanswered has been refused itself.
   */
  doubt(origin: PendingRequest): void {
    if (this.#doubted.has(origin)) return
    this.#doubted.add(origin)
    this.#syncs.push({ doubted: origin })
    this.#leader.forward(origin.cnxn.sessionId, 0, OpCode.sync, ROOT_PATH, null)
  }

  /** No further session can be asked after now. */
  get isBusy(): boolean {
    return this.#returning.size >= this.#returningMax
  }

  /** One question a session is under way at most, however often its client comes and goes. */
  revalidate(sessionId: SessionId, timeoutMs: number): void {
    const asked = this.#returning.get(sessionId)
    if (asked !== undefined) {
      asked.againMs = timeoutMs
      return
    }
    assert(!this.isBusy, 'a session too many comes back')
    const returning = { sessionId, isValid: false, isSynced: false, againMs: undefined }
    this.#returning.set(sessionId, returning)
    this.#leader.revalidate(sessionId, timeoutMs)
    this.#syncs.push(returning)
    this.#leader.forward(sessionId, 0, OpCode.sync, ROOT_PATH, null)
  }

  /** The leader's answer. A session that is gone stays so. */
  onRevalidated(sessionId: SessionId, isValid: boolean): void {
    const returning = this.#returning.get(sessionId)
    if (returning === undefined) return
    if (isValid) {
      returning.isValid = true
      this.#endReturn(returning)
    } else {
      this.#returning.delete(sessionId)
      this.#events.onReturned(sessionId, false)
    }
  }

  #endReturn(returning: Returning): void {
    const { sessionId, isValid, isSynced, againMs } = returning
    if (!isValid || !isSynced || this.#returning.get(sessionId) !== returning) return
    this.#returning.delete(sessionId)
    // It may have been elsewhere in between.
    if (againMs !== undefined) this.revalidate(sessionId, againMs)
    else this.#events.onReturned(sessionId, true)
  }
}

/** The body of a SyncRequest for "/". */
const ROOT_PATH: Buffer = Buffer.from([0, 0, 0, 1, 0x2f])
