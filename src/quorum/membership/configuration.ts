import { assert } from '../../base/assert.ts'
import type { PeerAddress } from '../ports/links.ts'
import type { QuorumVerifier } from './quorum-verifier.ts'

/** A `server.N` line (spec 06 §5.2); several addresses where there is a `|`. */
export interface EnsembleMember {
  readonly sid: number
  readonly role: 'participant' | 'observer'
  readonly quorumAddresses: readonly PeerAddress[]
  readonly electionAddresses: readonly PeerAddress[]
}

/** Who belongs to an ensemble and who of them decides. It never changes: the next one replaces it. */
export interface Configuration {
  /** The zxid of the reconfiguration that made it; 0 while nobody has reconfigured. */
  readonly version: number
  /** `server.N=...` lines ascending and `version=<hex>`, as NEWLEADER and notifications carry it. */
  readonly text: string
  /** By sid. */
  readonly members: ReadonlyMap<number, EnsembleMember>
  /** Over the participants: majority, or weights and groups. */
  readonly verifier: QuorumVerifier
}

/** A voter that is no member could never be asked, and a participant without a vote would be an observer. */
export function checkConfiguration({ members, verifier }: Configuration): void {
  const isVoter = new Set(verifier.voters)
  assert(isVoter.size > 0, 'a configuration has voters')
  assert(isVoter.size === verifier.voters.length, 'a configuration counts no voter twice')
  for (const sid of isVoter)
    assert(members.get(sid)?.role === 'participant', `voter ${sid} is no participant`)
  for (const [sid, member] of members) {
    assert(member.sid === sid, `the line of server ${sid} is of ${member.sid}`)
    assert(isVoter.has(sid) === (member.role === 'participant'), `participant ${sid} has no vote`)
  }
}
