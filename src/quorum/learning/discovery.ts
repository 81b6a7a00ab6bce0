import { assert } from '../../base/assert.ts'
import type { QuorumPacket } from '../../data/records.ts'
import { epochOf, formatZxid } from '../../data/zxid.ts'
import { BEYOND_ADVICE } from '../leading/learner-gate.ts'
import { acceptEpoch } from '../role/epochs.ts'
import type { RoleParts } from '../role/role.ts'
import { isBeyond } from '../role/standing.ts'
import { NO_ZXID, PacketType } from '../wire/packets.ts'
import type { LeaderLink } from './leader-link.ts'
import type { LearnerHistory } from './learner-history.ts'
import type { Progress } from './progress.ts'

/** A string says what of the leader's makes no sense; the role ends with it. */
type Problem = string | undefined

/** Instead of our current epoch: this one was accepted before, and must not be counted twice. */
const ACCEPTED_BEFORE = -1

/** What leader and learner tell each other first: who they are, which epoch, and what we have of it. */
export class Discovery {
  readonly #parts: RoleParts
  readonly #leaderSid: number
  readonly #role: 'following' | 'observing'
  readonly #progress: Progress
  readonly #link: LeaderLink
  readonly #history: LearnerHistory

  constructor(
    parts: RoleParts,
    leaderSid: number,
    role: 'following' | 'observing',
    progress: Progress,
    link: LeaderLink,
    history: LearnerHistory,
  ) {
    this.#parts = parts
    this.#leaderSid = leaderSid
    this.#role = role
    this.#progress = progress
    this.#link = link
    this.#history = history
  }

  /** The connection is open. */
  join(): void {
    this.#progress.waitFor('LEADERINFO')
    const { membership, epochs } = this.#parts
    const { self, current } = membership
    this.#link.channel?.sendInfo(this.#role, self.sid, epochs.accepted, current.version)
  }

  /** LEADERINFO; NEWLEADER from one that knows of no LEADERINFO. */
  onFirst(packet: QuorumPacket): Problem {
    const { replica, epochs } = this.#parts
    const progress = this.#progress
    progress.isOldLeader = packet.type === PacketType.newLeader
    if (packet.type !== PacketType.leaderInfo && !progress.isOldLeader)
      return progress.outOfPlace(packet)
    const epoch = epochOf(packet.zxid)
    if (packet.zxid >= 0 && isBeyond(epoch, epochs.current, this.#history.endZxid))
      return this.#stayOut(epoch)
    if (epoch < epochs.accepted)
      return `epoch ${epoch} of the leader is below the accepted epoch ${epochs.accepted}`
    progress.epoch = epoch
    if (epoch === epochs.accepted) {
      this.#sendAckEpoch(ACCEPTED_BEFORE)
      return undefined
    }
    progress.waitFor('acceptedEpoch')
    acceptEpoch(this.#parts, epoch)
    if (progress.isOldLeader) {
      progress.waitFor('sync mode')
      return undefined
    }
    replica.whenDurable(() => {
      if (progress.step === 'acceptedEpoch') this.#sendAckEpoch(epochs.current)
    })
    return undefined
  }

  /** What we have is of an epoch that this leader has never seen, and is not for it to overwrite. */
  #stayOut(leaderEpoch: number): string {
    const { standing, epochs, logger } = this.#parts
    const leader = this.#leaderSid
    const before = standing.stayingOut
    const isKnown = before?.leader === leader && before.leaderEpoch === leaderEpoch
    const { current: currentEpoch } = epochs
    const lastZxid = this.#history.endZxid
    standing.stayingOut = { leader, leaderEpoch, currentEpoch, lastZxid }
    if (!isKnown)
      logger.error('we stay out: our history is beyond the epoch of the leader', {
        leader,
        leaderEpoch,
        currentEpoch,
        lastZxid: formatZxid(lastZxid),
        advice: BEYOND_ADVICE,
      })
    return `our history is beyond epoch ${leaderEpoch} of the leader`
  }

  /**
   * A leader counts on those who tell it their epoch and zxid: that none of them has more than itself
   * is why it may lead. Who needs a SNAP tells neither, and so is not counted on: it would have to
   * say less than it has acked.
   */
  #sendAckEpoch(currentEpoch: number): void {
    this.#progress.waitFor('sync mode')
    if (this.#progress.isOldLeader) return
    const { channel } = this.#link
    const { accepted } = this.#parts.epochs
    assert(accepted === this.#progress.epoch, 'ACKEPOCH is for the epoch that was accepted')
    if (this.#progress.needsSnapshot) channel?.sendAckEpoch(NO_ZXID, ACCEPTED_BEFORE)
    else channel?.sendAckEpoch(this.#history.endZxid, currentEpoch)
  }
}
