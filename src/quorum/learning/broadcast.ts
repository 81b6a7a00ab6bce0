import { JuteReader } from 'jute-ts'
import { assert } from '../../base/assert.ts'
import { type QuorumPacket, readRevalidateResponse } from '../../data/records.ts'
import { makeZxid } from '../../data/zxid.ts'
import type { RoleParts } from '../role/role.ts'
import { isKnownPacket, PacketType } from '../wire/packets.ts'
import type { LeaderLink } from './leader-link.ts'
import type { LearnerHistory } from './learner-history.ts'
import type { Progress } from './progress.ts'

/** A string says what of the leader's makes no sense; the role ends with it. */
type Problem = string | undefined

const SUGGESTED_LEADER_BYTES = 8

/** What a leader tells a learner that serves: the history as it grows, and answers (spec 04 §6). */
export class Broadcast {
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

  /** UPTODATE: from now on this member serves. */
  start(): void {
    const { replica, logger, standing, metrics, epochs } = this.#parts
    const { epoch, mono, syncSinceMono } = this.#progress
    assert(epochs.current === epoch, 'a learner serves in the epoch that it has entered')
    this.#progress.waitFor('broadcast')
    const { channel } = this.#link
    if (channel === undefined) return
    if (this.#role === 'following') metrics.followerSyncTime.add(mono - syncSinceMono)
    else metrics.observerSyncTime.add(mono - syncSinceMono)
    standing.stayingOut = undefined
    channel.sendAcks([makeZxid(epoch, 0)])
    logger.info(this.#role, { leader: this.#leaderSid, epoch })
    replica.startLearning(this.#role, epoch, channel)
  }

  onPacket(packet: QuorumPacket): Problem {
    const { replica, logger } = this.#parts
    switch (packet.type) {
      case PacketType.ping:
        this.#link.channel?.sendPing(packet.zxid, replica.takeTouched(), packet.authinfo)
        return undefined
      case PacketType.sync:
        replica.onSynced()
        return undefined
      case PacketType.revalidate:
        return this.#onRevalidated(packet)
      case PacketType.upToDate:
        logger.warn('UPTODATE has come again', { leader: this.#leaderSid })
        return undefined
      default:
        if (isKnownPacket(packet.type)) return this.onHistory(packet)
        // As in the original: a newer leader may have more to say.
        logger.warn('a packet of the leader is not known', { type: packet.type })
        return undefined
    }
  }

  #onRevalidated(packet: QuorumPacket): Problem {
    const reader = new JuteReader(packet.data ?? undefined)
    const { sessionId, valid } = readRevalidateResponse(reader)
    if (!reader.ok) return 'REVALIDATE is cut short'
    this.#parts.replica.onRevalidated(sessionId, valid)
    return undefined
  }

  /** Proposed and committed; while a learner synchronises, too. */
  onHistory(packet: QuorumPacket): Problem {
    const { type, zxid, data } = packet
    switch (type) {
      case PacketType.proposal:
        return this.#history.onProposal(zxid, data)
      case PacketType.commit:
      case PacketType.commitAndActivate:
        return this.#history.onCommit(zxid)
      case PacketType.inform:
      case PacketType.informAndActivate: {
        if (this.#role !== 'observing') return this.#progress.outOfPlace(packet)
        const at = type === PacketType.inform ? 0 : SUGGESTED_LEADER_BYTES
        return this.#history.onInform(zxid, data?.subarray(at) ?? null)
      }
      default:
        return this.#progress.outOfPlace(packet)
    }
  }
}
