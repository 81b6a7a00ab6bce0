import { gunzipSync } from 'node:zlib'
import { JuteWriter } from 'jute-ts'
import type { Limits } from '../../src/base/limits.ts'
import type { LogFields, Logger } from '../../src/base/logger.ts'
import type { Config } from '../../src/config/config.ts'
import { epochOf, makeZxid } from '../../src/data/zxid.ts'
import { nodeCrypto } from '../../src/node/process/crypto.ts'
import type { DiskOp, SnapshotOp } from '../../src/persistence/disk.ts'
import { judgeEpochs } from '../../src/persistence/epoch-files.ts'
import { planPurge } from '../../src/persistence/purge.ts'
import { readOrProblem } from '../../src/persistence/read-or-problem.ts'
import { SnapshotEncoder } from '../../src/persistence/snapshot-format.ts'
import { snapshotFileName } from '../../src/persistence/snapshot-name.ts'
import type { LinkId, LinkPort, PeerAddress } from '../../src/quorum/ports/links.ts'
import type { Answer, AuthProvider, Question } from '../../src/server/auth/provider.ts'
import { providersOf } from '../../src/server/clients/auth-requests.ts'
import { membershipOf, quorumSettingsOf } from '../../src/server/ensemble/membership-of.ts'
import type { EnsemblePorts } from '../../src/server/ensemble/peering.ts'
import { ADVANCE_INTERVAL_MS, Member } from '../../src/server/member.ts'
import { type Loaded, loadMember } from '../../src/server/storage/load.ts'
import { type Machine, TurnLoop } from '../../src/server/turn-loop.ts'
import { TreeDump } from '../../src/tree/snapshot-codec.ts'
import { lateScheme } from '../support/late-scheme.ts'
import { plainFacts } from '../support/memory-server.ts'
import { silentLogger } from '../support/silent-logger.ts'
import type { Step } from './aims.ts'
import { Chance } from './chance.ts'
import { DiskMemory } from './checkers/amnesia.ts'
import { checkBacklog, checkLogBatch, checkPings, checkQueues } from './checkers/queues.ts'
import type { Cover } from './coverage.ts'
import type { EventHeap } from './event-heap.ts'
import { hex, Violation } from './history.ts'
import { type Ledger, MemberLog } from './ledger.ts'
import type { SimNetwork, Socket, SocketEvents } from './network.ts'
import { OriginalLeader } from './original/leader.ts'
import { ProcessEyes } from './process-eyes.ts'
import { ProcessLinks } from './process-links.ts'
import type { Restored, TakenBackup } from './restores.ts'
import { shownZxid } from './shown-zxid.ts'
import { devicesFor, doneAt, type SimDevice, type SimDevices } from './sim-device.ts'
import { type DeviceName, type DiskFaults, devicesOf, SimDisk } from './sim-disk.ts'
import type { SwarmBounds } from './swarm-bounds.ts'

/** How the clocks of one process differ from simulated time. */
export interface ClockSkew {
  readonly monoOffsetMs: number
  /** Ms of its clock in one of simulated time. */
  readonly rate: number
  /** Changes when somebody sets the clock. */
  wallOffsetMs: number
}

export interface ProcessParts {
  readonly sid: number
  readonly heap: EventHeap
  readonly network: SimNetwork
  readonly chance: Chance
  readonly ledger: Ledger
  readonly config: Config
  /** Undefined: it leads as ours do. Else whether it may shut down by itself now. */
  readonly original?: { readonly chance: Chance; readonly mayEnd: () => boolean } | undefined
  readonly skew: ClockSkew
  readonly bounds: SwarmBounds
  readonly diskFaults: DiskFaults
  /** dataLogDir is on a device of its own. */
  readonly hasLogDevice: boolean
  readonly cover: Cover
  /** Also hears what is logged. */
  readonly onLog?: (host: string, message: string, fields: LogFields) => void
  readonly trace: (line: () => string) => void
  readonly onFault: (error: unknown) => void
  /** Told of each step that its process takes, within the call that takes it. */
  readonly onStep?: (process: SimProcess, step: Step, peerHost: string | undefined) => void
}

const noWords = {
  wordOf: () => undefined,
  extraBytes: () => 0,
  run: () => '',
  silenceMsMax: 10_000,
}
const diskStep: ReadonlyMap<DiskOp['kind'], Step> = new Map([
  ['truncateAfter', 'cutting'],
  ['forgetHistory', 'forgetting'],
])
/** From the last event of a turn to its end. */
const TURN_MS = 0.02
/** Until a late login is answered, mean. */
const ANSWER_MS = 150
const SLACK = { readBytes: 64 * 1024, turnBytes: 64 * 1024 }

/**
 * The computer of one member: its disk stays, and on it one process after the other, each booted
 * from the disk as in production. The Machine of its TurnLoop is simulated time, network and disk.
 */
export class SimProcess {
  readonly host: string
  readonly skew: ClockSkew
  readonly disk: SimDisk
  readonly config: Config
  readonly devices: SimDevices
  /** The next write to the log fails, whatever of it is on the disk; the process must end. */
  onWriteFailed: (() => void) | undefined = undefined
  /** Where it fails, if there are two. */
  failing: SimDevice | undefined = undefined
  /** There is no room for a log or an epoch file: the process must end. Only where there are two devices. */
  onNoRoom: (() => void) | undefined = undefined
  /** That one of two devices is empty, and no process has started since. */
  #lost: DeviceName | undefined = undefined
  /** One of two devices has been lost in this run: the files of the other have gaps between them. */
  hasLostDevice = false
  /** Its process has found its state unreadable, and counts for nothing before a SNAP, or a start. */
  hasLostState = false
  log: MemberLog
  crashes = 0
  readonly memory: DiskMemory
  /** The last time that the process stood still. */
  pause: { readonly from: number; readonly until: number } | undefined = undefined
  stillMsMax = 0
  /** Where the deadlines of sessions stood when that began, in simulated ms. */
  readonly deadlines: Map<bigint, number> = new Map()
  /** The newest txn of its log or snapshot that no loss of power can take any more. */
  durableZxid = 0
  /** A backup is in the memory of its process, and perhaps on the disk. */
  restoring: Restored | undefined = undefined
  #restoredZxid = 0
  #run: ProcessRun | undefined = undefined
  readonly #parts: ProcessParts

  constructor(parts: ProcessParts) {
    this.#parts = parts
    this.host = `m${parts.sid}`
    this.skew = parts.skew
    this.config = parts.config
    this.log = new MemberLog(this.host)
    this.memory = new DiskMemory(this.host, parts.sid)
    this.devices = devicesFor(this.host, parts.hasLogDevice)
    const complete = (done: () => void, names: readonly DeviceName[]): void => {
      const devices = new Set(names.map((name) => this.devices[name]))
      const at = doneAt(parts.heap.now, devices, (mean) => parts.chance.exponential(mean))
      const run = this.#run
      parts.heap.at(at, () => run?.guard(done))
    }
    this.disk = new SimDisk(parts.chance.prng, complete, parts.diskFaults, parts.hasLogDevice)
    if (parts.hasLogDevice) parts.cover('log on a device of its own')
    this.disk.onUnreadable = () => {
      if (this.#run?.eyes.isFeeding === true) parts.cover('read failed while a learner was fed')
    }
  }

  get isUp(): boolean {
    return this.#run !== undefined
  }

  /** Of the process that runs. */
  get member(): Member | undefined {
    return this.#run?.member
  }

  boot(): void {
    if (this.#run !== undefined) return
    const { trace, onFault } = this.#parts
    try {
      this.#run = new ProcessRun(this, this.#parts)
      trace(() => `${this.host} has booted at zxid ${this.#run?.member.tree.lastProcessedZxid}`)
      this.#lost = undefined
    } catch (error) {
      if (this.#lost !== undefined && error instanceof StartRefused) {
        trace(() => `${this.host} refuses to start: ${error.message}`)
        this.#parts.cover('start refused: one of two devices lost')
        // As the refusal says: the other one is emptied, too.
        this.wipe()
        return this.boot()
      }
      // Who cannot read all that it has said to have, must not take part.
      if (!this.disk.isDamaged || !(error instanceof StartRefused)) return onFault(error)
      trace(() => `${this.host} refuses to start: ${error.message}`)
      this.#parts.cover('start refused: damaged file')
    }
  }

  /** The process ends here and now. power: what was not synced may be lost. */
  crash(how: 'power' | 'kill'): void {
    if (this.#run === undefined) return
    this.#parts.trace(() => `${this.host} crashes: ${how}`)
    this.crashes += 1
    if (this.restoring !== undefined) this.#parts.cover('restore with a crash in it')
    this.#run.end()
    this.#run = undefined
    this.hasLostState = false
    this.#parts.network.dropHost(this.host, how === 'kill')
    if (how === 'power') this.disk.crash()
    else this.disk.kill()
  }

  /**
   * No txn has come since a restore: one file alone has what was restored, and the files before it
   * would be a whole history without it.
   */
  get dependsOnRestored(): boolean {
    if (this.restoring !== undefined) return true
    return this.#restoredZxid > 0 && this.durableZxid <= this.#restoredZxid
  }

  /** As an operator asks for it; `onFailed`: it serves nobody any more. */
  restore(backup: TakenBackup, onFailed: () => void): void {
    this.#run?.restore(backup, onFailed)
  }

  /**
   * The state of that zxid is what counts now: whether the database was restored, or a crash has kept the
   * old one. From then on it must not be the old one again.
   */
  settleRestore(zxid: number): void {
    if (zxid < this.#restoredZxid)
      throw new Violation(
        'a restore is the backup',
        `${this.host} is at ${hex(zxid)} again, and was restored at ${hex(this.#restoredZxid)}`,
      )
    const { restoring } = this
    this.restoring = undefined
    if (restoring === undefined || zxid < restoring.zxid) return
    this.#restoredZxid = restoring.zxid
    this.#parts.ledger.onRestored(this.log, restoring)
    this.#parts.trace(() => `${this.host} is restored at ${hex(restoring.zxid)}`)
    this.#parts.cover('database restored')
  }

  /** Serves in a quorum, and its disk is not behind that zxid and epoch. */
  holds(zxid: number, epoch: number): boolean {
    const { role, tree } = this.member ?? {}
    if ((role !== 'leading' && role !== 'following') || tree === undefined) return false
    return this.durableZxid >= zxid && epochOf(tree.lastProcessedZxid) >= epoch
  }

  /** The epoch that it has promised to, as far as a disk that it may have written knows. */
  get acceptedEpoch(): number {
    return Number(this.disk.readEpochs().acceptedEpoch ?? 0)
  }

  /** Before it was ever up: its disk has another history, which ends where that epoch began. */
  hasLived(epoch: number): void {
    const loaded = loadMember(this.disk, { ...this.config, mayCreate: true }, silentLogger)
    if (loaded.kind === 'refused') throw new Error(loaded.reason)
    writeFirstSnapshot(this.disk, loaded, makeZxid(epoch, 0))
    this.disk.writeEpochSync('acceptedEpoch', epoch)
    this.disk.writeEpochSync('currentEpoch', epoch)
  }

  /** While it is down: the disk is replaced by an empty one. */
  wipe(): void {
    this.disk.wipe()
    this.memory.forget()
    this.log = new MemberLog(this.host)
    this.durableZxid = 0
    this.#lost = undefined
  }

  /** While it is down: one of its two devices is replaced by an empty one. */
  loseDevice(device: DeviceName): void {
    this.disk.wipe(device)
    this.#lost = device
    this.hasLostDevice = true
    this.durableZxid = 0
    this.#parts.cover('one of two devices lost')
    // Its promises are not in the logs.
    if (device === 'log') this.memory.forgetLog()
  }

  /**
   * Nobody knows what is missing. Without its log it may go on from a snapshot, as with an empty disk;
   * without its epochs it may go on from nothing only.
   */
  judgeLoss({ isNew, snapshot }: Loaded): void {
    if (this.#lost === 'log') this.#parts.cover('start without the log that was lost')
    if (this.#lost !== 'snapshots') return
    if (!isNew)
      throw new Violation('no amnesia', `${this.host} starts from ${snapshot}, and has no epochs`)
    this.memory.forget()
  }

  /** While it is down: what a process has left in memory, and nobody has synced, may be lost. */
  losePower(): void {
    if (this.#run === undefined) this.disk.crash()
  }

  /** It runs, on a disk as it should be. */
  heal(): void {
    for (const device of new Set(Object.values(this.devices))) device.heal()
    this.onWriteFailed = undefined
    this.onNoRoom = undefined
    this.disk.restore()
    if (this.hasLostState) this.crash('kill')
    this.boot()
  }

  /** Nothing happens there before that time. */
  stall(until: number): void {
    const { network, heap } = this.#parts
    network.stall(this.host, until)
    const isPaused = this.pause !== undefined && this.pause.until >= heap.now
    const from = isPaused && this.pause !== undefined ? this.pause.from : heap.now
    this.pause = { from, until: network.stalledUntil(this.host) }
    this.stillMsMax = Math.max(this.stillMsMax, this.pause.until - from)
    if (isPaused || this.member === undefined) return
    const { monoOffsetMs, rate } = this.skew
    this.deadlines.clear()
    for (const [id, { expiresMono }] of this.member.sessions.all)
      if (expiresMono > 0) this.deadlines.set(id, (expiresMono - monoOffsetMs) / rate)
  }

  purge(): void {
    const plan = readOrProblem(() => planPurge(this.disk, 3))
    if ('problem' in plan || plan.length === 0) return
    for (const name of plan) this.disk.unlink(name)
    if (this.#run?.eyes.isFeeding === true) this.#parts.cover('purge while a learner was fed')
  }
}

/** What is on the disk does not allow it to serve. */
class StartRefused extends Violation {
  constructor(host: string, why: object) {
    super('a member boots from its disk', `${host}: ${JSON.stringify(why)}`)
  }
}

/** Of a tree with nothing in it. */
function writeFirstSnapshot(disk: SimDisk, { tree }: Loaded, zxid: number): void {
  const w = new JuteWriter()
  const tail = { digest: true, lastProcessedZxid: true }
  tree.lastProcessedZxid = zxid
  new SnapshotEncoder(new TreeDump(tree, []), tail).writeSlice(w, Infinity)
  const name = snapshotFileName({ zxid, compression: '' })
  disk.writeSnapshotSync(name, Buffer.from(w.bytes()))
}

/** One process, from its boot to its end. */
class ProcessRun implements Machine {
  readonly member: Member
  readonly eyes: ProcessEyes
  readonly #loop: TurnLoop
  readonly #process: SimProcess
  readonly #parts: ProcessParts
  readonly #links: ProcessLinks
  readonly #limits: Limits
  readonly #digest: AuthProvider | undefined
  /** Apart from what its disk draws. */
  readonly #answering: Chance
  readonly #clients = new Map<number, Socket>()
  #lastClient = 0
  readonly #slack = { ...SLACK, cnxnsMost: 0 }
  #shownZxid = -1
  #snapshotOps = 0
  #isEnded = false

  constructor(process: SimProcess, parts: ProcessParts) {
    this.#process = process
    this.#parts = parts
    this.eyes = new ProcessEyes(parts.cover, process.memory, (step, link) =>
      this.#onStep(step, link),
    )
    // The original goes on with its PINGs whether they are answered or not.
    if (parts.original === undefined)
      this.eyes.onPing = (inFlight) => checkPings(process.host, inFlight, parts.bounds.member)
    const { config } = process
    const configured = providersOf(config, nodeCrypto)
    if (typeof configured === 'string') throw new Error(configured)
    const providers = new Map(configured).set(lateScheme.scheme, lateScheme)
    this.#digest = configured.get('digest')
    this.#answering = new Chance(parts.skew.monoOffsetMs, 'disk')
    const logger = this.#logger()
    const loaded = this.#load(logger)
    const { bounds } = parts
    const limits = {
      ...bounds.limits,
      frameBytesMax: config.juteMaxBufferBytes,
      requestsOutstandingMax: config.globalOutstandingLimit,
      cnxnsPerAddressMax: config.maxClientCnxns,
      cnxnsMax: config.maxCnxns,
    }
    this.#limits = limits
    const ensemble = this.#ensemble(loaded, logger)
    const ports = {
      config,
      limits,
      bounds: bounds.member,
      providers,
      crypto: nodeCrypto,
      logger,
      clock: this.clock(),
    }
    this.member = new Member({ ...ports, ensemble }, loaded, noWords)
    this.#loop = new TurnLoop(this.member, this)
    const { network } = parts
    this.#links = new ProcessLinks(
      process.host,
      network,
      (deliver) => this.enter(deliver),
      this.eyes,
      parts.trace,
    )
    if (ensemble !== undefined) this.#links.listen()
    network.listen(process.host, 'client', (socket) => this.#onClient(socket))
    this.enter((member) => member.start())
    this.#beat()
  }

  #ensemble(loaded: Loaded, logger: Logger): EnsemblePorts | undefined {
    const { config, disk, host } = this.#process
    const membership = membershipOf(config)
    if (membership === undefined) return undefined
    const judged = judgeEpochs(disk.readEpochs(), loaded.lastZxid)
    if (judged.kind === 'refused') throw new StartRefused(host, judged)
    for (const { file, epoch } of judged.write) disk.writeEpochSync(file, epoch)
    for (const note of judged.notes) logger.info('wrote an epoch file', { note })
    const { accepted, current } = judged
    const settings = quorumSettingsOf(config)
    const { original } = this.#parts
    const ports = { membership, settings, epochs: { accepted, current }, disk }
    return original === undefined ? ports : { ...ports, ...this.#leadsAsOriginal(original) }
  }

  #leadsAsOriginal(
    original: NonNullable<ProcessParts['original']>,
  ): Required<Pick<EnsemblePorts, 'lead'>> {
    const isClosing = (id: bigint): boolean => this.member.sessions.get(id)?.closing === true
    const ports = { ...original, cover: this.#parts.cover, isClosing }
    return { lead: (parts, nowMono, onEnd) => new OriginalLeader(parts, nowMono, onEnd, ports) }
  }

  #load(logger: Logger): Loaded {
    const { disk, host, config } = this.#process
    const received = disk.finishForgetting()
    if (received !== undefined) {
      // As its leader wanted it; the process before this one has not come to say so.
      this.#process.memory.onDiskOp({ kind: 'forgetHistory', zxid: received })
      this.#process.log.forget(received)
    }
    const rules = { ...config, mayCreate: true }
    const loaded = readOrProblem(() => loadMember(disk, rules, logger))
    if (loaded.kind !== 'loaded') throw new StartRefused(host, loaded)
    if (disk.isDamaged) this.#judgeStart(loaded)
    this.#process.judgeLoss(loaded)
    this.#process.settleRestore(loaded.lastZxid)
    if (loaded.isNew) writeFirstSnapshot(disk, loaded, 0)
    if (loaded.tail !== undefined) disk.cutTail(loaded.tail)
    disk.secureEnd()
    const before = this.#process.log
    this.#process.durableZxid = loaded.lastZxid
    this.#process.log = new MemberLog(host)
    if (before.base <= loaded.lastZxid) this.#process.log.base = before.base
    for (const [zxid, entry] of before.entries)
      if (zxid <= loaded.lastZxid) this.#process.log.append(zxid, entry)
    return loaded
  }

  /** It may fall back to another file that says the same; it may not go on with less. */
  #judgeStart({ lastZxid, snapshot }: Loaded): void {
    const { disk, host, durableZxid } = this.#process
    if (lastZxid < durableZxid)
      throw new Violation(
        'no amnesia',
        `${host} starts at ${hex(lastZxid)} from a damaged disk that has ${hex(durableZxid)}`,
      )
    if (snapshot !== disk.listSnapshots().at(-1)?.name)
      this.#parts.cover('start from an older snapshot')
  }

  #logger(): Logger {
    const { trace } = this.#parts
    const { host } = this.#process
    const log =
      (level: string) =>
      (message: string, fields: LogFields = {}): void => {
        trace(() => `${host} ${level}: ${message} ${JSON.stringify(fields)}`)
        this.eyes.onLog(message, fields)
        if (message.startsWith('the state on disk cannot be read'))
          this.#process.hasLostState = true
        this.#parts.onLog?.(host, message, fields)
      }
    const error = log('error')
    return {
      debug: log('debug'),
      info: log('info'),
      warn: log('warn'),
      error: (message, fields) => {
        error(message, fields)
        if (message.includes('digest'))
          this.#parts.onFault(new Violation('equal digests at equal zxid', `${host}: ${message}`))
      },
    }
  }

  end(): void {
    this.#isEnded = true
    this.eyes.onDeath()
  }

  #onStep(step: Step, link?: LinkId): void {
    const peerHost = link === undefined ? undefined : this.#links.peerOf(link)
    this.#parts.onStep?.(this.#process, step, peerHost)
  }

  /** Runs something of this process: not after its end, and not while it stands still. */
  guard(work: () => void): void {
    if (this.#isEnded) return
    const { heap, network, onFault } = this.#parts
    const until = network.stalledUntil(this.#process.host)
    if (until > heap.now) {
      heap.at(until, () => this.guard(work))
      return
    }
    try {
      work()
    } catch (error) {
      onFault(error)
    }
  }

  enter(deliver: (member: Member) => void): void {
    this.guard(() => this.#loop.enter(deliver))
  }

  restore(backup: TakenBackup, onFailed: () => void): void {
    this.enter((member) => {
      const { ledger, cover, trace } = this.#parts
      const { log, host, restoring } = this.#process
      if (member.role !== 'standalone' || restoring !== undefined) return
      const { lastProcessedZxid: from } = member.tree
      // Whatever it has applied it may have shown; of what is only under way it never will.
      ledger.onShown(log, from)
      if (member.clients.outstandingRequests > 0) cover('restore begun with requests outstanding')
      trace(() => `${host} is given the backup of ${hex(backup.zxid)} at ${hex(from)}`)
      const gunzip = (packed: Buffer): Buffer => gunzipSync(packed)
      member.database.restore(backup.slices, gunzip, (outcome) => {
        if (typeof outcome !== 'string') return this.#process.settleRestore(outcome.zxid)
        if (this.#process.restoring === undefined)
          throw new Violation('a restore is the backup', `${host} refuses it: ${outcome}`)
        this.#process.hasLostState = true
        onFailed()
      })
      const { lastProcessedZxid: zxid } = member.tree
      if (zxid <= Math.max(from, log.lastZxid, backup.zxid))
        throw new Violation('a restore is the backup', `${host} goes back to ${hex(zxid)}`)
      this.#process.restoring = { from, zxid, backup }
    })
  }

  #beat(): void {
    this.#parts.heap.after(ADVANCE_INTERVAL_MS, () => {
      if (this.#isEnded) return
      this.enter(() => {})
      this.#beat()
    })
  }

  clock(): { readonly mono: number; readonly wall: number } {
    const { now } = this.#parts.heap
    const { monoOffsetMs, rate, wallOffsetMs } = this.#process.skew
    return { mono: Math.floor(monoOffsetMs + now * rate), wall: Math.floor(wallOffsetMs + now) }
  }

  afterThisTurn(fn: () => void): void {
    this.#parts.heap.after(TURN_MS, () =>
      this.guard(() => {
        fn()
        this.#show()
        this.eyes.onTurn(this.member)
        this.#checkQueues()
      }),
    )
  }

  #checkQueues(): void {
    const { member } = this
    const slack = this.#slack
    slack.cnxnsMost = Math.max(slack.cnxnsMost, member.clients.cnxns.size)
    checkQueues(this.#process.host, member, this.#limits, this.#parts.bounds.member, slack)
  }

  /** Who serves shows its state, whether anybody looks or not. */
  #show(): void {
    const { role, tree } = this.member
    if (role === 'none' || tree.lastProcessedZxid === this.#shownZxid) return
    this.#shownZxid = tree.lastProcessedZxid
    const { ledger } = this.#parts
    ledger.onShown(this.#process.log, this.#shownZxid)
    ledger.onState(this.#process.host, this.#shownZxid, tree.digest.toBigInt())
  }

  #onClient(socket: Socket): SocketEvents {
    this.#lastClient += 1
    const id = this.#lastClient
    this.#clients.set(id, socket)
    this.enter((member) => member.sockets.onOpened(id, plainFacts('127.0.0.1', 40_000 + id)))
    return {
      onOpened: () => {},
      onBytes: (bytes) => this.enter((member) => member.sockets.onBytes(id, bytes)),
      onClosed: () => {
        if (this.member.clients.get(id)?.state === 'asking')
          this.#parts.cover('connection lost while a login waited')
        this.#clients.delete(id)
        this.enter((member) => member.sockets.onClosed(id))
      },
      onDrained: () => this.enter((member) => member.sockets.onDrained(id)),
    }
  }

  writeClient(cnxn: number, bytes: Buffer): number {
    const socket = this.#clients.get(cnxn)
    if (socket === undefined) return 0
    const zxid = shownZxid(bytes)
    if (zxid > 0) this.#parts.ledger.onShown(this.#process.log, zxid)
    return socket.send(bytes)
  }

  closeClient(cnxn: number, now: boolean): void {
    const socket = this.#clients.get(cnxn)
    this.#clients.delete(cnxn)
    if (socket === undefined) return
    if (now) return socket.reset(true)
    socket.close()
    // The network lets go of it at once, and tells nothing to the end that closes.
    this.#parts.heap.after(0, () => this.enter((member) => member.sockets.onClosed(cnxn)))
  }

  pauseClient(cnxn: number, paused: boolean): void {
    this.eyes.onClientPaused(paused)
    this.#clients.get(cnxn)?.pause(paused)
  }

  /** The late scheme comes to the ids that digest gives at once. */
  ask({ data, address }: Question, done: (answer: Answer) => void): void {
    const answer = this.#digest?.authenticate(data, address)
    if (typeof answer === 'object' && 'ask' in answer) throw new Error('digest asks nobody')
    const { heap, cover } = this.#parts
    cover('login answered late')
    heap.after(this.#answering.exponential(ANSWER_MS), () => this.guard(() => done(answer)))
  }

  writeDisk(ops: readonly DiskOp[], done: () => void): void {
    const { ledger, heap } = this.#parts
    const { log, disk } = this.#process
    let batchBytes = 0
    const records: Buffer[] = []
    for (const op of ops) {
      this.eyes.onDiskOp(op)
      if (op.kind === 'appendTxns') {
        batchBytes += op.bytes.length
        records.push(op.bytes)
        ledger.onAppend(log, op.bytes, heap.now)
      }
      if (op.kind === 'truncateAfter') log.truncate(op.zxid)
      if (op.kind === 'forgetHistory') log.forget(op.zxid)
      // A crash may come when it is done and nobody has said so: from now on no more is owed.
      if (op.kind === 'truncateAfter' || op.kind === 'forgetHistory')
        this.#process.durableZxid = Math.min(this.#process.durableZxid, op.zxid)
    }
    if (this.member.role === 'leading')
      checkLogBatch(this.#process.host, batchBytes, this.#parts.bounds.member, this.#slack)
    else if (this.eyes.isLoggingAsRead)
      checkBacklog(
        this.#process.host,
        Buffer.concat(records),
        this.#parts.bounds.member,
        this.eyes.links.turnBytesMost,
      )
    const onFailed = this.#failureOf(ops)
    if (onFailed !== undefined) {
      disk.writeDisk(ops, () => {})
      heap.after(0, onFailed)
      return
    }
    disk.writeDisk(ops, () => {
      if (this.#isSnapshotStuck(ops))
        this.#parts.cover('log written while the device of snapshots was stuck')
      for (const op of ops) this.#onDurable(op)
      done()
    })
    for (const op of ops) {
      const step = op.kind === 'writeEpoch' ? op.file : diskStep.get(op.kind)
      if (step !== undefined) this.#onStep(step)
      if (step === 'currentEpoch' && ops.some(({ kind }) => kind === 'appendTxns'))
        this.#onStep('historyAndEpoch')
    }
  }

  /** What a batch fails with that comes to a failing or a full device; undefined: it does not fail. */
  #failureOf(ops: readonly DiskOp[]): (() => void) | undefined {
    const { onWriteFailed, onNoRoom, failing, devices, disk } = this.#process
    const { cover, heap } = this.#parts
    const touched = devicesOf(ops)
    const isHit = !disk.isSplit || touched.some((name) => devices[name] === failing)
    if (onWriteFailed !== undefined && isHit) {
      this.#process.onWriteFailed = undefined
      cover('write to the log failed')
      return onWriteFailed
    }
    if (onNoRoom === undefined) return undefined
    const isFull = (name: DeviceName): boolean => devices[name].fullUntil > heap.now
    if (isFull('log') && ops.some(({ kind }) => kind === 'appendTxns'))
      cover('log without room on its own device')
    else if (isFull('snapshots') && ops.some(({ kind }) => kind === 'writeEpoch'))
      cover('epoch without room on its own device')
    else return undefined
    return onNoRoom
  }

  #isSnapshotStuck(ops: readonly DiskOp[]): boolean {
    const { devices, disk } = this.#process
    if (!disk.isSplit || devices.snapshots.stuckUntil <= this.#parts.heap.now) return false
    return ops.some(({ kind }) => kind === 'appendTxns') && devicesOf(ops).length === 1
  }

  #onDurable(op: DiskOp): void {
    this.eyes.onDiskOpDone(op)
    if (op.kind === 'appendTxns') this.#process.durableZxid = op.lastZxid
    if (op.kind === 'truncateAfter' || op.kind === 'forgetHistory')
      this.#process.durableZxid = op.zxid
  }

  writeSnapshotSlice(op: SnapshotOp, done: (problem: string | undefined) => void): void {
    this.eyes.onSnapshotOp(op)
    this.#snapshotOps += 1
    const number = this.#snapshotOps
    const { disk, devices } = this.#process
    const { heap } = this.#parts
    const isFull = heap.now < devices.snapshots.fullUntil && op.kind === 'append'
    if (isFull) this.#parts.cover('snapshot without room')
    disk.writeSnapshotSlice(isFull ? { kind: 'abandon' } : op, (problem) => {
      if (disk.isSplit && op.kind === 'append' && devices.log.stuckUntil > heap.now)
        this.#parts.cover('snapshot written while the device of the log was stuck')
      done(isFull ? 'no space left on device' : problem)
      if (op.kind !== 'append' || isFull) return
      // Nothing more was asked for in the turn that has heard of it: the log is waited for.
      this.#parts.heap.after(2 * TURN_MS, () => {
        if (number === this.#snapshotOps && this.member.snapshotter.isBusy)
          this.guard(() => this.#onStep('snapshotAtLog'))
      })
    })
    if (op.kind === 'finish') this.#onStep('snapshotNamed')
  }

  dialLink(link: LinkId, port: LinkPort, addresses: readonly PeerAddress[]): void {
    this.#links.dial(link, port, addresses)
  }

  writeLink(link: LinkId, bytes: Buffer): number {
    return this.#links.write(link, bytes)
  }

  closeLink(link: LinkId): void {
    this.#links.close(link)
  }

  pauseLink(link: LinkId, paused: boolean): void {
    this.#links.pause(link, paused)
  }
}
