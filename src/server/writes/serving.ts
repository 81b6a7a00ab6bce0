import type { JuteReader } from 'jute-ts'
import { assert } from '../../base/assert.ts'
import type { TurnClock } from '../../base/turn-clock.ts'
import type { SessionId } from '../../data/session-id.ts'
import type { LeaderLine } from '../../quorum/ports/replica.ts'
import type { PendingRequest } from '../clients/cnxn.ts'
import type { SessionAuthority } from '../clients/session-authority.ts'
import type { WriteRequest, WriteRoute } from '../clients/write-route.ts'
import { LOCAL_OWNER, type SessionTracker } from '../sessions/session-tracker.ts'
import { type ForwardEvents, ForwardPath } from './forward-path.ts'
import type { WritePath } from './write-path.ts'

/** What a member is to its clients. none: it has no part in a quorum, and lets no client in. */
export type ServingRole = 'none' | 'standalone' | 'leading' | 'following' | 'observing'

/**
 * The one place that knows the present role: where writes go, and who says whether a session lives.
 * Whoever serves clients holds this and never asks.
 */
export class Serving implements WriteRoute, SessionAuthority {
  readonly #writePath: WritePath
  readonly #sessions: SessionTracker
  readonly #clock: TurnClock
  readonly #returningMax: number
  #role: ServingRole = 'none'
  #forward: ForwardPath | undefined = undefined
  /** leaderServes=no: the leader has no clients of its own. */
  #takesClients = false

  constructor(
    writePath: WritePath,
    sessions: SessionTracker,
    clock: TurnClock,
    returningMax: number,
  ) {
    this.#writePath = writePath
    this.#sessions = sessions
    this.#clock = clock
    this.#returningMax = returningMax
  }

  get role(): ServingRole {
    return this.#role
  }

  get isServing(): boolean {
    return this.#takesClients
  }

  /** This member decides about writes and sessions. */
  get decides(): boolean {
    return this.#role === 'leading' || this.#role === 'standalone'
  }

  beginDeciding(role: 'standalone' | 'leading', takesClients: boolean): void {
    assert(this.#role === 'none', `begins to decide while ${this.#role}`)
    this.#role = role
    this.#takesClients = takesClients
  }

  beginForwarding(
    role: 'following' | 'observing',
    leader: LeaderLine,
    events: ForwardEvents,
  ): void {
    assert(this.#role === 'none', `begins to forward while ${this.#role}`)
    this.#role = role
    this.#forward = new ForwardPath(leader, this.#returningMax, events)
    this.#takesClients = true
  }

  end(): void {
    this.#role = 'none'
    this.#forward = undefined
    this.#takesClients = false
  }

  get forwards(): boolean {
    return this.#forward !== undefined
  }

  get #route(): WriteRoute {
    if (this.#forward !== undefined) return this.#forward
    assert(this.decides, 'a write on a member that serves nobody')
    return this.#writePath
  }

  submit(
    request: WriteRequest,
    body: JuteReader,
    time: number,
    origin: PendingRequest | undefined,
  ): void {
    this.#route.submit(request, body, time, origin)
  }

  sync(origin: PendingRequest): void {
    this.#route.sync(origin)
  }

  /** The way to the leader, on a learner that serves. */
  get forward(): ForwardPath | undefined {
    return this.#forward
  }

  get isBusy(): boolean {
    return this.#forward?.isBusy === true
  }

  revalidate(id: SessionId, timeoutMs: number): boolean | undefined {
    if (this.#forward === undefined) return this.claim(id, timeoutMs, LOCAL_OWNER)
    this.#forward.revalidate(id, timeoutMs)
    return undefined
  }

  /**
   * Where this member decides: whether the session lives; `owner` is then where its requests come by.
   * Undefined: its closeSession is under way. It lives until that is committed, and no client may be
   * told that it does not; the commit ends the connection.
   */
  claim(id: SessionId, timeoutMs: number, owner: number): boolean | undefined {
    const session = this.#sessions.get(id)
    if (session === undefined) return false
    if (session.closing) return undefined
    this.#sessions.track(id, timeoutMs, this.#clock.mono)
    session.owner = owner
    return true
  }
}
