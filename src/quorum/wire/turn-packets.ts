import type { Entry } from '../ports/replica.ts'
import { PacketType, packetBytes, putPacket } from './packets.ts'

/** One Buffer that goes to many learners as it is. */
interface GatheredPackets {
  readonly bytes: Buffer
  /** How many they are. */
  readonly packets: number
  /** Of the newest PROPOSAL in it; 0 where there is none. */
  readonly lastProposedZxid: number
}

/** A packet that has been gathered: a PROPOSAL or INFORM with its entry, else a COMMIT. */
interface Gathered {
  readonly type: PacketType
  readonly zxid: number
  readonly data: Buffer | null
}

/**
 * Packets for all learners of one role, gathered until the turn ends or one learner is told something
 * of its own. Each entry is copied once, into a Buffer of just the right size that all of them share.
 */
export class TurnPackets {
  #gathered: Gathered[] = []
  #bytes = 0
  #lastProposedZxid = 0

  propose(entry: Entry): void {
    this.#lastProposedZxid = entry.zxid
    this.#add({ type: PacketType.proposal, zxid: entry.zxid, data: entry.bytes })
  }

  commit(zxid: number): void {
    this.#add({ type: PacketType.commit, zxid, data: null })
  }

  inform(entry: Entry): void {
    this.#add({ type: PacketType.inform, zxid: entry.zxid, data: entry.bytes })
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Everything since the last call; undefined if there is nothing. */
  take(): GatheredPackets | undefined {
    if (this.#bytes === 0) return undefined
    const bytes = Buffer.allocUnsafe(this.#bytes)
    let at = 0
    for (const { type, zxid, data } of this.#gathered) at = putPacket(bytes, at, type, zxid, data)
    const packets = this.#gathered.length
    const taken = { bytes, packets, lastProposedZxid: this.#lastProposedZxid }
    this.#gathered = []
    this.#bytes = 0
    this.#lastProposedZxid = 0
    return taken
  }

  #add(packet: Gathered): void {
    this.#gathered.push(packet)
    this.#bytes += packetBytes(packet.data)
  }
}
