import { Chance } from './chance.ts'
import type { Cover } from './coverage.ts'
import type { EventHeap } from './event-heap.ts'
import type { History, Op } from './history.ts'
import type { SimNetwork } from './network.ts'
import { SimClient, type XidStyle } from './sim-client.ts'
import type { Swarm } from './swarm.ts'
import { Workload } from './workload.ts'

export interface UsersParts {
  readonly swarm: Swarm
  readonly heap: EventHeap
  readonly network: SimNetwork
  readonly history: History
  readonly hosts: readonly string[]
  readonly cover: Cover
  readonly trace: (line: () => string) => void
  readonly onFault: (error: unknown) => void
}

interface User {
  readonly client: SimClient
  readonly load: Workload
  readonly chance: Chance
  /** Wants nothing but its session, until it is asked. */
  readonly isIdle: boolean
  isThinking: boolean
  isDead: boolean
  /** Since the last probe was asked for. */
  hasProgressed: boolean
  probe: Op | undefined
  /** The last look, which is taken again if no answer comes. */
  looked: Op | undefined
  /** What is still to be looked at, at the end. */
  toRead: string[]
}

/** Drawn apart from all else that a client draws. */
const LATE_STREAM = 1000

/** With so many replies a run has seen enough of its clients; more seeds show more than more of them. */
const BUSY_REPLIES = 3000
const TIRED_FACTOR = 20

const xidStyles: readonly XidStyle[] = [
  { first: 1, perConnection: false },
  { first: 1, perConnection: true },
  { first: 0, perConnection: true },
]

type Mode = 'work' | 'probe' | 'idle' | 'look'

/** The clients and what they want: work, then a sign of progress, then to see everything. */
export class SimUsers {
  readonly #parts: UsersParts
  readonly #users: User[] = []
  readonly #counters = { connections: 0 }
  #mode: Mode = 'work'

  constructor(parts: UsersParts) {
    this.#parts = parts
    for (let i = 0; i < parts.swarm.clients; i += 1) this.#add()
  }

  #add(): void {
    const { swarm, heap, network, history, hosts, cover, trace, onFault } = this.#parts
    const index = this.#users.length + 1
    const chance = new Chance(swarm.seed, 'client', index)
    const client = new SimClient({
      index,
      heap,
      network,
      chance,
      history,
      hosts,
      timeoutMs: chance.between(2 * swarm.tickMs, swarm.timeoutMsMax),
      xids: chance.pick(xidStyles),
      isKnown: chance.chance(0.5),
      isKnownLate: new Chance(swarm.seed, 'client', LATE_STREAM + index).chance(0.3),
      readsSlowly: chance.chance(swarm.slowReaderShare),
      counters: this.#counters,
      cover,
      trace,
      onFault,
      onReady: (answered) => {
        if (answered !== undefined) learn(user.load, answered)
        this.#onReady(user)
      },
    })
    const user: User = {
      client,
      load: new Workload(chance, {
        paths: swarm.paths,
        client: index,
        fatBytes: swarm.fatBytes,
        hasQuotas: swarm.quotas !== 'none',
      }),
      chance,
      isIdle: chance.chance(swarm.idleShare),
      isThinking: false,
      isDead: false,
      hasProgressed: false,
      probe: undefined,
      looked: undefined,
      toRead: [],
    }
    this.#users.push(user)
  }

  get #living(): readonly User[] {
    return this.#users.filter(({ isDead }) => !isDead)
  }

  get hosts(): readonly string[] {
    return this.#living.map(({ client }) => client.host)
  }

  /** Whose session it is, if somebody has it. */
  clientOf(session: bigint): string | undefined {
    return this.#living.find(({ client }) => client.session?.id === session)?.client.host
  }

  /** One dies without a word, and another one comes. */
  killOne(): void {
    const living = this.#living
    if (living.length < 2 || this.#users.length > 40) return
    const user = living[this.#users.length % living.length]
    if (user === undefined) return
    this.#kill(user)
    this.#add()
  }

  #kill(user: User): void {
    user.isDead = true
    user.client.die(user.chance.chance(0.3))
  }

  #onReady(user: User): void {
    if (user.isDead) return
    const { heap, swarm } = this.#parts
    if (user.isThinking) return
    user.isThinking = true
    const isEager = user.client.outstanding < swarm.pipeline && user.chance.chance(0.5)
    const isTired = this.#parts.history.repliesTotal > BUSY_REPLIES
    const meanMs = swarm.thinkMs * (isTired ? TIRED_FACTOR : 1)
    const isAtOnce = this.#mode === 'look' || (isEager && !isTired)
    const ms = isAtOnce ? 0 : user.chance.exponential(meanMs)
    heap.after(ms, () => {
      user.isThinking = false
      if (!user.isDead && user.client.isOpen) this.#act(user)
    })
  }

  #act(user: User): void {
    const { client, load } = user
    if (client.outstanding >= this.#parts.swarm.pipeline) return
    switch (this.#mode) {
      case 'work':
        if (user.isIdle) return
        client.call(load.next())
        break
      case 'probe':
        return this.#probe(user)
      case 'look':
        return this.#look(user)
      case 'idle':
        return
    }
    if (client.outstanding < this.#parts.swarm.pipeline) this.#onReady(user)
  }

  #probe(user: User): void {
    if (user.probe?.reply?.err === 0) user.hasProgressed = true
    else if (user.probe === undefined || user.client.outstanding === 0)
      user.probe = user.client.call(user.load.probe())
  }

  #look(user: User): void {
    if (user.client.outstanding > 0) return
    const { looked } = user
    // The very same again: what can never be delivered would else be passed over by luck.
    if (looked !== undefined && looked.reply === undefined) {
      user.looked = user.client.call(looked.call)
      return
    }
    const path = user.toRead.pop()
    if (path === undefined) return
    const op = user.chance.pick(['getData', 'getChildren', 'exists'] as const)
    const call = path === '' ? ({ op: 'sync', path: '/' } as const) : { op, path, watch: false }
    user.looked = user.client.call(call)
  }

  #setMode(mode: Mode): void {
    this.#mode = mode
    for (const user of this.#living) if (user.client.isOpen) this.#onReady(user)
  }

  probe(): void {
    for (const { client } of this.#living) client.goesRound = true
    this.#setMode('probe')
  }

  /** Every client has got a write done that it sent since. */
  get haveProgressed(): boolean {
    return this.#living.every(({ hasProgressed }) => hasProgressed)
  }

  get stuck(): string {
    return this.#living
      .filter((user) => (this.#mode === 'probe' ? !user.hasProgressed : !hasLooked(user)))
      .map(({ client }) => client.host)
      .join(' ')
  }

  /** Some clients go for good; the others keep their sessions and do nothing. */
  retireSome(): void {
    this.#setMode('idle')
    for (const user of this.#living.slice(1)) if (user.chance.chance(0.4)) this.#kill(user)
  }

  lookAround(): void {
    for (const user of this.#living) user.toRead = [...user.load.allPaths(), '']
    this.#setMode('look')
  }

  get areDone(): boolean {
    return this.#living.every((user) => hasLooked(user) && user.client.outstanding === 0)
  }

  get livingSessions(): ReadonlySet<bigint> {
    const ids = this.#living.map(({ client }) => client.session?.id)
    return new Set(ids.filter((id) => id !== undefined))
  }
}

const hasLooked = ({ toRead, looked }: User): boolean =>
  toRead.length === 0 && looked?.reply !== undefined

/** Remembers versions and names that replies have told. */
function learn(load: Workload, { call, reply }: Op): void {
  if (reply === undefined) return
  const { stat, path } = reply.result
  if ('path' in call && call.op !== 'setACL' && stat !== undefined)
    load.versions.set(call.path, stat.version)
  if (call.op === 'create' && path !== undefined && path !== call.path) load.onCreated(path)
}
