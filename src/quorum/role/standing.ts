import { epochOf } from '../../data/zxid.ts'
import type { Vote } from './vote.ts'

/** A member whose history is beyond the epoch of a leader that serves: theirs have no common end. */
export interface StayingOut {
  readonly leader: number
  readonly leaderEpoch: number
  readonly currentEpoch: number
  readonly lastZxid: number
}

/** What the votes of a member say of its history: nothing above an epoch, something above it, or neither. */
type HeardHistory = 'within' | 'beyond' | 'unknown'

interface Heard {
  /** The newest vote for itself, which has its own epoch and zxid. */
  own: Vote | undefined
  /** The newest vote, if it is for somebody else: the voter has nothing better than that. */
  other: Vote | undefined
}

/**
 * What is known of histories beyond ours, over all roles of this process: what the others have voted
 * with, and whether we stay out ourselves. FOLLOWERINFO tells only what a member has promised, and
 * what it has comes with ACKEPOCH, which is too late to ask once leadership was given up for it. But
 * whoever comes to follow has voted just before.
 */
export class Standing {
  /** We stay out, and why; undefined as long as nothing speaks against us. */
  stayingOut: StayingOut | undefined = undefined
  /** By sid of the voter; no more than there have been voters. */
  readonly #heard = new Map<number, Heard>()
  #madeRoomMono = Number.NEGATIVE_INFINITY

  /** A voter looks for a leader, and has voted. */
  onVote(sid: number, vote: Vote): void {
    const heard = this.#heard.get(sid)
    if (vote.leader === sid) this.#heard.set(sid, { own: vote, other: undefined })
    else this.#heard.set(sid, { own: heard?.own, other: vote })
  }

  historyOf(sid: number, epoch: number): HeardHistory {
    const heard = this.#heard.get(sid)
    const newest = heard?.other ?? heard?.own
    if (newest === undefined) return 'unknown'
    if (!isBeyond(epoch, newest.peerEpoch, newest.zxid)) return 'within'
    const { own } = heard ?? {}
    const isOwn = own !== undefined && isBeyond(epoch, own.peerEpoch, own.zxid)
    return isOwn ? 'beyond' : 'unknown'
  }

  /** The epoch and zxid that it has voted with, for itself. */
  ownVoteOf(sid: number): Vote | undefined {
    return this.#heard.get(sid)?.own
  }

  /** Whether a leader may end for the promise of another, which it may once in so many milliseconds. */
  mayMakeRoom(nowMono: number, pauseMs: number): boolean {
    return nowMono - this.#madeRoomMono >= pauseMs
  }

  onRoomMade(nowMono: number): void {
    this.#madeRoomMono = nowMono
  }
}

/** Whether a history with that end is not from before `epoch`, nor of it. */
export const isBeyond = (epoch: number, currentEpoch: number, lastZxid: number): boolean =>
  currentEpoch > epoch || epochOf(lastZxid) > epoch
