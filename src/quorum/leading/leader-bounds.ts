import { assert } from '../../base/assert.ts'
import { PACKET_BYTES_MAX } from '../wire/packets.ts'

/** What the leader holds for its learners at most. They are arguments: tests use tiny ones. */
export interface LeaderBounds {
  /**
   * Connections of learners to a leader.
   * @bound connections: one more is closed
   */
  readonly learnersMax: number
  /**
   * Of those, connections that have not said who they are.
   * @bound connections: the oldest is closed
   */
  readonly strangersMax: number
  /**
   * The largest packet that is taken from one of those: FOLLOWERINFO has some sixty bytes.
   * @bound bytes: the connection is closed
   */
  readonly strangerPacketBytesMax: number
  /**
   * The largest packet that is taken from a learner.
   * @bound bytes: the connection is closed
   */
  readonly packetBytesMax: number
  /**
   * Bytes that wait for one learner, beside what is outstanding. More than all members admit at a
   * time (requestBytesOutstandingMax), so that a learner which is a moment slower than the quorum
   * stays; one that has stopped reading is noticed by time (syncLimit).
   * @bound bytes: its connection is closed, so that it synchronises anew
   */
  readonly learnerBytesMax: number
  /**
   * Bytes that wait for a learner up to which a synchronisation goes on sending.
   * @bound bytes: the synchronisation pauses
   */
  readonly syncBytesWaitingMax: number
  /**
   * Bytes of a synchronisation that are made in one go, so that others are served in between.
   * @bound bytes: the rest has the next turns
   */
  readonly syncBytesPerTurn: number
  /**
   * PINGs that one learner has not answered yet.
   * @bound packets: no further one is sent
   */
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
