import type { JuteReader } from 'jute-ts'
import { assert } from '../base/assert.ts'
import { Deque } from '../base/deque.ts'
import { OpCode } from '../data/op-code.ts'
import type { SessionId } from '../data/session-id.ts'
import type { LeaderLine } from '../quorum/replica.ts'
import type { PendingRequest } from './cnxn.ts'
import type { WriteRequest } from './prep.ts'
import type { WriteRoute } from './write-path.ts'

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
  readonly #returningMax: number
  readonly #syncs = new Deque<PendingRequest | Returning>()
  readonly #returning = new Map<SessionId, Returning>()

  constructor(leader: LeaderLine, returningMax: number) {
    this.#leader = leader
    this.#returningMax = returningMax
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

  /** A client's sync, or the session of one that is to be let in. Undefined: nobody waits for it. */
  takeSynced(): PendingRequest | SessionId | undefined {
    const synced = this.#syncs.shift()
    if (synced === undefined || 'cnxn' in synced) return synced
    synced.isSynced = true
    return this.#isBack(synced) ? synced.sessionId : undefined
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

  /** What the client can be told now; undefined: nothing yet. A session that is gone stays so. */
  onRevalidated(sessionId: SessionId, isValid: boolean): boolean | undefined {
    const returning = this.#returning.get(sessionId)
    if (returning === undefined) return undefined
    if (!isValid) {
      this.#returning.delete(sessionId)
      return false
    }
    returning.isValid = true
    return this.#isBack(returning) ? true : undefined
  }

  #isBack(returning: Returning): boolean {
    const { sessionId, isValid, isSynced, againMs } = returning
    if (!isValid || !isSynced || this.#returning.get(sessionId) !== returning) return false
    this.#returning.delete(sessionId)
    // It may have been elsewhere in between.
    if (againMs !== undefined) this.revalidate(sessionId, againMs)
    return againMs === undefined
  }
}

/** The body of a SyncRequest for "/". */
const ROOT_PATH: Buffer = Buffer.from([0, 0, 0, 1, 0x2f])
