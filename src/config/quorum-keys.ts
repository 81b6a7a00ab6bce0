import type { Config } from './config.ts'
import { honouredKeys } from './honoured-keys.ts'
import type { ConfigReader } from './reader.ts'

/** How members of an ensemble treat each other; read, and checked, on a standalone server as well. */
type QuorumConfig = Pick<
  Config,
  | 'cnxTimeoutMs'
  | 'electionPortBindRetry'
  | 'quorumListenOnAllIPs'
  | 'tcpKeepAlive'
  | 'notificationIntervalMsMin'
  | 'notificationIntervalMsMax'
  | 'snapshotSizeFactor'
  | 'forceSnapshotSync'
  | 'commitLogCount'
  | 'concurrentSnapSyncsMax'
  | 'concurrentDiffSyncsMax'
  | 'leaderServes'
  | 'syncEnabled'
>

/** The original raises what is below. */
const COMMIT_LOG_MIN = 500
const FACTOR_DEFAULT = 0.33

export function readQuorum(reader: ConfigReader): QuorumConfig {
  const tries = reader.integer('electionPortBindRetry')
  return {
    cnxTimeoutMs: reader.integer('cnxTimeout'),
    electionPortBindRetry: tries < 0 ? honouredKeys.electionPortBindRetry.otherwise : tries,
    quorumListenOnAllIPs: reader.switch('quorumListenOnAllIPs'),
    tcpKeepAlive: reader.switch('tcpKeepAlive'),
    ...readIntervals(reader),
    snapshotSizeFactor: readFactor(reader),
    forceSnapshotSync: reader.switch('forceSnapshotSync'),
    commitLogCount: readCommitLogCount(reader),
    concurrentSnapSyncsMax: reader.integer('leader.maxConcurrentSnapSyncs'),
    concurrentDiffSyncsMax: reader.integer('leader.maxConcurrentDiffSyncs'),
    leaderServes: reader.switch('leaderServes'),
    syncEnabled: readSyncEnabled(reader),
  }
}

function readSyncEnabled(reader: ConfigReader): boolean {
  const inFile = reader.switch('syncEnabled')
  const wins = reader.find('observer.syncEnabled')
  return wins === undefined ? inFile : reader.switch('observer.syncEnabled')
}

function readIntervals(
  reader: ConfigReader,
): Pick<Config, 'notificationIntervalMsMin' | 'notificationIntervalMsMax'> {
  const min = reader.integer('fastleader.minNotificationInterval')
  const max = reader.integer('fastleader.maxNotificationInterval')
  const setting =
    reader.find('fastleader.maxNotificationInterval') ??
    reader.find('fastleader.minNotificationInterval')
  if (min > max && setting !== undefined)
    reader.refuse(setting, `makes the smallest interval (${min}) larger than the largest (${max})`)
  return { notificationIntervalMsMin: min, notificationIntervalMsMax: max }
}

function readFactor(reader: ConfigReader): number {
  const setting = reader.find('snapshotSizeFactor')
  if (setting === undefined) return FACTOR_DEFAULT
  if (/^[+-]?(\d{1,9}(\.\d{0,9})?|\.\d{1,9})$/.test(setting.value)) return Number(setting.value)
  reader.refuse(setting, 'must be a number such as 0.33')
  return FACTOR_DEFAULT
}

function readCommitLogCount(reader: ConfigReader): number {
  const count = reader.integer('commitLogCount')
  if (count < COMMIT_LOG_MIN)
    reader.notes.push(`commitLogCount=${count} is too small: ${COMMIT_LOG_MIN} is used`)
  return Math.max(COMMIT_LOG_MIN, count)
}
