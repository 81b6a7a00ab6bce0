import type { SnapshotCompression } from '../persistence/snapshot-name.ts'
import { readAuth } from './auth-keys.ts'
import type { Config } from './config.ts'
import { type Membership, readMembership } from './ensemble-keys.ts'
import { readAcceptedKeys } from './keys.ts'
import { refuseUnprotected } from './protection.ts'
import { readQuorum } from './quorum-keys.ts'
import { ConfigReader } from './reader.ts'
import { PORT_MAX } from './servers.ts'
import { type ConfigEntry, type ConfigError, type ConfigFiles, noConfigFiles } from './source.ts'

export interface ParsedConfig {
  readonly config: Config
  /** Keys that have no effect, and other things worth a line of the log. */
  readonly notes: readonly string[]
}

const KIB = 1024
const INT_MAX = 2 ** 31 - 1
const INT_MIN = -(2 ** 31)

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
  const { ownServer, ...membership } = readMembership(reader, directories.dataDir, files)
  const config: Config = {
    file,
    ...directories,
    ...readClientPort(reader, ownServer, membership.myid),
    ...readSessionTimes(reader),
    ...readLimits(reader),
    ...readPersistence(reader),
    ...readTree(reader),
    ...readAuth(reader, systemProperties, files),
    ...readFourLetterWords(reader),
    ...membership,
    ...readQuorum(reader),
    reconfigEnabled: reader.boolean('reconfigEnabled', 'file', false),
    localSessionsEnabled: reader.boolean('localSessionsEnabled', 'file', false),
  }
  refuseUnprotected(reader, membership.servers.size > 0)
  readAcceptedKeys(reader)
  return reader.firstError() ?? { config, notes: reader.notes }
}

function readDirectories(reader: ConfigReader): Pick<Config, 'dataDir' | 'dataLogDir'> {
  const dataDir = readPath(reader, 'dataDir')
  if (dataDir === undefined)
    reader.refuseMissing('dataDir', 'is not set: it must name the directory for the data')
  const dataLogDir = readPath(reader, 'dataLogDir') ?? dataDir
  return { dataDir: dataDir ?? '', dataLogDir: dataLogDir ?? '' }
}

function readPath(reader: ConfigReader, key: string): string | undefined {
  const setting = reader.find(key, 'file')
  if (setting === undefined) return undefined
  if (setting.value === '') reader.refuse(setting, 'must name a directory')
  if (setting.value.includes('\0')) reader.refuse(setting, 'must not contain a NUL character')
  return setting.value
}

function readClientPort(
  reader: ConfigReader,
  line: Membership['ownServer'],
  myid: number | undefined,
): Pick<Config, 'clientPort' | 'clientPortAddress' | 'clientPortListenBacklog'> {
  const port = reader.integer('clientPort', 'file', undefined, { min: 0, max: PORT_MAX })
  const address = reader.find('clientPortAddress', 'file')
  const backlog = { min: -1, unit: 'connections' }
  if (port !== undefined && line?.clientPort !== undefined && line.clientPort !== port) {
    const setting = reader.find('clientPort', 'file')
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
    clientPortListenBacklog: reader.integer('clientPortListenBacklog', 'file', -1, backlog),
  }
}

function readSessionTimes(
  reader: ConfigReader,
): Pick<Config, 'tickTimeMs' | 'minSessionTimeoutMs' | 'maxSessionTimeoutMs'> {
  const unit = 'milliseconds'
  const tickTimeMs = reader.integer('tickTime', 'file', 3000, { min: 1, unit })
  const bound = { min: -1, unit }
  const min = reader.integer('minSessionTimeout', 'file', -1, bound)
  const max = reader.integer('maxSessionTimeout', 'file', -1, bound)
  const minSessionTimeoutMs = min < 0 ? Math.min(tickTimeMs * 2, INT_MAX) : min
  const maxSessionTimeoutMs = max < 0 ? Math.min(tickTimeMs * 20, INT_MAX) : max
  if (minSessionTimeoutMs > maxSessionTimeoutMs) {
    const setting =
      reader.find('maxSessionTimeout', 'file') ?? reader.find('minSessionTimeout', 'file')
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
  const any = { min: INT_MIN, unit: 'connections' } // Below 0 is no limit, as 0 is.
  const bytes = { min: 1, unit: 'bytes' }
  const requests = { min: 1, unit: 'requests' }
  const ms = { min: 1, unit: 'milliseconds' }
  return {
    maxClientCnxns: Math.max(0, reader.integer('maxClientCnxns', 'file', 60, any)),
    maxCnxns: Math.max(0, reader.integer('maxCnxns', 'property', 0, any)),
    globalOutstandingLimit: reader.integer('globalOutstandingLimit', 'property', 1000, requests),
    juteMaxBufferBytes: reader.integer('jute.maxbuffer', 'bare', 0xfffff, bytes),
    clientTcpKeepAlive: reader.boolean('clientTcpKeepAlive', 'property', true),
    sessionlessCnxnTimeoutMs: reader.integer('nio.sessionlessCnxnTimeout', 'property', 10_000, ms),
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
  const kib = { min: INT_MIN, unit: 'KiB' } // Below 0 is off, as 0 is.
  const wholeKib = { min: 0, unit: 'KiB' }
  const ms = { min: 0, unit: 'milliseconds' }
  const percent = { min: 0, max: 100, unit: 'percent' }
  const threshold =
    reader.integer('fsync.warningthresholdms', 'property', undefined, ms) ??
    reader.integer('fsync.warningthresholdms', 'bare', 1000, ms)
  const snapCount = reader.integer('snapCount', 'property', 100_000, { min: 0, unit: 'txns' })
  if (snapCount < 2) reader.notes.push(`snapCount=${snapCount} is too small: 2 is used`)
  return {
    preAllocBytes: Math.max(0, reader.integer('preAllocSize', 'property', 65_536, kib)) * KIB,
    forceSync: reader.yesNo('forceSync', 'property', true),
    fsyncWarningThresholdMs: threshold,
    flushDelayMs: reader.integer('flushDelay', 'property', 0, ms),
    maxBatchSize: reader.integer('maxBatchSize', 'property', 1000, { min: 1, unit: 'txns' }),
    txnLogSizeLimitBytes:
      Math.max(0, reader.integer('txnLogSizeLimitInKb', 'property', 0, kib)) * KIB,
    snapCount: Math.max(2, snapCount),
    snapSizeLimitBytes:
      Math.max(0, reader.integer('snapSizeLimitInKb', 'property', 4_194_304, kib)) * KIB,
    snapshotCompression: readCompression(reader),
    serializeLastProcessedZxid: reader.boolean(
      'serializeLastProcessedZxid.enabled',
      'property',
      true,
    ),
    freeSpaceMinBytes: reader.integer('freeSpaceMinInKb', 'property', 65_536, wholeKib) * KIB,
    heapSoftLimitPercent: reader.integer('heapSoftLimitPercent', 'property', 85, percent),
    ...readPurge(reader),
    snapshotTrustEmpty: reader.boolean('snapshot.trust.empty', 'property', false),
    dataDirAutocreate: reader.boolean('datadir.autocreate', 'property', true),
    dbAutocreate: reader.boolean('db.autocreate', 'property', true),
  }
}

/** Anything else is no compression in the original, too, but there nobody is told. */
function readCompression(reader: ConfigReader): SnapshotCompression {
  const setting = reader.find('snapshot.compression.method', 'property')
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
  const retain = reader.integer('autopurge.snapRetainCount', 'file', PURGE_RETAIN_MIN, { min: 0 })
  if (retain < PURGE_RETAIN_MIN)
    reader.notes.push(
      `autopurge.snapRetainCount=${retain} is too small: ${PURGE_RETAIN_MIN} is used`,
    )
  const setting = reader.find('autopurge.purgeInterval', 'file')
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
  | 'readOnlyModeEnabled'
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
  const ms = { min: 1, unit: 'milliseconds' }
  const orNever = { min: 0, unit: 'milliseconds' }
  const container = 'znode.container'
  return {
    readOnlyModeEnabled: reader.boolean('readonlymode.enabled', 'bare', false),
    digestEnabled: reader.boolean('digest.enabled', 'property', true),
    closeSessionTxnEnabled: reader.boolean('closeSessionTxn.enabled', 'property', true),
    extendedTypesEnabled: reader.boolean('extendedTypesEnabled', 'property', false),
    emulate353TtlNodes: reader.boolean('emulate353TTLNodes', 'property', false),
    containerCheckIntervalMs: reader.integer(`${container}.checkIntervalMs`, 'bare', 60_000, ms),
    containerMaxPerMinute: reader.integer(`${container}.maxPerMinute`, 'bare', 10_000, { min: 1 }),
    containerMaxNeverUsedIntervalMs: reader.integer(
      `${container}.maxNeverUsedIntervalMs`,
      'bare',
      0,
      orNever,
    ),
    enforceQuota: reader.boolean('enforceQuota', 'property', false),
    enableEagerACLCheck: reader.boolean('enableEagerACLCheck', 'property', false),
    skipAcl: reader.yesNo('skipACL', 'property', false),
  }
}

/** `srvr` is always allowed, and `isro` in read-only mode: ZooKeeper's own tools need them. */
function readFourLetterWords(reader: ConfigReader): Pick<Config, 'fourLetterWords'> {
  const words = (reader.text('4lw.commands.whitelist', 'property') ?? '')
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')
  if (words.includes('*')) return { fourLetterWords: '*' }
  if (reader.boolean('readonlymode.enabled', 'bare', false)) words.push('isro')
  return { fourLetterWords: new Set([...words, 'srvr']) }
}
