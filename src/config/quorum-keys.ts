import type { Config } from './config.ts'
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

const BIND_RETRY_DEFAULT = 3
/** The original raises what is below. */
const COMMIT_LOG_MIN = 500
/**
 * The largest commitLogCount: every entry is in memory, and there are that many of them however
 * small they are.
 * @bound entries: the start is refused
 */
const COMMIT_LOG_MAX = 10_000_000
const FACTOR_DEFAULT = 0.33

export function readQuorum(reader: ConfigReader): QuorumConfig {
  const ms = { min: 1, unit: 'milliseconds' }
  const learners = { min: 1, unit: 'learners' }
  const tries = reader.integer('electionPortBindRetry', 'property', BIND_RETRY_DEFAULT, {
    min: -(2 ** 31),
    unit: 'tries',
  })
  return {
    cnxTimeoutMs: reader.integer('cnxTimeout', 'property', 5000, ms),
    electionPortBindRetry: tries < 0 ? BIND_RETRY_DEFAULT : tries,
    quorumListenOnAllIPs: reader.boolean('quorumListenOnAllIPs', 'file', false),
    tcpKeepAlive: reader.boolean('tcpKeepAlive', 'property', false),
    ...readIntervals(reader),
    snapshotSizeFactor: readFactor(reader),
    forceSnapshotSync: reader.boolean('forceSnapshotSync', 'property', false),
    commitLogCount: readCommitLogCount(reader),
    concurrentSnapSyncsMax: reader.integer(
      'leader.maxConcurrentSnapSyncs',
      'property',
      10,
      learners,
    ),
    concurrentDiffSyncsMax: reader.integer(
      'leader.maxConcurrentDiffSyncs',
      'property',
      100,
      learners,
    ),
    leaderServes: reader.yesNo('leaderServes', 'property', true),
    syncEnabled: reader.boolean(
      'observer.syncEnabled',
      'property',
      reader.boolean('syncEnabled', 'file', true),
    ),
  }
}

function readIntervals(
  reader: ConfigReader,
): Pick<Config, 'notificationIntervalMsMin' | 'notificationIntervalMsMax'> {
  const ms = { min: 1, unit: 'milliseconds' }
  const min = reader.integer('fastleader.minNotificationInterval', 'property', 200, ms)
  const max = reader.integer('fastleader.maxNotificationInterval', 'property', 60_000, ms)
  const setting =
    reader.find('fastleader.maxNotificationInterval', 'property') ??
    reader.find('fastleader.minNotificationInterval', 'property')
  if (min > max && setting !== undefined)
    reader.refuse(setting, `makes the smallest interval (${min}) larger than the largest (${max})`)
  return { notificationIntervalMsMin: min, notificationIntervalMsMax: max }
}

function readFactor(reader: ConfigReader): number {
  const setting = reader.find('snapshotSizeFactor', 'property')
  if (setting === undefined) return FACTOR_DEFAULT
  if (/^[+-]?(\d{1,9}(\.\d{0,9})?|\.\d{1,9})$/.test(setting.value)) return Number(setting.value)
  reader.refuse(setting, 'must be a number such as 0.33')
  return FACTOR_DEFAULT
}

function readCommitLogCount(reader: ConfigReader): number {
  const range = { min: -(2 ** 31), max: COMMIT_LOG_MAX, unit: 'txns' }
  const count = reader.integer('commitLogCount', 'property', COMMIT_LOG_MIN, range)
  if (count < COMMIT_LOG_MIN)
    reader.notes.push(`commitLogCount=${count} is too small: ${COMMIT_LOG_MIN} is used`)
  return Math.max(COMMIT_LOG_MIN, count)
}
