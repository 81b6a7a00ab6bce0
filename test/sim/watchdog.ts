import type { LogFields } from '../../src/base/logger.ts'
import { GAP_MS_MIN } from '../../src/server/pause-watch.ts'
import { checkExpiryBlame, checkSilenceBlame } from './checkers/blame.ts'
import { Steadiness } from './checkers/steadiness.ts'
import { type SeenLearner, ServingWatch } from './checkers/timeliness.ts'
import type { EventHeap } from './event-heap.ts'
import type { SimNetwork } from './network.ts'
import type { SimProcess } from './sim-process.ts'

/** So long by every clock, also by one that is slow. */
const NOTICED_MS = 1.05 * GAP_MS_MIN

export interface WatchdogParts {
  readonly heap: EventHeap
  readonly network: SimNetwork
  readonly processes: readonly SimProcess[]
  readonly tickMs: number
  readonly syncLimitMs: number
  readonly clientOf: (session: bigint) => string | undefined
}

const USED_UP = 'the counter of this epoch is used up'

/** Looks at all machines at once while they run, for what cannot be told from a history. */
export class Watchdog {
  readonly #parts: WatchdogParts
  readonly #serving: ServingWatch
  readonly #steadiness = new Steadiness()

  constructor(parts: WatchdogParts) {
    this.#parts = parts
    const { syncLimitMs, tickMs } = parts
    this.#serving = new ServingWatch({ limitMs: 2 * syncLimitMs + 2 * tickMs })
  }

  /** Every few simulated ms. */
  look(): void {
    this.#serving.look(this.#learners(), this.#parts.heap.now)
  }

  /** Nothing is done to anybody from now on. */
  onCalm(): void {
    this.#steadiness.onCalm(this.#parts.heap.now)
  }

  *#learners(): IterableIterator<SeenLearner> {
    const { processes, network, heap } = this.#parts
    for (const [index, { host, member }] of processes.entries()) {
      if (member === undefined) continue
      const serves = member.role === 'following' || member.role === 'observing'
      const its = processes[(member.peering?.peer.leaderSid ?? 0) - 1]
      const leader = its?.member?.peering?.leader
      yield {
        host,
        serves,
        isKnown: serves && leader?.learners().some(({ sid }) => sid === index + 1) === true,
        standsStill: network.stalledUntil(host) > heap.now,
        lateMs: its === undefined ? 0 : network.slowest(its.host, host),
      }
    }
  }

  readonly onLog = (host: string, message: string, fields: LogFields): void => {
    const { session, sid, leader, reason, epoch } = fields
    if (message === 'session expired')
      this.#onExpired(host, BigInt.asIntN(64, BigInt(`${session}`)))
    else if (message === 'a quorum has synchronised, we lead')
      this.#steadiness.onLeadership(host, Number(epoch), this.#parts.heap.now)
    else if (message === 'we lead no more' && `${reason}`.startsWith(USED_UP))
      this.#steadiness.onUsedUp()
    else if (message === 'a learner is gone' && reason === 'silent') this.#onSilent(host, `m${sid}`)
    else if (message === 'learning ends' && `${reason}`.startsWith('the leader has said nothing'))
      this.#onSilent(host, `m${leader}`)
  }

  #onExpired(leader: string, sessionId: bigint): void {
    const { heap, network, processes, tickMs, clientOf } = this.#parts
    const processOf = (host: string): SimProcess | undefined =>
      processes.find((process) => process.host === host)
    // What a follower has heard and cannot tell its leader, since the network is in the way, is no
    // fault of theirs. Two PINGs and their answers take a tick.
    const canTell = (host: string): boolean =>
      [network.freeSince(host, leader), network.freeSince(leader, host)].every(
        (since) => since !== undefined && heap.now - since > 2 * tickMs,
      )
    checkExpiryBlame({
      sessionId,
      client: clientOf(sessionId),
      leader,
      now: heap.now,
      tickMs,
      hosts: processes
        .filter(({ host, member }) => host === leader || (serves(member) && canTell(host)))
        .map(hostOf),
      unreadAt: (host) => network.unreadAt(host),
      pendingAt: (host) => {
        const cnxn = processOf(host)?.member?.clients.cnxnOf(sessionId)
        return cnxn?.state === 'open' ? cnxn.pending.length : undefined
      },
      pauseOf: (host) => {
        const process = processOf(host)
        if (process?.pause === undefined) return undefined
        return { until: process.pause.until, deadline: process.deadlines.get(sessionId) ?? 0 }
      },
    })
  }

  #onSilent(host: string, peer: string): void {
    const { heap, network, processes, syncLimitMs } = this.#parts
    const pause = processes.find((process) => process.host === host)?.pause
    // A shorter pause is not noticed, and not promised to be: pause-watch.ts.
    const isLong = pause !== undefined && pause.until - pause.from > NOTICED_MS
    const isFresh = isLong && heap.now - pause.until < syncLimitMs / 2
    checkSilenceBlame({
      host,
      peer,
      limitMs: syncLimitMs,
      now: heap.now,
      unread: network.unreadAt(host),
      pausedFrom: isFresh ? pause.from : undefined,
    })
  }
}

const hostOf = ({ host }: SimProcess): string => host

const serves = (member: SimProcess['member']): boolean =>
  member?.role === 'following' || member?.role === 'observing'
