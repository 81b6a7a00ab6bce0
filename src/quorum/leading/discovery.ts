import { acceptEpoch } from '../role/epochs.ts'
import type { RoleParts } from '../role/role.ts'
import type { EpochAgreement } from './epoch-agreement.ts'
import type { Leadership } from './leadership.ts'
import { LearnerGate } from './learner-gate.ts'
import type { LearnerHandler } from './learner-handler.ts'
import type { LearnerSet } from './learner-set.ts'

/**
 * What learners say of themselves before they are synchronised, and what a leader makes of it: they
 * count for its epoch, are told of it, or are disconnected; or the leader itself ends (spec 04 §3).
 */
export class Discovery {
  readonly #parts: RoleParts
  readonly #leadership: Leadership
  readonly #learners: LearnerSet
  readonly #agreement: EpochAgreement
  readonly #onEnd: (reason: string) => void
  readonly #gate: LearnerGate
  #namelessSid = 0

  /** `onEnd` is called with why there can be no leadership, or none any more. */
  constructor(
    parts: RoleParts,
    leadership: Leadership,
    learners: LearnerSet,
    agreement: EpochAgreement,
    onEnd: (reason: string) => void,
  ) {
    this.#parts = parts
    this.#leadership = leadership
    this.#learners = learners
    this.#agreement = agreement
    this.#onEnd = onEnd
    this.#gate = new LearnerGate(parts)
  }

  /** Sids of members that must stay out, because what they have is beyond the epoch that we lead. */
  outsiders(): readonly number[] {
    return this.#gate.outsiders(this.#leadership.mono)
  }

  /** Sid for a learner that has told none: below 0, a new one each time. */
  takeNamelessSid(): number {
    this.#namelessSid -= 1
    return this.#namelessSid
  }

  /** It has said who it is: FOLLOWERINFO or OBSERVERINFO. */
  onReported(learner: LearnerHandler): void {
    const { sid, role, acceptedEpoch } = learner
    this.#parts.logger.info('a learner joins', { sid, role, acceptedEpoch })
    const refusal = this.#gate.refusalOf(learner)
    if (refusal !== undefined) return this.#learners.drop(learner, refusal)
    const agreement = this.#agreement
    const wasOpen = agreement.phase === 'discovery' || agreement.phase === 'epoch'
    if (wasOpen && this.#gate.heeds(sid))
      return agreement.onReported(acceptedEpoch, this.#learners.voterOf(learner))
    if (wasOpen) return
    const isServing = agreement.phase === 'agreed'
    if (isServing && acceptedEpoch > this.#leadership.epoch) this.#makeRoom(learner)
    learner.sendLeaderInfo()
  }

  /**
   * It has promised never to follow an earlier epoch, and will keep that: in the original such a member
   * stays out for as long as the leader stays. The next epoch takes it in. We make the promise our own,
   * because others may lead next: with each of them that has made it fewer quorums are without it.
   */
  #makeRoom(learner: LearnerHandler): void {
    const { sid, acceptedEpoch } = learner
    const voter = this.#learners.voterOf(learner)
    if (voter === undefined) return
    // Who follows has promised no more than our epoch; so this one is somebody else, or an old link
    // of its is not known to be broken yet, and it will ask again.
    if (this.#learners.inState('serving').some((other) => other.sid === sid)) return
    const { epoch, mono } = this.#leadership
    if (!this.#gate.makesRoom(voter, epoch, mono)) return
    acceptEpoch(this.#parts, acceptedEpoch)
    this.#onEnd(`member ${sid} has accepted epoch ${acceptedEpoch}`)
  }

  /** ACKEPOCH: its end of the history is known. */
  onEpochAcked(learner: LearnerHandler, currentEpoch: number): void {
    const agreement = this.#agreement
    const { epoch, mono } = this.#leadership
    if (agreement.phase !== 'election') {
      if (this.#gate.isOutside(learner, currentEpoch, epoch, mono))
        return this.#learners.drop(learner, 'its history is beyond our epoch')
      learner.startSync()
      return
    }
    // -1: it had accepted the epoch before, and says nothing of what it has.
    if (currentEpoch === -1) return
    const voter = this.#learners.voterOf(learner)
    const isAhead = agreement.isAhead(currentEpoch, learner.peerZxid)
    if (voter === undefined) {
      // What is on a quorum is with us, else we had not been elected. So what others have does not
      // count, and must not stop the ensemble.
      if (isAhead) this.#learners.drop(learner, 'ahead of the leader')
    } else if (isAhead) this.#onEnd(`member ${voter} is ahead of us`)
    else agreement.onEpochAcked(voter)
  }
}
