import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Prng } from '../../../../src/base/prng.ts'
import type { LinkId } from '../../../../src/quorum/ports/links.ts'
import type { Entry } from '../../../../src/quorum/ports/replica.ts'
import { LeaderRig, z } from '../../../support/leader-rig.ts'
import { LearnerRig } from '../../../support/learner-rig.ts'
import { MemoryReplica, textEntry } from '../../../support/memory-replica.ts'

const NOTHING = Buffer.alloc(0)
const entries = (epoch: number, count: number, from = 1): Entry[] =>
  Array.from({ length: count }, (_, i) => textEntry(z(epoch, from + i)))

/** A learner that comes again whenever its role has ended, and the bytes on their way to and fro. */
class Peer {
  readonly sid: number
  readonly #leader: LeaderRig
  readonly #role: 'following' | 'observing'
  rig: LearnerRig
  #leaderLink: LinkId | undefined = undefined
  #toLeader: Buffer = NOTHING
  #toLearner: Buffer = NOTHING

  constructor(leader: LeaderRig, sid: number, log: readonly Entry[]) {
    this.sid = sid
    this.#leader = leader
    this.#role = sid > 3 ? 'observing' : 'following'
    const disk = { log, acceptedEpoch: 1, currentEpoch: 1 }
    this.rig = this.#begin(new MemoryReplica({ sid, disk }))
  }

  #begin(replica: MemoryReplica): LearnerRig {
    this.#toLeader = NOTHING
    this.#toLearner = NOTHING
    return new LearnerRig({
      sid: this.sid,
      role: this.#role,
      replica,
      settings: { observerLogs: this.sid === 4 },
    })
  }

  connect(newLink: LinkId): void {
    if (this.#leaderLink !== undefined) return
    this.#leaderLink = newLink
    this.#leader.turn(() => this.#leader.leader.onLinkAccepted(newLink))
    this.rig.open()
  }

  /** kill -9: what is not on disk is lost, and the bytes under way as well. */
  crash(): void {
    const link = this.#leaderLink
    this.#leaderLink = undefined
    if (link !== undefined && !this.#leader.links.isClosed(link))
      this.#leader.turn(() => this.#leader.leader.onLinkClosed(link))
    this.rig = this.#begin(this.rig.replica.crashed())
  }

  /** At most so many bytes reach the leader. */
  up(bytesMax: number): boolean {
    const link = this.#leaderLink
    if (link === undefined) return false
    if (this.#leader.links.isClosed(link) || this.rig.ends.length > 0) {
      this.crash()
      return true
    }
    this.#toLeader = Buffer.concat([this.#toLeader, this.rig.links.take(this.rig.link)])
    const bytes = this.#toLeader.subarray(0, bytesMax)
    this.#toLeader = this.#toLeader.subarray(bytes.length)
    if (bytes.length > 0) this.#leader.turn(() => this.#leader.leader.onLinkBytes(link, bytes))
    return bytes.length > 0
  }

  /** At most so many bytes reach the learner. */
  down(bytesMax: number): boolean {
    const link = this.#leaderLink
    if (link === undefined) return false
    this.#toLearner = Buffer.concat([this.#toLearner, this.#leader.links.take(link)])
    if (this.rig.links.isPaused(this.rig.link)) return false
    const bytes = this.#toLearner.subarray(0, bytesMax)
    this.#toLearner = this.#toLearner.subarray(bytes.length)
    this.rig.bytes(bytes)
    return bytes.length > 0
  }

  has(zxid: number): boolean {
    const { log, snapshot } = this.rig.replica.disk
    return log.some((entry) => entry.zxid === zxid) || snapshot.zxid >= zxid
  }
}

class Run {
  readonly leader: LeaderRig
  readonly peers: readonly Peer[]
  readonly #prng: Prng
  #lastLink = 0
  #checked = 0

  constructor(seed: number) {
    this.#prng = new Prng(seed)
    const common = entries(1, 20)
    const forceSnapshotSync = this.#prng.below(3) === 0
    this.leader = new LeaderRig({
      self: 3,
      observers: [4, 5],
      settings: { forceSnapshotSync },
      disk: { log: common, acceptedEpoch: 1, currentEpoch: 1 },
    })
    const behind = common.slice(0, 1 + this.#prng.below(20))
    const tail = [...common, ...entries(1, this.#prng.below(3), 21)]
    this.peers = [
      new Peer(this.leader, 1, behind),
      new Peer(this.leader, 2, this.#prng.below(2) === 0 ? tail : common),
      new Peer(this.leader, 4, behind),
      new Peer(this.leader, 5, []),
    ]
  }

  get isLeading(): boolean {
    return this.leader.replica.learners !== undefined
  }

  /** The one with a tail waits: a leader that hears of it too soon gives up, and is right. */
  #mayConnect(peer: Peer): boolean {
    return peer.sid !== 2 || this.isLeading
  }

  step(): void {
    const prng = this.#prng
    const peer = this.peers[prng.below(this.peers.length)]
    if (peer === undefined) return
    const bytes = prng.below(4) === 0 ? Infinity : 1 + prng.below(60)
    switch (prng.below(12)) {
      case 0:
        if (this.#mayConnect(peer)) peer.connect(this.#newLink())
        return
      case 1:
        // Before, it would have accepted the epoch and could not be counted again: a new election.
        if (this.isLeading && prng.below(10) === 0) peer.crash()
        return
      case 2:
      case 3:
        peer.rig.replica.flushOne()
        return
      case 4:
        this.leader.turn(() => this.leader.replica.flushOne())
        return
      case 5:
        if (this.isLeading) this.leader.turn(() => this.leader.replica.write())
        return
      case 6:
      case 7:
      case 8:
        peer.up(bytes)
        return
      default:
        peer.down(bytes)
    }
  }

  #newLink(): LinkId {
    this.#lastLink += 1
    return this.#lastLink
  }

  /** What the leader has delivered is on the disks of a quorum. */
  check(): void {
    const { calls, disk } = this.leader.replica
    for (; this.#checked < calls.length; this.#checked += 1) {
      const call = calls[this.#checked]
      if (call?.call !== 'deliver') continue
      const { zxid } = call
      const own = disk.log.some((entry) => entry.zxid === zxid) ? 1 : 0
      const others = this.peers.filter((peer) => peer.sid < 3 && peer.has(zxid)).length
      expect(own + others).toBeGreaterThanOrEqual(2)
    }
  }

  /** Everything arrives and is written, until nothing happens any more. */
  settle(): void {
    for (let quiet = 0; quiet < 3; quiet += 1) {
      for (const peer of this.peers) {
        if (this.#mayConnect(peer)) peer.connect(this.#newLink())
        if (peer.down(Infinity)) quiet = 0
        if (peer.rig.replica.unflushed > 0) quiet = 0
        peer.rig.replica.flush()
        if (peer.up(Infinity)) quiet = 0
      }
      this.leader.flush()
      this.check()
    }
  }
}

describe('a leader and its learners', () => {
  it('agree, whatever arrives when, and whoever crashes', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const run = new Run(seed)
        for (let i = 0; i < 600; i += 1) {
          run.step()
          run.check()
        }
        run.settle()
        expect(run.isLeading).toBe(true)
        run.leader.turn(() => run.leader.replica.write('the last word'))
        run.settle()
        expect(run.leader.ends).toEqual([])
        const { replica } = run.leader
        for (const peer of run.peers) {
          expect(peer.rig.ends).toEqual([])
          expect(peer.rig.replica.leader).toBeDefined()
          expect(peer.rig.replica.state).toEqual(replica.state)
          const isLogged = peer.sid !== 5
          if (isLogged) expect(peer.rig.replica.log.at(-1)).toEqual(replica.log.at(-1))
          else expect(peer.rig.replica.log).toEqual([])
        }
      }),
      { numRuns: 100 },
    )
  })
})
