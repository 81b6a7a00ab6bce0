import type { JuteReader } from 'jute-ts'
import { assert } from '../base/assert.ts'
import { Deque } from '../base/deque.ts'
import { OpCode } from '../data/op-code.ts'
import type { LeaderLine } from '../quorum/replica.ts'
import type { PendingRequest } from './cnxn.ts'
import type { WriteRequest } from './prep.ts'
import type { WriteRoute } from './write-path.ts'

const HEADER_BYTES = 8

/**
 * The way of a write on a learner: to the leader. It comes back as a committed txn with the session
 * and the cxid of the request, and a sync as a SYNC, first in, first out (spec 04 §7). Bounded by
 * the requests that admission lets through.
 */
export class ForwardPath implements WriteRoute {
  readonly forwards = true
  readonly #leader: LeaderLine
  readonly #syncs = new Deque<PendingRequest>()

  constructor(leader: LeaderLine) {
    this.#leader = leader
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

  /** Undefined: the leader has answered a sync that nobody here has asked for. */
  takeSynced(): PendingRequest | undefined {
    return this.#syncs.shift()
  }

  revalidate(sessionId: bigint, timeoutMs: number): void {
    this.#leader.revalidate(sessionId, timeoutMs)
  }
}
