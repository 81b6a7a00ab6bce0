import type { QuorumPacket } from '../../data/records.ts'
import { formatZxid, makeZxid } from '../../data/zxid.ts'
import { enterEpoch } from '../role/epochs.ts'
import type { RoleParts } from '../role/role.ts'
import { PacketType, packetName } from '../wire/packets.ts'
import type { Broadcast } from './broadcast.ts'
import type { LeaderLink } from './leader-link.ts'
import type { LearnerHistory } from './learner-history.ts'
import type { Progress } from './progress.ts'
import type { StoreBackOff } from './store-back-off.ts'

/** A string says what of the leader's makes no sense; the role ends with it. */
type Problem = string | undefined

/** What a synchronisation works with, and what follows it. */
interface SyncHost {
  readonly parts: RoleParts
  readonly leaderSid: number
  readonly progress: Progress
  readonly link: LeaderLink
  readonly history: LearnerHistory
  readonly backOff: StoreBackOff
  readonly broadcast: Broadcast
}

/** Takes over the history of a leader, until all of it is on our disk and UPTODATE has come. */
export class Synchronisation {
  readonly #host: SyncHost
  readonly #onEnd: (reason: string) => void
  #isSnapshot = false

  constructor(host: SyncHost, onEnd: (reason: string) => void) {
    this.#host = host
    this.#onEnd = onEnd
  }

  onSyncMode(packet: QuorumPacket): Problem {
    const { parts, leaderSid, progress, link, history } = this.#host
    const { replica, logger } = parts
    const { type, zxid } = packet
    const isSnapshot = type === PacketType.snap
    if (!isSnapshot && type !== PacketType.diff && type !== PacketType.trunc)
      return progress.outOfPlace(packet)
    if (zxid < 0) return `${packetName(type)} of a negative zxid`
    logger.info('synchronising with the leader', {
      leader: leaderSid,
      mode: packetName(type),
      zxid: formatZxid(zxid),
      lastZxid: formatZxid(history.endZxid),
    })
    if (!isSnapshot && progress.needsSnapshot) return 'a SNAP was asked for'
    if (type === PacketType.trunc) return this.#truncate(zxid)
    this.#isSnapshot = isSnapshot
    history.begin(isSnapshot ? zxid : history.endZxid, isSnapshot)
    if (isSnapshot) link.stream?.takeSnapshot(replica.receiveSnapshot(zxid))
    else progress.waitFor('NEWLEADER')
    return undefined
  }

  /** The stream of the SNAP has ended. */
  onSnapshot(): void {
    this.#host.progress.waitFor('NEWLEADER')
  }

  // ---- TRUNC

  #truncate(zxid: number): Problem {
    const { parts, progress, link, history } = this.#host
    const { replica } = parts
    if (zxid > replica.lastLoggedZxid) {
      this.#askForSnapshot(zxid, 'that is beyond the end of the log')
      return undefined
    }
    link.stream?.hold()
    replica.truncate(zxid, (problem) => {
      if (progress.step !== 'sync mode') return
      if (problem !== undefined) {
        this.#askForSnapshot(zxid, problem)
        return
      }
      history.begin(zxid, false)
      progress.waitFor('NEWLEADER')
      link.stream?.release()
    })
    return undefined
  }

  /**
   * On another connection to the same leader, since this one can bring nothing else. It was told
   * before what we really have, so it may count us among those that elected it; whoever leads next
   * must hear it again. So this is forgotten with the role, and not told before.
   */
  #askForSnapshot(zxid: number, problem: string): void {
    const { parts, leaderSid, progress, link } = this.#host
    parts.logger.warn('the log cannot be cut, asking for a SNAP', {
      leader: leaderSid,
      zxid: formatZxid(zxid),
      problem,
    })
    progress.needsSnapshot = true
    progress.waitFor('connection')
    link.reconnect(progress.mono)
  }

  // ---- up to UPTODATE

  onPacket(packet: QuorumPacket): Problem {
    const { progress, broadcast } = this.#host
    switch (packet.type) {
      case PacketType.newLeader:
        return this.#onNewLeader(packet)
      case PacketType.upToDate:
        if (progress.step === 'NEWLEADER' && progress.isOldLeader) this.#makeDurable()
        else if (progress.step === 'UPTODATE') broadcast.start()
        else return progress.outOfPlace(packet)
        return undefined
      case PacketType.ping:
        // To be answered once we are synchronised: the leader takes nothing but an ACK before.
        return undefined
      default:
        return broadcast.onHistory(packet)
    }
  }

  #onNewLeader(packet: QuorumPacket): Problem {
    const { progress } = this.#host
    if (progress.step !== 'NEWLEADER' || progress.isOldLeader) return progress.outOfPlace(packet)
    if (packet.zxid !== makeZxid(progress.epoch, 0))
      return `NEWLEADER of ${formatZxid(packet.zxid)} in epoch ${progress.epoch}`
    this.#makeDurable()
    return undefined
  }

  /** All that came before NEWLEADER; the lane of the disk keeps the order (ZOOKEEPER-4643). */
  #makeDurable(): void {
    const { parts, progress, link, history, backOff } = this.#host
    progress.waitFor('currentEpoch')
    if (!this.#isSnapshot) {
      this.#acceptLeader()
      return
    }
    link.stream?.hold()
    parts.replica.installSnapshot((problem) => {
      if (progress.step !== 'currentEpoch') return
      if (problem !== undefined) {
        backOff.onFailed(progress.mono)
        this.#onEnd(`the snapshot cannot be written: ${problem}`)
        return
      }
      backOff.onStored()
      history.onSnapshotInstalled()
      this.#acceptLeader()
      link.stream?.release()
    })
  }

  #acceptLeader(): void {
    const { parts, progress, link, history, broadcast } = this.#host
    enterEpoch(parts, progress.epoch)
    const uncommitted = history.startAcking()
    parts.replica.whenDurable(() => {
      if (progress.step !== 'currentEpoch') return
      progress.waitFor('UPTODATE')
      if (progress.isOldLeader) broadcast.start()
      else link.channel?.sendAcks([makeZxid(progress.epoch, 0)])
      if (uncommitted.length > 0) link.channel?.sendAcks(uncommitted)
    })
  }
}
