import { formatZxid } from '../../data/zxid.ts'
import type { LinkId } from '../ports/links.ts'
import type { HistoryScan } from '../ports/replica.ts'
import type { RoleParts } from '../role/role.ts'
import type { LeaderBounds } from './leader-bounds.ts'
import type { Leadership } from './leadership.ts'
import { planSync, type SyncPlan } from './sync-plan.ts'
import { type HistoryLimits, type SyncProgress, SyncStream } from './sync-stream.ts'

/** Who synchronises. */
interface SyncedLearner {
  readonly link: LinkId
  readonly sid: number
  readonly role: 'participant' | 'observer'
  /** Where its log ends. */
  readonly peerZxid: number
}

interface SyncHost {
  readonly parts: RoleParts
  readonly bounds: LeaderBounds
  readonly history: HistoryLimits
  readonly leadership: Leadership
}

/** The synchronisation of one learner: how it is to be done is found out, over turns; then it is done. */
export class LearnerSync {
  readonly #learner: SyncedLearner
  readonly #host: SyncHost
  readonly #admits: (kind: 'snap' | 'diff') => boolean
  #scan: HistoryScan | undefined = undefined
  /** Undefined as long as it is not known how. */
  #stream: SyncStream | undefined = undefined

  /** `admits` is false where too many learners synchronise in that way already. */
  constructor(learner: SyncedLearner, host: SyncHost, admits: (kind: 'snap' | 'diff') => boolean) {
    this.#learner = learner
    this.#host = host
    this.#admits = admits
  }

  /** Undefined as long as it is not known how. */
  get kind(): 'snap' | 'diff' | undefined {
    return this.#stream && kindOf(this.#stream)
  }

  /** The learner has everything committed up to there, or will when it has read what was sent. */
  get cursor(): number {
    return this.#stream?.cursor ?? 0
  }

  /** True: pump would get on at once. */
  get canPump(): boolean {
    return this.#stream?.canPump !== false
  }

  /** Goes on for one turn. */
  pump(): SyncProgress {
    if (this.#stream === undefined) {
      const plan = this.#plan()
      // The log files are still being looked through.
      if (plan === 'later') return 'waiting'
      if (!this.#admits(kindOf(plan))) return { problem: 'too many learners synchronise' }
      this.#stream = this.#begin(plan)
    }
    return this.#stream.canPump ? this.#stream.pump() : 'waiting'
  }

  #plan(): SyncPlan | 'later' {
    const { parts, history } = this.#host
    const { replica, settings } = parts
    const plan = planSync({
      peerZxid: this.#learner.peerZxid,
      lastProcessedZxid: replica.lastProcessedZxid,
      historyEndZxid: history.endZxid,
      committedLog: replica.committedLog,
      forceSnapshot: settings.forceSnapshotSync,
      readHistory: (from) => {
        if (from < history.floorZxid) return undefined
        this.#scan ??= replica.readHistory(from, false)
        return this.#scan?.step()
      },
    })
    if (plan !== 'later') this.#scan = undefined
    return plan
  }

  #begin(plan: SyncPlan): SyncStream {
    const { parts, bounds, history, leadership } = this.#host
    const { replica, links, logger } = parts
    const { link, sid, role, peerZxid } = this.#learner
    const stream = new SyncStream(link, plan, { replica, links, bounds, history })
    // Only a serving leader has proposals that could have been acked.
    if (role === 'participant' && leadership.lastProposedZxid > 0)
      replica.withdrawAcks(sid, stream.cursor)
    logger.info('a learner synchronises', {
      sid,
      kind: plan.kind,
      from: formatZxid(peerZxid),
      cursor: formatZxid(stream.cursor),
    })
    return stream
  }

  /** As SyncStream has it. */
  unstall(nowMono: number): void {
    this.#stream?.unstall(nowMono)
  }

  close(): void {
    this.#stream?.close()
    this.#stream = undefined
  }
}

const kindOf = ({ kind }: Pick<SyncPlan, 'kind'>): 'snap' | 'diff' =>
  kind === 'snap' ? 'snap' : 'diff'
