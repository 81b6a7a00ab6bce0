import { MemberView } from '../admin/member-view.ts'
import { WordRunner } from '../admin/word-runner.ts'
import { defaultLimits, type Limits } from '../base/limits.ts'
import type { Logger } from '../base/logger.ts'
import { messageOf } from '../base/message-of.ts'
import { ThrottledLog } from '../base/throttled-log.ts'
import type { Config } from '../config/config.ts'
import { providersOf } from '../server/clients/auth-requests.ts'
import { ensembleOf } from '../server/ensemble/ensemble-of.ts'
import type { EnsemblePorts } from '../server/ensemble/peering.ts'
import { ADVANCE_INTERVAL_MS, Member } from '../server/member.ts'
import type { Loaded } from '../server/storage/load.ts'
import { type Machine, TurnLoop } from '../server/turn-loop.ts'
import { loadData, lockFolders, readEpochs } from './files/data-folder.ts'
import { Descriptors, descriptorsMax } from './files/descriptors.ts'
import { NodeDisk } from './files/disk.ts'
import { freeBytesOf } from './files/free-bytes.ts'
import { purge } from './files/purge.ts'
import { SnapshotFile } from './files/snapshot-file.ts'
import { buildInfo, hostView } from './host.ts'
import { monotonic, readClock } from './process/clock.ts'
import { nodeCrypto } from './process/crypto.ts'
import { ExitCode, StartError } from './process/exit-code.ts'
import { heapLimitBytes, watchHeap } from './process/heap-watch.ts'
import { ClientPort } from './sockets/client-port.ts'
import { PeerPorts } from './sockets/peer-ports.ts'

/** A server that answers on its port. */
export interface RunningServer {
  /** As bound; undefined when there is no plain client port. */
  readonly clientPort: number | undefined
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
 * says what is wrong and what to do. A failed write of the log ends the process: exit code 1.
 */
export async function runServer(config: Config, logger: Logger): Promise<RunningServer> {
  const began = performance.now()
  const disk = NodeDisk.open(config, {
    logger,
    onSync: (ms) => member.metrics.fsyncTimeMs.add(Math.round(ms)),
    onFatal: (reason) => endProcess(logger, reason),
  })
  if (typeof disk === 'string') throw new StartError(disk, ExitCode.dataDir)
  const locks = await lockFolders(disk, logger)
  const providers = providersOf(config, nodeCrypto)
  if (typeof providers === 'string') throw new StartError(providers, ExitCode.invalidInvocation)
  nameHeap(config, logger)
  const loaded = loadData(disk, config, logger)
  const clock = readClock()
  const words = new WordRunner(config)
  const ensemble = await joinable(config, disk, loaded, logger)
  const limits = limitsOf(config)
  const member = new Member(
    { config, limits, providers, crypto: nodeCrypto, logger, clock, ensemble },
    loaded,
    words,
  )
  let port: number | undefined
  member.metrics.startupTxnsLoaded.add(loaded.txns)
  member.metrics.dbInitTimeMs.add(Math.round(performance.now() - began))
  const host = hostView(config)
  words.attach(new MemberView(member, buildInfo(), host, () => port, member.ensembleView))
  const portOptions = {
    port: config.clientPort ?? 0,
    host: config.clientPortAddress,
    backlog: config.clientPortListenBacklog,
    keepAlive: config.clientTcpKeepAlive,
  }
  const descriptors = new Descriptors(descriptorsMax())
  const clients = new ClientPort(portOptions, descriptors, new ThrottledLog(logger, monotonic))
  const peers = peerPortsOf(config, descriptors, logger)
  const snapshots = new SnapshotFile(disk.snapFolder, config.freeSpaceMinBytes)
  let isStopped = false
  const machine = machineOf({ disk, clients, peers, snapshots, isStopped: () => isStopped })
  const loop = new TurnLoop(member, machine)
  peers.attach(loop)
  if (ensemble !== undefined) {
    await peers.listen('quorum', ensemble.ensemble.self.quorumAddresses)
    await peers.listen('election', ensemble.ensemble.self.electionAddresses)
  }
  port = await bind(clients, portOptions, loop)
  loop.enter((running) => running.start())
  const timers = startTimers(loop, disk, config, logger)
  const stopWatchingHeap = watchHeap((used, limit) =>
    loop.enter((running) => running.onHeap(used, limit)),
  )
  logger.info('serving clients', { port, ms: Math.round(performance.now()) })
  return {
    clientPort: port,
    async stop() {
      isStopped = true
      // First of all, so that the others elect while we clean up.
      loop.enter((running) => running.leave())
      await new Promise((resolve) => setImmediate(resolve))
      for (const timer of timers) clearInterval(timer)
      stopWatchingHeap()
      peers.stop()
      await clients.stop()
      disk.close()
      for (const lock of locks) lock.release()
    },
  }
}

/** Before anything is loaded: if the heap is too small for that, this is the last that is said. */
function nameHeap({ heapSoftLimitPercent }: Config, logger: Logger): void {
  const limitMib = Math.round(heapLimitBytes() / (1024 * 1024))
  logger.info('size of the heap; NODE_OPTIONS=--max-old-space-size=<MiB> changes it', {
    limitMib,
    heapSoftLimitPercent,
  })
}

interface MachineParts {
  readonly disk: NodeDisk
  readonly clients: ClientPort
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

function peerPortsOf(config: Config, descriptors: Descriptors, logger: Logger): PeerPorts {
  const options = {
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
  const ensemble = ensembleOf(config)
  if (ensemble === undefined) return undefined
  return { ensemble, epochs: await readEpochs(disk, loaded, logger), disk }
}

/** In this time the log must not be able to use up freeSpaceMinInKb. */
const SPACE_INTERVAL_MS = 100
/** For so long writes may go to files that nobody will find again. */
const PLACE_INTERVAL_MS = 1000

function startTimers(
  loop: TurnLoop,
  disk: NodeDisk,
  config: Config,
  logger: Logger,
): readonly NodeJS.Timeout[] {
  const { flushDelayMs } = config
  const interval =
    flushDelayMs > 0 ? Math.min(flushDelayMs, ADVANCE_INTERVAL_MS) : ADVANCE_INTERVAL_MS
  const timers = [
    setInterval(() => loop.enter(() => {}), interval),
    setInterval(() => disk.checkPlace(), PLACE_INTERVAL_MS),
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
  return timers
}

async function bind(
  clients: ClientPort,
  options: ConstructorParameters<typeof ClientPort>[0],
  loop: TurnLoop,
): Promise<number> {
  try {
    return await clients.listen(options, loop)
  } catch (error) {
    const reason = messageOf(error)
    throw new StartError(`cannot bind clientPort ${options.port}: ${reason}`, ExitCode.unexpected)
  }
}

/** Whoever goes on after a failed log write would lie about what is durable. */
function endProcess(logger: Logger, reason: string): never {
  logger.error('the log cannot be written, ending the process', { reason })
  process.exit(1)
}
