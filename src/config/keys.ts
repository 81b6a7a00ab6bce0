import type { ConfigReader, Setting } from './reader.ts'
import { shown } from './source.ts'

/**
 * Keys of ZooKeeper that this version accepts and does not act upon (spec 06 §5). Those that the
 * original checks at start are checked here too, so that a file which we take is one that it takes.
 */
const reasons = {
  later: 'has no effect in this version',
  tls: 'has no effect: this version has no TLS',
  admin: 'has no effect: this version has no admin server',
  metrics: 'has no effect: this version has no metrics provider',
  jvm: 'has no meaning for a server without a JVM',
  kerberos: 'has no effect: this version has no Kerberos',
} as const
type Reason = keyof typeof reasons

/** Checked as the original does, at start. */
const wholeNumbers: readonly (readonly [key: string, min: number, reason: Reason])[] = [
  ['secureClientPort', 1, 'tls'],
  ['observerMasterPort', 0, 'later'],
  ['quorum.cnxn.threads.size', 0, 'jvm'],
  ['jvm.pause.warn-threshold.ms', 0, 'later'],
  ['jvm.pause.info-threshold.ms', 0, 'later'],
  ['jvm.pause.sleep.time.ms', 0, 'later'],
  ['multiAddress.reachabilityCheckTimeoutMs', 0, 'later'],
]

const booleans: readonly (readonly [key: string, reason: Reason])[] = [
  ['localSessionsUpgradingEnabled', 'later'],
  ['sslQuorum', 'tls'],
  ['portUnification', 'tls'],
  ['sslQuorumReloadCertFiles', 'tls'],
  ['quorum.auth.enableSasl', 'later'],
  ['quorum.auth.serverRequireSasl', 'later'],
  ['quorum.auth.learnerRequireSasl', 'later'],
  ['jvm.pause.monitor', 'later'],
  ['multiAddress.reachabilityCheckEnabled', 'later'],
]

/** Not checked: the original takes any text and falls back to its default. */
const texts: readonly (readonly [reason: Reason, keys: readonly string[]])[] = [
  [
    'later',
    [
      'jute.maxbuffer.extrasize',
      'maxWriteQueuePollTime',
      'maxResponseCacheSize',
      'maxGetChildrenResponseCacheSize',
      'audit.enable',
      'throttled_op_wait_time',
      'largeRequestMaxBytes',
      'largeRequestThreshold',
      'request_stale_latency_check',
      'request_stale_connection_check',
      'IPAuthenticationProvider.usexforwardedfor',
      'quorumCnxnTimeoutMs',
      'leaderConnectDelayDuringRetryMs',
      'oraclePath',
      'forward_learner_requests_to_commit_processor_disabled',
    ],
  ],
  ['tls', ['secureClientPortAddress', 'fips-mode', 'X509AuthenticationProvider.superUser']],
  [
    'jvm',
    [
      'serverCnxnFactory',
      'audit.impl.class',
      'intBufferStartingSizeBytes',
      'watchManagerName',
      'watcherCleanThreadsNum',
      'watcherCleanThreshold',
      'watcherCleanIntervalInSeconds',
      'maxInProcessingDeadWatchers',
      'bitHashCacheSize',
      'controllerPort',
      'kinit',
    ],
  ],
  [
    'kerberos',
    ['requireKerberosConfig', 'security.auth_to_local', 'server.realm', 'server.principal'],
  ],
]

const reasonByKey: ReadonlyMap<string, Reason> = new Map(
  texts.flatMap(([reason, keys]) => keys.map((key) => [key, reason] as const)),
)

/** Whole families of keys; a key of the lists above comes first. */
const prefixes: readonly (readonly [prefix: string, reason: Reason])[] = [
  ['quorum.', 'later'],
  ['fastleader.', 'later'],
  ['leader.', 'later'],
  ['follower.', 'later'],
  ['learner.', 'later'],
  ['observer.', 'later'],
  ['observerMaster.', 'later'],
  ['ssl.', 'tls'],
  ['client.', 'tls'],
  ['admin.', 'admin'],
  ['metricsProvider.', 'metrics'],
  ['connection_throttle_', 'later'],
  ['request_throttle', 'later'],
  ['pathStats.', 'later'],
  ['netty.', 'jvm'],
  ['nio.', 'jvm'],
  ['commitProcessor.', 'jvm'],
  ['messageTracker.', 'jvm'],
  ['jmx.', 'jvm'],
  ['kerberos.', 'kerberos'],
]

/** Flags of the start scripts and of logging: everyone has them, and nobody wants to hear of it. */
const silentFlags = /^zookeeper\.(log\.|root\.logger|console\.|tracelog\.|auditlog\.|jmx\.)/

/** Checks what must be checked and says of every other key why nothing follows from it. */
export function readAcceptedKeys(reader: ConfigReader): void {
  for (const [key, min, reason] of wholeNumbers) {
    if (reader.integer(key, 'file', undefined, { min }) !== undefined) note(reader, key, reason)
  }
  for (const [key, reason] of booleans) {
    if (reader.text(key, 'file') === undefined) continue
    reader.boolean(key, 'file', false)
    note(reader, key, reason)
  }
  for (const setting of reader.unread()) noteUnread(reader, setting)
}

function noteUnread(reader: ConfigReader, setting: Setting): void {
  const isFlag = setting.line === undefined
  const property = isFlag ? setting.key.slice('-D'.length) : setting.key
  const name = property.startsWith('zookeeper.') ? property.slice('zookeeper.'.length) : property
  if (!isFlag && name !== property) {
    reader.notes.push(`${shown(property)} has no effect: write it without 'zookeeper.'`)
    return
  }
  if (isFlag && name !== property && reader.knows(name)) {
    reader.notes.push(`${shown(setting.key)} has no effect: it is a key of the file`)
    return
  }
  const reason = reasonOf(name)
  if (reason !== undefined) note(reader, setting.key, reason)
  else if (!isFlag || (name !== property && !silentFlags.test(property)))
    reader.notes.push(`${shown(setting.key)} is not a known key and has no effect`)
}

function reasonOf(name: string): Reason | undefined {
  return reasonByKey.get(name) ?? prefixes.find(([prefix]) => name.startsWith(prefix))?.[1]
}

function note(reader: ConfigReader, key: string, reason: Reason): void {
  reader.notes.push(`${shown(key)} ${reasons[reason]}`)
}
