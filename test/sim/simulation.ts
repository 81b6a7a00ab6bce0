import { MajorityQuorum, type QuorumVerifier } from '../../src/quorum/membership/quorum-verifier.ts'
import { membershipOf } from '../../src/server/ensemble/membership-of.ts'
import { Backups } from './backups.ts'
import { Chance } from './chance.ts'
import { checkOrder } from './checkers/order.ts'
import { replay } from './checkers/replay.ts'
import { checkSessions } from './checkers/sessions.ts'
import { checkTold } from './checkers/timeliness.ts'
import { checkTrees } from './checkers/trees.ts'
import { checkWatches } from './checkers/watches.ts'
import { Coverage, type CoverageEvent } from './coverage.ts'
import { EventHeap } from './event-heap.ts'
import { History, Violation } from './history.ts'
import { Ledger } from './ledger.ts'
import { Nemesis } from './nemesis.ts'
import { SimNetwork } from './network.ts'
import { Restores } from './restores.ts'
import { simConfig } from './sim-config.ts'
import type { DiskFaults } from './sim-disk.ts'
import { SimProcess } from './sim-process.ts'
import type { Swarm } from './swarm.ts'
import { SimUsers } from './users.ts'
import { Watchdog } from './watchdog.ts'

export interface SimulationOptions {
  readonly swarm: Swarm
  readonly diskFaults?: DiskFaults
  /** Lines of what happens, if somebody wants to read them. */
  readonly trace?: ((line: string) => void) | undefined
}

/** What a run has done, so that a row of runs can show that it tests something. */
export interface RunSummary {
  readonly simulatedMs: number
  readonly replies: number
  readonly txns: number
  readonly crashes: number
  readonly faults: ReadonlyMap<string, number>
  readonly coverage: ReadonlyMap<CoverageEvent, number>
}

const STEP_MS = 50

/** One run, from its seed alone. */
export class Simulation {
  readonly #swarm: Swarm
  readonly #quorum: QuorumVerifier
  readonly #heap = new EventHeap()
  readonly #network: SimNetwork
  readonly #history = new History()
  readonly #coverage = new Coverage()
  readonly #ledger = new Ledger(() => this.#heap.now)
  readonly #processes: SimProcess[] = []
  readonly #nemesis: Nemesis
  readonly #users: SimUsers
  readonly #watchdog: Watchdog
  readonly #trace: (line: () => string) => void
  #fault: { readonly error: unknown } | undefined = undefined

  constructor(options: SimulationOptions) {
    const { swarm, trace } = options
    const heap = this.#heap
    this.#swarm = swarm
    this.#quorum = membershipOf(simConfig(swarm, 1))?.quorum ?? new MajorityQuorum([1])
    this.#trace =
      trace === undefined
        ? () => {}
        : (line) => trace(`${heap.now.toFixed(2).padStart(10)} ${line()}`)
    this.#network = new SimNetwork(heap, new Chance(swarm.seed, 'network'), swarm.rates)
    for (let sid = 1; sid <= swarm.members + swarm.observers; sid += 1)
      this.#processes.push(this.#process(sid, options.diskFaults ?? {}))
    this.#users = new SimUsers({
      swarm,
      heap,
      network: this.#network,
      history: this.#history,
      hosts: this.#processes.map(({ host }) => host),
      cover: this.#coverage.cover,
      trace: this.#trace,
      onFault: this.#onFault,
    })
    this.#watchdog = new Watchdog({
      heap,
      network: this.#network,
      processes: this.#processes,
      tickMs: swarm.tickMs,
      syncLimitMs: this.#syncLimitMs,
      clientOf: (session) => this.#users.clientOf(session),
    })
    const restores = new Restores({
      heap,
      chance: new Chance(swarm.seed, 'nemesis', 4),
      cover: this.#coverage.cover,
      crash: (process, how) => this.#nemesis.crashAt(process, how),
      untilMs: swarm.faultyMs,
    })
    new Backups({
      heap,
      chance: new Chance(swarm.seed, 'nemesis', 3),
      processes: this.#processes,
      ledger: this.#ledger,
      sliceBytes: swarm.bounds.member.sliceBytes,
      cover: this.#coverage.cover,
      onTaken: (process, backup) => {
        if (swarm.restores) restores.onTaken(process, backup)
      },
      onFault: this.#onFault,
    })
    this.#nemesis = new Nemesis({
      swarm,
      heap,
      network: this.#network,
      chance: new Chance(swarm.seed, 'nemesis'),
      processes: this.#processes,
      clientHosts: () => this.#users.hosts,
      killClient: () => this.#users.killOne(),
      mayWipe: (process) => this.#mayWipe(process),
      cover: this.#coverage.cover,
      trace: this.#trace,
    })
  }

  get #syncLimitMs(): number {
    const { settings, tickMs } = this.#swarm
    const { syncLimit } = settings
    return Number(syncLimit) * tickMs
  }

  readonly #onFault = (error: unknown): void => {
    this.#fault ??= { error }
  }

  #process(sid: number, diskFaults: DiskFaults): SimProcess {
    const { seed, clockRateError } = this.#swarm
    const chance = new Chance(seed, 'clock', sid)
    const skew = {
      monoOffsetMs: chance.between(1000, 1_000_000_000),
      rate: 1 + (chance.between(-100, 100) / 100) * clockRateError,
      wallOffsetMs: 1_700_000_000_000 + chance.between(-60_000, 60_000),
    }
    return new SimProcess({
      sid,
      heap: this.#heap,
      network: this.#network,
      chance: new Chance(seed, 'disk', sid),
      ledger: this.#ledger,
      config: simConfig(this.#swarm, sid),
      original: sid === this.#swarm.original ? this.#original(sid) : undefined,
      skew,
      bounds: this.#swarm.bounds,
      diskFaults,
      hasLogDevice: this.#swarm.logDevices.includes(sid),
      cover: this.#coverage.cover,
      onLog: (host, message, fields) => this.#watchdog.onLog(host, message, fields),
      trace: this.#trace,
      onFault: this.#onFault,
      onStep: (process, step, peerHost) => this.#nemesis.onStep(process, step, peerHost),
    })
  }

  #original(sid: number): { readonly chance: Chance; readonly mayEnd: () => boolean } {
    const { seed, faultyMs } = this.#swarm
    return {
      chance: new Chance(seed, 'original', sid),
      mayEnd: () => this.#heap.now < faultyMs,
    }
  }

  /** Throws the first Violation that is found, or whatever else goes wrong. */
  run(): RunSummary {
    this.#begin()
    this.#pass(this.#swarm.faultyMs)
    this.#nemesis.stop()
    const calmFrom = this.#expectProgress()
    this.#settle()
    this.#check(calmFrom)
    return {
      simulatedMs: this.#heap.now,
      replies: this.#history.repliesTotal,
      txns: this.#ledger.size,
      crashes: this.#processes.reduce((sum, { crashes }) => sum + crashes, 0),
      faults: this.#nemesis.done,
      coverage: this.#coverage.counts,
    }
  }

  #begin(): void {
    const { farEpoch, revenant, faults, aims } = this.#swarm
    if (faults.size === 0 && aims.length === 0) this.#watchdog.onCalm()
    for (const process of this.#processes) {
      const { host } = process
      if (host === `m${farEpoch?.sid}`) process.disk.promise(farEpoch?.acceptedEpoch ?? 0)
      if (host === `m${revenant?.sid}` && revenant !== undefined) {
        process.hasLived(revenant.epoch)
        this.#heap.after(revenant.comesMs, () => process.boot())
      } else process.boot()
    }
  }

  /** Those that belong to it: all but one that is of an earlier life. */
  get #ours(): readonly SimProcess[] {
    const { revenant } = this.#swarm
    return this.#processes.filter(({ host }) => host !== `m${revenant?.sid}`)
  }

  #pass(ms: number): void {
    const end = this.#heap.now + ms
    while (this.#heap.now < end) {
      this.#heap.runUntil(Math.min(end, this.#heap.now + STEP_MS))
      if (this.#fault !== undefined) throw this.#fault.error
      this.#watchdog.look()
    }
  }

  #passUntil(limitMs: number, isDone: () => boolean): boolean {
    const end = this.#heap.now + limitMs
    while (!isDone()) {
      if (this.#heap.now >= end) return false
      this.#pass(STEP_MS)
    }
    return true
  }

  /**
   * A core heals, which is a random quorum: every client must get a write done within a bound. What
   * of the others is down stays down; each that runs is connected with the core, or with none of
   * those that are, since votes spread further than links do (docs/testing.md). Returns when the faults ended.
   */
  #expectProgress(): number {
    const { tickMs, seed } = this.#swarm
    const chance = new Chance(seed, 'nemesis', 1)
    const core = new Set(this.#core(chance).map(({ host }) => host))
    this.#trace(() => `the core heals: ${[...core].join(' ')}`)
    const hosts = [...core, ...this.#users.hosts]
    for (const a of hosts) for (const b of hosts) this.#network.heal(a, b)
    const joined = new Set(core)
    for (const { host } of this.#processes)
      if (chance.chance(0.5) || this.#swarm.revenant !== undefined) joined.add(host)
    for (const { host: a } of this.#processes)
      for (const { host: b } of this.#processes) {
        this.#network.heal(a, b)
        if (joined.has(a) !== joined.has(b)) this.#network.setBlocked(a, b, true)
      }
    for (const process of this.#processes) if (core.has(process.host)) process.heal()
    this.#users.probe()
    const boundMs = 60 * tickMs + 10_000
    if (!this.#passUntil(boundMs, () => this.#users.haveProgressed))
      throw new Violation(
        'progress after healing',
        `${this.#users.stuck} got no write done in ${boundMs} ms`,
      )
    return this.#heap.now
  }

  /** Just enough voters for a quorum. */
  #core(chance: Chance): readonly SimProcess[] {
    const core: SimProcess[] = []
    for (const process of chance.shuffled(this.#voters)) {
      if (!this.#ours.includes(process)) continue
      core.push(process)
      if (this.#isQuorum(core)) break
    }
    return core
  }

  get #voters(): readonly SimProcess[] {
    return this.#processes.slice(0, this.#swarm.members)
  }

  #isQuorum(processes: readonly SimProcess[]): boolean {
    const has = (sid: number): boolean => processes.some(({ host }) => host === `m${sid}`)
    return this.#quorum.containsQuorum(has)
  }

  /**
   * An observer is needed for nothing. The disk of a voter may be lost where a quorum of the others
   * has all that it may ever have acked, and is bound by its promises.
   */
  #mayWipe(process: SimProcess): boolean {
    if (this.#swarm.members === 1) return false
    if (!this.#voters.includes(process)) return true
    const { acceptedEpoch, log } = process
    const last = Math.max(log.lastZxid, process.durableZxid)
    return this.#isQuorum(
      this.#voters.filter((other) => other !== process && other.holds(last, acceptedEpoch)),
    )
  }

  /** Everything heals; some clients leave for good, and all the others look at everything. */
  #settle(): void {
    const { tickMs, timeoutMsMax } = this.#swarm
    this.#trace(() => 'everything heals')
    this.#network.healAll()
    for (const process of this.#processes) process.heal()
    this.#watchdog.onCalm()
    this.#users.retireSome()
    this.#pass(2 * timeoutMsMax + 6 * tickMs + 2000)
    this.#users.lookAround()
    const isDone = this.#passUntil(60 * tickMs + 10_000, () => this.#users.areDone)
    if (!isDone) throw new Violation('progress after healing', `${this.#users.stuck} cannot read`)
    this.#passUntil(20 * tickMs, () => this.#isLevel)
  }

  /** All members have the same state. */
  get #isLevel(): boolean {
    const zxids = this.#ours.map(({ member }) => member?.tree.lastProcessedZxid)
    return zxids.every((zxid) => zxid === zxids[0])
  }

  #check(calmFrom: number): void {
    const entries = this.#ledger.read()
    this.#ledger.checkStates(entries)
    const { quotas } = this.#swarm
    const { restores } = this.#ledger
    const story = replay(this.#history, entries, quotas === 'enforced', restores)
    if (story.reaped > 0) this.#coverage.cover('container or TTL node taken away')
    if (story.moved > 0) this.#coverage.cover('write refused: session moved')
    checkOrder(this.#history, story)
    checkWatches(this.#history, story)
    const stillMs = Math.max(0, ...this.#processes.map(({ stillMsMax }) => stillMsMax))
    checkTold(
      this.#history,
      story,
      (zxid) => this.#ledger.shownAt(zxid),
      this.#syncLimitMs,
      2 * stillMs + this.#swarm.tickMs + 500,
    )
    const { members, clockRateError, tickMs, timeoutMsMax } = this.#swarm
    checkSessions(
      this.#history,
      story,
      {
        calmFrom: calmFrom + timeoutMsMax,
        clockError: 2 * clockRateError + 0.01,
        isAlone: members === 1,
        lateMs: 3 * tickMs + 1000 + timeoutMsMax,
      },
      this.#heap.now,
    )
    checkTrees(this.#ours, story.model, this.#users.livingSessions)
  }
}
