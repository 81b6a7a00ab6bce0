import type { ConfigReader, Setting } from './reader.ts'
import { shown } from './source.ts'

/**
 * Keys of ZooKeeper that this version accepts and does not act upon (spec 06 §5). Each one that is set
 * gets a line in the log that says why nothing follows. Those that the original checks at start are checked
 * here too, so that a file which we take is one that it takes.
 */
export const reasons = {
  later: 'has no effect in this version',
  readOnly: 'has no effect: this version has no read-only mode',
  localSessions: 'has no effect: this version has no local sessions',
  reconfig: 'has no effect: the members of this version cannot be changed while it runs',
  tls: 'has no effect: this version has no TLS',
  kerberos: 'has no effect: this version has no Kerberos',
  admin: 'has no effect: this version has no admin server',
  metrics: 'has no effect: this version has no metrics provider',
  audit: 'has no effect: this version has no audit log',
  throttling: 'has no effect: this version does not throttle requests or connections',
  jvm: 'has no meaning for a server without a JVM',
  tests: 'has no effect: it is for tests of the original',
} as const
type Reason = keyof typeof reasons

/** A switch is off when it is not set; one that is set to `false` says what is so, and gets no line. */
const switches = {
  'readonlymode.enabled': { scope: 'bare', reason: 'readOnly' },
  localSessionsEnabled: { scope: 'file', reason: 'localSessions' },
  localSessionsUpgradingEnabled: { scope: 'file', reason: 'localSessions' },
  reconfigEnabled: { scope: 'file', reason: 'reconfig' },
  sslQuorum: { scope: 'file', reason: 'tls' },
  portUnification: { scope: 'file', reason: 'tls' },
  sslQuorumReloadCertFiles: { scope: 'file', reason: 'tls' },
  'quorum.auth.enableSasl': { scope: 'file', reason: 'later' },
  'quorum.auth.serverRequireSasl': { scope: 'file', reason: 'later' },
  'quorum.auth.learnerRequireSasl': { scope: 'file', reason: 'later' },
  'jvm.pause.monitor': { scope: 'file', reason: 'later' },
  'multiAddress.reachabilityCheckEnabled': { scope: 'file', reason: 'later' },
} as const

const wholeNumbers: readonly (readonly [name: string, min: number, reason: Reason])[] = [
  ['secureClientPort', 1, 'tls'],
  ['observerMasterPort', 0, 'later'],
  ['quorum.cnxn.threads.size', 0, 'jvm'],
  ['jvm.pause.warn-threshold.ms', 0, 'later'],
  ['jvm.pause.info-threshold.ms', 0, 'later'],
  ['jvm.pause.sleep.time.ms', 0, 'later'],
  ['multiAddress.reachabilityCheckTimeoutMs', 0, 'later'],
]

/**
 * Not checked: the original takes any text and falls back to its default. A name that ends with `*` stands
 * for all that begin so, and comes after those that are named.
 */
const texts: readonly (readonly [reason: Reason, names: string])[] = [
  [
    'later',
    `jute.maxbuffer.extrasize maxWriteQueuePollTime maxResponseCacheSize maxGetChildrenResponseCacheSize
     IPAuthenticationProvider.usexforwardedfor quorumCnxnTimeoutMs leaderConnectDelayDuringRetryMs oraclePath
     forward_learner_requests_to_commit_processor_disabled quorum.* fastleader.* leader.* follower.* learner.*
     observer.* observerMaster.* pathStats.*`,
  ],
  [
    'throttling',
    `throttled_op_wait_time largeRequestMaxBytes largeRequestThreshold request_stale_latency_check
     request_stale_connection_check connectionMaxTokens connection_throttle_* request_throttle*`,
  ],
  ['audit', 'audit.enable audit.impl.class'],
  ['tls', 'secureClientPortAddress fips-mode X509AuthenticationProvider.superUser ssl.* client.*'],
  ['admin', 'admin.*'],
  ['metrics', 'metricsProvider.*'],
  [
    'jvm',
    `serverCnxnFactory intBufferStartingSizeBytes watchManagerName watcherCleanThreadsNum watcherCleanThreshold
     watcherCleanIntervalInSeconds maxInProcessingDeadWatchers bitHashCacheSize controllerPort kinit netty.* nio.*
     commitProcessor.* messageTracker.* jmx.*`,
  ],
  [
    'kerberos',
    `requireKerberosConfig security.auth_to_local server.realm server.principal java.security.krb5.conf kerberos.*`,
  ],
  ['tests', 'testingonly.initialZxid test.allowDiscontinuousProposals'],
]

/** A row of the table. */
interface KeyWithoutEffect {
  readonly name: string
  readonly reason: Reason
  /** A wrong value of it prevents the start. */
  readonly isChecked: boolean
}

export const keysWithoutEffect: readonly KeyWithoutEffect[] = [
  ...Object.entries(switches).map(([name, { reason }]) => ({ name, reason, isChecked: true })),
  ...wholeNumbers.map(([name, , reason]) => ({ name, reason, isChecked: true })),
  ...texts.flatMap(([reason, names]) =>
    names.split(/\s+/).map((name) => ({ name, reason, isChecked: false })),
  ),
]

const reasonByName: ReadonlyMap<string, Reason> = new Map(
  keysWithoutEffect.map(({ name, reason }) => [name, reason]),
)
const families = keysWithoutEffect.filter(({ name }) => name.endsWith('*'))

/**
 * Flags of the start scripts and of logging: everybody sets them, and a line about each would hide
 * the others.
 */
const silentFlags = /^zookeeper\.(log\.|root\.logger|console\.|tracelog\.|auditlog\.|jmx\.)/

/** Whether such a switch is on. What depends on it is small: the error or the word that it decides. */
export function asksForWhatIsNot(reader: ConfigReader, name: keyof typeof switches): boolean {
  const setting = reader.findIn(name, switches[name].scope)
  return setting !== undefined && reader.switchOf(setting, 'boolean') === true
}

/** Checks what must be checked and says of every other key why nothing follows from it. */
export function noteWithoutEffect(reader: ConfigReader): void {
  for (const [name, { scope, reason }] of Object.entries(switches)) {
    const setting = reader.findIn(name, scope)
    if (setting === undefined) continue
    if (reader.switchOf(setting, 'boolean') === true) note(reader, setting.key, reason)
  }
  for (const [name, min, reason] of wholeNumbers) {
    const setting = reader.findIn(name, 'file')
    if (setting === undefined) continue
    if (reader.integerOf(setting, 'file', { min }) !== undefined) note(reader, name, reason)
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
  const family = families.find((row) => name.startsWith(row.name.slice(0, -1)))
  return reasonByName.get(name) ?? family?.reason
}

function note(reader: ConfigReader, key: string, reason: Reason): void {
  reader.notes.push(`${shown(key)} ${reasons[reason]}`)
}
