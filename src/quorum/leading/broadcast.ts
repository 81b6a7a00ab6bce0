import { SizeStats } from '../../base/sizes.ts'
import type { LinkId } from '../ports/links.ts'
import type { Entry } from '../ports/replica.ts'
import type { RoleParts } from '../role/role.ts'
import { encodePacket, PacketType } from '../wire/packets.ts'
import { Confirmation } from './confirmation.ts'
import type { Leadership } from './leadership.ts'
import type { LearnerHandler } from './learner-handler.ts'
import type { LearnerSet } from './learner-set.ts'

/**
 * What a leader that serves says to its learners: proposals and commits, PINGs, and what is for one
 * of them alone; each link has everything in the order in which it was said (spec 04 §6).
 */
export class Broadcast {
  readonly sizes: SizeStats = new SizeStats()
  readonly #parts: RoleParts
  readonly #leadership: Leadership
  readonly #learners: LearnerSet
  readonly #confirmation: Confirmation

  constructor(parts: RoleParts, leadership: Leadership, learners: LearnerSet) {
    this.#parts = parts
    this.#leadership = leadership
    this.#learners = learners
    this.#confirmation = new Confirmation(parts.membership)
  }

  propose(entry: Entry): void {
    this.#leadership.onProposed(entry.zxid)
    this.sizes.add(entry.bytes.length)
    this.#parts.metrics.proposalCount.add(1)
    this.#learners.forwarding.propose(entry)
  }

  commit(entry: Entry): void {
    this.#leadership.onCommitted(entry.zxid)
    this.#parts.metrics.commitCount.add(1)
    this.#learners.forwarding.commit(entry)
  }

  sendSync(link: LinkId): void {
    const learner = this.#learners.get(link)
    if (learner === undefined) return
    learner.clients.onSyncAnswered()
    this.sendAlone(learner, encodePacket(PacketType.sync, 0))
  }

  /** Behind everything that all learners have been sent. */
  sendAlone(learner: LearnerHandler, bytes: Buffer): void {
    this.#learners.forwarding.cut()
    if (learner.state !== 'closed') this.#parts.links.send(learner.link, bytes)
  }

  /** At the end of a turn: what was gathered in it leaves. */
  flush(): void {
    this.#sendRound()
    this.#learners.forwarding.cut()
  }

  // ---- PINGs

  /** Every half tick. */
  sendPings(): void {
    const ping = this.#cutForPing()
    const { owed } = this.#confirmation
    for (const learner of this.#learners.inState('serving'))
      if (owed === undefined) learner.sendPing(ping)
      else learner.sendRoundPing(ping, owed)
  }

  confirm(): number {
    return this.#confirmation.want()
  }

  onPingAnswered(learner: LearnerHandler): void {
    const owed = learner.pings.takeOwedRound()
    if (owed !== undefined) learner.sendRoundPing(this.#cutForPing(), owed)
    this.#tryConfirm(learner.pings.confirmedRound)
  }

  #sendRound(): void {
    const round = this.#confirmation.begin()
    if (round === undefined) return
    const ping = this.#cutForPing()
    for (const learner of this.#learners.forwarding.followers)
      if (learner.state === 'serving') learner.sendRoundPing(ping, round)
    this.#tryConfirm(round)
  }

  #cutForPing(): Buffer {
    this.#learners.forwarding.cut()
    return encodePacket(PacketType.ping, this.#leadership.lastProposedZxid)
  }

  #tryConfirm(round: number): void {
    const confirmed = this.#confirmation.confirm(round, this.#learners.forwarding.followers)
    if (confirmed !== undefined) this.#parts.replica.onConfirmed(confirmed)
  }
}
