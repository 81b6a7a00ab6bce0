import { MemberView } from '../admin/member-view.ts'
import { WordRunner } from '../admin/word-runner.ts'
import { defaultLimits, type Limits } from '../base/limits.ts'
import type { Logger } from '../base/logger.ts'
import { messageOf } from '../base/message-of.ts'
import { ThrottledLog } from '../base/throttled-log.ts'
import type { Config } from '../config/config.ts'
import { providersOf } from '../server/clients/auth-requests.ts'
import { membershipOf, quorumSettingsOf } from '../server/ensemble/membership-of.ts'
import type { EnsemblePorts } from '../server/ensemble/peering.ts'
import { ADVANCE_INTERVAL_MS, Member } from '../server/member.ts'
import type { Loaded } from '../server/storage/load.ts'
import { type Machine, TurnLoop } from '../server/turn-loop.ts'
import { type LoadedData, loadData, lockFolders, readEpochs } from './files/data-folder.ts'
import { Descriptors, descriptorsMax } from './files/descriptors.ts'
import { NodeDisk } from './files/disk.ts'
import { freeBytesOf } from './files/free-bytes.ts'
import { purge } from './files/purge.ts'
import { SnapshotFile } from './files/snapshot-file.ts'
import { buildInfo, HostFacts } from './host.ts'
import { monotonic, readClock, stopwatch } from './process/clock.ts'
import { nodeCrypto } from './process/crypto.ts'
import { ExitCode, StartError } from './process/exit-code.ts'
import { heapLimitBytes, watchHeap } from './process/heap-watch.ts'
import { ClientPort, type ClientPortOptions } from './sockets/client-port.ts'
import { ClientSockets } from './sockets/client-sockets.ts'
import { PeerPorts } from './sockets/peer-ports.ts'

/** A server that answers on its port. */
export interface RunningServer {
  /** As bound; undefined when there is no plain client port. */
  readonly clientPort: number | undefined
  /** Whether clients are served: a member of an ensemble is not while it has no part in a quorum. */
  readonly isServing: boolean
  /** Stops serving. What was acknowledged is on disk already. */
  stop(): Promise<void>
}

/** The bounds that the configuration sets; the others are ours. */
export function limitsOf(config: Config): Limits {
  return {
    ...defaultLimits,
    frameBytesMax: config.juteMaxBufferBytes,
    requestsOutstandingMax: config.globalOutstandingLimit,
    replyBytesMax: Math.max(defaultLimits.replyBytesMax, 2 * config.juteMaxBufferBytes),
    cnxnsPerAddressMax: config.maxClientCnxns,
    cnxnsMax: config.maxCnxns,
  }
}

/**
 * Loads the data directory, binds the client port and serves. Rejects with a StartError whose message
 * says what is wrong and what to do; nothing is held then. `onFatal` is called once if the log cannot
 * be written any more: whoever went on would lie about what is durable, so the server has to be stopped.
 */
export async function runServer(
  config: Config,
  logger: Logger,
  onFatal: (reason: string) => void,
): Promise<RunningServer> {
  const held: Held = []
  try {
    return await start(config, logger, onFatal, held)
  } catch (error) {
    await letGo(held)
    throw error
  }
}

/** What has to be given back, each behind what it needs. */
type Held = (() => void | Promise<void>)[]

async function letGo(held: Held): Promise<void> {
  for (let giveBack = held.pop(); giveBack !== undefined; giveBack = held.pop()) await giveBack()
}

async function start(
  config: Config,
  logger: Logger,
  onFatal: (reason: string) => void,
  held: Held,
): Promise<RunningServer> {
  const began = performance.now()
  const onSync = (ms: number): void => member.metrics.fsyncTimeMs.add(Math.round(ms))
  const disk = NodeDisk.open(config, { logger, onSync, onFatal })
  if (typeof disk === 'string') throw new StartError(disk, ExitCode.dataDir)
  for (const lock of await lockFolders(disk, logger)) held.push(() => lock.release())
  held.push(() => disk.close())
  const providers = providersOf(config, nodeCrypto)
  if (typeof providers === 'string') throw new StartError(providers, ExitCode.invalidInvocation)
  nameHeap(config, logger)
  const loaded = loadData(disk, config, logger)
  const words = new WordRunner(config)
  const ensemble = await joinable(config, disk, loaded, logger)
  const member = new Member(
    {
      config,
      limits: limitsOf(config),
      providers,
      crypto: nodeCrypto,
      logger,
      clock: readClock(),
      stopwatch,
      ensemble,
    },
    loaded,
    words,
  )
  noteStart(member, loaded, performance.now() - began)
  const host = new HostFacts(config, descriptorsMax())
  await host.refresh()
  const ports = await openPorts(member, { config, disk, logger, ensemble, host }, held)
  const view = new MemberView(
    member,
    buildInfo(),
    host,
    () => ports.clientPort,
    member.ensembleView,
  )
  words.attach(view)
  ports.loop.enter((running) => running.start())
  startTimers(ports.loop, { config, disk, logger, host }, held)
  logger.info('serving clients', { port: ports.clientPort, ms: Math.round(performance.now()) })
  return {
    clientPort: ports.clientPort,
    get isServing() {
      return view.isServing
    },
    async stop() {
      ports.stop()
      // First of all, so that the others elect while we clean up.
      ports.loop.enter((running) => running.leave())
      await new Promise((resolve) => setImmediate(resolve))
      await letGo(held)
    },
  }
}

function noteStart({ metrics }: Member, loaded: LoadedData, ms: number): void {
  metrics.startupSnapLoadTime.add(loaded.snapshotMs)
  metrics.startupTxnsLoadTime.add(loaded.txnsMs)
  metrics.startupTxnsLoaded.add(loaded.txns)
  metrics.dbInitTimeMs.add(Math.round(ms))
}

/** Before anything is loaded: if the heap is too small for that, this is the last line of the log. */
function nameHeap({ heapSoftLimitPercent }: Config, logger: Logger): void {
  const limitMib = Math.round(heapLimitBytes() / (1024 * 1024))
  logger.info('size of the heap; NODE_OPTIONS=--max-old-space-size=<MiB> changes it', {
    limitMib,
    heapSoftLimitPercent,
  })
}

/** The machine below a member, as far as it is there before its ports are open. */
interface HostParts {
  readonly config: Config
  readonly disk: NodeDisk
  readonly logger: Logger
  readonly host: HostFacts
}

interface PortsParts extends HostParts {
  readonly ensemble: EnsemblePorts | undefined
}

/** The member is driven, and both its peers and its clients can reach it. */
interface OpenPorts {
  readonly loop: TurnLoop
  readonly clientPort: number
  /** From now on nobody is told that anything is on the disk. */
  stop(): void
}

async function openPorts(
  member: Member,
  { config, disk, logger, ensemble, host }: PortsParts,
  held: Held,
): Promise<OpenPorts> {
  const descriptors = new Descriptors(host.maxFileDescriptors)
  const log = new ThrottledLog(logger, monotonic)
  const clients = new ClientSockets(descriptors, log)
  const plain = new ClientPort(plainPortOf(config), clients, log)
  held.push(async () => {
    const isStopped = plain.stop()
    clients.destroyAll()
    await isStopped
  })
  const peers = peerPortsOf(config, descriptors, logger, member)
  held.push(() => peers.stop())
  const snapshots = new SnapshotFile(disk.snapFolder, config.freeSpaceMinBytes)
  let isStopped = false
  const machine = machineOf({ disk, clients, peers, snapshots, isStopped: () => isStopped })
  const loop = new TurnLoop(member, machine)
  peers.attach(loop)
  clients.attach(loop)
  if (ensemble !== undefined) {
    const { self } = ensemble.membership
    await peers.listen('quorum', self.quorumAddresses)
    await peers.listen('election', self.electionAddresses)
  }
  return {
    loop,
    clientPort: await bind(plain, config),
    stop() {
      isStopped = true
    },
  }
}

interface MachineParts {
  readonly disk: NodeDisk
  readonly clients: ClientSockets
  readonly peers: PeerPorts
  readonly snapshots: SnapshotFile
  readonly isStopped: () => boolean
}

function machineOf({ disk, clients, peers, snapshots, isStopped }: MachineParts): Machine {
  return {
    clock: readClock,
    afterThisTurn: setImmediate,
    writeClient: (id, bytes) => clients.write(id, bytes),
    closeClient: (id, now) => clients.close(id, now),
    pauseClient: (id, paused) => clients.pause(id, paused),
    // No scheme that the configuration can ask for takes its time.
    ask: (_question, done) => setImmediate(() => done(undefined)),
    writeDisk: (ops, done) => {
      // Nobody will be told that it is there, so it need not be.
      if (!isStopped()) disk.write(ops, done)
    },
    writeSnapshotSlice: (op, done) =>
      snapshots.run(op, (problem) => {
        if (!isStopped()) done(problem)
      }),
    dialLink: (link, kind, addresses) => peers.dial(link, kind, addresses),
    writeLink: (link, bytes) => peers.write(link, bytes),
    closeLink: (link) => peers.close(link),
    pauseLink: (link, paused) => peers.pause(link, paused),
  }
}

function plainPortOf(config: Config): ClientPortOptions {
  return {
    port: config.clientPort ?? 0,
    host: config.clientPortAddress,
    backlog: config.clientPortListenBacklog,
    keepAlive: config.clientTcpKeepAlive,
  }
}

function peerPortsOf(
  config: Config,
  descriptors: Descriptors,
  logger: Logger,
  { metrics }: Member,
): PeerPorts {
  const options = {
    onGone: (ms: number) => metrics.socketClosingTime.add(Math.round(ms)),
    connectTimeoutMs: config.cnxTimeoutMs,
    bindTriesMax: config.electionPortBindRetry,
    onAllAddresses: config.quorumListenOnAllIPs,
    keepAlive: config.tcpKeepAlive,
  }
  return new PeerPorts(options, descriptors, logger)
}

/** What makes a member of an ensemble out of a server; undefined where there is none. */
async function joinable(
  config: Config,
  disk: NodeDisk,
  loaded: Loaded,
  logger: Logger,
): Promise<EnsemblePorts | undefined> {
  const membership = membershipOf(config)
  if (membership === undefined) return undefined
  const epochs = await readEpochs(disk, loaded, logger)
  return { membership, settings: quorumSettingsOf(config), epochs, disk }
}

/** In this time the log must not be able to use up freeSpaceMinInKb. */
const SPACE_INTERVAL_MS = 100
/** For so long writes may go to files that nobody will find again. */
const PLACE_INTERVAL_MS = 1000
/** How old what operators are told of the machine may be. */
const HOST_INTERVAL_MS = 1000

function startTimers(loop: TurnLoop, { config, disk, logger, host }: HostParts, held: Held): void {
  const { flushDelayMs } = config
  const interval =
    flushDelayMs > 0 ? Math.min(flushDelayMs, ADVANCE_INTERVAL_MS) : ADVANCE_INTERVAL_MS
  const timers = [
    setInterval(() => loop.enter(() => {}), interval),
    setInterval(() => disk.checkPlace(), PLACE_INTERVAL_MS),
    setInterval(() => host.refresh(), HOST_INTERVAL_MS),
  ]
  if (config.freeSpaceMinBytes > 0)
    timers.push(
      setInterval(() => {
        freeBytesOf(disk.logFolder, (bytes) => {
          if (bytes !== undefined) loop.enter((member) => member.onFreeSpace(bytes))
        })
      }, SPACE_INTERVAL_MS),
    )
  if (config.autopurgeIntervalMs > 0)
    timers.push(
      setInterval(
        () => purge(disk, config.autopurgeSnapRetainCount, logger),
        config.autopurgeIntervalMs,
      ),
    )
  held.push(() => {
    for (const timer of timers) clearInterval(timer)
  })
  held.push(watchHeap((used, limit) => loop.enter((running) => running.onHeap(used, limit))))
}

async function bind(plain: ClientPort, { clientPort = 0 }: Config): Promise<number> {
  try {
    return await plain.listen()
  } catch (error) {
    const reason = messageOf(error)
    throw new StartError(`cannot bind clientPort ${clientPort}: ${reason}`, ExitCode.unexpected)
  }
}
