import type { LinkId } from '../../src/quorum/ports/links.ts'
import { PacketReader, PacketType } from '../../src/quorum/wire/packets.ts'

/**
 * What a process hears on the links of its quorum's port: how many of its PINGs are not answered, and
 * how much comes at once from the leader that it follows.
 */
export class LinkWatch {
  readonly #accepted = new Map<LinkId, { readonly reader: PacketReader; pings: number }>()
  #turnBytes = 0
  /** The most that a leader has told it within one turn. */
  turnBytesMost = 0

  /** Learners have dialed the links above 0, and send nothing but packets. */
  onBytes(link: LinkId, bytes: Buffer): void {
    if (link < 0) {
      this.#turnBytes += bytes.length
      this.turnBytesMost = Math.max(this.turnBytesMost, this.#turnBytes)
      return
    }
    const learner = this.#learner(link)
    learner.reader.push(bytes)
    for (let packet = learner.reader.next(); packet !== 'more'; packet = learner.reader.next()) {
      if ('problem' in packet) return
      if (packet.type === PacketType.ping) learner.pings -= 1
    }
  }

  /** Returns how many are under way. */
  onPing(link: LinkId): number {
    const learner = this.#learner(link)
    learner.pings += 1
    return learner.pings
  }

  onTurnEnd(): void {
    this.#turnBytes = 0
  }

  forget(link: LinkId): void {
    this.#accepted.delete(link)
  }

  #learner(link: LinkId): { readonly reader: PacketReader; pings: number } {
    const known = this.#accepted.get(link)
    if (known !== undefined) return known
    const learner = { reader: new PacketReader(), pings: 0 }
    this.#accepted.set(link, learner)
    return learner
  }
}
