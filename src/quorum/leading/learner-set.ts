import { assert } from '../../base/assert.ts'
import type { ThrottledLog } from '../../base/throttled-log.ts'
import type { Membership } from '../membership/membership.ts'
import type { LinkId, Links } from '../ports/links.ts'
import { Forwarding } from './forwarding.ts'
import type { LearnerHandler } from './learner-handler.ts'

/** The learners that a leader has, what all of them are sent, and how one of them is removed. */
export class LearnerSet {
  readonly forwarding: Forwarding
  readonly #membership: Membership
  readonly #links: Links
  /** For what strangers can bring about: whoever reaches the port is a learner until it says more. */
  readonly #log: ThrottledLog
  readonly #byLink = new Map<LinkId, LearnerHandler>()

  constructor(membership: Membership, links: Links, learnerBytesMax: number, log: ThrottledLog) {
    this.#membership = membership
    this.#links = links
    this.#log = log
    this.forwarding = new Forwarding(links, learnerBytesMax, (learner) => {
      this.drop(learner, 'it does not take what it is sent')
    })
  }

  get size(): number {
    return this.#byLink.size
  }

  add(learner: LearnerHandler): void {
    assert(!this.#byLink.has(learner.link), 'the id of a link is used again')
    this.#byLink.set(learner.link, learner)
  }

  get(link: LinkId): LearnerHandler | undefined {
    return this.#byLink.get(link)
  }

  all(): Iterable<LearnerHandler> {
    return this.#byLink.values()
  }

  inState(state: LearnerHandler['state']): LearnerHandler[] {
    return [...this.#byLink.values()].filter((learner) => learner.state === state)
  }

  /** Those that have said who they are. */
  joined(): LearnerHandler[] {
    return [...this.#byLink.values()].filter(({ state }) => state !== 'info')
  }

  /** One that votes here, and has come to follow. */
  voterOf({ sid, role }: LearnerHandler): number | undefined {
    return role === 'participant' && this.#membership.isVoter(sid) ? sid : undefined
  }

  /** Whether a quorum is connected, ourselves included. */
  hasQuorum(): boolean {
    const { quorum, self } = this.#membership
    const there = new Set(this.joined().map((learner) => this.voterOf(learner)))
    return quorum.containsQuorum((sid) => sid === self.sid || there.has(sid))
  }

  /** Because of what it did or did not do. */
  drop(learner: LearnerHandler, problem: string): void {
    if (learner.state === 'closed') return
    this.forget(learner, problem)
    this.#links.close(learner.link)
  }

  /** Its link is gone, or is about to be closed. */
  forget(learner: LearnerHandler, reason: string): void {
    const { sid, link, state } = learner
    this.#log.warn('a learner is gone', { sid, link, state, reason }, `${sid} ${reason}`)
    learner.close()
    this.#byLink.delete(link)
    this.forwarding.delete(learner)
  }

  /** The leader ends. */
  dropAll(reason: string): void {
    for (const learner of this.#byLink.values()) this.drop(learner, reason)
  }
}
