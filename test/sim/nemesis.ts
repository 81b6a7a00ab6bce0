import { AIMED_STRIKES_MAX, type Aim, feedStrikes, type Step } from './aims.ts'
import type { Chance } from './chance.ts'
import type { Cover } from './coverage.ts'
import { type Damage, drawDamage } from './disk-damage.ts'
import type { EventHeap } from './event-heap.ts'
import type { SimNetwork } from './network.ts'
import type { SimDevice } from './sim-device.ts'
import type { SimProcess } from './sim-process.ts'
import type { FaultKind, Swarm } from './swarm.ts'

export interface NemesisParts {
  readonly swarm: Swarm
  readonly heap: EventHeap
  readonly network: SimNetwork
  readonly chance: Chance
  readonly processes: readonly SimProcess[]
  readonly clientHosts: () => readonly string[]
  readonly killClient: () => void
  /** Whether the disk of that member may be lost now; see docs/testing.md. */
  readonly mayWipe: (process: SimProcess) => boolean
  readonly cover: Cover
  readonly trace: (line: () => string) => void
}

/** Breaks what may break, as the swarm says, and heals it after a while. */
export class Nemesis {
  readonly #parts: NemesisParts
  #isOver = false
  #aimedStrikes = 0
  /** How often each fault has come to pass, and each step has been struck at. */
  readonly done: Map<string, number> = new Map()

  constructor(parts: NemesisParts) {
    this.#parts = parts
    if (parts.swarm.faults.size > 0) this.#schedule()
  }

  #schedule(): void {
    const { heap, chance, swarm } = this.#parts
    heap.after(chance.exponential(swarm.faultEveryMs), () => {
      if (this.#isOver) return
      this.#strike()
      this.#schedule()
    })
  }

  /** No more faults; what is broken stays so. */
  stop(): void {
    this.#isOver = true
  }

  #draw(): FaultKind {
    const { faults } = this.#parts.swarm
    let total = 0
    for (const weight of faults.values()) total += weight
    let at = this.#parts.chance.below(total)
    for (const [kind, weight] of faults) {
      at -= weight
      if (at < 0) return kind
    }
    return 'power'
  }

  #strike(): void {
    const kind = this.#draw()
    const what = this.#do(kind)
    if (what !== undefined) this.#onDone(kind, what)
  }

  #onDone(kind: string, what: string): void {
    this.done.set(kind, (this.done.get(kind) ?? 0) + 1)
    this.#parts.trace(() => `nemesis: ${kind} ${what}`)
  }

  /** A process takes a step of the protocol, or is about to: within its own call. */
  onStep(process: SimProcess, step: Step, peerHost: string | undefined): void {
    const { swarm, chance, heap, processes } = this.#parts
    if (this.#isOver) return
    for (const aim of swarm.aims) {
      if (aim.step !== step || this.#aimedStrikes >= AIMED_STRIKES_MAX) continue
      if (!chance.chance(aim.share)) continue
      const peer = processes.find(({ host }) => host === peerHost)
      const victim = aim.atPeer && peer !== undefined ? peer : process
      // At once, or before the disk or the peer has done its part, or when it has just done so.
      this.#aimedStrikes += 1
      if (feedStrikes.has(aim.strike)) {
        this.#strikeAt(aim, victim, peer)
        continue
      }
      const afterMs = chance.exponential(chance.pick([0, 0.1, 1, 5]))
      heap.after(afterMs, () => {
        if (!this.#isOver) this.#strikeAt(aim, victim, peer === victim ? process : peer)
      })
    }
  }

  #strikeAt(aim: Aim, victim: SimProcess, other: SimProcess | undefined): void {
    const what = this.#aimed(aim, victim, other)
    if (what === undefined) return
    this.#parts.cover('step struck at')
    this.#onDone(`${aim.step}: ${aim.strike}`, what)
  }

  #aimed(aim: Aim, victim: SimProcess, other: SimProcess | undefined): string | undefined {
    const { network, processes } = this.#parts
    const others = processes.filter((process) => process !== victim)
    switch (aim.strike) {
      case 'kill':
      case 'power':
        return this.#crash(victim, aim.strike, false)
      case 'powerOfAll':
        return processes
          .map((process) => this.#crash(process, 'power', false))
          .filter((host) => host !== undefined)
          .join(' ')
      case 'isolate':
        return this.#cutOff(victim, others)
      case 'isolateAndKill':
        this.#cutOff(victim, others)
        return this.#crash(victim, 'kill', false)
      case 'cutPair':
        return this.#cutOff(victim, other === undefined ? others : [other])
      case 'reset':
        for (const socket of network.connections())
          if (socket.host === victim.host || socket.peerHost === victim.host) socket.reset(true)
        return victim.host
      case 'stall':
        victim.stall(this.#until())
        return victim.host
      case 'stuckDisk':
        return this.#stick(victim)
      case 'purge':
        return this.#purge(victim)
      case 'readError':
        return this.#damageLogs(victim)
    }
  }

  #cutOff(victim: SimProcess, others: readonly SimProcess[]): string {
    const pairs = others.flatMap(({ host }): (readonly [string, string])[] => [
      [victim.host, host],
      [host, victim.host],
    ])
    this.#block(pairs)
    return pairs.map((pair) => pair.join('>')).join(' ')
  }

  #block(pairs: readonly (readonly [string, string])[]): void {
    const { network, heap } = this.#parts
    for (const [from, to] of pairs) network.setBlocked(from, to, true)
    heap.after(this.#duration(), () => {
      if (this.#isOver) return
      for (const [from, to] of pairs) network.setBlocked(from, to, false)
    })
  }

  /** How long something stays broken: mostly short, at times longer than anybody waits. */
  #duration(): number {
    const { chance, swarm } = this.#parts
    return chance.exponential(chance.pick([0.2, 1, 4, 12]) * swarm.tickMs)
  }

  /** Nothing stands still any more when things are to heal. */
  #until(): number {
    const { heap, swarm } = this.#parts
    return Math.min(heap.now + this.#duration(), swarm.faultyMs)
  }

  /** What was done, for the trace; undefined: nothing. */
  #do(kind: FaultKind): string | undefined {
    const { chance, processes } = this.#parts
    const process = chance.pick(processes)
    switch (kind) {
      case 'power':
      case 'kill':
        return this.#crash(process, kind, false)
      case 'wipe':
        return this.#crash(process, 'power', true)
      case 'stall':
        process.stall(this.#until())
        return process.host
      case 'slowDisk':
        return this.#slowDisk(process)
      case 'stuckDisk':
        return this.#stick(process)
      case 'failedWrite':
        return this.#failWrite(process)
      case 'fullDisk':
        return this.#fill(process)
      case 'wallJump':
        process.skew.wallOffsetMs += chance.between(-3_600_000, 3_600_000)
        return process.host
      case 'purge':
        return this.#purge(process)
      case 'readError':
        return this.#damage(process, 'unreadable', 0.5)
      case 'bitFlip':
        return this.#damage(process, 'flip', 0.7)
      case 'clientDies':
        this.#parts.killClient()
        return ''
      case 'reset':
      case 'halfOpen':
        return this.#reset(kind === 'reset')
      default:
        return this.#cut(kind)
    }
  }

  #crash(process: SimProcess, how: 'power' | 'kill', isWiped: boolean): string | undefined {
    if (!process.isUp && how === 'power' && process.disk.isSplit) process.losePower()
    if (!process.isUp || (isWiped && !this.#parts.mayWipe(process))) return undefined
    process.onWriteFailed = undefined
    process.crash(how)
    if (isWiped) this.#replaceDisk(process)
    this.#parts.heap.after(50 + this.#duration(), () => {
      if (!this.#isOver) process.boot()
    })
    return process.host
  }

  /** All of it, or one of two devices. */
  #replaceDisk(process: SimProcess): void {
    const isOne = process.disk.isSplit && this.#parts.chance.chance(0.7)
    if (isOne) process.loseDevice(this.#parts.chance.pick(['log', 'snapshots'] as const))
    else process.wipe()
  }

  /** Nothing is drawn where there is one only. */
  #deviceOf({ devices, disk }: SimProcess): SimDevice {
    return disk.isSplit ? this.#parts.chance.pick([devices.log, devices.snapshots]) : devices.log
  }

  #stick(process: SimProcess): string {
    const device = this.#deviceOf(process)
    device.stuckUntil = this.#until()
    return device.name
  }

  /**
   * Only snapshots find no room where all is on one device. A member with two ends when there is none
   * for a log or an epoch file, as often as it starts until there is room again.
   */
  #fill(process: SimProcess): string {
    const device = this.#deviceOf(process)
    device.fullUntil = this.#until()
    if (process.disk.isSplit) process.onNoRoom = () => this.#crash(process, 'kill', false)
    return device.name
  }

  #failWrite(process: SimProcess): string | undefined {
    if (!process.isUp) return undefined
    process.failing = this.#deviceOf(process)
    process.onWriteFailed = () => this.#crash(process, 'kill', false)
    return process.failing.name
  }

  /** Somebody else has something under way there. */
  crashAt(process: SimProcess, how: 'power' | 'kill'): void {
    if (!this.#isOver && this.#crash(process, how, false) !== undefined)
      this.#onDone(how, `${process.host} beside a restore`)
  }

  #purge(process: SimProcess): string | undefined {
    if (!process.isUp) return undefined
    process.purge()
    return process.host
  }

  /**
   * On one disk at a time, so that what is acknowledged stays on a quorum of others. It lasts for a
   * while: then somebody has brought the file back from a copy, and a member that had refused starts.
   */
  #damage(process: SimProcess, kind: Damage['kind'], crashShare: number): string | undefined {
    const { chance } = this.#parts
    if (!this.#mayDamage(process)) return undefined
    const drawn = drawDamage(process.disk, chance, kind)
    if (drawn === undefined) return undefined
    process.disk.damage(drawn.name, drawn.damage)
    if (chance.chance(crashShare)) this.#crash(process, 'kill', false)
    this.#restoreLater(process)
    return `${process.host} ${drawn.name} ${JSON.stringify(drawn.damage)}`
  }

  #damageLogs(process: SimProcess): string | undefined {
    if (!this.#mayDamage(process)) return undefined
    const logs = process.disk.listLogs()
    for (const { name } of logs) process.disk.damage(name, { kind: 'unreadable' })
    this.#restoreLater(process)
    return `${process.host} ${logs.map(({ name }) => name).join(' ')}`
  }

  #mayDamage(process: SimProcess): boolean {
    if (!process.isUp || process.dependsOnRestored || process.hasLostDevice) return false
    return !this.#parts.processes.some(({ disk }) => disk.isDamaged)
  }

  #restoreLater(process: SimProcess): void {
    this.#parts.heap.after(200 + 2 * this.#duration(), () => {
      if (this.#isOver) return
      process.disk.restore()
      process.boot()
    })
  }

  #slowDisk(process: SimProcess): string {
    const device = this.#deviceOf(process)
    const before = device.writeMs
    device.writeMs = this.#parts.chance.pick([5, 20, 100])
    this.#parts.heap.after(this.#duration(), () => {
      device.writeMs = Math.min(before, 1)
    })
    return device.name
  }

  #reset(isTold: boolean): string | undefined {
    const { network, chance } = this.#parts
    const connections = network.connections()
    if (connections.length === 0) return undefined
    const one = chance.pick(connections)
    const end = chance.chance(0.5) ? one : one.peer
    end.reset(isTold)
    return `${end.host} ${end.peerHost}`
  }

  #cut(kind: 'partition' | 'oneWay' | 'slowLink' | 'cutClients'): string | undefined {
    const { network, chance, heap, processes, clientHosts } = this.#parts
    const hosts = processes.map(({ host }) => host)
    const pairs: (readonly [string, string])[] = []
    if (kind === 'partition') {
      const side = new Map(hosts.map((host) => [host, chance.below(chance.pick([2, 2, 3]))]))
      for (const a of hosts)
        for (const b of hosts) if (side.get(a) !== side.get(b)) pairs.push([a, b])
    } else if (kind === 'cutClients') {
      const host = chance.pick(hosts)
      for (const client of clientHosts())
        if (chance.chance(0.7)) pairs.push([host, client], [client, host])
    } else {
      const all = [...hosts, ...clientHosts()]
      for (let i = 0; i < 2; i += 1) pairs.push([chance.pick(all), chance.pick(all)])
    }
    const extraMs = chance.pick([20, 100, 500])
    for (const [from, to] of pairs)
      if (kind === 'slowLink') network.setSlow(from, to, extraMs)
      else network.setBlocked(from, to, true)
    if (pairs.length === 0) return undefined
    heap.after(this.#duration(), () => {
      if (this.#isOver) return
      for (const [from, to] of pairs)
        if (kind === 'slowLink') network.setSlow(from, to, 0)
        else network.setBlocked(from, to, false)
    })
    return pairs.map((pair) => pair.join('>')).join(' ')
  }
}
