import { JuteWriter } from 'jute-ts'
import { assert } from '../../base/assert.ts'
import { epochOf, follows } from '../../data/zxid.ts'
import type { LinkId, Links } from '../ports/links.ts'
import type { Entry, HistoryFeed, HistoryScan, Replica, SnapshotFeed } from '../ports/replica.ts'
import { encodePacket, PacketType, SNAP_SIGNATURE } from '../wire/packets.ts'
import { TurnPackets } from '../wire/turn-packets.ts'
import type { LeaderBounds } from './leader-bounds.ts'
import { firstOf, type SyncPlan } from './sync-plan.ts'

/** What is known of the history beyond what replica and log say. */
export interface HistoryLimits {
  /** Where it ended when this leader took over: the next txn is the first of its epoch. */
  readonly endZxid: number
  /** The log files were found to have a hole below that. No sync may begin there. */
  floorZxid: number
}

interface SyncParts {
  readonly replica: Replica
  readonly links: Links
  readonly bounds: LeaderBounds
  readonly history: HistoryLimits
}

/** Between two looks at log files that did not have what is needed, in milliseconds: each costs a read. */
const HISTORY_LOOK_MS = 500

/** How far a synchronisation has come: nothing is left; the learner or the disk must catch up; failed. */
export type SyncProgress = 'caughtUp' | 'waiting' | { readonly problem: string }

/**
 * A learner's place in the history, while it is behind: everything from the learner's end to ours is
 * read as it goes, from a snapshot, the log files or the committed log, and only so much of it at a
 * time as the learner takes. So what a synchronisation holds does not grow with its length.
 */
export class SyncStream {
  readonly kind: SyncPlan['kind']
  readonly #link: LinkId
  readonly #parts: SyncParts
  #feed: SnapshotFeed | undefined = undefined
  #history: HistoryFeed | undefined = undefined
  #scan: HistoryScan | undefined = undefined
  /** The log files had nothing more; what comes is still on its way to them. */
  #isStalled = false
  #nextLookMono = 0
  #cursor: number

  constructor(link: LinkId, plan: SyncPlan, parts: SyncParts) {
    this.kind = plan.kind
    this.#link = link
    this.#parts = parts
    if (plan.kind === 'snap') {
      this.#feed = parts.replica.feedSnapshot()
      this.#cursor = this.#feed.zxid
      this.#send(encodePacket(PacketType.snap, this.#cursor))
    } else {
      this.#cursor = plan.cursor
      const type = plan.kind === 'diff' ? PacketType.diff : PacketType.trunc
      this.#send(encodePacket(type, plan.zxid))
    }
  }

  /** The learner has everything committed up to there, or will when it has read what was sent. */
  get cursor(): number {
    return this.#cursor
  }

  /** True: pump would get on at once. */
  get canPump(): boolean {
    return !this.#isStalled && this.#hasRoom()
  }

  /** Lets the next pump look at the log files again, if it is time for that. */
  unstall(nowMono: number): void {
    if (!this.#isStalled || nowMono < this.#nextLookMono) return
    this.#isStalled = false
    this.#nextLookMono = nowMono + HISTORY_LOOK_MS
  }

  /** Goes on for one turn. */
  pump(): SyncProgress {
    let budget = this.#parts.bounds.syncBytesPerTurn
    while (this.#feed !== undefined) {
      if (budget <= 0 || !this.#hasRoom()) return 'waiting'
      budget -= this.#pumpSnapshot(this.#feed)
    }
    if (budget <= 0 || !this.canPump) return 'waiting'
    const packets = new TurnPackets()
    const progress = this.#gather(packets, budget)
    const gathered = packets.take()
    if (gathered !== undefined) this.#send(gathered.bytes)
    return progress
  }

  /** Lets go of the snapshot. What of the files could not be read, is not tried again. */
  close(): void {
    this.#feed?.close()
    this.#feed = undefined
    if (this.#isStalled) this.#findHole(this.#parts.replica.committedLog.minZxid)
  }

  #hasRoom(): boolean {
    const { links, bounds } = this.#parts
    return links.waitingBytes(this.#link) < bounds.syncBytesWaitingMax
  }

  #send(bytes: Buffer): void {
    this.#parts.links.send(this.#link, bytes)
  }

  /** Bytes sent. */
  #pumpSnapshot(feed: SnapshotFeed): number {
    const slice = feed.next()
    if (slice !== undefined) {
      this.#send(slice)
      return slice.length
    }
    feed.close()
    this.#feed = undefined
    this.#send(signature)
    return signature.length
  }

  /** PROPOSAL and COMMIT of what follows the cursor, up to so many bytes. */
  #gather(packets: TurnPackets, budget: number): SyncProgress {
    while (!this.#isInCommittedLog()) {
      if (packets.bytes >= budget) return 'waiting'
      const entry = this.#nextOfHistory()
      if (entry === 'none') return 'waiting'
      if ('problem' in entry) return entry
      this.#pass(packets, entry)
    }
    this.#history = undefined
    this.#scan = undefined
    for (const entry of this.#parts.replica.committedLog.from(this.#cursor + 1)) {
      if (packets.bytes >= budget) return 'waiting'
      this.#pass(packets, entry)
    }
    return 'caughtUp'
  }

  #pass(packets: TurnPackets, entry: Entry): void {
    assert(entry.zxid > this.#cursor, 'a learner is sent the history in its order')
    packets.propose(entry)
    packets.commit(entry.zxid)
    this.#cursor = entry.zxid
  }

  /** Whether nothing lies between the cursor and what the committed log has above it. */
  #isInCommittedLog(): boolean {
    const { replica, history } = this.#parts
    const oldest = firstOf(replica.committedLog)
    if (oldest === undefined) return this.#cursor >= history.endZxid
    if (this.#cursor >= oldest.zxid) return true
    // Of another epoch's first txn nobody could tell what came before; but our own is the next.
    const isSameEpoch = epochOf(oldest.zxid) === epochOf(this.#cursor)
    return follows(oldest.zxid, this.#cursor) && (isSameEpoch || this.#cursor >= history.endZxid)
  }

  /** The entry behind the cursor; 'none' as long as it is not in the files. */
  #nextOfHistory(): Entry | 'none' | { readonly problem: string } {
    const { replica, history } = this.#parts
    if (this.#history === undefined) {
      this.#scan ??= replica.readHistory(this.#cursor, true)
      const found = this.#scan?.step()
      if (found === 'more') return 'none'
      this.#scan = undefined
      this.#history = found
    }
    if (this.#history === undefined) return this.#stall()
    // What is beyond this may not be committed yet.
    const limitZxid = firstOf(replica.committedLog)?.zxid ?? history.endZxid
    for (let entry = this.#history.next(); entry !== undefined; entry = this.#history.next()) {
      if ('problem' in entry) {
        this.#findHole(this.#cursor + 1)
        return entry
      }
      if (entry.zxid <= this.#cursor) continue
      if (!follows(entry.zxid, this.#cursor) || entry.zxid > limitZxid)
        return this.#findHole(entry.zxid)
      return entry
    }
    return this.#stall()
  }

  #stall(): 'none' {
    this.#history = undefined
    this.#isStalled = true
    return 'none'
  }

  #findHole(zxid: number): { readonly problem: string } {
    const { history } = this.#parts
    history.floorZxid = Math.max(history.floorZxid, zxid)
    return { problem: 'the log files lack what follows' }
  }
}

const signature: Buffer = encodeSignature()

function encodeSignature(): Buffer {
  const w = new JuteWriter()
  w.writeString(SNAP_SIGNATURE)
  return w.copy()
}
