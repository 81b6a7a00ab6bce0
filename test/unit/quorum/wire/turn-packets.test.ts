import { expect, it } from 'vitest'
import { encodePacket, PacketType } from '../../../../src/quorum/wire/packets.ts'
import { TurnPackets } from '../../../../src/quorum/wire/turn-packets.ts'

it('gathers packets into one Buffer, in order, and begins anew', () => {
  const packets = new TurnPackets()
  expect(packets.take()).toBeUndefined()
  packets.propose({ zxid: 5, bytes: Buffer.from('five') })
  packets.propose({ zxid: 6, bytes: Buffer.from('six') })
  packets.commit(5)
  const expected = Buffer.concat([
    encodePacket(PacketType.proposal, 5, Buffer.from('five')),
    encodePacket(PacketType.proposal, 6, Buffer.from('six')),
    encodePacket(PacketType.commit, 5),
  ])
  expect(packets.bytes).toBe(expected.length)
  expect(packets.take()).toEqual({ bytes: expected, packets: 3, lastProposedZxid: 6 })
  expect([packets.bytes, packets.take()]).toEqual([0, undefined])
  packets.inform({ zxid: 6, bytes: Buffer.from('six') })
  const informed = encodePacket(PacketType.inform, 6, Buffer.from('six'))
  expect(packets.take()).toEqual({ bytes: informed, packets: 1, lastProposedZxid: 0 })
})
