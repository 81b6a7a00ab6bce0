import type { ThrottledLog } from '../../base/throttled-log.ts'
import { formatSessionId, type SessionId } from '../../data/session-id.ts'
import type { WatchTable } from '../../tree/watch-table.ts'
import type { ServerMetrics } from '../stats/server-metrics.ts'
import type { Cnxn, CnxnId } from './cnxn.ts'
import { CnxnCounts } from './cnxn-counts.ts'
import type { PendingRequests } from './pending.ts'
import type { Questions } from './questions.ts'

/** What the shell is to do to sockets at the end of the turn, beside writing to them. */
export interface ClientEffects {
  /** `now`: without waiting for bytes that the client does not take. */
  readonly closes: { readonly cnxn: CnxnId; readonly now: boolean }[]
  /** True: the socket is not to be read. The last word of the turn counts. */
  readonly pauses: Map<CnxnId, boolean>
}

/** Who is connected, by connection and by session, and how a connection ends. */
export class Connections {
  readonly #pending: PendingRequests
  readonly #questions: Questions
  readonly #watches: WatchTable<Cnxn>
  readonly #metrics: ServerMetrics
  readonly #log: ThrottledLog
  readonly #cnxns = new Map<CnxnId, Cnxn>()
  readonly #bySession = new Map<SessionId, Cnxn>()
  readonly counts: CnxnCounts = new CnxnCounts()
  readonly effects: ClientEffects = { closes: [], pauses: new Map() }

  constructor(
    pending: PendingRequests,
    questions: Questions,
    watches: WatchTable<Cnxn>,
    metrics: ServerMetrics,
    log: ThrottledLog,
  ) {
    this.#pending = pending
    this.#questions = questions
    this.#watches = watches
    this.#metrics = metrics
    this.#log = log
  }

  get cnxns(): ReadonlyMap<CnxnId, Cnxn> {
    return this.#cnxns
  }

  get outstandingRequests(): number {
    return this.#pending.admission.outstanding
  }

  get(id: CnxnId): Cnxn | undefined {
    return this.#cnxns.get(id)
  }

  add(cnxn: Cnxn): void {
    this.#cnxns.set(cnxn.id, cnxn)
    this.counts.onOpened(cnxn.id, cnxn.address)
  }

  /** Its socket is gone; that of a connection which was closed here goes later than that. */
  onGone(id: CnxnId): void {
    const cnxn = this.#cnxns.get(id)
    if (cnxn !== undefined) {
      this.#metrics.connectionDropCount.add(1)
      this.#forget(cnxn)
    }
    this.counts.onGone(id)
  }

  cnxnOf(session: SessionId): Cnxn | undefined {
    return this.#bySession.get(session)
  }

  bind(cnxn: Cnxn, session: SessionId): void {
    this.#bySession.set(session, cnxn)
  }

  /** The socket is to be read no more, or again. */
  pause(cnxn: Cnxn, paused: boolean): void {
    cnxn.paused = paused
    this.effects.pauses.set(cnxn.id, paused)
  }

  /** Ends the connection once what is written has left, or at once. */
  close(cnxn: Cnxn, now = false): void {
    if (cnxn.state === 'closing') return
    this.#forget(cnxn)
    this.effects.closes.push({ cnxn: cnxn.id, now })
  }

  /** Ends all that have a session, or are about to. */
  closeServed(): void {
    for (const cnxn of [...this.#cnxns.values()])
      if (cnxn.state !== 'fresh' && cnxn.state !== 'answering') this.close(cnxn)
  }

  /** The client has broken the protocol: no reply, the connection ends; nobody else notices. */
  refuse(cnxn: Cnxn, reason: string): void {
    const fields = {
      reason,
      address: cnxn.address,
      port: cnxn.port,
      session: cnxn.session === undefined ? undefined : formatSessionId(cnxn.session.id),
    }
    this.#log.warn('closing a client connection', fields, reason)
    this.#metrics.connectionDropCount.add(1)
    this.close(cnxn)
  }

  /**
   * True: so many writes are under way whose connections have gone that none may be added, and so this
   * connection, which asks for one, is ended.
   */
  refusesFlooded(cnxn: Cnxn): boolean {
    const { isFlooded } = this.#pending.admission
    if (isFlooded) this.refuse(cnxn, 'too many writes of connections that have gone are under way')
    return isFlooded
  }

  /** Nothing of the connection is left here but its count. Its session lives on until it expires. */
  #forget(cnxn: Cnxn): void {
    if (cnxn.state === 'closing') return
    cnxn.state = 'closing'
    this.#cnxns.delete(cnxn.id)
    this.#watches.removeWatcher(cnxn)
    this.#pending.leaveBehind(cnxn)
    this.#questions.forget(cnxn)
    // By its id: the connection may go before the session it has asked for is there.
    if (this.#bySession.get(cnxn.sessionId) === cnxn) this.#bySession.delete(cnxn.sessionId)
  }
}
