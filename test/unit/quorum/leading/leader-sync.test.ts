import { describe, expect, it } from 'vitest'
import { MajorityQuorum } from '../../../../src/quorum/membership/quorum-verifier.ts'
import { encodePacket } from '../../../../src/quorum/wire/packets.ts'
import {
  LeaderRig,
  type LeaderRigOptions,
  type ScriptedLearner,
  z,
} from '../../../support/leader-rig.ts'
import { MemoryReplica, textEntry } from '../../../support/memory-replica.ts'

/** Ensemble of 1, 2, 3 and observer 4; 2 follows, and acks by `commit`. */
function leading(options: LeaderRigOptions = {}): {
  rig: LeaderRig
  replica: MemoryReplica
  two: ScriptedLearner
  commit: (count: number, text?: string) => void
} {
  const { rig, followers } = LeaderRig.leading([2], { observers: [4], ...options })
  const [two] = followers
  if (two === undefined) throw new Error('a follower')
  const { replica } = rig
  const commit = (count: number, text = 'x'): void => {
    rig.turn(() => {
      for (let i = 0; i < count; i += 1) replica.write(text)
      replica.flush()
    })
    two.ack(replica.lastLoggedZxid)
    two.heard()
  }
  return { rig, replica, two, commit }
}

const start = (
  rig: LeaderRig,
  sid: number,
  zxid: number,
  type: 'followerInfo' | 'observerInfo' = 'followerInfo',
): ScriptedLearner => {
  const learner = rig.report(sid, 1, type)
  learner.heard()
  learner.ackEpoch(1, zxid)
  return learner
}

/** As start, with a learner that takes nothing until it is drained. */
function startClogged(rig: LeaderRig, zxid: number): ScriptedLearner {
  const learner = rig.report(3, 1)
  learner.heard()
  learner.clog()
  learner.ackEpoch(1, zxid)
  return learner
}

/** Drains until it has caught up, or nothing moves any more. */
function drainAll(rig: LeaderRig, learner: ScriptedLearner, lines: string[]): void {
  for (let i = 0; i < 10_000; i += 1) {
    learner.drain(false)
    lines.push(...learner.heard())
    if (rig.links.waitingBytes(learner.link) === 0) return
  }
  throw new Error('it never ends')
}

const zxidsOf = (lines: readonly string[], packet: string): number[] =>
  lines.flatMap((line) =>
    line.startsWith(`${packet} `) ? [Number.parseInt(line.split(' ')[1] ?? '', 16)] : [],
  )

const run = (epoch: number, from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => z(epoch, from + i))

describe('a SNAP', () => {
  it('goes as fast as the learner takes it, while the others write', () => {
    const { rig, replica, commit } = leading({
      bounds: { syncBytesWaitingMax: 100, syncBytesPerTurn: 1000 },
    })
    commit(200)
    replica.feedSliceEntries = 1
    const three = startClogged(rig, 0)
    const lines: string[] = []
    let drains = 0
    let waitingMax = 0
    while (!lines.some((line) => line.startsWith('NEWLEADER'))) {
      if (drains < 100) commit(1)
      three.drain(false)
      waitingMax = Math.max(waitingMax, rig.links.waitingBytes(three.link))
      lines.push(...three.heard())
      drains += 1
      expect(drains).toBeLessThan(1000)
    }
    expect(drains).toBeGreaterThan(25)
    // Up to the bound and one slice, or one pair.
    expect(waitingMax).toBeLessThan(1100)
    expect(lines[0]).toBe('SNAP 1000000c8')
    expect(lines[1]).toMatch(/^stream of /)
    const last = replica.lastProcessedZxid
    expect(zxidsOf(lines, 'PROPOSAL')).toEqual(run(1, 201, last - z(1, 0)))
    expect(zxidsOf(lines, 'COMMIT')).toEqual(run(1, 201, last - z(1, 0)))
    expect(replica.feedsOpen).toBe(0)
    three.drain()
    three.ackNewLeader()
    commit(1)
    expect(three.told()).toEqual([
      'UPTODATE -1',
      `PROPOSAL ${(last + 1).toString(16)} "x"`,
      `COMMIT ${(last + 1).toString(16)}`,
    ])
  })

  it('gets on without any event of the link while the learner takes everything', () => {
    const { rig, replica, commit } = leading({ bounds: { syncBytesPerTurn: 100 } })
    commit(100)
    replica.feedSliceEntries = 1
    const three = start(rig, 3, 0)
    expect(three.heard()).toEqual(['SNAP 100000064'])
    let turns = 0
    while (rig.leader.wantsTurn) {
      rig.turn()
      turns += 1
    }
    expect(turns).toBeGreaterThan(10)
    expect(three.heard().at(-1)).toMatch(/^NEWLEADER/)
  })

  it('what was committed meanwhile and is no more in memory comes from the log files', () => {
    const { rig, replica, commit } = leading({
      bounds: { syncBytesWaitingMax: 100, syncBytesPerTurn: 1000 },
    })
    commit(100)
    const three = startClogged(rig, 0)
    const lines: string[] = []
    commit(900)
    replica.historyUnderWay = [...replica.log]
    drainAll(rig, three, lines)
    expect(lines[0]).toBe('SNAP 100000064')
    expect(zxidsOf(lines, 'COMMIT')).toEqual(run(1, 101, 1000))
    expect(replica.calls.filter(({ call }) => call === 'readHistory')).toEqual([
      { call: 'readHistory', zxid: 0, isUnderWay: false },
      { call: 'readHistory', zxid: z(1, 100), isUnderWay: true },
    ])
  })

  it('is let go when the learner goes, or the leader ends', () => {
    for (const end of ['learner', 'leader'] as const) {
      const { rig, replica, commit } = leading({ bounds: { syncBytesPerTurn: 1 } })
      commit(10)
      const three = start(rig, 3, 0)
      expect(replica.feedsOpen).toBe(1)
      if (end === 'learner') three.cut()
      else rig.leader.close()
      expect(replica.feedsOpen).toBe(0)
    }
  })

  it('is dropped when nothing moves for initLimit, but not as long as something does', () => {
    const { rig, two, commit } = leading({
      bounds: { syncBytesWaitingMax: 50, syncBytesPerTurn: 50 },
    })
    commit(50)
    const alive = (): void => {
      for (const line of two.heard()) if (line.startsWith('PING')) two.answerPing()
    }
    const three = rig.report(3, 1)
    three.clog()
    three.ackEpoch(1, 0)
    for (let i = 0; i < 5; i += 1) {
      rig.pass(9000, alive)
      expect(three.isClosed).toBe(false)
      // Not all of it, so that nobody says it has drained.
      rig.links.takeSome(three.link, 1)
      rig.pass(9000, alive)
      three.drain(false)
    }
    rig.pass(10_000, alive)
    expect(three.isClosed).toBe(false)
    rig.pass(50, alive)
    expect(three.isClosed).toBe(true)
  })
})

describe('a DIFF', () => {
  it('brings what is outstanding to a follower, and not to an observer', () => {
    const { rig, replica, commit } = leading()
    commit(3)
    rig.turn(() => replica.write('open'))
    const three = start(rig, 3, z(1, 2))
    const four = start(rig, 4, z(1, 2), 'observerInfo')
    const pair = ['DIFF 100000003', 'PROPOSAL 100000003 "x"', 'COMMIT 100000003']
    expect(three.heard().slice(0, -1)).toEqual([...pair, 'PROPOSAL 100000004 "open"'])
    expect(four.heard().slice(0, -1)).toEqual(pair)
    three.ackNewLeader()
    four.ackNewLeader()
    three.ack(z(1, 4))
    rig.flush()
    expect(three.told()).toEqual(['UPTODATE -1', 'COMMIT 100000004'])
    expect(four.told()).toEqual(['UPTODATE -1', 'INFORM 100000004 "open"'])
  })

  it('joins in the very turn in which others write, and gets each of it once', () => {
    const { rig, replica, two, commit } = leading()
    commit(3)
    two.heard()
    const three = rig.report(3, 1)
    three.heard()
    rig.turn(() => {
      replica.write('before')
      replica.flush()
      rig.leader.onLinkBytes(two.link, ackOf(z(1, 4)))
      replica.write('open')
      rig.leader.onLinkBytes(three.link, ackEpoch(z(1, 3)))
      replica.write('after')
      replica.flush()
      rig.leader.onLinkBytes(two.link, ackOf(z(1, 5)))
    })
    expect(three.heard()).toEqual([
      'DIFF 100000004',
      'PROPOSAL 100000004 "before"',
      'COMMIT 100000004',
      'PROPOSAL 100000005 "open"',
      expect.stringMatching(/^NEWLEADER/),
      'PROPOSAL 100000006 "after"',
      'COMMIT 100000005',
    ])
    expect(two.heard()).toEqual([
      'PROPOSAL 100000004 "before"',
      'COMMIT 100000004',
      'PROPOSAL 100000005 "open"',
      'PROPOSAL 100000006 "after"',
      'COMMIT 100000005',
    ])
  })

  it('of many from the log files comes slice by slice, then from memory, without a gap', () => {
    const { rig, replica, commit } = leading({
      bounds: { syncBytesWaitingMax: 500, syncBytesPerTurn: 500 },
    })
    commit(1000)
    replica.history = [...replica.log]
    const three = startClogged(rig, z(1, 7))
    const lines = three.heard()
    for (let i = 0; i < 20; i += 1) {
      commit(3)
      three.drain(false)
      lines.push(...three.heard())
    }
    expect(rig.links.waitingBytes(three.link)).toBeLessThan(1100)
    drainAll(rig, three, lines)
    expect(lines[0]).toBe('DIFF 1000003e8')
    expect(zxidsOf(lines, 'PROPOSAL')).toEqual(run(1, 8, 1060))
    expect(zxidsOf(lines, 'COMMIT')).toEqual(run(1, 8, 1060))
    expect(lines.at(-1)).toMatch(/^NEWLEADER/)
  })

  it('goes back to the log files for what leaves the memory while it is under way', () => {
    const { rig, replica, commit } = leading({
      bounds: { syncBytesWaitingMax: 500, syncBytesPerTurn: 500 },
    })
    commit(100)
    const three = startClogged(rig, z(1, 7))
    const lines = three.heard()
    commit(900)
    // What was allowed to begin with is not asked any more.
    replica.history = undefined
    replica.historyUnderWay = [...replica.log]
    drainAll(rig, three, lines)
    expect(zxidsOf(lines, 'PROPOSAL')).toEqual(run(1, 8, 1000))
    expect(lines.at(-1)).toMatch(/^NEWLEADER/)
  })

  it('waits for log files that are not written so far yet', () => {
    const { rig, replica, commit } = leading({
      bounds: { syncBytesWaitingMax: 500, syncBytesPerTurn: 500 },
    })
    commit(100)
    const three = startClogged(rig, z(1, 7))
    const lines = three.heard()
    commit(900)
    replica.historyUnderWay = replica.log.slice(0, 300)
    drainAll(rig, three, lines)
    expect(zxidsOf(lines, 'PROPOSAL')).toEqual(run(1, 8, 300))
    const reads = (): number => replica.calls.filter(({ call }) => call === 'readHistory').length
    const before = reads()
    for (let i = 0; i < 5; i += 1) rig.leader.flush()
    expect(reads()).toBe(before)
    rig.pass(400)
    expect(reads() - before).toBeLessThan(2)
    replica.historyUnderWay = [...replica.log]
    rig.pass(500)
    lines.push(...three.heard())
    drainAll(rig, three, lines)
    expect(zxidsOf(lines, 'PROPOSAL')).toEqual(run(1, 8, 1000))
    expect(rig.logs.filter((line) => line.includes('is gone'))).toEqual([])
  })

  it('looks through the log files turn by turn', () => {
    const { rig, replica, commit } = leading()
    commit(1000)
    replica.history = [...replica.log]
    replica.scanSteps = 5
    const three = start(rig, 3, z(1, 7))
    expect(three.heard()).toEqual([])
    expect(rig.leader.wantsTurn).toBe(true)
    for (let turn = 0; turn < 12; turn += 1) rig.leader.flush()
    const lines = three.heard()
    expect(lines[0]).toMatch(/^DIFF/)
    expect(zxidsOf(lines, 'PROPOSAL')).toEqual(run(1, 8, 1000))
  })

  it('drops the learner alone whose history cannot be read; it comes back for a SNAP', () => {
    const { rig, replica, commit } = leading()
    commit(1000)
    replica.history = [...replica.log]
    replica.historyProblem = { zxid: z(1, 300), problem: 'EIO: i/o error, read' }
    const three = start(rig, 3, z(1, 7))
    rig.leader.flush()
    expect(rig.logs.some((line) => line.includes('EIO: i/o error, read'))).toBe(true)
    expect(rig.links.isClosed(three.link)).toBe(true)
    expect([rig.leader.isServing, rig.ends]).toEqual([true, []])
    const again = start(rig, 3, z(1, 7))
    expect(again.heard()[0]).toMatch(/^SNAP/)
  })

  it('stops at a hole in the log files; the learner comes back for a SNAP', () => {
    const { rig, replica, commit } = leading()
    commit(1000)
    replica.history = replica.log.filter(({ zxid }) => zxid !== z(1, 300))
    const three = start(rig, 3, z(1, 7))
    const lines = three.heard()
    expect(zxidsOf(lines, 'PROPOSAL')).toEqual(run(1, 8, 299))
    expect(three.isClosed).toBe(true)
    const again = start(rig, 3, z(1, 299))
    expect(again.heard()[0]).toBe('SNAP 1000003e8')
    // Above the hole they are as good as ever.
    const four = start(rig, 4, z(1, 301), 'observerInfo')
    expect(four.heard()[0]).toBe('DIFF 1000003e8')
  })

  it('never takes from the log files what is not committed', () => {
    const { rig, replica, commit } = leading()
    commit(600)
    rig.turn(() => replica.write('open'))
    replica.history = [...replica.log]
    const three = start(rig, 3, z(1, 50))
    const lines = three.heard()
    expect(zxidsOf(lines, 'COMMIT')).toEqual(run(1, 51, 600))
    expect(zxidsOf(lines, 'PROPOSAL')).toEqual(run(1, 51, 601))
  })

  it('nor, with nothing in memory, what an epoch has proposed and not committed', () => {
    const disk = {
      log: run(1, 1, 5).map((zxid) => textEntry(zxid)),
      snapshot: { zxid: z(2, 0), entries: run(1, 1, 5).map((zxid) => textEntry(zxid)) },
      acceptedEpoch: 2,
      currentEpoch: 2,
    }
    const replica = new MemoryReplica({
      disk,
      membership: { quorum: new MajorityQuorum([1, 2, 3]) },
    })
    replica.committedLog.clear(z(2, 0))
    replica.lastLoggedZxid = z(2, 0)
    replica.lastProcessedZxid = z(2, 0)
    const rig = new LeaderRig({ replica })
    rig.join(2, { currentEpoch: 2, zxid: z(2, 0), acceptedEpoch: 2 })
    expect(rig.leader.isServing).toBe(true)
    rig.turn(() => replica.write('open'))
    replica.history = [...replica.log]
    const three = rig.report(3, 2)
    three.heard()
    three.ackEpoch(-1, z(1, 3))
    expect(three.heard()).toEqual([
      'DIFF 300000000',
      'PROPOSAL 100000004 "txn 100000004"',
      'COMMIT 100000004',
      'PROPOSAL 100000005 "txn 100000005"',
      'COMMIT 100000005',
    ])
    expect(three.isClosed).toBe(true)
  })

  it('crosses an epoch', () => {
    const entries = run(1, 1, 10).map((zxid) => textEntry(zxid))
    const { rig, commit } = leading({ disk: { log: entries, acceptedEpoch: 1, currentEpoch: 1 } })
    commit(3)
    const three = rig.report(3, 2)
    three.heard()
    three.ackEpoch(-1, z(1, 8))
    expect(zxidsOf(three.heard(), 'PROPOSAL')).toEqual([...run(1, 9, 10), ...run(2, 1, 3)])
  })

  it('crosses an epoch by the log files, where the memory begins with the later one', () => {
    const disk = {
      log: run(1, 1, 10).map((zxid) => textEntry(zxid)),
      acceptedEpoch: 1,
      currentEpoch: 1,
    }
    const replica = new MemoryReplica({
      disk,
      membership: { quorum: new MajorityQuorum([1, 2, 3]) },
    })
    replica.committedLog.clear(z(1, 10))
    const { rig, commit } = leading({ replica })
    commit(2)
    replica.history = [...replica.log]
    const three = rig.report(3, 2)
    three.heard()
    three.ackEpoch(-1, z(1, 7))
    expect(zxidsOf(three.heard(), 'PROPOSAL')).toEqual([...run(1, 8, 10), ...run(2, 1, 2)])
  })

  it('goes on into the new epoch when the sync began before it, with nothing in memory', () => {
    const disk = {
      log: [],
      snapshot: { zxid: z(1, 10), entries: run(1, 1, 10).map((zxid) => textEntry(zxid)) },
      acceptedEpoch: 1,
      currentEpoch: 1,
    }
    const rig = new LeaderRig({ disk, bounds: { syncBytesWaitingMax: 50, syncBytesPerTurn: 50 } })
    rig.replica.feedSliceEntries = 1
    const two = rig.report(2, 1)
    const three = rig.report(3, 1)
    rig.flush()
    three.clog()
    two.ackEpoch(1, z(1, 10))
    three.ackEpoch(-1, 0)
    two.ackNewLeader()
    rig.flush()
    rig.turn(() => {
      rig.replica.write('first')
      rig.replica.flush()
    })
    two.ack(z(2, 1))
    const lines = three.heard()
    drainAll(rig, three, lines)
    expect(lines.slice(1)).toEqual([
      'SNAP 10000000a',
      expect.stringMatching(/^stream/),
      'PROPOSAL 200000001 "first"',
      'COMMIT 200000001',
      expect.stringMatching(/^NEWLEADER/),
    ])
  })

  it('or a SNAP for everybody, where that is forced', () => {
    const { rig, commit } = leading({ settings: { forceSnapshotSync: true } })
    commit(3)
    expect(start(rig, 3, z(1, 3)).heard()[0]).toBe('SNAP 100000003')
  })
})

const ackOf = (zxid: number): Buffer => packet(3, zxid, null)

function ackEpoch(zxid: number): Buffer {
  const data = Buffer.alloc(4)
  data.writeInt32BE(-1)
  return packet(18, zxid, data)
}

function packet(type: 3 | 18, zxid: number, data: Buffer | null): Buffer {
  return encodePacket(type, zxid, data)
}
