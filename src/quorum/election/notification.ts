import { JuteReader, JuteWriter } from 'jute-ts'
import {
  type NotificationV0,
  readNotificationV0,
  readNotificationV1,
  readNotificationV2,
  writeNotificationV2,
} from '../../data/records.ts'
import { epochOf } from '../../data/zxid.ts'
import type { PeerState } from '../role/peer-state.ts'
import type { Vote } from '../role/vote.ts'

/** What a member says of an election, in whatever version it came (spec 03 §2). */
export interface Notification {
  readonly state: PeerState
  /** Undefined: of an observer, which has nobody to propose yet. */
  readonly vote: Vote | undefined
  readonly round: number
  /** 0: up to 3.4. 2: with a configuration. */
  readonly version: number
}

/** By the number that stands for them. */
const states: readonly PeerState[] = ['looking', 'following', 'leading', 'observing']
const V0_BYTES = 28
const V1_BYTES = 40
/** The version that we write, whatever the peer has sent: 3.4 reads the first 40 bytes of it. */
const VERSION = 2
/** In all fields of its vote, what an observer that has nobody to propose says. */
const NOBODY: bigint = -(2n ** 63n)
/** Rounds are counted by one per election; this leaves room to count on from whatever is heard. */
const ROUND_MAX = 2 ** 52

/** Own memory, which may be shared. `configText` as in Ensemble. */
export function encodeNotification(
  state: PeerState,
  vote: Vote | undefined,
  round: number,
  configText: string,
): Buffer {
  const writer = new JuteWriter()
  writeNotificationV2(writer, {
    state: states.indexOf(state),
    leader: vote === undefined ? NOBODY : BigInt(vote.leader),
    zxid: vote === undefined ? NOBODY : BigInt(vote.zxid),
    electionEpoch: BigInt(round),
    peerEpoch: vote === undefined ? NOBODY : BigInt(vote.peerEpoch),
    version: VERSION,
    config: Buffer.from(configText),
  })
  return writer.copy()
}

/** A text says why the bytes are no notification. */
export function decodeNotification(bytes: Buffer): Notification | string {
  const reader = new JuteReader(bytes)
  if (bytes.length < V0_BYTES) return 'too short'
  if (bytes.length === V0_BYTES) {
    const record = readNotificationV0(reader)
    return notificationOf(record, BigInt.asIntN(32, record.zxid >> 32n), 0)
  }
  if (bytes.length < V1_BYTES) return 'cut off'
  const record = readNotificationV1(reader)
  if (bytes.length === V1_BYTES) return notificationOf(record, record.peerEpoch, 0)
  if (record.version >= VERSION) {
    // What a later version may have behind the configuration does not concern us.
    readNotificationV2(reader.reset(bytes))
    if (!reader.ok) return 'its configuration is cut off'
  }
  return notificationOf(record, record.peerEpoch, record.version)
}

function notificationOf(
  record: NotificationV0,
  peerEpoch: bigint,
  version: number,
): Notification | string {
  const state = states[record.state]
  if (state === undefined) return 'no such state'
  const round = Number(record.electionEpoch)
  if (round < -1 || round > ROUND_MAX) return 'no such round'
  if (record.leader === NOBODY) return { state, vote: undefined, round, version }
  const vote = {
    leader: Number(record.leader),
    zxid: Number(record.zxid),
    peerEpoch: Number(peerEpoch),
  }
  // -1 is what the original has for a zxid or an epoch that it does not know.
  const isPossible =
    Number.isSafeInteger(vote.leader) &&
    Number.isSafeInteger(vote.zxid) &&
    vote.zxid >= -1 &&
    vote.peerEpoch >= -1 &&
    vote.peerEpoch <= epochOf(Number.MAX_SAFE_INTEGER)
  return isPossible ? { state, vote, round, version } : 'no such vote'
}
