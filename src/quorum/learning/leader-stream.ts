import type { QuorumPacket } from '../../data/records.ts'
import type { LinkId, Links } from '../ports/links.ts'
import type { SnapshotSink } from '../ports/replica.ts'
import { PacketReader } from '../wire/packets.ts'
import { SnapshotIntake } from './snapshot-intake.ts'

/** A string says why nothing more is to be read. */
type Problem = string | undefined

export interface LeaderStreamEvents {
  /** The packet is borrowed until the call returns. */
  onPacket(packet: QuorumPacket): Problem
  /** The stream that takeSnapshot was called for has ended well. */
  onSnapshot(): void
  /** All packets of a piece have been handed on, or those that this turn has room for. */
  onPieceEnd(): void
  /** False: the next packet must wait for another turn; goOn() is then called. */
  mayGoOn(): boolean
  /** Once; nothing else follows. */
  onProblem(problem: string): void
}

/**
 * What comes from a leader: packets, the stream of a SNAP among them, and the times when it must not
 * go on because the replica is at work, or has more to write than it should.
 */
export class LeaderStream {
  readonly #links: Links
  readonly #link: LinkId
  readonly #events: LeaderStreamEvents
  readonly #reader = new PacketReader()
  #intake: SnapshotIntake | undefined = undefined
  #isHeld = false
  /** This turn has taken as much as it may. */
  #isSated = false
  /**
   * What came while held, or when this turn had taken as much as it may. The link is not read then,
   * so it is no more than what the turn in which that began had left.
   */
  #held: Buffer[] = []
  #isBacklogLarge = false
  #isPaused = false
  #isClosed = false

  constructor(links: Links, link: LinkId, events: LeaderStreamEvents) {
    this.#links = links
    this.#link = link
    this.#events = events
  }

  /** Something may be left that this turn had no room for. */
  get isSated(): boolean {
    return this.#isSated
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  close(): void {
    this.#isClosed = true
    this.#isSated = false
    this.#held = []
    this.#intake = undefined
  }

  /** `bytes` are borrowed. */
  push(bytes: Buffer): void {
    if (this.#isHeld || this.#isSated) this.#keep(bytes)
    else this.#read(bytes)
  }

  /** Called while a packet is handed on: what follows it is a SNAP's stream, for `sink`. */
  takeSnapshot(sink: SnapshotSink): void {
    this.#intake = new SnapshotIntake(sink)
  }

  /** Called while a packet is handed on: the next one is not before release(). */
  hold(): void {
    this.#isHeld = true
    this.#updatePause()
  }

  release(): void {
    this.#isHeld = false
    this.#readHeld()
  }

  /** Another turn, or the end of this one: what was left is handed on as far as there is room again. */
  goOn(): void {
    if (!this.#isSated || !this.#events.mayGoOn()) return
    this.#isSated = false
    this.#readHeld()
  }

  #readHeld(): void {
    if (this.#isHeld || this.#isSated) return
    const held = this.#held
    this.#held = []
    for (const bytes of held) this.push(bytes)
    this.#updatePause()
  }

  /**
   * Whether so much waits elsewhere that no more is to be read; what was read is handed on all the
   * same.
   */
  setBacklog(isLarge: boolean): void {
    this.#isBacklogLarge = isLarge
    this.#updatePause()
  }

  #updatePause(): void {
    const isPaused = this.#isHeld || this.#isSated || this.#isBacklogLarge
    if (isPaused === this.#isPaused || this.#isClosed) return
    this.#isPaused = isPaused
    this.#links.pause(this.#link, isPaused)
  }

  #keep(bytes: Buffer): void {
    if (bytes.length > 0) this.#held.push(Buffer.from(bytes))
  }

  #read(bytes: Buffer): void {
    let rest: Buffer | undefined = bytes
    while (rest !== undefined && rest.length > 0 && !this.#isClosed)
      rest = this.#intake === undefined ? this.#readPackets(rest) : this.#readSnapshot(rest)
    if (!this.#isClosed) this.#events.onPieceEnd()
  }

  /** Returns what belongs to a SNAP. */
  #readPackets(bytes: Buffer): Buffer | undefined {
    this.#reader.push(bytes)
    for (;;) {
      const packet = this.#reader.next()
      if (packet === 'more') return undefined
      const problem = 'problem' in packet ? packet.problem : this.#events.onPacket(packet)
      if (problem !== undefined && !this.#isClosed) this.#events.onProblem(problem)
      if (problem !== undefined || this.#isClosed) return undefined
      if (this.#intake !== undefined) return this.#reader.takeRest()
      if (!this.#isSated && !this.#events.mayGoOn()) {
        this.#isSated = true
        this.#updatePause()
      }
      if (this.#isHeld || this.#isSated) {
        this.#keep(this.#reader.takeRest())
        return undefined
      }
    }
  }

  /** Returns what follows the SNAP. */
  #readSnapshot(bytes: Buffer): Buffer | undefined {
    const result = this.#intake?.push(bytes)
    if (result === undefined || result === 'more') return undefined
    if (typeof result !== 'number') {
      this.#events.onProblem(`the snapshot cannot be read: ${result.problem}`)
      return undefined
    }
    this.#intake = undefined
    this.#events.onSnapshot()
    return bytes.subarray(result)
  }
}
