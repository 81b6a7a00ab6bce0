import type { LogFields } from '../../src/base/logger.ts'
import type { Configuration, EnsembleMember } from '../../src/quorum/membership/configuration.ts'
import { Membership } from '../../src/quorum/membership/membership.ts'
import { MajorityQuorum, type QuorumVerifier } from '../../src/quorum/membership/quorum-verifier.ts'
import type { PeerAddress } from '../../src/quorum/ports/links.ts'
import type { QuorumSettings } from '../../src/quorum/role/quorum-settings.ts'
import { addressOf } from './memory-network.ts'

export interface EnsembleShape {
  readonly voters: readonly number[]
  readonly observers?: readonly number[]
  readonly verifier?: QuorumVerifier
}

/** Times as short as a test wants them. */
export const shortTimes: QuorumSettings = {
  tickTimeMs: 200,
  initLimitMs: 2000,
  syncLimitMs: 1000,
  connectToLeaderLimitMs: 2000,
  notificationIntervalMsMin: 200,
  notificationIntervalMsMax: 60_000,
  finalizeWaitMs: 200,
  snapshotSizeFactor: 0.33,
  forceSnapshotSync: false,
  concurrentSnapSyncsMax: 10,
  concurrentDiffSyncsMax: 100,
  observerLogs: true,
}

export function configurationOf(shape: EnsembleShape, version = 0): Configuration {
  const observers = shape.observers ?? []
  const sids = [...shape.voters, ...observers].sort((a, b) => a - b)
  const members = new Map(
    sids.map((id): [number, EnsembleMember] => [
      id,
      {
        sid: id,
        role: observers.includes(id) ? 'observer' : 'participant',
        quorumAddresses: [addressOf(id, 'quorum')],
        electionAddresses: [addressOf(id, 'election')],
      },
    ]),
  )
  return {
    version,
    text: `version=${version.toString(16)}`,
    members,
    verifier: shape.verifier ?? new MajorityQuorum(shape.voters),
  }
}

/** The same, but that member has moved to another host. */
export function withMoved(configuration: Configuration, sid: number, host: string): Configuration {
  const members = new Map(configuration.members)
  const member = members.get(sid)
  if (member === undefined) throw new Error(`${sid} is not of the ensemble`)
  const moved = ({ port }: PeerAddress): PeerAddress => ({ host, port })
  members.set(sid, {
    ...member,
    quorumAddresses: member.quorumAddresses.map(moved),
    electionAddresses: member.electionAddresses.map(moved),
  })
  return { ...configuration, members }
}

/** The ensemble as member `sid` sees it. */
export const membershipOf = (sid: number, shape: EnsembleShape): Membership =>
  new Membership(sid, configurationOf(shape))

export interface LoggedLine {
  readonly at: number
  readonly message: string
  readonly fields: LogFields
}
