/** Whether a set of members, named by sid, is enough to decide. */
export interface QuorumVerifier {
  /** Those who vote, ascending; some of them may have the weight 0. */
  readonly voters: readonly number[]
  containsQuorum(has: (sid: number) => boolean): boolean
  /** 0 for those who cannot become leader and whose acks do not count; 0 for all but the voters. */
  weightOf(sid: number): number
}

/** Has the verifier that counts now. It may be another one the next time, so it is asked for each decision. */
export interface QuorumSource {
  readonly quorum: QuorumVerifier
}

/** More than half of the voters. A standalone server is the majority of itself. */
export class MajorityQuorum implements QuorumVerifier {
  readonly voters: readonly number[]

  constructor(voters: readonly number[]) {
    this.voters = ascending(voters)
  }

  containsQuorum(has: (sid: number) => boolean): boolean {
    let count = 0
    for (const sid of this.voters) if (has(sid)) count += 1
    return count * 2 > this.voters.length
  }

  weightOf(sid: number): number {
    return this.voters.includes(sid) ? 1 : 0
  }
}

/**
 * More than half of the groups, in each of which more than half of the weight has agreed. A group
 * without any weight does not exist (`group.N` and `weight.N` of the configuration, spec 03 §4).
 */
export class HierarchicalQuorum implements QuorumVerifier {
  readonly voters: readonly number[]
  readonly #groups: readonly Group[]
  readonly #weights: ReadonlyMap<number, number>

  /** Each voter is in exactly one group. Weights are whole numbers from 0 on, 1 where not given. */
  constructor(groups: readonly (readonly number[])[], weights: ReadonlyMap<number, number>) {
    this.voters = ascending(groups.flat())
    this.#weights = new Map(this.voters.map((sid) => [sid, weights.get(sid) ?? 1]))
    this.#groups = groups
      .map((sids) => ({ sids, weight: sids.reduce((sum, sid) => sum + this.weightOf(sid), 0) }))
      .filter(({ weight }) => weight > 0)
  }

  containsQuorum(has: (sid: number) => boolean): boolean {
    let count = 0
    for (const { sids, weight } of this.#groups) {
      let agreed = 0
      for (const sid of sids) if (has(sid)) agreed += this.weightOf(sid)
      if (agreed * 2 > weight) count += 1
    }
    return count * 2 > this.#groups.length
  }

  weightOf(sid: number): number {
    return this.#weights.get(sid) ?? 0
  }
}

/**
 * A quorum of both: while a reconfiguration is under way neither configuration decides anything that
 * the other does not know of (spec 03 §4).
 */
export class JointQuorum implements QuorumVerifier {
  readonly voters: readonly number[]
  readonly #current: QuorumVerifier
  readonly #proposed: QuorumVerifier

  constructor(current: QuorumVerifier, proposed: QuorumVerifier) {
    this.voters = ascending([...new Set([...current.voters, ...proposed.voters])])
    this.#current = current
    this.#proposed = proposed
  }

  containsQuorum(has: (sid: number) => boolean): boolean {
    return this.#current.containsQuorum(has) && this.#proposed.containsQuorum(has)
  }

  weightOf(sid: number): number {
    return Math.max(this.#current.weightOf(sid), this.#proposed.weightOf(sid))
  }
}

interface Group {
  readonly sids: readonly number[]
  readonly weight: number
}

const ascending = (sids: readonly number[]): readonly number[] => [...sids].sort((a, b) => a - b)
