import { describe, expect, it } from 'vitest'
import { QuorumTap, Seen } from '../quorum-tap.ts'
import { DiskMemory } from './amnesia.ts'

const EPOCH = 2 ** 32

function memoryThatAcked(zxid: number): DiskMemory {
  const memory = new DiskMemory('m1', 1)
  memory.onPacket({ type: Seen.ack, zxid: 2 * EPOCH, data: Buffer.alloc(0) })
  memory.onPacket({ type: Seen.ack, zxid, data: Buffer.alloc(0) })
  return memory
}

const ackEpoch = (zxid: number, epoch: number) => {
  const data = Buffer.alloc(4)
  data.writeInt32BE(epoch)
  return { type: Seen.ackEpoch, zxid, data }
}

describe('no amnesia', () => {
  const last = 2 * EPOCH + 7

  it('finds an ACKEPOCH and a vote below what was acked', () => {
    expect(() => memoryThatAcked(last).onPacket(ackEpoch(last - 1, 2))).toThrow(
      /no amnesia: ACKEPOCH/,
    )
    expect(() => memoryThatAcked(last).onPacket(ackEpoch(last, 1))).toThrow(/epoch 1/)
    const vote = { leader: 1, zxid: 0, round: 1, peerEpoch: 2 }
    expect(() => memoryThatAcked(last).onVote(vote)).toThrow(/no amnesia: a vote of m1 says 0x0/)
    const info = { type: Seen.followerInfo, zxid: EPOCH, data: Buffer.alloc(0) }
    expect(() => memoryThatAcked(last).onPacket(info)).toThrow(/FOLLOWERINFO/)
  })

  it('takes what is as it was, what counts for nothing, and what was cut or lost', () => {
    memoryThatAcked(last).onPacket(ackEpoch(last, 2))
    memoryThatAcked(last).onPacket(ackEpoch(0, -1))
    memoryThatAcked(last).onVote({ leader: 2, zxid: 0, round: 1, peerEpoch: 0 })
    memoryThatAcked(last).onVote({ leader: 1, zxid: -1, round: 1, peerEpoch: 2 })
    const cut = memoryThatAcked(last)
    cut.onDiskOp({ kind: 'forgetHistory', zxid: last - 3 })
    cut.onPacket(ackEpoch(last - 3, 2))
    const empty = memoryThatAcked(last)
    empty.forget()
    empty.onPacket(ackEpoch(0, 0))
  })

  it('reads the packets of a write, and passes over a SNAP', () => {
    const packet = (type: number, zxid: number, data = Buffer.alloc(0), ids = 0): Buffer => {
      const head = Buffer.alloc(16)
      head.writeInt32BE(type)
      head.writeBigInt64BE(BigInt(zxid), 4)
      head.writeInt32BE(data.length, 12)
      const tail = Buffer.alloc(4 + 8 * ids)
      tail.writeInt32BE(ids)
      return Buffer.concat([head, data, tail])
    }
    const seen: string[] = []
    const tap = new QuorumTap({
      onPacket: (link, { type, zxid, data }) => seen.push(`${link} ${type} ${zxid} ${data}`),
      onVote: ({ leader, zxid, round, peerEpoch }) =>
        seen.push(`vote ${leader} ${zxid} ${round} ${peerEpoch}`),
      onSnapEnd: (link, writes) => seen.push(`${link} ends in ${writes}`),
    })
    tap.onWrite(
      5,
      Buffer.concat([packet(1, 3, Buffer.from('ab'), 2), packet(15, 9), Buffer.from('xy')]),
    )
    expect(tap.isInSnap(5)).toBe(true)
    tap.onWrite(5, Buffer.concat([Buffer.from('z\0\0\0\nBenWasHere', 'latin1'), packet(4, 8)]))
    const vote = Buffer.alloc(8 + 36)
    vote.writeInt32BE(40)
    for (const [index, value] of [3n, 77n, 2n, 4n].entries())
      vote.writeBigInt64BE(value, 8 + 8 * index)
    const opening = Buffer.alloc(22)
    opening.writeBigInt64BE(-65536n)
    opening.writeInt32BE(2, 16)
    tap.onElectionWrite(Buffer.concat([opening, vote]))
    expect(seen).toEqual(['5 1 3 ab', '5 15 9 ', '5 ends in 2', '5 4 8 ', 'vote 3 77 2 4'])
  })
})
