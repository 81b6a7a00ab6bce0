import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { StoreBackOff } from '../../../../src/quorum/learning/store-back-off.ts'
import type { AcceptedEntry, Entry } from '../../../../src/quorum/ports/replica.ts'
import { encodePacket, PacketType } from '../../../../src/quorum/wire/packets.ts'
import { testSettings, z } from '../../../support/leader-rig.ts'
import {
  commit,
  diff,
  LearnerRig,
  leaderInfo,
  newLeader,
  ping,
  proposal,
  snap,
  trunc,
  upToDate,
} from '../../../support/learner-rig.ts'
import { MemoryReplica, textEntry, zxidsOf } from '../../../support/memory-replica.ts'
import { TreeReplica, treeStream } from '../../../support/tree-replica.ts'

const entry = (epoch: number, counter: number): Entry => textEntry(z(epoch, counter))
const pair = (one: Entry): Buffer => Buffer.concat([proposal(one), commit(one)])
const log: readonly Entry[] = [entry(1, 1), entry(1, 2), entry(1, 3)]
const disk = { log, acceptedEpoch: 1, currentEpoch: 1 }

/** The calls that change log, state and epoch, in order, as `append 0x100000001`. */
function changes(replica: MemoryReplica): string[] {
  return replica.calls.flatMap((c) => {
    if (c.call === 'writeEpoch') return [`${c.file} ${c.epoch}`]
    if (c.call === 'startLearning') return [`${c.role} ${c.epoch}`]
    if (c.call === 'installSnapshot') return ['install']
    return 'zxid' in c && c.call !== 'onAck' ? [`${c.call} 0x${c.zxid.toString(16)}`] : []
  })
}

describe('what a turn has no room for', () => {
  /** A turn has room for one delivery. */
  class OneATurn extends MemoryReplica {
    override deliver(accepted: AcceptedEntry): void {
      super.deliver(accepted)
      this.mayDeliver = false
    }
  }
  const told = (replica: MemoryReplica): string[] =>
    replica.calls.flatMap(({ call }) => (call === 'deliver' || call === 'onSynced' ? [call] : []))
  const sync = encodePacket(PacketType.sync, 0)

  it('waits for the next ones, and nothing overtakes it', () => {
    const rig = new LearnerRig({ replica: new OneATurn({ disk }) }).follow(2)
    const { learner, replica } = rig
    rig.say(pair(entry(2, 1)), pair(entry(2, 2)), sync, proposal(entry(2, 3)))
    // Comes in the same turn, as a piece of its own.
    rig.say(commit(entry(2, 3)), sync)
    expect(told(replica)).toEqual(['deliver'])
    expect([learner.isBehind, rig.links.isPaused(rig.link)]).toEqual([true, true])
    learner.goOn()
    expect(told(replica)).toEqual(['deliver'])
    replica.mayDeliver = true
    learner.goOn()
    expect(told(replica)).toEqual(['deliver', 'deliver'])
    replica.mayDeliver = true
    learner.goOn()
    expect(told(replica)).toEqual(['deliver', 'deliver', 'onSynced', 'deliver'])
    replica.mayDeliver = true
    learner.goOn()
    expect(told(replica)).toEqual(['deliver', 'deliver', 'onSynced', 'deliver', 'onSynced'])
    expect([learner.isBehind, rig.links.isPaused(rig.link)]).toEqual([false, false])
    replica.flush()
    expect(rig.said()).toEqual([1, 2, 3].map((counter) => `ACK 0x20000000${counter}`))
  })

  it('counts as having been heard', () => {
    const rig = new LearnerRig({ replica: new OneATurn({ disk }) }).follow(2)
    const { syncLimitMs } = testSettings()
    rig.say(pair(entry(2, 1)), pair(entry(2, 2)))
    rig.replica.flush()
    rig.advance(syncLimitMs * 2)
    expect(rig.ends).toEqual([])
    for (let turn = 0; turn < 2; turn += 1) {
      rig.replica.mayDeliver = true
      rig.learner.goOn()
    }
    rig.replica.flush()
    rig.advance(syncLimitMs - 1)
    expect(rig.ends).toEqual([])
    rig.advance(1)
    expect(rig.ends).toEqual([`the leader has said nothing for ${syncLimitMs} ms`])
  })
})

describe('a DIFF', () => {
  it('is logged and delivered, and NEWLEADER is acked when all of it is durable', () => {
    const rig = new LearnerRig({ disk }).discover(2)
    rig.say(diff(z(1, 5)), pair(entry(1, 4)), pair(entry(1, 5)), newLeader(2))
    expect(changes(rig.replica)).toEqual([
      'acceptedEpoch 2',
      'append 0x100000004',
      'deliver 0x100000004',
      'append 0x100000005',
      'deliver 0x100000005',
      'currentEpoch 2',
    ])
    expect(rig.said()).toEqual([])
    expect(rig.replica.disk).toMatchObject({ currentEpoch: 1 })
    rig.replica.flushOne()
    expect(rig.said()).toEqual(['ACK 0x200000000'])
    expect(rig.replica.disk.currentEpoch).toBe(2)
    expect(rig.replica.disk.log).toHaveLength(5)
    expect(rig.epochs.current).toBe(2)
    expect(rig.replica.leader).toBeUndefined()
    rig.say(upToDate())
    expect(rig.said()).toEqual(['ACK 0x200000000'])
    expect(rig.replica.calls.at(-1)).toEqual({ call: 'startLearning', role: 'following', epoch: 2 })
    // Nothing of what came before NEWLEADER is acked by itself.
    rig.replica.flush()
    expect(rig.said()).toEqual([])
  })

  it('is nothing for who has it all', () => {
    const rig = new LearnerRig({ disk }).discover(2)
    rig.say(diff(z(1, 3)), newLeader(2))
    rig.replica.flush()
    rig.say(upToDate(), pair(entry(2, 1)))
    rig.replica.flush()
    expect(rig.said()).toEqual(['ACK 0x200000000', 'ACK 0x200000000', 'ACK 0x200000001'])
  })

  it('may end with proposals that are not committed: they are acked behind NEWLEADER', () => {
    const rig = new LearnerRig({ disk }).discover(2)
    const open = [entry(2, 1), entry(2, 2)]
    rig.say(diff(z(1, 4)), pair(entry(1, 4)), ...open.map(proposal), newLeader(2))
    rig.replica.flush()
    expect(rig.said()).toEqual(['ACK 0x200000000', 'ACK 0x200000001', 'ACK 0x200000002'])
    rig.say(commit(entry(2, 1)), upToDate(), commit(entry(2, 2)))
    expect(rig.said()).toEqual(['ACK 0x200000000'])
    expect(zxidsOf(rig.replica, 'deliver')).toEqual([z(1, 4), z(2, 1), z(2, 2)])
    expect(rig.ends).toEqual([])
  })

  it('goes on between NEWLEADER and UPTODATE', () => {
    const rig = new LearnerRig({ disk }).discover(2)
    rig.say(diff(z(1, 3)), newLeader(2), pair(entry(2, 1)), ping(z(2, 1)))
    rig.replica.flushOne()
    expect(rig.said()).toEqual(['ACK 0x200000000'])
    rig.replica.flush()
    expect(rig.said()).toEqual(['ACK 0x200000001'])
    expect(zxidsOf(rig.replica, 'deliver')).toEqual([z(2, 1)])
    rig.say(ping(z(2, 1)), upToDate(), ping(z(2, 1)))
    // The leader takes nothing but an ACK before UPTODATE: only the last PING is answered.
    expect(rig.said()).toEqual(['ACK 0x200000000', 'PING 0x200000001 '])
  })

  it('to an observer is logged when it commits', () => {
    const rig = new LearnerRig({ sid: 4, role: 'observing', disk }).discover(2)
    rig.say(diff(z(1, 4)), proposal(entry(1, 4)))
    expect(changes(rig.replica)).toEqual(['acceptedEpoch 2'])
    rig.say(commit(entry(1, 4)), newLeader(2))
    rig.replica.flush()
    expect(changes(rig.replica)).toEqual([
      'acceptedEpoch 2',
      'append 0x100000004',
      'deliver 0x100000004',
      'currentEpoch 2',
    ])
    rig.say(upToDate())
    expect(rig.said()).toEqual(['ACK 0x200000000', 'ACK 0x200000000'])
  })

  it('that is long is read no faster than it is logged', () => {
    const rig = new LearnerRig({ disk, limits: { logBytesPause: 25 } }).discover(2)
    rig.say(diff(z(1, 6)), pair(entry(1, 4)), pair(entry(1, 5)), pair(entry(1, 6)))
    expect(rig.links.isPaused(rig.link)).toBe(true)
    rig.advance(100_000)
    rig.replica.flush()
    expect(rig.links.isPaused(rig.link)).toBe(false)
    expect(rig.ends).toEqual([])
  })
})

describe('the echo of a write that the original could not decode', () => {
  const echoOf = (zxid: number): Entry => {
    const bytes = Buffer.alloc(36)
    bytes.writeBigInt64BE(BigInt(zxid), 12)
    bytes.writeInt32BE(-1, 28)
    return { zxid, bytes }
  }

  it('is passed over in a DIFF, committed or not', () => {
    const rig = new LearnerRig({ disk }).discover(2)
    rig.say(diff(z(1, 5)), pair(echoOf(z(1, 3))), pair(entry(1, 4)), pair(echoOf(z(1, 4))))
    rig.say(proposal(echoOf(z(1, 4))), pair(entry(1, 5)), newLeader(2))
    rig.replica.flush()
    expect(zxidsOf(rig.replica, 'append')).toEqual([z(1, 4), z(1, 5)])
    expect(zxidsOf(rig.replica, 'deliver')).toEqual([z(1, 4), z(1, 5)])
    expect([rig.ends, rig.said()]).toEqual([[], ['ACK 0x200000000']])
  })

  it('is acked once more in broadcast, since its leader may count anew, and not logged', () => {
    const rig = new LearnerRig({ disk }).follow(2)
    rig.say(proposal(echoOf(z(2, 0))), proposal(entry(2, 1)), proposal(echoOf(z(2, 1))))
    rig.replica.flush()
    expect(rig.said()).toEqual(['ACK 0x200000001', 'ACK 0x200000001'])
    rig.say(commit(entry(2, 1)), proposal(entry(2, 2)), commit(entry(2, 2)))
    expect(rig.ends).toEqual([])
    expect(zxidsOf(rig.replica, 'deliver')).toEqual([z(2, 1), z(2, 2)])
    // Any other txn under a zxid that has been is none.
    rig.say(proposal(entry(2, 2)))
    expect(rig.ends).toEqual(['0x200000002 does not follow 0x200000002'])
  })
})

describe('a TRUNC', () => {
  it('cuts the log first, and what follows waits for that', () => {
    const rig = new LearnerRig({ disk }).discover(2)
    rig.say(trunc(z(1, 1)), pair(entry(2, 1)))
    expect(rig.links.isPaused(rig.link)).toBe(true)
    // What arrives in the same turn all the same.
    rig.say(pair(entry(2, 2))).say(newLeader(2))
    expect(changes(rig.replica)).toEqual(['acceptedEpoch 2', 'truncate 0x100000001'])
    rig.advance(100_000)
    expect(rig.ends).toEqual([])
    rig.replica.flushOne()
    expect(rig.links.isPaused(rig.link)).toBe(false)
    expect(changes(rig.replica).slice(2)).toEqual([
      'append 0x200000001',
      'deliver 0x200000001',
      'append 0x200000002',
      'deliver 0x200000002',
      'currentEpoch 2',
    ])
    expect(rig.said()).toEqual([])
    rig.replica.flush()
    rig.say(upToDate())
    expect(rig.said()).toEqual(['ACK 0x200000000', 'ACK 0x200000000'])
    expect(rig.replica.disk.log.map((one) => one.zxid)).toEqual([z(1, 1), z(2, 1), z(2, 2)])
  })

  it('that is not possible makes the same leader send a SNAP, to somebody it need not count on', () => {
    const rig = new LearnerRig({ disk }).discover(2)
    rig.replica.truncateProblem = 'no snapshot is that old'
    const first = rig.link
    rig.say(trunc(z(1, 1)), pair(entry(2, 1)))
    rig.replica.flush()
    expect([rig.ends, rig.links.isClosed(first)]).toEqual([[], true])
    expect(rig.link).not.toBe(first)
    rig.open()
    expect(rig.said()).toEqual([expect.stringMatching(/^FOLLOWERINFO 0x200000000/)])
    rig.say(leaderInfo(2))
    expect(rig.said()).toEqual(['ACKEPOCH -1 ffffffff'])
    rig.say(snap(z(1, 1), [entry(1, 1)]), newLeader(2))
    rig.replica.flush()
    rig.say(upToDate())
    expect(rig.said()).toEqual(['ACK 0x200000000', 'ACK 0x200000000'])
    expect(zxidsOf(rig.replica, 'append')).toEqual([])
  })

  it('that was not possible is forgotten with the role: the next leader hears what is there', () => {
    const rig = new LearnerRig({ disk }).discover(2)
    rig.replica.truncateProblem = 'no snapshot is that old'
    rig.say(trunc(z(1, 1)))
    rig.replica.flush()
    rig.learner.close()
    const next = new LearnerRig({ replica: rig.replica, epochs: rig.epochs }).open()
    next.said()
    next.say(leaderInfo(3))
    next.replica.flush()
    expect(next.said()).toEqual(['ACKEPOCH 0x100000003 00000001'])
  })

  it('or DIFF is no answer to who needs a SNAP', () => {
    for (const answer of [diff(0), trunc(0)]) {
      const rig = new LearnerRig({ disk }).discover(2)
      rig.say(trunc(z(1, 4)))
      rig.open().say(leaderInfo(2), answer)
      expect(rig.ends).toEqual(['a SNAP was asked for'])
      expect(changes(rig.replica)).toEqual(['acceptedEpoch 2'])
    }
  })

  it('to where the log never was is none', () => {
    const rig = new LearnerRig({ disk }).discover(2)
    rig.say(trunc(z(1, 4)))
    rig.open()
    rig.said()
    rig.say(leaderInfo(2))
    expect([rig.ends, rig.said()]).toEqual([[], ['ACKEPOCH -1 ffffffff']])
  })
})

describe('a member that has lost its state', () => {
  it('says so to every leader, until a SNAP is installed', () => {
    const replica = new MemoryReplica({ disk })
    replica.hasLostState = true
    const epochs = { accepted: 1, current: 1 }
    for (const epoch of [2, 3]) {
      const rig = new LearnerRig({ replica, epochs }).open()
      rig.said()
      rig.say(leaderInfo(epoch))
      replica.flush()
      expect(rig.said()).toEqual(['ACKEPOCH -1 ffffffff'])
      rig.say(diff(z(1, 3)))
      expect(rig.ends).toEqual(['a SNAP was asked for'])
    }
    const rig = new LearnerRig({ replica, epochs }).discover(4)
    rig.say(snap(z(3, 1), [entry(3, 1)]), newLeader(4))
    replica.flush()
    expect(rig.said()).toEqual(['ACK 0x400000000'])
    const next = new LearnerRig({ replica, epochs }).open()
    next.said()
    next.say(leaderInfo(5))
    replica.flush()
    expect(next.said()).toEqual(['ACKEPOCH 0x300000001 00000004'])
  })
})

describe('a SNAP', () => {
  const state = [entry(1, 1), entry(1, 2), entry(1, 3), entry(1, 4), entry(1, 5)]

  it('replaces the state; what follows is delivered and not logged, until it is on disk', () => {
    const rig = new LearnerRig({ disk: { ...disk, log: [entry(1, 1)] } }).discover(2)
    const open = entry(1, 7)
    rig.say(snap(z(1, 5), state), pair(entry(1, 6)), proposal(open), newLeader(2))
    rig.say(proposal(entry(1, 8)))
    expect(rig.links.isPaused(rig.link)).toBe(true)
    expect(changes(rig.replica)).toEqual([
      'acceptedEpoch 2',
      'receiveSnapshot 0x100000005',
      'deliver 0x100000006',
      'install',
    ])
    rig.advance(100_000)
    expect(rig.epochs.current).toBe(1)
    rig.replica.flushOne()
    expect(rig.links.isPaused(rig.link)).toBe(false)
    expect(changes(rig.replica).slice(4)).toEqual([
      'append 0x100000007',
      'currentEpoch 2',
      'append 0x100000008',
    ])
    expect(rig.said()).toEqual([])
    rig.replica.flushOne()
    expect(rig.said()).toEqual(['ACK 0x200000000', 'ACK 0x100000007'])
    rig.replica.flush()
    expect(rig.said()).toEqual(['ACK 0x100000008'])
    rig.say(upToDate(), commit(open))
    expect(rig.said()).toEqual(['ACK 0x200000000'])
    expect([...rig.replica.state.keys()]).toEqual([1, 2, 3, 4, 5, 6, 7].map((c) => z(1, c)))
    expect(rig.replica.disk.snapshot.zxid).toBe(z(1, 6))
    expect(rig.ends).toEqual([])
  })

  it('may be followed by what it holds already, as from a leader of the original under load', () => {
    const rig = new LearnerRig({ disk: { ...disk, log: [entry(1, 1)] } }).discover(2)
    rig.say(snap(z(1, 5), state), pair(entry(1, 4)), proposal(entry(1, 5)), proposal(entry(1, 6)))
    rig.say(commit(entry(1, 5)), newLeader(2))
    rig.replica.flush()
    rig.say(commit(entry(1, 6)), upToDate())
    expect(rig.ends).toEqual([])
    expect(changes(rig.replica)).toEqual([
      'acceptedEpoch 2',
      'receiveSnapshot 0x100000005',
      'install',
      'append 0x100000006',
      'currentEpoch 2',
      'deliver 0x100000006',
      'following 2',
    ])
    expect(rig.said()).toEqual(['ACK 0x200000000', 'ACK 0x100000006', 'ACK 0x200000000'])
  })

  it('to an observer leaves what is not committed for later', () => {
    const rig = new LearnerRig({ sid: 4, role: 'observing' }).discover(1)
    rig.say(snap(z(1, 5), state), proposal(entry(1, 6)), newLeader(1))
    rig.replica.flush()
    expect(rig.said()).toEqual(['ACK 0x100000000'])
    expect(zxidsOf(rig.replica, 'append')).toEqual([])
    rig.say(upToDate(), commit(entry(1, 6)))
    expect(zxidsOf(rig.replica, 'append')).toEqual([z(1, 6)])
  })

  it('that cannot be written ends the role', () => {
    const rig = new LearnerRig().discover(2)
    rig.replica.installProblem = 'the disk is full'
    rig.say(snap(z(1, 5), state), newLeader(2))
    rig.replica.flush()
    expect(rig.ends).toEqual(['the snapshot cannot be written: the disk is full'])
    expect(rig.said()).toEqual([])
    expect(rig.epochs.current).toBe(0)
  })

  it('that is being written when the role ends has no consequences', () => {
    const rig = new LearnerRig().discover(2)
    rig.say(snap(z(1, 5), state), newLeader(2))
    rig.learner.close()
    rig.replica.flush()
    expect(rig.said()).toEqual([])
    expect(rig.epochs.current).toBe(0)
  })

  it('that makes no sense ends the role', () => {
    const ways: readonly (readonly [Buffer, string])[] = [
      [snap(z(1, 5), state, 'BenWasHere!'), 'the snapshot cannot be read: the signature behind it'],
      [snap(z(1, 5), state, 'BenIsThere'), 'the snapshot cannot be read: the signature behind it'],
      [
        Buffer.concat([encodePacket(PacketType.snap, 1), Buffer.of(9)]),
        'the snapshot cannot be read: record of kind 9',
      ],
      [snap(-2, []), 'SNAP of a negative zxid'],
    ]
    for (const [bytes, reason] of ways) {
      const rig = new LearnerRig().discover(2)
      rig.say(bytes, newLeader(2))
      expect(rig.ends).toHaveLength(1)
      expect(rig.ends[0]).toContain(reason)
      rig.replica.flush()
      expect(rig.said()).toEqual([])
    }
  })

  it('may end in any piece, and packets may follow in the same', () => {
    const bytes = Buffer.concat([snap(z(1, 5), state), pair(entry(1, 6)), newLeader(2)])
    for (let cut = 1; cut < bytes.length; cut += 1) {
      const rig = new LearnerRig().discover(2)
      rig.bytes(bytes.subarray(0, cut)).bytes(bytes.subarray(cut))
      rig.replica.flush()
      expect(rig.said()).toEqual(['ACK 0x200000000'])
      expect(rig.replica.state.size).toBe(6)
    }
  })
})

describe('synchronisation', () => {
  it('does not skip a step', () => {
    const ways: readonly (readonly [readonly Buffer[], string])[] = [
      [[newLeader(1)], 'NEWLEADER of 0x100000000 where sync mode was awaited'],
      [[upToDate()], 'UPTODATE where sync mode was awaited'],
      [[diff(0), upToDate()], 'UPTODATE where NEWLEADER was awaited'],
      [[diff(0), newLeader(2)], 'NEWLEADER of 0x200000000 in epoch 1'],
      [[diff(0), newLeader(1), upToDate()], 'UPTODATE where currentEpoch was awaited'],
      [[diff(0), newLeader(1), newLeader(1)], 'NEWLEADER of 0x100000000 where currentEpoch'],
      [[diff(0), diff(0)], 'DIFF of 0x0 where NEWLEADER was awaited'],
      [[diff(0), encodePacket(PacketType.sync, 0)], 'SYNC of 0x0 where NEWLEADER was awaited'],
      [[diff(-1)], 'DIFF of a negative zxid'],
      [[diff(0), commit(entry(1, 1))], 'COMMIT of 0x100000001, but the oldest proposal is'],
    ]
    for (const [packets, reason] of ways) {
      const rig = new LearnerRig().discover(1)
      rig.say(...packets)
      expect(rig.ends).toHaveLength(1)
      expect(rig.ends[0]).toContain(reason)
      rig.replica.flush()
      expect(rig.said()).toEqual([])
    }
  })

  it('with a leader from before Zab 1.0 ends with UPTODATE', () => {
    const old = encodePacket(PacketType.newLeader, z(2, 0))
    const rig = new LearnerRig({ disk }).open()
    rig.said()
    rig.say(old, diff(z(1, 4)), pair(entry(1, 4)), proposal(entry(2, 1)), upToDate())
    expect(changes(rig.replica).at(-1)).toBe('currentEpoch 2')
    expect(rig.said()).toEqual([])
    rig.replica.flush()
    expect(rig.said()).toEqual(['ACK 0x200000000', 'ACK 0x200000001'])
    expect(changes(rig.replica).at(-1)).toBe('following 2')
    expect(rig.replica.disk).toMatchObject({ acceptedEpoch: 2, currentEpoch: 2 })
    const snapped = new LearnerRig({ disk }).open()
    snapped.said()
    snapped.say(old, snap(z(1, 5), [entry(1, 5)]), upToDate(), pair(entry(2, 1)))
    snapped.replica.flush()
    expect(snapped.said()).toEqual(['ACK 0x200000000', 'ACK 0x200000001'])
    expect(snapped.replica.disk.snapshot.zxid).toBe(z(1, 5))
    expect(snapped.ends).toEqual([])
  })

  it('is the same however the stream is cut', () => {
    const packets = [
      leaderInfo(2),
      snap(z(1, 5), [entry(1, 1), entry(1, 5)]),
      pair(entry(1, 6)),
      proposal(entry(2, 1)),
      newLeader(2),
      commit(entry(2, 1)),
      upToDate(),
      pair(entry(2, 2)),
      ping(z(2, 2)),
    ]
    const run = (pieceBytes: number): unknown => {
      const rig = new LearnerRig({ disk, pieceBytes }).open()
      for (const packet of packets) {
        rig.say(packet)
        rig.replica.flush()
      }
      return [rig.said(), changes(rig.replica), [...rig.replica.state.keys()], rig.ends]
    }
    const whole = run(Infinity)
    expect(whole).toMatchObject([expect.arrayContaining(['PING 0x200000002 ']), {}, {}, []])
    for (const pieceBytes of [1, 2, 3, 7, 19, 64]) expect(run(pieceBytes)).toEqual(whole)
  })

  it('survives any garbage in any step', () => {
    const good = Buffer.concat([
      leaderInfo(2),
      encodePacket(PacketType.snap, z(1, 5)),
      treeStream(),
      pair(entry(1, 6)),
      newLeader(2),
      upToDate(),
      pair(entry(2, 1)),
    ])
    fc.assert(
      fc.property(
        fc.nat(good.length - 1),
        fc.uint8Array({ minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 50 }),
        fc.boolean(),
        (at, garbage, pieceBytes, replaces) => {
          const rest = good.subarray(replaces ? at + garbage.length : at)
          const bytes = Buffer.concat([good.subarray(0, at), Buffer.from(garbage), rest])
          const replica = new TreeReplica({ disk })
          const rig = new LearnerRig({ replica, pieceBytes }).open()
          for (let i = 0; i < bytes.length && rig.ends.length === 0; i += pieceBytes) {
            rig.bytes(bytes.subarray(i, i + pieceBytes))
            rig.replica.flush()
          }
          rig.advance(100_000)
          expect(rig.ends).toHaveLength(1)
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe('a SNAP that our disk does not take', () => {
  it('is asked for again after a pause, which grows and which a leader that goes does not wait for', () => {
    const backOff = new StoreBackOff()
    const replica = new MemoryReplica({ disk })
    replica.installProblem = 'no space left on device'
    const epochs = { accepted: 1, current: 1 }
    let nowMono = 1000
    const pauses: number[] = []
    for (let i = 0; i < 7; i += 1) {
      const rig = new LearnerRig({ replica, epochs, backOff, nowMono }).open()
      while (rig.said().length === 0) rig.advance(50)
      pauses.push(rig.nowMono - nowMono)
      rig.say(leaderInfo(2))
      replica.flush()
      rig.say(snap(z(2, 1), [entry(2, 1)]), newLeader(2))
      replica.flush()
      expect(rig.ends).toEqual(['the snapshot cannot be written: no space left on device'])
      nowMono = rig.nowMono
    }
    expect(pauses).toEqual([0, 1000, 2000, 4000, 8000, 16_000, 16_000])
    const waiting = new LearnerRig({ replica, epochs, backOff, nowMono }).open()
    waiting.learner.onLinkClosed(waiting.link)
    expect(waiting.ends).toEqual(['the connection to the leader is broken'])
    replica.installProblem = undefined
    const rig = new LearnerRig({ replica, epochs, backOff, nowMono: nowMono + 16_000 }).open()
    expect(rig.said()).toHaveLength(1)
    rig.say(leaderInfo(2), snap(z(2, 1), [entry(2, 1)]), newLeader(2))
    replica.flush()
    expect(backOff.isOver(0)).toBe(true)
  })
})
