import { assert } from '../../base/assert.ts'
import { acceptEpoch, enterEpoch } from '../role/epochs.ts'
import type { RoleParts } from '../role/role.ts'
import type { Leadership } from './leadership.ts'

/**
 * What must come next: reports of a quorum, our acceptedEpoch on the disk, ACKEPOCH of a quorum, ACKs
 * of NEWLEADER of a quorum (spec 04 §3). Each may take initLimit.
 */
type AgreementPhase = 'discovery' | 'epoch' | 'election' | 'synchronisation' | 'agreed'

interface AgreementEvents {
  /** There is an epoch, and our disk knows it: LEADERINFO may leave. */
  onEpoch(): void
  /** A quorum has acked it, and nobody in it is ahead of us: learners may be synchronised. */
  onElected(): void
  /** A quorum has synchronised with us. */
  onAgreed(): void
}

/** How a quorum of voters comes to agree on a new epoch and on our history as its beginning. */
export class EpochAgreement {
  readonly #parts: RoleParts
  readonly #leadership: Leadership
  readonly #events: AgreementEvents
  readonly #self: number
  /** Of what we have before the epoch begins. */
  readonly #ownEpoch: number
  readonly #ownZxid: number
  readonly #reported: Set<number>
  readonly #electors = new Set<number>()
  readonly #synced = new Set<number>()
  #phase: AgreementPhase = 'discovery'
  #isClosed = false
  #phaseMono: number
  #epochMin: number

  constructor(parts: RoleParts, leadership: Leadership, events: AgreementEvents) {
    this.#parts = parts
    this.#leadership = leadership
    this.#events = events
    this.#self = parts.membership.self.sid
    this.#phaseMono = leadership.mono
    this.#ownEpoch = parts.epochs.current
    this.#ownZxid = Math.max(parts.replica.lastLoggedZxid, parts.replica.lastProcessedZxid)
    this.#epochMin = parts.epochs.accepted + 1
    this.#reported = new Set([this.#self])
  }

  /** In an ensemble of one that is all it takes. */
  start(): void {
    this.#tryEpoch()
  }

  /** What the disk says later is of no interest any more. */
  close(): void {
    this.#isClosed = true
  }

  get phase(): AgreementPhase {
    return this.#phase
  }

  /** When the phase began. */
  get phaseMono(): number {
    return this.#phaseMono
  }

  get isOverdue(): boolean {
    const isLate = this.#leadership.mono - this.#phaseMono > this.#parts.settings.initLimitMs
    return this.#phase !== 'agreed' && isLate
  }

  /** `voter` is undefined for one whose report does not count, but whose epoch is heeded. */
  onReported(acceptedEpoch: number, voter: number | undefined): void {
    if (this.#phase !== 'discovery') return
    this.#epochMin = Math.max(this.#epochMin, acceptedEpoch + 1)
    if (voter === undefined) return
    this.#assertVoter(voter)
    this.#reported.add(voter)
    this.#tryEpoch()
  }

  /** Whether a log that ends there knows of more than ours. */
  isAhead(currentEpoch: number, zxid: number): boolean {
    if (currentEpoch !== this.#ownEpoch) return currentEpoch > this.#ownEpoch
    return zxid > this.#ownZxid
  }

  onEpochAcked(voter: number): void {
    this.#assertVoter(voter)
    assert(this.#phase === 'election', `an epoch is acked in the phase ${this.#phase}`)
    this.#electors.add(voter)
    this.#tryElection()
  }

  onNewLeaderAcked(voter: number): void {
    this.#assertVoter(voter)
    assert(this.#phase === 'synchronisation', `NEWLEADER is acked in the phase ${this.#phase}`)
    this.#synced.add(voter)
    this.#tryAgreed()
  }

  #enter(phase: AgreementPhase): void {
    this.#phase = phase
    this.#phaseMono = this.#leadership.mono
  }

  #isQuorum(sids: ReadonlySet<number>): boolean {
    return this.#parts.membership.quorum.containsQuorum((sid) => sids.has(sid))
  }

  /** Whoever calls leaves out the others: they have no say in what begins here. */
  #assertVoter(sid: number): void {
    assert(this.#parts.membership.isVoter(sid), `member ${sid} has no vote`)
  }

  /** Nobody is told of the epoch before our own disk knows it, or we might lead it twice. */
  #tryEpoch(): void {
    if (!this.#isQuorum(this.#reported)) return
    const { replica, logger } = this.#parts
    const epoch = this.#epochMin
    acceptEpoch(this.#parts, epoch)
    this.#leadership.establish(epoch)
    this.#enter('epoch')
    logger.info('a quorum has reported, an epoch is proposed', { epoch })
    replica.whenDurable(() => {
      if (this.#isClosed) return
      assert(this.#phase === 'epoch', 'the epoch became durable twice')
      this.#enter('election')
      this.#electors.add(this.#self)
      this.#events.onEpoch()
      this.#tryElection()
    })
  }

  #tryElection(): void {
    if (this.#isClosed || this.#phase !== 'election' || !this.#isQuorum(this.#electors)) return
    enterEpoch(this.#parts, this.#leadership.epoch)
    this.#enter('synchronisation')
    this.#parts.replica.whenDurable(() => {
      if (this.#isClosed) return
      this.#synced.add(this.#self)
      this.#tryAgreed()
    })
    this.#events.onElected()
  }

  /** Others may have synchronised sooner than our own disk has the epoch; then they wait for it. */
  #tryAgreed(): void {
    if (this.#phase !== 'synchronisation' || !this.#synced.has(this.#self)) return
    if (!this.#isQuorum(this.#synced)) return
    this.#enter('agreed')
    this.#events.onAgreed()
  }
}
