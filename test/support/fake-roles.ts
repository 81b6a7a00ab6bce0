import { assert } from '../../src/base/assert.ts'
import type { Role, Roles } from '../../src/quorum/election/quorum-peer.ts'
import type { EnsembleMember } from '../../src/quorum/membership/configuration.ts'
import type { LinkId } from '../../src/quorum/ports/links.ts'
import type { LeaderLine, Learners } from '../../src/quorum/ports/replica.ts'
import type { PeerState } from '../../src/quorum/role/peer-state.ts'
import type { RoleParts } from '../../src/quorum/role/role.ts'
import { MemoryReplica } from './memory-replica.ts'

/** Leaders and learners that agree on an epoch and then hold each other, and do nothing else. */
export const fakeRoles: Roles = {
  lead: (parts, nowMono, onEnd) => new FakeLeader(parts, nowMono, onEnd),
  learn: (parts, leader, role, nowMono, onEnd) =>
    new FakeLearner(parts, leader, role, nowMono, onEnd),
}

const RETRY_MS = 100
const HELLO_BYTES = 9

/** A learner says its sid and its accepted epoch, each in a byte, and is told the epoch in one. */
class FakeLeader implements Role {
  readonly #parts: RoleParts
  readonly #onEnd: (reason: string) => void
  readonly #learners = new Map<LinkId, { sid: number; bytes: Buffer }>()
  readonly #deadline: number
  #epoch: number
  #isEstablished = false

  constructor(parts: RoleParts, nowMono: number, onEnd: (reason: string) => void) {
    this.#parts = parts
    this.#onEnd = onEnd
    this.#deadline = nowMono + parts.settings.initLimitMs
    this.#epoch = parts.epochs.accepted + 1
    this.#check()
  }

  advance(nowMono: number): void {
    if (!this.#isEstablished && nowMono >= this.#deadline) this.#onEnd('no quorum came')
  }

  onLinkAccepted(link: LinkId): void {
    this.#learners.set(link, { sid: -1, bytes: Buffer.alloc(0) })
  }

  onLinkBytes(link: LinkId, bytes: Buffer): void {
    const learner = this.#learners.get(link)
    assert(learner !== undefined, 'bytes of a link that the leader does not have')
    learner.bytes = Buffer.concat([learner.bytes, bytes])
    if (learner.bytes.length < HELLO_BYTES || learner.sid >= 0) return
    learner.sid = learner.bytes.readUInt8(0)
    if (!this.#isEstablished)
      this.#epoch = Math.max(this.#epoch, Number(learner.bytes.readBigInt64BE(1)) + 1)
    if (this.#isEstablished) this.#parts.links.send(link, Buffer.from([this.#epoch]))
    else this.#check()
  }

  onLinkClosed(link: LinkId): void {
    this.#learners.delete(link)
    if (this.#isEstablished && !this.#hasQuorum()) this.#onEnd('the quorum is gone')
  }

  onLinkDrained(): void {}

  close(): void {
    for (const link of this.#learners.keys()) this.#parts.links.close(link)
    this.#learners.clear()
  }

  #check(): void {
    if (!this.#hasQuorum()) return
    this.#isEstablished = true
    const { epochs, links, replica } = this.#parts
    epochs.accepted = this.#epoch
    epochs.current = this.#epoch
    replica.startLeading(this.#epoch, noLearners)
    for (const [link, { sid }] of this.#learners)
      if (sid >= 0) links.send(link, Buffer.from([this.#epoch]))
  }

  #hasQuorum(): boolean {
    const { self, quorum } = this.#parts.membership
    const sids = new Set([self.sid, ...[...this.#learners.values()].map(({ sid }) => sid)])
    return quorum.containsQuorum((sid) => sids.has(sid))
  }
}

class FakeLearner implements Role {
  readonly #parts: RoleParts
  readonly #leader: EnsembleMember
  readonly #role: 'following' | 'observing'
  readonly #onEnd: (reason: string) => void
  #link: LinkId | undefined
  #isOpen = false
  #dialAt: number
  #triesLeft = 5
  #now: number

  constructor(
    parts: RoleParts,
    leader: EnsembleMember,
    role: 'following' | 'observing',
    nowMono: number,
    onEnd: (reason: string) => void,
  ) {
    this.#parts = parts
    this.#leader = leader
    this.#role = role
    this.#onEnd = onEnd
    this.#now = nowMono
    this.#dialAt = nowMono
    this.advance(nowMono)
  }

  advance(nowMono: number): void {
    this.#now = nowMono
    if (this.#link !== undefined || nowMono < this.#dialAt) return
    this.#link = this.#parts.links.dial('quorum', this.#leader.quorumAddresses)
  }

  onLinkOpened(link: LinkId): void {
    this.#isOpen = true
    const hello = Buffer.alloc(HELLO_BYTES)
    hello.writeUInt8(this.#parts.membership.self.sid)
    hello.writeBigInt64BE(BigInt(this.#parts.epochs.accepted), 1)
    this.#parts.links.send(link, hello)
  }

  onLinkBytes(_link: LinkId, bytes: Buffer): void {
    const epoch = bytes.readUInt8(0)
    const { epochs, replica } = this.#parts
    epochs.accepted = epoch
    epochs.current = epoch
    replica.startLearning(this.#role, epoch, noLine)
  }

  onLinkClosed(): void {
    this.#link = undefined
    this.#triesLeft -= 1
    if (this.#isOpen || this.#triesLeft === 0) this.#onEnd('the leader is gone')
    else this.#dialAt = this.#now + RETRY_MS
  }

  onLinkDrained(): void {}

  close(): void {
    if (this.#link !== undefined) this.#parts.links.close(this.#link)
  }
}

const noLearners: Learners = {
  propose: () => {},
  commit: () => {},
  confirm: () => 0,
  sendSync: () => {},
  sendRevalidated: () => {},
  giveUp: () => {},
}
const noLine: LeaderLine = { forward: () => {}, revalidate: () => {} }

/** A replica whose log ends there. */
export function replicaUpTo(lastLoggedZxid: number): MemoryReplica {
  const replica = new MemoryReplica()
  replica.lastLoggedZxid = lastLoggedZxid
  return replica
}

/** As what it serves clients, if it does. */
export function servesAs(replica: MemoryReplica): PeerState | undefined {
  const last = replica.calls.findLast(({ call }) => /^start|^stop$/.test(call))
  if (last?.call === 'startLearning') return last.role
  return last?.call === 'startLeading' ? 'leading' : undefined
}

/** How many roles have ended. */
export const stopsOf = (replica: MemoryReplica): number =>
  replica.calls.filter(({ call }) => call === 'stop').length
