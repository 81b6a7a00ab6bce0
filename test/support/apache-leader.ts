import { JuteReader } from 'jute-ts'
import { readRevalidateResponse } from '../../src/data/records.ts'
import { parseRevalidate, revalidated } from '../../src/quorum/wire/learner-info.ts'
import { encodePacket, PacketType } from '../../src/quorum/wire/packets.ts'
import { packetsOf, packetWire } from './learner-rig.ts'
import type { Said } from './memory-ensemble.ts'

/**
 * A tap that makes the leader answer REVALIDATE as that of the original does: at once, from another
 * thread than the one that proposes, so ahead of what is under way. For followers of one leader.
 */
export function answersRevalidateAtOnce(leader: number): (said: Said) => Buffer {
  return ({ from, to, port, bytes, reply }) => {
    if (port !== 'quorum' || (from !== leader && to !== leader)) return bytes
    const heard = packetsOf(bytes).filter((packet) => {
      if (packet.type !== PacketType.revalidate) return true
      if (from === leader) return isRefusal(packet.data)
      const asked = parseRevalidate(packet.data)
      if ('problem' in asked) throw new Error(asked.problem)
      reply(encodePacket(PacketType.revalidate, -1, revalidated(asked.sessionId, true)))
      return true
    })
    return Buffer.concat(heard.map(packetWire))
  }
}

function isRefusal(data: Buffer | null): boolean {
  return !readRevalidateResponse(new JuteReader(data ?? undefined)).valid
}
