import { EPOCH_MAX, formatZxid } from '../../data/zxid.ts'
import type { RoleParts } from '../role/role.ts'
import { isBeyond } from '../role/standing.ts'
import type { LearnerHandler } from './learner-handler.ts'

/**
 * A promise may use up no more than that part of the epochs that are left: who claims more than any
 * number of elections can have brought must not use them up for everybody, once or again and again.
 */
const EPOCH_JUMP_SHARE = 256
/**
 * Between two leaderships given up for a promise, in initLimits. Else somebody who asks often
 * enough would keep every leader from serving.
 */
const ROOM_PAUSE_LIMITS = 2
export const BEYOND_ADVICE =
  'two histories: see "A member stays out" in docs/operations.md before anything is removed'

/** Members that stay out, by sid, with when they were last seen. */
type Outsiders = Map<number, { readonly what: string; seenMono: number }>

/**
 * Who is let in by a leader, and for whom it gives up its leadership. It makes room for a promise,
 * which nobody can take back: the next epoch is above it. It never does for a history beyond its
 * epoch. A member that has one is from before the data of a quorum were lost or replaced; to follow
 * it would undo what was acknowledged since.
 */
export class LearnerGate {
  readonly #parts: RoleParts
  /** No more than there have been voters while we lead. */
  readonly #outsiders: Outsiders = new Map()

  constructor(parts: RoleParts) {
    this.#parts = parts
  }

  /** Why one that has said who it is must go at once. */
  refusalOf({ sid, role, acceptedEpoch }: LearnerHandler): string | undefined {
    const isMember = this.#parts.membership.has(sid)
    // Observers decide nothing, and may come and go without our configuration, as in the original.
    if (role === 'participant' && !isMember) return 'it is not in the configuration'
    const { accepted } = this.#parts.epochs
    const jumpMax = Math.max(1, Math.floor((EPOCH_MAX - accepted) / EPOCH_JUMP_SHARE))
    if (!isMember || acceptedEpoch - accepted <= jumpMax) return undefined
    this.#parts.logger.error('a member claims an epoch that no elections can have led to', {
      sid,
      acceptedEpoch,
      ours: accepted,
      epochsAheadMax: jumpMax,
    })
    return 'its accepted epoch is implausible'
  }

  /** Whether a promise counts for the next epoch. */
  heeds(sid: number): boolean {
    return this.#parts.membership.has(sid)
  }

  /** A voter has promised more than the epoch that we lead: is the leader to end for it? */
  makesRoom(sid: number, epoch: number, nowMono: number): boolean {
    const { standing, settings } = this.#parts
    const history = standing.historyOf(sid, epoch)
    if (history === 'beyond') {
      const vote = standing.ownVoteOf(sid)
      this.#keepOut(sid, vote?.peerEpoch ?? 0, vote?.zxid ?? 0, epoch, nowMono)
    }
    // Unknown: LEADERINFO sends it back to an election, in which it votes.
    if (history !== 'within') return false
    const pauseMs = ROOM_PAUSE_LIMITS * settings.initLimitMs
    // An election now could be won by the one that has to stay out.
    const isAnotherOut = this.outsiders(nowMono).length > 0
    if (isAnotherOut || !standing.mayMakeRoom(nowMono, pauseMs)) {
      this.#parts.logger.warn('no room is made for a promise now', { sid, isAnotherOut })
      return false
    }
    standing.onRoomMade(nowMono)
    return true
  }

  /** Whether what ACKEPOCH says is beyond the epoch that was agreed on without this learner. */
  isOutside(
    learner: LearnerHandler,
    currentEpoch: number,
    epoch: number,
    nowMono: number,
  ): boolean {
    if (!isBeyond(epoch, currentEpoch, learner.peerZxid)) return false
    this.#keepOut(learner.sid, currentEpoch, learner.peerZxid, epoch, nowMono)
    return true
  }

  #keepOut(sid: number, theirEpoch: number, zxid: number, epoch: number, nowMono: number): void {
    if (!this.#parts.membership.isVoter(sid)) return
    const what = `${theirEpoch} ${zxid}`
    const isKnown = this.#outsiders.get(sid)?.what === what
    this.#outsiders.set(sid, { what, seenMono: nowMono })
    if (isKnown) return
    this.#parts.logger.error('a member stays out: its history is beyond our epoch', {
      sid,
      epoch,
      itsEpoch: theirEpoch,
      itsZxid: formatZxid(zxid),
      advice: BEYOND_ADVICE,
    })
  }

  /** Sids of members that stay out, and that were here not long ago. */
  outsiders(nowMono: number): readonly number[] {
    const { membership, settings } = this.#parts
    const recentMs = ROOM_PAUSE_LIMITS * settings.initLimitMs
    const sids: number[] = []
    for (const [sid, { seenMono }] of this.#outsiders)
      if (nowMono - seenMono <= recentMs && membership.isVoter(sid)) sids.push(sid)
    return sids
  }
}
