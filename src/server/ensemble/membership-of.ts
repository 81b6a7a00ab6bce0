import type { Config } from '../../config/config.ts'
import type { EnsembleMember } from '../../quorum/membership/configuration.ts'
import { Membership } from '../../quorum/membership/membership.ts'
import {
  HierarchicalQuorum,
  MajorityQuorum,
  type QuorumVerifier,
} from '../../quorum/membership/quorum-verifier.ts'
import type { QuorumSettings } from '../../quorum/role/quorum-settings.ts'

/** How long an election waits for a better vote; nothing sets it in the original either. */
const FINALIZE_WAIT_MS = 200
const NO_SERVER = -1

/** Who belongs to the ensemble at the start; undefined on a standalone server. */
export function membershipOf(config: Config): Membership | undefined {
  if (config.servers.size === 0) return undefined
  const members = new Map<number, EnsembleMember>()
  for (const [sid, { role, quorumAddresses, electionAddresses }] of config.servers)
    members.set(sid, { sid, role, quorumAddresses, electionAddresses })
  return new Membership(config.myid ?? NO_SERVER, {
    version: config.configVersion,
    text: configTextOf(config),
    members,
    verifier: verifierOf(config),
  })
}

export function quorumSettingsOf(config: Config): QuorumSettings {
  const { tickTimeMs } = config
  return {
    tickTimeMs,
    initLimitMs: config.initLimit * tickTimeMs,
    syncLimitMs: config.syncLimit * tickTimeMs,
    connectToLeaderLimitMs: config.connectToLearnerMasterLimit * tickTimeMs,
    notificationIntervalMsMin: config.notificationIntervalMsMin,
    notificationIntervalMsMax: config.notificationIntervalMsMax,
    finalizeWaitMs: FINALIZE_WAIT_MS,
    snapshotSizeFactor: config.snapshotSizeFactor,
    forceSnapshotSync: config.forceSnapshotSync,
    concurrentSnapSyncsMax: config.concurrentSnapSyncsMax,
    concurrentDiffSyncsMax: config.concurrentDiffSyncsMax,
    observerLogs: config.syncEnabled,
  }
}

/**
 * The membership as NEWLEADER, notifications and `conf` show it (spec 03 §2): a line for each server,
 * then for each group and weight, then the version; no line feed at the end.
 */
export function configTextOf({ servers, groups, configVersion }: Config): string {
  const lines = [...servers].map(([sid, { text }]) => `server.${sid}=${text}`)
  for (const [group, sids] of groups?.members ?? []) lines.push(`group.${group}=${sids.join(':')}`)
  for (const [sid, weight] of groups?.weights ?? []) lines.push(`weight.${sid}=${weight}`)
  return [...lines, `version=${configVersion.toString(16)}`].join('\n')
}

function verifierOf({ servers, groups }: Config): QuorumVerifier {
  if (groups !== undefined)
    return new HierarchicalQuorum([...groups.members.values()], groups.weights)
  const voters = [...servers].filter(([, { role }]) => role === 'participant')
  return new MajorityQuorum(voters.map(([sid]) => sid))
}
