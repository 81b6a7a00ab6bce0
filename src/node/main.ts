import { JuteWriter } from 'jute-ts'
import { MemberView } from '../admin/member-view.ts'
import { WordRunner } from '../admin/word-runner.ts'
import { defaultLimits, type Limits } from '../base/limits.ts'
import type { Logger } from '../base/logger.ts'
import { formatZxid } from '../data/zxid.ts'
import { SnapshotEncoder } from '../persistence/snapshot-format.ts'
import { snapshotFileName } from '../persistence/snapshot-name.ts'
import { providersOf } from '../server/auth-requests.ts'
import type { Config } from '../server/config.ts'
import { type Loaded, loadMember, loadRulesOf } from '../server/load.ts'
import { ADVANCE_INTERVAL_MS, Member } from '../server/member.ts'
import { type Machine, TurnLoop } from '../server/turn-loop.ts'
import { TreeDump } from '../tree/tree-dump.ts'
import { ClientPort } from './client-port.ts'
import { readClock } from './clock.ts'
import { nodeCrypto } from './crypto.ts'
import { NodeDisk } from './disk.ts'
import { ExitCode, StartError } from './exit-code.ts'
import { FolderLock } from './folder-lock.ts'
import { freeBytesOf } from './free-bytes.ts'
import { buildInfo, hostView } from './host.ts'
import { purge } from './purge.ts'
import { removeTemporarySnapshots, SnapshotFile, writeSnapshotSync } from './snapshot-file.ts'

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
  const loaded = loadData(disk, config, logger)
  const clock = readClock()
  const words = new WordRunner(config)
  const member = new Member(
    {
      config,
      limits: limitsOf(config),
      providers,
      crypto: nodeCrypto,
      logger,
      clock,
      ensemble: undefined,
    },
    loaded,
    words,
  )
  let port: number | undefined
  member.metrics.startupTxnsLoaded.add(loaded.txns)
  member.metrics.dbInitTimeMs.add(Math.round(performance.now() - began))
  words.attach(new MemberView(member, buildInfo(), hostView(config), () => port))
  const portOptions = {
    port: config.clientPort ?? 0,
    host: config.clientPortAddress,
    backlog: config.clientPortListenBacklog,
    keepAlive: config.clientTcpKeepAlive,
  }
  const clients = new ClientPort(portOptions, logger)
  const snapshots = new SnapshotFile(disk.snapFolder, config.freeSpaceMinBytes)
  let isStopped = false
  const machine: Machine = {
    clock: readClock,
    afterThisTurn: setImmediate,
    writeClient: (id, bytes) => clients.write(id, bytes),
    closeClient: (id, now) => clients.close(id, now),
    pauseClient: (id, paused) => clients.pause(id, paused),
    writeDisk: (ops, done) => disk.write(ops, done),
    writeSnapshotSlice: (op, done) =>
      snapshots.run(op, (problem) => {
        if (!isStopped) done(problem)
      }),
    dialLink: () => {},
    writeLink: () => 0,
    closeLink: () => {},
    pauseLink: () => {},
  }
  const loop = new TurnLoop(member, machine)
  port = await bind(clients, portOptions, loop)
  const timers = startTimers(loop, disk, config, logger)
  logger.info('serving clients', { port, ms: Math.round(performance.now()) })
  return {
    clientPort: port,
    async stop() {
      isStopped = true
      for (const timer of timers) clearInterval(timer)
      await clients.stop()
      disk.close()
      for (const lock of locks) lock.release()
    },
  }
}

/** The state on disk, with what a crash left at its end cut off. Throws a StartError. */
function loadData(disk: NodeDisk, config: Config, logger: Logger): Loaded {
  const began = performance.now()
  const rules = loadRulesOf(config, disk.takeInitializeMarker() || config.dbAutocreate)
  const loaded = loadMember(disk, rules, logger)
  if (loaded.kind === 'refused') {
    const { file, offset, reason, remedy } = loaded
    const at = offset === undefined ? '' : ` at offset ${offset}`
    throw new StartError(`${disk.pathOf(file)}${at}: ${reason}. ${remedy}`, ExitCode.dataDir)
  }
  if (loaded.isNew) writeFirstSnapshot(disk, loaded, config)
  if (loaded.tail !== undefined) {
    logger.warn('cutting off what a crash left at the end of the log', {
      file: loaded.tail.name,
      offset: loaded.tail.offset,
      detail: loaded.tail.detail,
    })
    const problem = disk.cutTail(loaded.tail)
    if (problem !== undefined) throw new StartError(problem, ExitCode.dataDir)
  }
  logger.info('data loaded', {
    snapshot: loaded.snapshot,
    zxid: formatZxid(loaded.lastZxid),
    txns: loaded.txns,
    znodes: loaded.tree.nodeCount,
    sessions: loaded.sessions.size,
    ms: Math.round(performance.now() - began),
  })
  return loaded
}

/** Two servers on one directory would overwrite each other's log: the second one ends here. */
async function lockFolders(disk: NodeDisk, logger: Logger): Promise<readonly FolderLock[]> {
  const locks: FolderLock[] = []
  for (const folder of new Set([disk.snapFolder, disk.logFolder])) {
    const lock = await FolderLock.take(folder)
    if (lock instanceof FolderLock) locks.push(lock)
    else if (lock.kind === 'unknown')
      logger.warn('the data directory cannot be locked: take care that one server uses it', {
        folder,
        reason: lock.reason,
      })
    else
      throw new StartError(
        `data directory ${folder} is in use by another server: ${lock.reason}`,
        ExitCode.dataDir,
      )
  }
  removeTemporarySnapshots(disk.snapFolder)
  return locks
}

/** The original refuses a directory with logs and no snapshot, and the first log is about to come. */
function writeFirstSnapshot(disk: NodeDisk, { tree }: Loaded, config: Config): void {
  const w = new JuteWriter()
  const tail = {
    digest: config.digestEnabled,
    lastProcessedZxid: config.serializeLastProcessedZxid,
  }
  new SnapshotEncoder(new TreeDump(tree, []), tail).writeSlice(w, Infinity)
  const name = snapshotFileName({ zxid: 0, compression: config.snapshotCompression })
  try {
    writeSnapshotSync(disk.snapFolder, name, w.bytes())
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new StartError(`cannot write ${disk.pathOf(name)}: ${reason}`, ExitCode.dataDir)
  }
}

/** In this time the log must not be able to use up freeSpaceMinInKb. */
const SPACE_INTERVAL_MS = 100

function startTimers(
  loop: TurnLoop,
  disk: NodeDisk,
  config: Config,
  logger: Logger,
): readonly NodeJS.Timeout[] {
  const timers = [setInterval(() => loop.enter(() => {}), ADVANCE_INTERVAL_MS)]
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
    const reason = error instanceof Error ? error.message : String(error)
    throw new StartError(`cannot bind clientPort ${options.port}: ${reason}`, ExitCode.unexpected)
  }
}

/** Whoever goes on after a failed log write would lie about what is durable. */
function endProcess(logger: Logger, reason: string): never {
  logger.error('the log cannot be written, ending the process', { reason })
  process.exit(1)
}
