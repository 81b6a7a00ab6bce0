import type { QuorumPacket } from '../../data/records.ts'
import { EPOCH_MAX, epochOf } from '../../data/zxid.ts'
import { parseLearnerInfo } from '../wire/learner-info.ts'
import { PacketType, packetName } from '../wire/packets.ts'

/** What a learner says of itself first. */
interface LearnerIdentity {
  /** Undefined: it has told none, as observers may. */
  readonly sid: number | undefined
  /** Of what it is: an observer has sent OBSERVERINFO. */
  readonly role: 'participant' | 'observer'
  readonly protocolVersion: number
  /** It may be above ours. */
  readonly acceptedEpoch: number
  /** The end of its log, if it is too old to know of ACKEPOCH. */
  readonly zxid: number
}

/** Of FOLLOWERINFO or OBSERVERINFO. A string says why it cannot be a learner of ours. */
export function identityOf(
  { type, zxid, data }: QuorumPacket,
  ownConfigVersion: number,
): LearnerIdentity | string {
  if (type !== PacketType.followerInfo && type !== PacketType.observerInfo)
    return `${packetName(type)} instead of FOLLOWERINFO`
  const info = parseLearnerInfo(data)
  if ('problem' in info) return info.problem
  if (info.configVersion > BigInt(ownConfigVersion)) return 'its configuration is newer than ours'
  // The next epoch must be one that a zxid has room for.
  if (zxid < 0 || epochOf(zxid) >= EPOCH_MAX) return 'an epoch out of range'
  return {
    sid: info.sid,
    role: type === PacketType.observerInfo ? 'observer' : 'participant',
    protocolVersion: info.protocolVersion,
    acceptedEpoch: epochOf(zxid),
    zxid,
  }
}
