import { Chance } from '../sim/chance.ts'
import { EventHeap } from '../sim/event-heap.ts'
import { History, hex, type Op } from '../sim/history.ts'
import { Ledger } from '../sim/ledger.ts'
import { SimNetwork } from '../sim/network.ts'
import { SimClient } from '../sim/sim-client.ts'
import { simConfig } from '../sim/sim-config.ts'
import { SimProcess } from '../sim/sim-process.ts'
import { drawSwarm, type Swarm } from '../sim/swarm.ts'
import { defaultBounds } from '../sim/swarm-bounds.ts'

/** A client of a story, and where it is allowed to connect to. */
interface Actor {
  readonly client: SimClient
  readonly hosts: string[]
}

const SEED = 1
const STEP_MS = 5
/** How long a client waits for an answer before the story goes on. */
const PATIENCE_MS = 1000

/**
 * The simulator's members, network and disks without its nemesis: what goes wrong is told. Latency is
 * 1 ms everywhere and chance has nothing to say, so that a story is the same each time.
 */
export class World {
  readonly heap: EventHeap = new EventHeap()
  readonly network: SimNetwork
  readonly #history = new History()
  readonly #ledger = new Ledger()
  readonly #swarm: Swarm
  readonly #processes: SimProcess[] = []
  readonly #actors = new Map<string, Actor>()
  readonly #counters = { connections: 0 }
  readonly #tell: (line: string) => void

  constructor(
    members: number,
    settings: Readonly<Record<string, string>>,
    tell: (line: string) => void,
  ) {
    this.#tell = tell
    const rates = { latencyMs: 1, jitterMs: 0, cutShare: 0, windowBytes: 65_536 }
    this.network = new SimNetwork(this.heap, new Chance(SEED, 'network'), rates)
    const drawn = drawSwarm(SEED, { members })
    const plain = { tickTime: '500', initLimit: '10', syncLimit: '5', preAllocSize: '4' }
    this.#swarm = {
      ...drawn,
      observers: 0,
      weights: undefined,
      properties: new Map(),
      bounds: defaultBounds,
      settings: { ...plain, ...settings },
    }
    for (let sid = 1; sid <= members; sid += 1) this.#processes.push(this.#process(sid))
    for (const process of this.#processes) process.boot()
  }

  #process(sid: number): SimProcess {
    return new SimProcess({
      sid,
      heap: this.heap,
      network: this.network,
      chance: new Chance(SEED, 'disk', sid),
      ledger: this.#ledger,
      config: simConfig(this.#swarm, sid),
      skew: { monoOffsetMs: 1_000_000, rate: 1, wallOffsetMs: 1_700_000_000_000 },
      diskFaults: {},
      hasLogDevice: false,
      bounds: defaultBounds,
      cover: () => {},
      trace: (line) => this.#onTrace(line()),
      onFault: (error) => {
        throw error
      },
    })
  }

  /** Of all that members log, what a story is about. */
  #onTrace(line: string): void {
    const log = /^m(\d+) (?:info|warn): (.*?) (\{.*\})$/.exec(line)
    const [, sid, message, json] = log ?? []
    if (sid === undefined || message === undefined || json === undefined) return
    const wanted = toldFields[message]
    if (wanted === undefined) return
    const fields: Record<string, unknown> = JSON.parse(json)
    const told = wanted.map((name) => fields[name]).filter((value) => value !== undefined)
    this.#tell(`${sid}: ${[message, ...told].join(' ')}`)
  }

  process(sid: string): SimProcess {
    const process = this.#processes[Number(sid) - 1]
    if (process === undefined) throw new Error(`there is no member ${sid}`)
    return process
  }

  get hosts(): readonly string[] {
    return this.#processes.map(({ host }) => host)
  }

  pass(ms: number): void {
    this.heap.runUntil(this.heap.now + ms)
  }

  passUntil(ms: number, isDone: () => boolean): boolean {
    for (const end = this.heap.now + ms; this.heap.now < end; this.pass(STEP_MS))
      if (isDone()) return true
    return isDone()
  }

  actor(name: string): Actor {
    const actor = this.#actors.get(name)
    if (actor === undefined) throw new Error(`there is no client ${name}`)
    return actor
  }

  /** A client with a session of its own, which goes to that member only. */
  connect(name: string, sid: string): void {
    const hosts = [`m${sid}`]
    const client = new SimClient({
      index: this.#actors.size + 1,
      heap: this.heap,
      network: this.network,
      chance: new Chance(SEED, 'client', this.#actors.size),
      history: this.#history,
      hosts,
      timeoutMs: 10_000,
      xids: { first: 1, perConnection: false },
      readsSlowly: false,
      isKnownLate: false,
      isKnown: false,
      cover: () => {},
      counters: this.#counters,
      trace: () => {},
      onFault: (error) => {
        throw error
      },
      onReady: () => {},
    })
    this.#actors.set(name, { client, hosts })
    const isOpen = this.passUntil(PATIENCE_MS, () => client.isOpen)
    this.#tell(`${name} ${isOpen ? 'has' : 'gets no'} session at ${sid}`)
  }

  /** The client leaves its connection for one to another member, with the same session. */
  move(name: string, sid: string): void {
    const { client, hosts } = this.actor(name)
    hosts.splice(0, hosts.length, `m${sid}`)
    client.disconnect()
    const isOpen = this.passUntil(PATIENCE_MS, () => client.isOpen)
    this.#tell(`${name} ${isOpen ? 'goes on' : 'cannot go on'} at ${sid}`)
  }

  await(name: string, op: Op, what: string): void {
    this.passUntil(PATIENCE_MS, () => op.reply !== undefined)
    this.#tell(`${name} ${what}: ${answerOf(op)}`)
  }

  /** Which member is what, and what it holds. */
  status(): void {
    for (const { host, member, disk } of this.#processes) {
      if (member === undefined) {
        this.#tell(`${host.slice(1)}: down`)
        continue
      }
      const { tree, role } = member
      const epochs = disk.readEpochs()
      this.#tell(
        `${host.slice(1)}: ${role} at ${hex(tree.lastProcessedZxid)}, ` +
          `epochs ${epochs.acceptedEpoch} ${epochs.currentEpoch}, tree ${digestText(tree.digest.toBigInt())}`,
      )
    }
  }
}

const digestText = (digest: bigint): string => BigInt.asUintN(64, digest).toString(16)

const toldFields: Readonly<Record<string, readonly string[]>> = {
  'leader elected': ['leader', 'zxid'],
  'synchronising with the leader': ['leader', 'mode', 'zxid'],
  'a quorum has synchronised, we lead': ['epoch'],
  following: ['leader', 'epoch'],
  'role ended': ['state', 'reason'],
  'session refused': ['reason'],
}

function answerOf({ reply }: Op): string {
  if (reply === undefined) return 'no answer'
  const { zxid, err, result } = reply
  const told = [result.path, result.data, result.children?.join(' ')].filter((x) => x !== undefined)
  return [hex(zxid), err === 0 ? 'ok' : `err ${err}`, ...told].join(' ')
}
