import type { Limits } from '../../base/limits.ts'
import type { TurnClock } from '../../base/turn-clock.ts'
import type { WorkBudget } from '../bounds/work-budget.ts'
import type { SessionTracker } from '../sessions/session-tracker.ts'
import type { Admission } from './admission.ts'
import type { Cnxn } from './cnxn.ts'
import type { Connections } from './connections.ts'
import type { Outbox } from './outbox.ts'
import type { ParkedReads } from './parked-reads.ts'
import type { Questions } from './questions.ts'
import type { Requests } from './requests.ts'

interface IntakeParts {
  readonly connections: Connections
  readonly requests: Requests
  readonly admission: Admission
  readonly parked: ParkedReads
  readonly questions: Questions
  readonly budget: WorkBudget
  readonly outbox: Outbox
  readonly sessions: SessionTracker
  readonly limits: Limits
  readonly clock: TurnClock
}

/**
 * How much is read from whom. Nothing is taken from a client while too much waits, of all clients or of
 * this one; that it has sent something is noticed anyway.
 */
export class Intake {
  readonly #connections: Connections
  readonly #requests: Requests
  readonly #admission: Admission
  readonly #parked: ParkedReads
  readonly #questions: Questions
  readonly #budget: WorkBudget
  readonly #outbox: Outbox
  readonly #sessions: SessionTracker
  readonly #limits: Limits
  readonly #clock: TurnClock

  constructor(parts: IntakeParts) {
    this.#connections = parts.connections
    this.#requests = parts.requests
    this.#admission = parts.admission
    this.#parked = parts.parked
    this.#questions = parts.questions
    this.#budget = parts.budget
    this.#outbox = parts.outbox
    this.#sessions = parts.sessions
    this.#limits = parts.limits
    this.#clock = parts.clock
  }

  /** Serves what has arrived, up to where this client has to wait. */
  serve(cnxn: Cnxn): void {
    const { splitter } = cnxn
    this.#budget.meter.steps = 0
    while (cnxn.state === 'open' && this.#mayRead(cnxn) && splitter.next()) {
      this.#requests.onRequest(cnxn)
      this.#budget.spend(cnxn, splitter.end - splitter.start)
    }
    if (splitter.error !== undefined) this.#connections.refuse(cnxn, splitter.error)
  }

  /** What could not be served stays where it is; above a bound the socket is left unread meanwhile. */
  pauseIfBehind(cnxn: Cnxn): void {
    if (cnxn.state === 'closing') return
    cnxn.splitter.release()
    if (cnxn.paused || cnxn.splitter.heldBytes === 0) return
    const { state } = cnxn
    if (state === 'open') {
      if (this.#mayRead(cnxn)) return
      this.#admission.wait(cnxn)
      this.#touch(cnxn)
    } else if (state === 'asking') this.#touch(cnxn)
    else if (state !== 'connecting' && state !== 'revalidating') return
    if (cnxn.splitter.heldBytes <= this.#limits.unservedBytesPause) return
    this.#connections.pause(cnxn, true)
  }

  readonly #mayRead = (cnxn: Cnxn): boolean => {
    if (!this.#admission.admits(cnxn) || !this.#budget.allows(cnxn)) return false
    return cnxn.parkedReads < this.#limits.parkedReadsMax && this.#takesReplies(cnxn)
  }

  #takesReplies(cnxn: Cnxn): boolean {
    const { replyBytesPause } = this.#limits
    return this.#outbox.pendingBytes(cnxn) + cnxn.unsentBytes <= replyBytesPause
  }

  /**
   * Clients whose sockets are not read because the server is behind cannot be heard, through no
   * fault of theirs: their sessions live on. One that does not take its replies stops itself.
   */
  touchUnheard(): void {
    for (const cnxn of this.#admission.waiting)
      if (cnxn.paused && this.#takesReplies(cnxn)) this.#touch(cnxn)
    for (const cnxn of this.#questions.waiting) if (cnxn.paused) this.#touch(cnxn)
  }

  /** The client has sent something, be it served or not. */
  #touch(cnxn: Cnxn): void {
    const { session } = cnxn
    if (session !== undefined) this.#sessions.touch(session, this.#clock.mono)
  }

  /** Goes on with a client that had to wait: its session is there, or there is room again. */
  resume(cnxn: Cnxn): void {
    if (cnxn.state !== 'open') return
    if (cnxn.paused) this.#connections.pause(cnxn, false)
    this.serve(cnxn)
    this.pauseIfBehind(cnxn)
  }

  /** Whether a client that had to wait could go on now. */
  get hasReady(): boolean {
    return this.#parked.hasOwed || this.#admission.some(this.#mayRead)
  }

  /** Called once a turn: replies may have made room, and sockets may have taken theirs. */
  resumeWaiting(): void {
    this.#parked.answerOwed()
    for (const cnxn of this.#admission.take(this.#mayRead)) this.resume(cnxn)
    // For what arrives until the next turn ends; whoever was stopped in this one is ready for that.
    this.#budget.refill()
  }
}
