import type { DiskOp, SnapshotOp } from '../persistence/disk.ts'
import type { LinkId, LinkPort, PeerAddress } from '../quorum/ports/links.ts'
import type { Answer, Question } from './auth/provider.ts'
import type { CnxnId } from './clients/cnxn.ts'
import type { Member } from './member.ts'
import type { DiskBatch } from './storage/disk-lane.ts'

/** The whole difference between production and simulation is which Machine is handed in. */
export interface Machine {
  /** Milliseconds: monotonic for deadlines, wall for what is written into txns. */
  clock(): { readonly mono: number; readonly wall: number }
  /** Runs `fn` when everything that is readable now has been delivered. */
  afterThisTurn(fn: () => void): void
  /** Bytes that now wait in the socket; above 0 it may still refer to `bytes`. */
  writeClient(cnxn: CnxnId, bytes: Buffer): number
  /** After what was written, or at once: `now` drops what the client has not taken. */
  closeClient(cnxn: CnxnId, now: boolean): void
  /** Stops or goes on reading. */
  pauseClient(cnxn: CnxnId, paused: boolean): void
  /**
   * Finds out who a client is, where a scheme cannot say so at once, and calls back in a later turn:
   * always, and once. Its requests wait for that.
   */
  ask(question: Question, done: (answer: Answer) => void): void
  /** Executes the ops in order and calls back when all are on stable storage. One call at a time. */
  writeDisk(ops: readonly DiskOp[], done: () => void): void
  /**
   * Executes one op of a snapshot and calls back; `problem` says why it failed, after which the
   * snapshot is gone. One call at a time, and beside writeDisk.
   */
  writeSnapshotSlice(op: SnapshotOp, done: (problem: string | undefined) => void): void
  /** Opens a connection to a peer under that id; Member.onLinkOpened or onLinkClosed follows. */
  dialLink(link: LinkId, port: LinkPort, addresses: readonly PeerAddress[]): void
  /** Bytes that now wait in the socket; above 0, Member.onLinkDrained follows when none does. */
  writeLink(link: LinkId, bytes: Buffer): number
  /** After what was written. Nothing more may be told of the link. */
  closeLink(link: LinkId): void
  /** Stops or goes on reading. */
  pauseLink(link: LinkId, paused: boolean): void
}

/**
 * Replies do not wait for the end of a turn once so many clients have some: with a thousand clients
 * the machine of the clients would else be idle while we read, and ours while they do. What is in
 * the outbox may leave at any time; only what the disk has yet to allow is not in it.
 * @bound connections: their replies are written before the turn is over
 */
const CLIENTS_PER_FLUSH = 32

/**
 * Who calls what in a turn. Whatever wakes the process enters here: the time is written down, the
 * event delivered, and at the end of the turn, when nothing more is readable, its effects leave
 * together. So everything that arrived in one poll shares a flush of the log, and each touched
 * connection a write: batches grow with the load and cost nothing when idle.
 */
export class TurnLoop {
  readonly #member: Member
  readonly #machine: Machine
  #turnOpen = false
  #diskBusy = false

  constructor(member: Member, machine: Machine) {
    this.#member = member
    this.#machine = machine
  }

  /** Sockets, timers and disk completions all come in here. */
  enter(deliver: (member: Member) => void): void {
    const now = this.#machine.clock()
    this.#member.advance(now.mono, now.wall)
    deliver(this.#member)
    if (this.#member.touchedClients >= CLIENTS_PER_FLUSH) {
      // Peers and disk first, as at the end of a turn: they work while we write.
      this.#pumpLinks()
      this.#pumpDisk()
      this.#writeClients()
    }
    this.#arm()
  }

  #arm(): void {
    if (this.#turnOpen) return
    this.#turnOpen = true
    this.#machine.afterThisTurn(this.#endTurn)
  }

  readonly #endTurn = (): void => {
    this.#turnOpen = false
    const member = this.#member
    member.endTurn()
    this.#pumpLinks()
    this.#pumpDisk()
    this.#writeClients()
    this.#pumpSnapshot()
    for (const close of member.clientEffects.closes)
      this.#machine.closeClient(close.cnxn, close.now)
    for (const [cnxn, paused] of member.clientEffects.pauses)
      this.#machine.pauseClient(cnxn, paused)
    member.onEffectsTaken()
    for (const { id, question } of member.takeQuestions())
      this.#machine.ask(question, (answer) => this.enter((m) => m.onAnswered(id, answer)))
    // A client stopped at its share of one turn's output has a turn of its own to go on in.
    if (member.wantsTurn) this.#arm()
  }

  /** Proposals leave before our own log is synced: both are then under way at the same time. */
  #pumpLinks(): void {
    const { peering } = this.#member
    if (peering === undefined) return
    peering.flush()
    const { links } = peering
    for (const { link, port, addresses } of links.takeDials())
      this.#machine.dialLink(link, port, addresses)
    for (const { link, bytes } of links.takeWrites())
      links.onWritten(link, this.#machine.writeLink(link, bytes))
    for (const { link, paused } of links.takePauses()) this.#machine.pauseLink(link, paused)
    for (const link of links.takeCloses()) this.#machine.closeLink(link)
  }

  #writeClients(): void {
    const writes = this.#member.takeClientWrites()
    if (writes.length === 0) return
    let held = false
    for (const { cnxn, bytes, isOfArena } of writes) {
      const waiting = this.#machine.writeClient(cnxn, bytes)
      if (waiting === 0) continue
      held ||= isOfArena
      this.#member.sockets.onClogged(cnxn, waiting)
    }
    this.#member.onWritesTaken(held)
  }

  /** One flush in flight; all that is written meanwhile goes with the next. */
  #pumpDisk(): void {
    if (this.#diskBusy) return
    const batch: DiskBatch | undefined = this.#member.takeDiskBatch()
    if (batch === undefined) return
    this.#diskBusy = true
    this.#machine.writeDisk(batch.ops, () => {
      this.#diskBusy = false
      this.enter((member) => member.onDurable(batch))
    })
  }

  /** One slice a turn at most, and after all that somebody waits for. */
  #pumpSnapshot(): void {
    const op = this.#member.takeSnapshotOp()
    if (op === undefined) return
    this.#machine.writeSnapshotSlice(op, (problem) => {
      this.enter((member) => member.onSnapshotOpDone(problem))
    })
  }
}
