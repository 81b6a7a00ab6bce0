import { assert } from '../../base/assert.ts'
import type { QuorumPacket } from '../../data/records.ts'
import { formatZxid } from '../../data/zxid.ts'
import { packetName } from '../wire/packets.ts'

/** What comes next, in this order (spec 04 §3). */
type Step =
  /** The connection to the leader. */
  | 'connection'
  /** Time to pass since the last SNAP that our disk did not take; then FOLLOWERINFO leaves. */
  | 'pause'
  /** LEADERINFO, in answer to our FOLLOWERINFO or OBSERVERINFO. */
  | 'LEADERINFO'
  /** The accepted epoch on our disk; then ACKEPOCH leaves. */
  | 'acceptedEpoch'
  /** DIFF, TRUNC or SNAP; or our log has been cut, or the stream of a SNAP has ended. */
  | 'sync mode'
  /** What we lack, up to NEWLEADER. */
  | 'NEWLEADER'
  /** All that came before NEWLEADER on our disk; then its ACK leaves. */
  | 'currentEpoch'
  | 'UPTODATE'
  /** Whatever the leader proposes and commits. */
  | 'broadcast'
  | 'end'

/** What a step may lead to, beside the end. */
const next: Readonly<Record<Step, readonly Step[]>> = {
  connection: ['connection', 'pause'],
  pause: ['LEADERINFO'],
  LEADERINFO: ['acceptedEpoch', 'sync mode'],
  acceptedEpoch: ['sync mode'],
  // Where the log cannot be cut, another connection asks for a SNAP.
  'sync mode': ['NEWLEADER', 'connection'],
  NEWLEADER: ['currentEpoch'],
  currentEpoch: ['UPTODATE'],
  UPTODATE: ['broadcast'],
  broadcast: [],
  end: [],
}

/** How far a learner has come with its leader. All its parts look at it, and move it on. */
export class Progress {
  /** Monotonic milliseconds: the present turn. */
  mono: number
  /** When we began to wait for what the leader says next. */
  waitsSinceMono: number
  /** When the leader was to say how to synchronise: the epoch had been agreed on. */
  syncSinceMono = 0
  /** Of the leader; 0 before it has told. */
  epoch = 0
  /** From before Zab 1.0: NEWLEADER is its first packet, and UPTODATE stands for the second one. */
  isOldLeader = false
  /** DIFF and TRUNC are of no use here: this role, and no other, has found that it needs a SNAP. */
  needsSnapshot: boolean
  #step: Step = 'connection'

  constructor(mono: number, needsSnapshot: boolean) {
    this.mono = mono
    this.waitsSinceMono = mono
    this.needsSnapshot = needsSnapshot
  }

  get step(): Step {
    return this.#step
  }

  waitFor(step: Step): void {
    assert(next[this.#step].includes(step), `a learner waits for ${step} after ${this.#step}`)
    this.#step = step
    this.waitsSinceMono = this.mono
    if (step === 'sync mode') this.syncSinceMono = this.mono
  }

  end(): void {
    this.#step = 'end'
  }

  /** What of a packet makes no sense here. */
  outOfPlace(packet: QuorumPacket): string {
    const zxid = packet.zxid < 0 ? '' : ` of ${formatZxid(packet.zxid)}`
    return `${packetName(packet.type)}${zxid} where ${this.#step} was awaited`
  }
}
