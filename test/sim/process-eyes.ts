import type { LogFields } from '../../src/base/logger.ts'
import { counterOf } from '../../src/data/zxid.ts'
import type { DiskOp, SnapshotOp } from '../../src/persistence/disk.ts'
import type { LinkId, LinkPort } from '../../src/quorum/ports/links.ts'
import type { Member } from '../../src/server/member.ts'
import type { Step } from './aims.ts'
import type { DiskMemory } from './checkers/amnesia.ts'
import type { Cover, CoverageEvent } from './coverage.ts'
import { LinkWatch } from './link-watch.ts'
import { QuorumTap, Seen, type SeenPacket, type SeenVote } from './quorum-tap.ts'

/** What a line of the log means for the table. */
const told: Readonly<Record<string, CoverageEvent>> = {
  'a quorum has synchronised, we lead': 'leadership begun',
  'session expired': 'session expired',
  'client does not read what it is sent, cutting it off': 'client cut off: it does not read',
  'snapshot written': 'snapshot written',
}

const sent: ReadonlyMap<number, CoverageEvent> = new Map([
  [Seen.diff, 'DIFF sent'],
  [Seen.trunc, 'TRUNC sent'],
  [Seen.snap, 'SNAP sent'],
])

const stepOf: ReadonlyMap<number, Step> = new Map([
  [Seen.leaderInfo, 'leaderInfo'],
  [Seen.ackEpoch, 'ackEpoch'],
  [Seen.diff, 'diff'],
  [Seen.trunc, 'trunc'],
  [Seen.snap, 'snap'],
  [Seen.newLeader, 'newLeader'],
  [Seen.upToDate, 'upToDate'],
  [Seen.proposal, 'proposal'],
])

/** Watches one process from outside, and counts what it sees. */
export class ProcessEyes {
  readonly #cover: Cover
  readonly #memory: DiskMemory
  readonly #onStep: (step: Step, link: LinkId) => void
  readonly #tap: QuorumTap
  readonly links: LinkWatch = new LinkWatch()
  /**
   * What goes to its log comes from a leader, as that is read. Not so behind a SNAP: what was proposed
   * meanwhile then goes there all at once. A role begins when its log has all of the one before.
   */
  isLoggingAsRead = false
  /** Told of each PING that leaves for a learner, and how many are not answered then. */
  onPing: ((inFlight: number) => void) | undefined = undefined
  /** Links over which COMMITs came before NEWLEADER. */
  readonly #beforeNewLeader = new Map<LinkId, boolean>()
  #isTruncating = false
  /** A SNAP was begun, and what it brings is not on disk. */
  #isTakingSnap = false
  #isSynchronising = false
  #isLeading = false
  /** Of the last election that it took part in. */
  #round = 0
  #snapshotSlices = -1
  #appendsInFlight = 0
  #sessions = 0
  #lastAppended = 0
  /** As of the end of the last turn. */
  #outstanding = 0
  #processed = 0

  constructor(cover: Cover, memory: DiskMemory, onStep: (step: Step, link: LinkId) => void) {
    this.#cover = cover
    this.#memory = memory
    this.#onStep = onStep
    this.#tap = new QuorumTap({
      onPacket: (link, packet) => this.#onPacket(link, packet),
      onVote: (vote) => this.#onVote(vote),
      onSnapEnd: (_link, writes) => {
        if (writes > 1) cover('SNAP of several writes')
      },
    })
  }

  onLog(message: string, fields: LogFields): void {
    const { mode, reason, epoch } = fields
    const event = told[message]
    if (event !== undefined) this.#cover(event)
    if (message === 'synchronising with the leader') {
      this.#isSynchronising = true
      if (mode === 'SNAP') this.#isTakingSnap = true
      this.isLoggingAsRead = mode !== 'SNAP'
    }
    if (message === 'following' || message === 'observing') this.#isSynchronising = false
    if (message === 'a learner is gone' && reason === 'it does not take what it is sent')
      this.#cover('learner cut off')
    if (message.startsWith('the state on disk cannot be read')) this.#cover('state lost by a read')
    if (message === 'a quorum has synchronised, we lead') {
      this.#isLeading = true
      this.#memory.onLed(Number(epoch))
    }
    if (message === 'role begins') this.isLoggingAsRead = false
    if (message === 'role ended') this.#onRoleEnded()
  }

  /** What it last said is said again on a new link, when it may have acked more: only what is new counts. */
  #onVote(vote: SeenVote): void {
    if (vote.round <= this.#round) return
    this.#round = vote.round
    this.#memory.onVote(vote)
  }

  #onRoleEnded(): void {
    this.#cover('role ended')
    if (this.#outstanding > 0) this.#cover('role ended with writes in flight')
    if (this.#lastAppended > this.#processed) this.#cover('role ended with proposals uncommitted')
    if (this.#isSynchronising) this.#cover('role ended while it synchronised')
    if (this.#isTakingSnap) this.#cover('SNAP given up before it was on disk')
    if (this.#isTruncating) this.#cover('TRUNC under way when a role ended')
    if (this.#snapshotSlices >= 0) this.#cover('snapshot under way when a role ended')
    if (this.#sessions > 0) this.#cover('epoch handed over with sessions')
    this.#isTakingSnap = false
    this.#isSynchronising = false
    this.#isLeading = false
  }

  onTurn(member: Member): void {
    this.#outstanding = member.clients.outstandingRequests
    this.#processed = member.tree.lastProcessedZxid
    this.#sessions = member.sessions.count
    this.links.onTurnEnd()
    if (member.isApplyBehind) this.#cover('turn ended with committed txns unapplied')
  }

  onLinkWrite(link: LinkId, port: LinkPort | undefined, bytes: Buffer): void {
    if (port === 'quorum') this.#tap.onWrite(link, bytes)
    else if (port === 'election') this.#tap.onElectionWrite(bytes)
  }

  #onPacket(link: LinkId, packet: SeenPacket): void {
    const { type, zxid } = packet
    this.#memory.onPacket(packet)
    const event = sent.get(type)
    if (event !== undefined) {
      this.#cover(event)
      this.#beforeNewLeader.set(link, false)
    }
    if (type === Seen.commit && counterOf(zxid) > 0 && this.#beforeNewLeader.get(link) === false) {
      this.#beforeNewLeader.set(link, true)
      this.#cover('COMMIT before NEWLEADER')
    }
    if (type === Seen.newLeader) this.#beforeNewLeader.delete(link)
    if (type === Seen.ping && link > 0) this.onPing?.(this.links.onPing(link))
    const step = stepOf.get(type)
    if (step !== undefined) this.#onStep(step, link)
    // UPTODATE is acked in the same way.
    if (type === Seen.ack && counterOf(zxid) === 0) this.#onStep('newLeaderAck', link)
  }

  /** Some learner is on its way from DIFF, TRUNC or SNAP to NEWLEADER. */
  get isFeeding(): boolean {
    return this.#beforeNewLeader.size > 0
  }

  onLinkGone(link: LinkId): void {
    if (this.#tap.isInSnap(link)) this.#cover('SNAP broken off in its stream')
    this.#tap.forget(link)
    this.links.forget(link)
    this.#beforeNewLeader.delete(link)
  }

  onLinkPaused(paused: boolean): void {
    if (paused) this.#cover('leader not read')
  }

  onClientPaused(paused: boolean): void {
    if (paused) this.#cover('client not read')
  }

  onDiskOp(op: DiskOp): void {
    this.#memory.onDiskOp(op)
    if (op.kind === 'truncateAfter') this.#isTruncating = true
    if (op.kind === 'truncateAfter' || op.kind === 'forgetHistory') this.#lastAppended = op.zxid
    if (op.kind !== 'appendTxns') return
    this.#appendsInFlight += 1
    this.#lastAppended = op.lastZxid
  }

  onDiskOpDone(op: DiskOp): void {
    const { kind } = op
    if (op.kind === 'appendTxns' && this.#isLeading) this.#memory.onCounted(op.lastZxid)
    if (kind === 'truncateAfter') this.#isTruncating = false
    if (kind === 'forgetHistory') this.#isTakingSnap = false
    if (kind === 'appendTxns') this.#appendsInFlight -= 1
  }

  onSnapshotOp({ kind }: SnapshotOp): void {
    if (kind === 'begin') this.#snapshotSlices = 0
    else if (kind === 'append') this.#snapshotSlices += 1
    else {
      if (kind === 'abandon') this.#cover('snapshot abandoned')
      else if (this.#snapshotSlices > 1) this.#cover('snapshot of several slices')
      this.#snapshotSlices = -1
    }
  }

  onDeath(): void {
    this.#cover('process died')
    if (this.#isTruncating) this.#cover('TRUNC under way when a process died')
    if (this.#appendsInFlight > 0) this.#cover('process died with writes on their way to disk')
    if (this.#snapshotSlices >= 0) this.#cover('snapshot under way when a process died')
  }
}
