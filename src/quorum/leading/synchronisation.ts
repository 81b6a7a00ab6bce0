import type { RoleParts } from '../role/role.ts'
import { PacketType, packetBytes, putPacket } from '../wire/packets.ts'
import type { EpochAgreement } from './epoch-agreement.ts'
import type { LearnerHandler } from './learner-handler.ts'
import type { LearnerSet } from './learner-set.ts'

/** How learners come to share a leader's history, and from then on what it broadcasts (spec 04 §4). */
export class Synchronisation {
  readonly #parts: RoleParts
  readonly #learners: LearnerSet
  readonly #agreement: EpochAgreement

  constructor(parts: RoleParts, learners: LearnerSet, agreement: EpochAgreement) {
    this.#parts = parts
    this.#learners = learners
    this.#agreement = agreement
  }

  /**
   * False: too many learners synchronise in that way already (maxConcurrentSnapSyncs). Participants are
   * let in whatever the number, as in the original: without them nothing commits.
   */
  admits(learner: LearnerHandler, kind: 'snap' | 'diff'): boolean {
    const { concurrentSnapSyncsMax, concurrentDiffSyncsMax } = this.#parts.settings
    const max = kind === 'snap' ? concurrentSnapSyncsMax : concurrentDiffSyncsMax
    let syncs = 0
    for (const other of this.#learners.all()) if (other.syncKind === kind) syncs += 1
    if (learner.role === 'observer' && syncs >= max) return false
    this.#supersede(learner)
    this.#count(kind, syncs + 1)
    return true
  }

  #count(kind: 'snap' | 'diff', syncs: number): void {
    const { metrics } = this.#parts
    if (kind === 'snap') {
      metrics.snapCount.add(1)
      metrics.inflightSnapCount.add(syncs)
    } else {
      metrics.diffCount.add(1)
      metrics.inflightDiffCount.add(syncs)
    }
  }

  /**
   * The member has only this connection now. What its old one may still bring must not count: acks of
   * what it is about to cut off, for one.
   */
  #supersede(learner: LearnerHandler): void {
    if (!this.#parts.membership.has(learner.sid)) return
    for (const other of this.#learners.all())
      if (other !== learner && other.sid === learner.sid && other.state !== 'info')
        this.#learners.drop(other, 'the learner has come back on another connection')
  }

  /** It lacks nothing that the others have but what is outstanding. */
  onCaughtUp(learner: LearnerHandler): void {
    const { replica, links } = this.#parts
    const { forwarding } = this.#learners
    forwarding.cut()
    if (this.#agreement.phase === 'agreed' && learner.role === 'participant') {
      const above = learner.syncCursor
      for (const entry of replica.outstanding()) {
        if (entry.zxid <= above) continue
        const bytes = Buffer.allocUnsafe(packetBytes(entry.bytes))
        putPacket(bytes, 0, PacketType.proposal, entry.zxid, entry.bytes)
        links.send(learner.link, bytes)
      }
    }
    learner.sendNewLeader()
    forwarding.add(learner)
  }

  onNewLeaderAcked(learner: LearnerHandler): void {
    if (this.#agreement.phase === 'agreed') {
      learner.sendUpToDate()
      return
    }
    const voter = this.#learners.voterOf(learner)
    if (voter !== undefined) this.#agreement.onNewLeaderAcked(voter)
  }
}
