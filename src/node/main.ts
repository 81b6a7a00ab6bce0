import { MemberView } from '../admin/member-view.ts'
import { WordRunner } from '../admin/word-runner.ts'
import { defaultLimits, type Limits } from '../base/limits.ts'
import type { Logger } from '../base/logger.ts'
import { formatZxid } from '../data/zxid.ts'
import { providersOf } from '../server/auth-requests.ts'
import type { Config } from '../server/config.ts'
import { type Loaded, loadMember } from '../server/load.ts'
import { ADVANCE_INTERVAL_MS, Member } from '../server/member.ts'
import { type Machine, TurnLoop } from '../server/turn-loop.ts'
import { ClientPort } from './client-port.ts'
import { readClock } from './clock.ts'
import { nodeCrypto } from './crypto.ts'
import { NodeDisk } from './disk.ts'
import { ExitCode, StartError } from './exit-code.ts'
import { buildInfo, hostView } from './host.ts'

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
  const providers = providersOf(config, nodeCrypto)
  if (typeof providers === 'string') throw new StartError(providers, ExitCode.invalidInvocation)
  const loaded = loadData(disk, config, logger)
  const clock = readClock()
  const words = new WordRunner(config)
  const member = new Member(
    { config, limits: limitsOf(config), providers, crypto: nodeCrypto, logger, clock },
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
  const machine: Machine = {
    clock: readClock,
    afterThisTurn: setImmediate,
    writeClient: (id, bytes) => clients.write(id, bytes),
    closeClient: (id, now) => clients.close(id, now),
    pauseClient: (id, paused) => clients.pause(id, paused),
    writeDisk: (ops, done) => disk.write(ops, done),
  }
  const loop = new TurnLoop(member, machine)
  port = await bind(clients, portOptions, loop)
  const timer = setInterval(() => loop.enter(() => {}), ADVANCE_INTERVAL_MS)
  logger.info('serving clients', { port, ms: Math.round(performance.now()) })
  return {
    clientPort: port,
    async stop() {
      clearInterval(timer)
      await clients.stop()
      disk.close()
    },
  }
}

/** The state on disk, with what a crash left at its end cut off. Throws a StartError. */
function loadData(disk: NodeDisk, config: Config, logger: Logger): Loaded {
  const began = performance.now()
  const rules = {
    extendedTypesEnabled: config.extendedTypesEnabled,
    emulate353TtlNodes: config.emulate353TtlNodes,
    digestEnabled: config.digestEnabled,
  }
  const loaded = loadMember(disk, rules, logger)
  if (loaded.kind === 'refused') {
    const { file, offset, reason, remedy } = loaded
    throw new StartError(
      `${disk.logFolder}/${file} at offset ${offset}: ${reason}. ${remedy}`,
      ExitCode.dataDir,
    )
  }
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
    zxid: formatZxid(loaded.lastZxid),
    txns: loaded.txns,
    znodes: loaded.tree.nodeCount,
    sessions: loaded.sessions.size,
    ms: Math.round(performance.now() - began),
  })
  return loaded
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
