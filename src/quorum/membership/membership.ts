import { assert } from '../../base/assert.ts'
import { formatZxid } from '../../data/zxid.ts'
import type { LinkPort, PeerAddress } from '../ports/links.ts'
import { type Configuration, checkConfiguration, type EnsembleMember } from './configuration.ts'
import { JointQuorum, type QuorumSource, type QuorumVerifier } from './quorum-verifier.ts'

/**
 * Who belongs to this member's ensemble, which may change while it runs: by the current configuration,
 * and while a reconfiguration is under way by the proposed one, too. Whoever needs to know asks at the
 * moment of use and keeps no copy. Only a proposal keeps the quorum that it was made under.
 */
export class Membership implements QuorumSource {
  #self: EnsembleMember
  #current: Configuration
  #proposed: Configuration | undefined = undefined
  /** Made once per change, so that many proposals share it. */
  #quorum: QuorumVerifier

  constructor(selfSid: number, current: Configuration) {
    checkConfiguration(current)
    const self = current.members.get(selfSid)
    assert(self !== undefined, 'the configuration of an ensemble has the line of this server')
    this.#self = self
    this.#current = current
    this.#quorum = current.verifier
  }

  // ---- changes

  /**
   * A reconfiguration is in the log and not committed. A leader calls this before it makes the proposal
   * whose zxid is the version: that one and all behind it need the quorums of both configurations.
   */
  propose(next: Configuration): void {
    checkConfiguration(next)
    assert(this.#proposed === undefined, 'one reconfiguration at a time')
    assert(
      next.version > this.#current.version,
      `configuration ${formatZxid(next.version)} after ${formatZxid(this.#current.version)}`,
    )
    this.#proposed = next
    this.#onChange()
  }

  /** The proposal of that zxid is committed: from now on it alone says who belongs. */
  commit(version: number): void {
    const next = this.#proposed
    assert(next?.version === version, `configuration ${formatZxid(version)} was not proposed`)
    this.#current = next
    this.#proposed = undefined
    this.#onChange()
  }

  /** What was proposed is not in the log any more: a leader without it has cut it off. */
  withdraw(): void {
    assert(this.#proposed !== undefined, 'no reconfiguration is under way')
    this.#proposed = undefined
    this.#onChange()
  }

  #onChange(): void {
    const { verifier } = this.#current
    this.#quorum =
      this.#proposed === undefined ? verifier : new JointQuorum(verifier, this.#proposed.verifier)
    this.#self = this.memberOf(this.#self.sid) ?? this.#self
  }

  // ---- answers

  get current(): Configuration {
    return this.#current
  }

  /** Undefined unless a reconfiguration is under way. */
  get proposed(): Configuration | undefined {
    return this.#proposed
  }

  /** What a new leader makes known, since its log has it: the proposed configuration if there is one. */
  get newest(): Configuration {
    return this.#proposed ?? this.#current
  }

  /** Our own line; the last that there was if we have been removed. */
  get self(): EnsembleMember {
    return this.#self
  }

  /** Who has to agree with what is decided now: a quorum of each configuration that there is. */
  get quorum(): QuorumVerifier {
    return this.#quorum
  }

  /** By the current configuration; by the proposed one only for those who are new in it. */
  memberOf(sid: number): EnsembleMember | undefined {
    return this.#current.members.get(sid) ?? this.#proposed?.members.get(sid)
  }

  has(sid: number): boolean {
    return this.memberOf(sid) !== undefined
  }

  /** Whether it has a say in either configuration. */
  isVoter(sid: number): boolean {
    return this.#quorum.voters.includes(sid)
  }

  /** How many belong to either configuration. */
  get size(): number {
    let size = this.#current.members.size
    for (const sid of this.#proposed?.members.keys() ?? [])
      if (!this.#current.members.has(sid)) size += 1
    return size
  }

  /** Where to reach a member: nobody knows yet whether it has moved to where the proposed one has it. */
  addressesOf(sid: number, port: LinkPort): readonly PeerAddress[] {
    const addresses = [...addressesIn(this.#current, sid, port)]
    for (const next of addressesIn(this.#proposed, sid, port))
      if (!addresses.some(({ host, port: at }) => host === next.host && at === next.port))
        addresses.push(next)
    return addresses
  }
}

function addressesIn(
  configuration: Configuration | undefined,
  sid: number,
  port: LinkPort,
): readonly PeerAddress[] {
  const member = configuration?.members.get(sid)
  if (member === undefined) return []
  return port === 'quorum' ? member.quorumAddresses : member.electionAddresses
}
