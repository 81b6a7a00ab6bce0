/** Whether a set of members, named by sid, is enough to decide. */
export interface QuorumVerifier {
  containsQuorum(has: (sid: number) => boolean): boolean
}

/** More than half of the voters. A standalone server is the majority of itself. */
export class MajorityQuorum implements QuorumVerifier {
  readonly #voters: readonly number[]

  constructor(voters: readonly number[]) {
    this.#voters = voters
  }

  containsQuorum(has: (sid: number) => boolean): boolean {
    let count = 0
    for (const sid of this.#voters) if (has(sid)) count += 1
    return count * 2 > this.#voters.length
  }
}
