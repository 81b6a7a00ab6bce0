import { assert } from '../../base/assert.ts'
import type { Links } from '../ports/links.ts'
import type { Entry } from '../ports/replica.ts'
import { TurnPackets } from '../wire/turn-packets.ts'
import type { LearnerHandler } from './learner-handler.ts'

/**
 * What all learners are told, from when they have caught up: PROPOSAL and COMMIT the followers,
 * INFORM the observers. It is gathered, and whoever tells one learner something of its own cuts what
 * was gathered first, so that each link has everything in order.
 */
export class Forwarding {
  readonly #links: Links
  readonly #learnerBytesMax: number
  readonly #onClogged: (learner: LearnerHandler) => void
  readonly #toFollowers = new TurnPackets()
  readonly #toObservers = new TurnPackets()
  /** Of entries that were proposed and are not committed. */
  #outstandingBytes = 0
  #followers: readonly LearnerHandler[] = []
  #observers: readonly LearnerHandler[] = []

  /** `onClogged` is to drop a learner for which too much waits. */
  constructor(links: Links, learnerBytesMax: number, onClogged: (learner: LearnerHandler) => void) {
    this.#links = links
    this.#learnerBytesMax = learnerBytesMax
    this.#onClogged = onClogged
  }

  get followers(): readonly LearnerHandler[] {
    return this.#followers
  }

  /** Nothing may be gathered at that moment that it was told already. */
  add(learner: LearnerHandler): void {
    assert(learner.state === 'ackNewLeader', 'a learner joins the broadcast behind NEWLEADER')
    if (learner.role === 'observer') this.#observers = [...this.#observers, learner]
    else this.#followers = [...this.#followers, learner]
  }

  delete(learner: LearnerHandler): void {
    this.#followers = this.#followers.filter((other) => other !== learner)
    this.#observers = this.#observers.filter((other) => other !== learner)
  }

  propose(entry: Entry): void {
    this.#outstandingBytes += entry.bytes.length
    if (this.#followers.length > 0) this.#toFollowers.propose(entry)
  }

  commit(entry: Entry): void {
    this.#outstandingBytes -= entry.bytes.length
    assert(this.#outstandingBytes >= 0, 'more is committed than was proposed')
    if (this.#followers.length > 0) this.#toFollowers.commit(entry.zxid)
    if (this.#observers.length > 0) this.#toObservers.inform(entry)
  }

  /** Sends what was gathered. */
  cut(): void {
    // What is outstanding needs the followers: whoever has it not yet is not behind for it.
    this.#send(this.#toFollowers, this.#followers, this.#learnerBytesMax + this.#outstandingBytes)
    this.#send(this.#toObservers, this.#observers, this.#learnerBytesMax)
  }

  #send(packets: TurnPackets, to: readonly LearnerHandler[], bytesMax: number): void {
    const gathered = packets.take()
    if (gathered === undefined) return
    for (const learner of to) {
      if (this.#links.waitingBytes(learner.link) > bytesMax) {
        this.#onClogged(learner)
        continue
      }
      learner.onForwarding(gathered.packets)
      this.#links.send(learner.link, gathered.bytes)
      if (gathered.lastProposedZxid > 0) learner.onForwarded(gathered.lastProposedZxid)
    }
  }
}
