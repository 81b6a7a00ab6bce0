import { assert } from '../../base/assert.ts'
import { PACKET_BYTES_MAX } from '../wire/packets.ts'

/** What the leader holds for its learners at most. They are arguments: tests use tiny ones. */
export interface LeaderBounds {
  /** Connections of learners; one more is closed. */
  readonly learnersMax: number
  /** Of those, connections that have not said who they are; the oldest gives way. */
  readonly strangersMax: number
  /** The largest packet that is taken from one of those: FOLLOWERINFO has some sixty bytes. */
  readonly strangerPacketBytesMax: number
  /** The largest packet that is taken from a learner, in bytes. */
  readonly packetBytesMax: number
  /**
   * Bytes that wait for one learner, beside what is outstanding, above which it is cut off, so that it
   * synchronises anew. More than all members admit at a time (requestBytesOutstandingMax), so that it
   * is not the one that was a moment slower than the quorum; one that has stopped reading is noticed
   * by time.
   */
  readonly learnerBytesMax: number
  /** Bytes that wait for a learner up to which a synchronisation goes on sending. */
  readonly syncBytesWaitingMax: number
  /** Bytes of a synchronisation that are made in one go, so that others are served in between. */
  readonly syncBytesPerTurn: number
  /** PINGs that one learner has not answered yet above which it is sent no more. */
  readonly pingsInFlightMax: number
}

export const defaultLeaderBounds: LeaderBounds = {
  learnersMax: 4096,
  strangersMax: 256,
  strangerPacketBytesMax: 4096,
  packetBytesMax: PACKET_BYTES_MAX,
  learnerBytesMax: 256 * 1024 * 1024,
  syncBytesWaitingMax: 1024 * 1024,
  syncBytesPerTurn: 256 * 1024,
  pingsInFlightMax: 64,
}

export function checkLeaderBounds(bounds: LeaderBounds): void {
  assert(bounds.learnersMax > 0, 'a leader without learners')
  assert(bounds.strangersMax > 0, 'every learner begins as a stranger')
  assert(bounds.syncBytesPerTurn > 0, 'a synchronisation must get on')
  assert(bounds.pingsInFlightMax > 1, 'a ping a tick, and one that confirms')
  assert(
    bounds.learnerBytesMax > bounds.syncBytesWaitingMax,
    'a learner that synchronises must not be cut for what it is sent',
  )
}
