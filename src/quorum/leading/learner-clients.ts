import { OpCode } from '../../data/op-code.ts'
import type { QuorumPacket } from '../../data/records.ts'
import type { LinkId } from '../ports/links.ts'
import type { Replica } from '../ports/replica.ts'
import { forEachTouch, parseLearnerRequest, parseRevalidate } from '../wire/learner-info.ts'

/** What the clients of one learner ask of the leader. A string says why the link must be closed. */
export class LearnerClients {
  readonly #link: LinkId
  readonly #replica: Replica
  /** Sync requests that were not answered by SYNC yet. */
  syncsPending = 0

  constructor(link: LinkId, replica: Replica) {
    this.#link = link
    this.#replica = replica
  }

  /** Sessions that were heard of, as the answer to a PING brings them. */
  onTouched(data: Buffer | null): string | undefined {
    const isWhole = forEachTouch(data, (sessionId, timeoutMs) => {
      this.#replica.onTouched(sessionId, timeoutMs)
    })
    return isWhole ? undefined : 'PING cut short'
  }

  onRequest(data: Buffer | null, ids: QuorumPacket['authinfo']): string | undefined {
    const request = parseLearnerRequest(data)
    if ('problem' in request) return request.problem
    if (request.op === OpCode.sync) this.syncsPending += 1
    this.#replica.onForwarded({ ...request, link: this.#link, ids: ids ?? [] })
    return undefined
  }

  onSyncAnswered(): void {
    if (this.syncsPending > 0) this.syncsPending -= 1
  }

  /** `answer` is called unless the replica answers later. */
  onRevalidate(
    data: Buffer | null,
    answer: (sessionId: bigint, isValid: boolean) => void,
  ): string | undefined {
    const asked = parseRevalidate(data)
    if ('problem' in asked) return asked.problem
    const { sessionId, timeoutMs } = asked
    const isValid = this.#replica.revalidate(this.#link, sessionId, timeoutMs)
    if (isValid !== undefined) answer(sessionId, isValid)
    return undefined
  }
}
