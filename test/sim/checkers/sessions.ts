import { type History, type SessionLog, Violation } from '../history.ts'
import type { Story } from './replay.ts'

export interface SessionBounds {
  /** Until when faults were injected, in simulated ms; later nobody has a reason to lose a session. */
  readonly calmFrom: number
  /** An expiry may come so much too early, because clocks differ; a share of the timeout. */
  readonly clockError: number
  /** Whether members alone decide, without others between them and the clients. */
  readonly isAlone: boolean
  /** How long after its last sign of life a session may still be there, beyond its timeout; ms. */
  readonly lateMs: number
}

const name = (session: SessionLog): string =>
  `session 0x${session.id.toString(16)} of client ${session.client}`

/** Sessions end when they are closed, or when nothing was heard of them for their timeout; not else. */
export function checkSessions(
  history: History,
  story: Story,
  bounds: SessionBounds,
  now: number,
): void {
  for (const session of history.sessions) {
    const closed = story.closed.get(session.id)
    if (!story.begun.has(session.id))
      throw new Violation('acknowledged is durable', `${name(session)} was opened and is not there`)
    const closes = session.ops.filter(({ call }) => call.op === 'closeSession')
    const isAsked = closes.some((op) => story.zxidOf.get(op) === closed?.zxid)
    if (closed !== undefined && !isAsked) checkExpiry(session, closed.firstAt, bounds)
    // The operator has ended it, without a txn.
    if (story.gone.has(session.id)) continue
    if (session.end?.how === 'expired' && closed === undefined)
      throw new Violation('sessions', `${name(session)} was refused while it lives`)
    if (session.end?.how !== 'abandoned' || closed !== undefined) continue
    const due = Math.max(session.end.at, bounds.calmFrom) + session.timeoutMs + bounds.lateMs
    if (now > due)
      throw new Violation(
        'ephemerals live as long as their session',
        `${name(session)} should have expired by ${due}, and it is ${now}`,
      )
  }
}

function checkExpiry(session: SessionLog, at: number, bounds: SessionBounds): void {
  let heard = session.askedAt
  for (const { reply, invokedAt } of session.ops)
    if (reply !== undefined && reply.at < at) heard = Math.max(heard, invokedAt)
  const isCalm = at - session.timeoutMs > bounds.calmFrom
  if (!bounds.isAlone && !isCalm) return
  const earliest = heard + session.timeoutMs * (1 - bounds.clockError)
  if (at < earliest)
    throw new Violation(
      'ephemerals live as long as their session',
      `${name(session)} expired at ${at}, was heard of at ${heard}, and has ${session.timeoutMs} ms`,
    )
}
