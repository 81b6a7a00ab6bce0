import type { Logger } from '../../base/logger.ts'
import { formatZxid } from '../../data/zxid.ts'
import type { Membership } from '../membership/membership.ts'
import type { Epochs } from '../role/epochs.ts'
import type { PeerState } from '../role/peer-state.ts'
import type { QuorumSettings } from '../role/quorum-settings.ts'
import { agrees, type Ballot, isBetterVote, type Vote } from '../role/vote.ts'
import { NO_ZXID } from '../wire/packets.ts'
import { encodeNotification, type Notification } from './notification.ts'

/** How notifications get to the others. */
export interface ElectionPost {
  send(sid: number, message: Buffer): void
  connectAll(): void
  readonly hasDelivered: boolean
  reachOf(sid: number): 'open' | 'opening' | 'down'
}

interface ElectionParts {
  readonly membership: Membership
  readonly settings: QuorumSettings
  readonly epochs: Epochs
  readonly logger: Logger
}

/** How an election may end at once, without waiting for a better vote. */
export type Haste = 'hurried' | 'patient'

/** As our notifications are, in the version that carries peerEpoch. */
const VERSION = 2
/**
 * Members without a vote that have asked who leads while there was no answer yet.
 * @bound members: the others hear when they ask again
 */
const ASKERS_MAX = 64
/**
 * How often those to whom there is no link are dialed while we look. The pauses between
 * notifications grow to a minute, and who was cut off should not have to wait for that.
 */
const REDIAL_MS = 1000
/** A vote older than that is of an election which we had no part in: its voter has moved on. */
const EARLY_MS = 500

/**
 * Finds out who leads, as ZooKeeper does (spec 03 §3): everybody votes for the best candidate it
 * has heard of, until a quorum votes for the same. It need not be safe by itself: a leader that no
 * quorum follows gets no further than Zab's discovery (spec 04 §3).
 *
 * While there is a leader it answers those who look for one.
 */
export class FastLeaderElection {
  readonly #parts: ElectionParts
  readonly #post: ElectionPost
  readonly #onElected: (leader: number) => void
  #state: PeerState = 'looking'
  /** Counts elections; in memory only. */
  #round = 0
  #initial: Vote | undefined
  /** What a voter says that has nothing to vote with; undefined: we are not such a one. */
  #noVote: Vote | undefined
  /** While we look, our vote; then the one that has won. */
  #proposal: Vote | undefined
  /** Ballots of this round, our own included. By sid of the voter, as is the next one. */
  readonly #received = new Map<number, Ballot>()
  /** What those say who have a leader, of whatever round. */
  readonly #established = new Map<number, Ballot>()
  readonly #askers = new Set<number>()
  #haste: Haste = 'hurried'
  /** By sid: the last vote of each voter that has begun to look before we do, and when it came. */
  readonly #early: Map<number, { readonly vote: Notification; readonly atMono: number }> = new Map()
  /** When it is decided if no better vote comes; infinite while no quorum agrees with us. */
  #decideAt = Number.POSITIVE_INFINITY
  #notifyAt = 0
  #notifyMs = 0
  #redialAt = 0

  constructor(parts: ElectionParts, post: ElectionPost, onElected: (leader: number) => void) {
    this.#parts = parts
    this.#post = post
    this.#onElected = onElected
  }

  get state(): PeerState {
    return this.#state
  }

  get round(): number {
    return this.#round
  }

  /**
   * Begins an election. `vote` is for ourselves; undefined for one who has no vote. With NO_ZXID it is
   * none, either: a voter that has lost what it has acked says so, and takes no part. Whoever it
   * helped to elect might lack just that. It waits for others to have a leader, and asks them who.
   */
  lookForLeader(vote: Vote | undefined, haste: Haste, nowMono: number): void {
    const { settings, logger } = this.#parts
    this.#state = 'looking'
    this.#round += 1
    this.#noVote = vote?.zxid === NO_ZXID ? vote : undefined
    this.#initial = this.#isVoter && this.#noVote === undefined ? vote : undefined
    this.#haste = haste
    this.#received.clear()
    this.#established.clear()
    this.#askers.clear()
    this.#notifyMs = settings.notificationIntervalMsMin
    this.#notifyAt = nowMono + this.#notifyMs
    this.#redialAt = nowMono + REDIAL_MS
    logger.info('looking for a leader', { round: this.#round, ...fieldsOf(this.#initial) })
    this.#propose(this.#initial)
    this.#tally(nowMono)
    this.#hearEarly(nowMono)
  }

  advance(nowMono: number): void {
    if (this.#state !== 'looking') return
    if (this.#decideAt !== Number.POSITIVE_INFINITY) this.#tally(nowMono)
    if (this.#state !== 'looking') return
    if (nowMono >= this.#redialAt) {
      this.#post.connectAll()
      this.#redialAt = nowMono + REDIAL_MS
    }
    if (nowMono < this.#notifyAt) return
    if (this.#post.hasDelivered) this.#broadcast()
    else this.#post.connectAll()
    // Without a vote this is how we find out that there is a leader: nobody else has a reason to tell.
    const { notificationIntervalMsMax } = this.#parts.settings
    const maxMs = this.#noVote === undefined ? notificationIntervalMsMax : REDIAL_MS
    this.#notifyMs = Math.min(this.#notifyMs * 2, maxMs)
    this.#notifyAt = nowMono + this.#notifyMs
  }

  /** Nobody needs to be waited for whom no link leads to. */
  onUnreachable(nowMono: number): void {
    if (this.#state === 'looking' && this.#decideAt !== Number.POSITIVE_INFINITY)
      this.#tally(nowMono)
  }

  onNotification(sid: number, notification: Notification, nowMono: number): void {
    if (this.#asksUs(sid, notification)) this.#answer(sid)
    const { state, vote, round, version } = notification
    if (!this.#votes(sid) || state === 'observing') return
    if (this.#state !== 'looking') {
      if (state === 'looking' && round > this.#round)
        this.#early.set(sid, { vote: notification, atMono: nowMono })
      return
    }
    if (vote === undefined || !this.#votes(vote.leader)) {
      this.#parts.logger.warn('ignoring a vote for one who is no voter', { peer: sid })
      return
    }
    this.#notifyAt = nowMono + this.#notifyMs
    const ballot = { vote, round, state, version }
    if (state === 'looking') this.#onLooking(sid, ballot, nowMono)
    else this.#onEstablished(sid, ballot)
  }

  /**
   * When a leader ends, one of its followers notices first, and the others still have a role when its
   * vote comes. It says it again only after a pause (200 ms at least), which is long for a failover.
   */
  #hearEarly(nowMono: number): void {
    const early = [...this.#early]
    this.#early.clear()
    for (const [sid, { vote, atMono }] of early)
      if (nowMono - atMono <= EARLY_MS) this.onNotification(sid, vote, nowMono)
  }

  get #isVoter(): boolean {
    return this.#votes(this.#parts.membership.self.sid)
  }

  #votes(sid: number): boolean {
    return this.#parts.membership.isVoter(sid)
  }

  /**
   * The original answers those without a vote whatever they say, and they may answer that: two of
   * them can go on like this as fast as the network lets them. Only questions are answered here,
   * only by voters, whose answer alone means something, and not as long as ours is from an earlier
   * round: it would be ignored, and they hear from us when we have decided.
   */
  #asksUs(sid: number, { state, round }: Notification): boolean {
    if (state !== 'looking' || !this.#isVoter) return false
    if (this.#state !== 'looking') return true
    if (this.#votes(sid)) return round < this.#round
    if (this.#askers.size < ASKERS_MAX) this.#askers.add(sid)
    return round <= this.#round
  }

  #answer(sid: number): void {
    this.#post.send(sid, this.#encode())
  }

  #broadcast(): void {
    const { self, quorum } = this.#parts.membership
    const message = this.#encode()
    for (const sid of quorum.voters) if (sid !== self.sid) this.#post.send(sid, message)
    if (this.#isVoter && this.#proposal !== undefined)
      this.#received.set(self.sid, this.#ballotFor(this.#proposal))
  }

  #encode(): Buffer {
    const { membership, epochs } = this.#parts
    let vote = this.#proposal ?? this.#noVote
    // The others are to see the epoch in which we follow or lead, not that of the election.
    if (this.#state !== 'looking' && vote !== undefined && epochs.current > vote.peerEpoch)
      vote = { ...vote, peerEpoch: epochs.current }
    return encodeNotification(this.#state, vote, this.#round, membership.current.text)
  }

  #propose(vote: Vote | undefined): void {
    this.#proposal = vote
    this.#decideAt = Number.POSITIVE_INFINITY
    this.#broadcast()
  }

  #ballotFor(vote: Vote): Ballot {
    return { vote, round: this.#round, state: 'looking', version: VERSION }
  }

  /** One of weight 0 never wins. */
  #wins(vote: Vote, over: Vote | undefined): boolean {
    return this.#parts.membership.quorum.weightOf(vote.leader) > 0 && isBetterVote(vote, over)
  }

  #onLooking(sid: number, ballot: Ballot, nowMono: number): void {
    const { vote, round } = ballot
    // The original's word for "has nothing to vote with"; what it does itself then is the same.
    if (this.#noVote !== undefined || vote.zxid === NO_ZXID || round < this.#round) return
    if (round > this.#round) {
      this.#round = round
      this.#received.clear()
      this.#propose(this.#wins(vote, this.#initial) ? vote : this.#initial)
    } else if (this.#wins(vote, this.#proposal)) this.#propose(vote)
    this.#received.set(sid, ballot)
    this.#tally(nowMono)
  }

  #onEstablished(sid: number, ballot: Ballot): void {
    if (ballot.round === this.#round) {
      // A round elects one leader, so its name says it all: the epoch may be old or new already.
      this.#received.set(sid, { ...ballot, version: 0 })
      if (this.#isLedBy(ballot, this.#received)) {
        this.#decide(ballot.vote, 'in this round')
        return
      }
    }
    this.#established.set(sid, ballot)
    if (!this.#isLedBy(ballot, this.#established)) return
    this.#round = ballot.round
    this.#decide(ballot.vote, 'before we came')
  }

  /** A quorum says so, and so does the leader: else they might go on electing one that has ended. */
  #isLedBy(ballot: Ballot, ballots: ReadonlyMap<number, Ballot>): boolean {
    const { self, quorum } = this.#parts.membership
    const { leader } = ballot.vote
    if (leader === self.sid && this.#noVote !== undefined) return false
    if (leader === self.sid ? ballot.round !== this.#round : !isLeading(ballots.get(leader)))
      return false
    return quorum.containsQuorum((sid) => agrees(ballots.get(sid), ballot))
  }

  /** Decides if a quorum agrees with us, and nobody is left who could have a better candidate. */
  #tally(nowMono: number): void {
    const proposal = this.#proposal
    if (proposal === undefined) return
    const own = this.#ballotFor(proposal)
    const { membership, settings } = this.#parts
    if (!membership.quorum.containsQuorum((sid) => agrees(this.#received.get(sid), own))) {
      this.#decideAt = Number.POSITIVE_INFINITY
      return
    }
    if (this.#decideAt === Number.POSITIVE_INFINITY)
      this.#decideAt = nowMono + settings.finalizeWaitMs
    if (this.#haste === 'hurried' && this.#allAgree(own))
      this.#decide(proposal, 'all who can be reached agree')
    else if (nowMono >= this.#decideAt) this.#decide(proposal, 'no better vote came')
  }

  /** To whom no link leads is down as far as anybody knows, and cannot cast a better vote. */
  #allAgree(own: Ballot): boolean {
    const { self, quorum } = this.#parts.membership
    return quorum.voters.every(
      (sid) =>
        sid === self.sid ||
        quorum.weightOf(sid) === 0 ||
        agrees(this.#received.get(sid), own) ||
        this.#post.reachOf(sid) === 'down',
    )
  }

  #decide(vote: Vote, how: string): void {
    const { membership, logger } = this.#parts
    const { self } = membership
    this.#proposal = vote
    this.#decideAt = Number.POSITIVE_INFINITY
    if (vote.leader === self.sid) this.#state = 'leading'
    else this.#state = self.role === 'participant' ? 'following' : 'observing'
    logger.info('leader elected', { round: this.#round, ...fieldsOf(vote), how })
    for (const sid of this.#askers) this.#answer(sid)
    this.#askers.clear()
    this.#onElected(vote.leader)
  }
}

const isLeading = (ballot: Ballot | undefined): boolean => ballot?.state === 'leading'

function fieldsOf(vote: Vote | undefined): Readonly<Record<string, string | number>> {
  if (vote === undefined) return {}
  return { leader: vote.leader, zxid: formatZxid(vote.zxid), peerEpoch: vote.peerEpoch }
}
