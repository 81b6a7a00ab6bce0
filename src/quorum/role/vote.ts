import type { Zxid } from '../../data/zxid.ts'
import type { PeerState } from './peer-state.ts'

/** Who should lead, and the two numbers that make it so (spec 03 §2). */
export interface Vote {
  /** Sid of the proposed leader. */
  readonly leader: number
  /** Its last logged zxid, as it was when the election began. */
  readonly zxid: Zxid
  /** Its currentEpoch; of an established leader, the epoch that it leads. */
  readonly peerEpoch: number
}

/** A vote as it was cast: in which round, and by somebody in what state. */
export interface Ballot {
  readonly vote: Vote
  /** The caster's count of elections: votes of different rounds say nothing about each other. */
  readonly round: number
  readonly state: PeerState
  /** Of the notification's format: 0 up to 3.4, which leaves peerEpoch as it was in the election. */
  readonly version: number
}

/**
 * The later epoch wins, then the longer history, then the higher sid. So whoever wins a quorum has
 * all that any quorum has acked. Any vote is better than none, which is what observers begin with.
 */
export function isBetterVote(vote: Vote, than: Vote | undefined): boolean {
  if (than === undefined) return true
  if (vote.peerEpoch !== than.peerEpoch) return vote.peerEpoch > than.peerEpoch
  if (vote.zxid !== than.zxid) return vote.zxid > than.zxid
  return vote.leader > than.leader
}

/**
 * Whether two ballots are for the same thing. In an election every field counts. Among those who
 * have a leader only leader and epoch do: zxid and round are of the election that each of them
 * remembers (ZOOKEEPER-1805), and where formats are mixed the epochs are, too (ZOOKEEPER-1732).
 */
export function agrees(a: Ballot | undefined, b: Ballot): boolean {
  if (a === undefined || a.vote.leader !== b.vote.leader) return false
  const epochsAgree = a.vote.peerEpoch === b.vote.peerEpoch
  if (a.state === 'looking' || b.state === 'looking')
    return epochsAgree && a.vote.zxid === b.vote.zxid && a.round === b.round
  return epochsAgree || a.version > 0 !== b.version > 0
}
