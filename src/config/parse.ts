import type { SnapshotCompression } from '../persistence/snapshot-name.ts'
import { readAuth } from './auth-keys.ts'
import type { Config } from './config.ts'
import { type EnsembleConfig, readEnsembleConfig } from './ensemble-keys.ts'
import { honouredKeys } from './honoured-keys.ts'
import { asksForWhatIsNot, noteWithoutEffect } from './keys-without-effect.ts'
import { refuseUnprotected } from './protection.ts'
import { readQuorum } from './quorum-keys.ts'
import { ConfigReader } from './reader.ts'
import { type ConfigEntry, type ConfigError, type ConfigFiles, noConfigFiles } from './source.ts'

export interface ParsedConfig {
  readonly config: Config
  /** Keys that have no effect, and other things worth a line of the log. */
  readonly notes: readonly string[]
}

const KIB = 1024
const INT_MAX = 2 ** 31 - 1

/**
 * A Config from the entries of zoo.cfg and the system properties (`-D` flags), or the first thing
 * that is wrong with them. Never throws. Paths stay as written; `files` reads what the
 * configuration points to: myid, the JAAS file and the dynamic configuration.
 */
export function parseConfig(
  entries: readonly ConfigEntry[],
  file: string,
  systemProperties: ReadonlyMap<string, string>,
  files: ConfigFiles = noConfigFiles,
): ParsedConfig | ConfigError {
  const reader = new ConfigReader(entries, file, systemProperties)
  const directories = readDirectories(reader)
  const { ownServer, ...ensemble } = readEnsembleConfig(reader, directories.dataDir, files)
  const config: Config = {
    file,
    ...directories,
    ...readClientPort(reader, ownServer, ensemble.myid),
    ...readSessionTimes(reader),
    ...readLimits(reader),
    ...readPersistence(reader),
    ...readTree(reader),
    ...readAuth(reader, systemProperties, files),
    ...readFourLetterWords(reader),
    ...ensemble,
    ...readQuorum(reader),
  }
  refuseUnprotected(reader, ensemble.servers.size > 0)
  noteWithoutEffect(reader)
  return reader.firstError() ?? { config, notes: reader.notes }
}

function readDirectories(reader: ConfigReader): Pick<Config, 'dataDir' | 'dataLogDir'> {
  const dataDir = readPath(reader, 'dataDir')
  if (dataDir === undefined)
    reader.refuseMissing('dataDir', 'is not set: it must name the directory for the data')
  const dataLogDir = readPath(reader, 'dataLogDir') ?? dataDir
  return { dataDir: dataDir ?? '', dataLogDir: dataLogDir ?? '' }
}

function readPath(reader: ConfigReader, key: 'dataDir' | 'dataLogDir'): string | undefined {
  const setting = reader.find(key)
  if (setting === undefined) return undefined
  if (setting.value === '') reader.refuse(setting, 'must name a directory')
  if (setting.value.includes('\0')) reader.refuse(setting, 'must not contain a NUL character')
  return setting.value
}

function readClientPort(
  reader: ConfigReader,
  line: EnsembleConfig['ownServer'],
  myid: number | undefined,
): Pick<Config, 'clientPort' | 'clientPortAddress' | 'clientPortListenBacklog'> {
  const port = reader.integer('clientPort')
  const address = reader.find('clientPortAddress')
  if (port !== undefined && line?.clientPort !== undefined && line.clientPort !== port) {
    const setting = reader.find('clientPort')
    if (setting !== undefined)
      reader.refuse(setting, `differs from ${line.clientPort}, the client port of server.${myid}`)
  }
  if (port === undefined && line?.clientPort === undefined) {
    if (address !== undefined) reader.refuse(address, 'needs clientPort, which is not set')
    else reader.refuseMissing('clientPort', 'is not set, so no client could connect')
  }
  if (address?.value === '') reader.refuse(address, 'must be an address or a host name')
  return {
    clientPort: line?.clientPort ?? port,
    clientPortAddress: line?.clientAddress ?? address?.value.replace(/^\[(.*)\]$/, '$1'),
    clientPortListenBacklog: reader.integer('clientPortListenBacklog'),
  }
}

function readSessionTimes(
  reader: ConfigReader,
): Pick<Config, 'tickTimeMs' | 'minSessionTimeoutMs' | 'maxSessionTimeoutMs'> {
  const tickTimeMs = reader.integer('tickTime')
  const min = reader.integer('minSessionTimeout')
  const max = reader.integer('maxSessionTimeout')
  const minSessionTimeoutMs = min < 0 ? Math.min(tickTimeMs * 2, INT_MAX) : min
  const maxSessionTimeoutMs = max < 0 ? Math.min(tickTimeMs * 20, INT_MAX) : max
  if (minSessionTimeoutMs > maxSessionTimeoutMs) {
    const setting = reader.find('maxSessionTimeout') ?? reader.find('minSessionTimeout')
    const problem = `makes minSessionTimeout (${minSessionTimeoutMs}) larger than maxSessionTimeout (${maxSessionTimeoutMs})`
    if (setting !== undefined) reader.refuse(setting, problem)
  }
  return { tickTimeMs, minSessionTimeoutMs, maxSessionTimeoutMs }
}

type Limits = Pick<
  Config,
  | 'maxClientCnxns'
  | 'maxCnxns'
  | 'globalOutstandingLimit'
  | 'juteMaxBufferBytes'
  | 'clientTcpKeepAlive'
  | 'sessionlessCnxnTimeoutMs'
>

function readLimits(reader: ConfigReader): Limits {
  return {
    maxClientCnxns: Math.max(0, reader.integer('maxClientCnxns')),
    maxCnxns: Math.max(0, reader.integer('maxCnxns')),
    globalOutstandingLimit: reader.integer('globalOutstandingLimit'),
    juteMaxBufferBytes: reader.integer('jute.maxbuffer'),
    clientTcpKeepAlive: reader.switch('clientTcpKeepAlive'),
    sessionlessCnxnTimeoutMs: reader.integer('nio.sessionlessCnxnTimeout'),
  }
}

type Persistence = Pick<
  Config,
  | 'preAllocBytes'
  | 'forceSync'
  | 'fsyncWarningThresholdMs'
  | 'flushDelayMs'
  | 'maxBatchSize'
  | 'txnLogSizeLimitBytes'
  | 'snapCount'
  | 'snapSizeLimitBytes'
  | 'snapshotCompression'
  | 'serializeLastProcessedZxid'
  | 'freeSpaceMinBytes'
  | 'heapSoftLimitPercent'
  | 'autopurgeSnapRetainCount'
  | 'autopurgeIntervalMs'
  | 'snapshotTrustEmpty'
  | 'dataDirAutocreate'
  | 'dbAutocreate'
>

function readPersistence(reader: ConfigReader): Persistence {
  const snapCount = reader.integer('snapCount')
  if (snapCount < 2) reader.notes.push(`snapCount=${snapCount} is too small: 2 is used`)
  return {
    preAllocBytes: Math.max(0, reader.integer('preAllocSize')) * KIB,
    forceSync: reader.switch('forceSync'),
    fsyncWarningThresholdMs: readFsyncThreshold(reader),
    flushDelayMs: reader.integer('flushDelay'),
    maxBatchSize: reader.integer('maxBatchSize'),
    txnLogSizeLimitBytes: Math.max(0, reader.integer('txnLogSizeLimitInKb')) * KIB,
    snapCount: Math.max(2, snapCount),
    snapSizeLimitBytes: Math.max(0, reader.integer('snapSizeLimitInKb')) * KIB,
    snapshotCompression: readCompression(reader),
    serializeLastProcessedZxid: reader.switch('serializeLastProcessedZxid.enabled'),
    freeSpaceMinBytes: reader.integer('freeSpaceMinInKb') * KIB,
    heapSoftLimitPercent: reader.integer('heapSoftLimitPercent'),
    ...readPurge(reader),
    snapshotTrustEmpty: reader.switch('snapshot.trust.empty'),
    dataDirAutocreate: reader.switch('datadir.autocreate'),
    dbAutocreate: reader.switch('db.autocreate'),
  }
}

/** The flag may leave out `zookeeper.`; the other one wins. */
function readFsyncThreshold(reader: ConfigReader): number {
  const name = 'fsync.warningthresholdms'
  const otherwise = reader.integer(name)
  const flag = reader.find(name) === undefined ? reader.findIn(name, 'bare') : undefined
  if (flag === undefined) return otherwise
  return reader.integerOf(flag, 'bare', honouredKeys[name]) ?? otherwise
}

/** Anything else is no compression in the original, too, but there nobody is told. */
function readCompression(reader: ConfigReader): SnapshotCompression {
  const setting = reader.find('snapshot.compression.method')
  const value = setting?.value ?? ''
  if (value === '' || value === 'gz' || value === 'snappy') return value
  if (setting !== undefined) reader.refuse(setting, 'must be gz, snappy or nothing')
  return ''
}

const PURGE_RETAIN_MIN = 3
const HOUR_MS = 3_600_000
const DURATION_UNITS_MS: ReadonlyMap<string, number> = new Map([
  ['', HOUR_MS],
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', HOUR_MS],
  ['d', 24 * HOUR_MS],
])
/** The longest that a timer can wait. */
const INTERVAL_MS_MAX = INT_MAX

/** A bare number is of hours, as ever; we also take a unit behind it, since hours are coarse. */
function readPurge(
  reader: ConfigReader,
): Pick<Config, 'autopurgeSnapRetainCount' | 'autopurgeIntervalMs'> {
  const retain = reader.integer('autopurge.snapRetainCount')
  if (retain < PURGE_RETAIN_MIN)
    reader.notes.push(
      `autopurge.snapRetainCount=${retain} is too small: ${PURGE_RETAIN_MIN} is used`,
    )
  const setting = reader.find('autopurge.purgeInterval')
  const match = /^(-?\d{1,10})\s*(ms|s|m|h|d|)$/.exec(setting?.value ?? '0')
  const unitMs = DURATION_UNITS_MS.get(match?.[2] ?? '') ?? HOUR_MS
  if (setting !== undefined && match === null)
    reader.refuse(setting, 'must be a whole number of hours, or of the unit behind it: ms s m h d')
  const intervalMs = Math.max(0, Number(match?.[1] ?? 0)) * unitMs
  return {
    autopurgeSnapRetainCount: Math.max(PURGE_RETAIN_MIN, retain),
    autopurgeIntervalMs: Math.min(intervalMs, INTERVAL_MS_MAX),
  }
}

type Tree = Pick<
  Config,
  | 'reconfigEnabled'
  | 'digestEnabled'
  | 'closeSessionTxnEnabled'
  | 'extendedTypesEnabled'
  | 'emulate353TtlNodes'
  | 'containerCheckIntervalMs'
  | 'containerMaxPerMinute'
  | 'containerMaxNeverUsedIntervalMs'
  | 'enforceQuota'
  | 'skipAcl'
  | 'enableEagerACLCheck'
>

function readTree(reader: ConfigReader): Tree {
  return {
    reconfigEnabled: asksForWhatIsNot(reader, 'reconfigEnabled'),
    digestEnabled: reader.switch('digest.enabled'),
    closeSessionTxnEnabled: reader.switch('closeSessionTxn.enabled'),
    extendedTypesEnabled: reader.switch('extendedTypesEnabled'),
    emulate353TtlNodes: reader.switch('emulate353TTLNodes'),
    containerCheckIntervalMs: reader.integer('znode.container.checkIntervalMs'),
    containerMaxPerMinute: reader.integer('znode.container.maxPerMinute'),
    containerMaxNeverUsedIntervalMs: reader.integer('znode.container.maxNeverUsedIntervalMs'),
    enforceQuota: reader.switch('enforceQuota'),
    enableEagerACLCheck: reader.switch('enableEagerACLCheck'),
    skipAcl: reader.switch('skipACL'),
  }
}

/**
 * `srvr` is always allowed, and `isro` where read-only mode is asked for, as in the original, whose tools need
 * them; there is no such mode here.
 */
function readFourLetterWords(reader: ConfigReader): Pick<Config, 'fourLetterWords'> {
  const words = (reader.text('4lw.commands.whitelist') ?? '')
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')
  if (words.includes('*')) return { fourLetterWords: '*' }
  if (asksForWhatIsNot(reader, 'readonlymode.enabled')) words.push('isro')
  return { fourLetterWords: new Set([...words, 'srvr']) }
}
