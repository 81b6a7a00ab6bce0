import type { LinkId, Links } from '../../../src/quorum/ports/links.ts'
import type { SnapshotFeed } from '../../../src/quorum/ports/replica.ts'
import { PacketReader } from '../../../src/quorum/wire/packets.ts'

/** What the leader waits for next. */
export type LinkState =
  | 'info'
  | 'epoch'
  | 'ackEpoch'
  | 'election'
  | 'sync'
  | 'ackNewLeader'
  | 'start'
  | 'serving'

/** One learner of a scripted leader, with what is queued for it: in the original a thread sends that. */
export class LearnerLink {
  readonly link: LinkId
  readonly reader: PacketReader = new PacketReader()
  state: LinkState = 'info'
  sid = 0
  isObserver = false
  acceptedEpoch = 0
  peerZxid = 0
  ackedZxid = 0
  heardMono: number
  /** Rounds of PINGs behind UPTODATE that are not answered, oldest first. */
  readonly pings: number[] = []
  confirmedRound = 0
  /** PROPOSALs that are not acked, and when they left. */
  unacked: { readonly zxid: number; readonly atMono: number }[] = []
  /** It is told of what is proposed and committed. */
  isForwarding = false
  /** What is above this is proposed to it. */
  cursor = 0
  /** Nothing more of its synchronisation is sent before. */
  waitsUntilMono = 0
  /** A SNAP is to be sent, and what is queued waits behind it. */
  isSnapDue = false
  feed: SnapshotFeed | undefined = undefined
  readonly #links: Links
  readonly #queue: Buffer[] = []

  constructor(link: LinkId, links: Links, nowMono: number) {
    this.link = link
    this.#links = links
    this.heardMono = nowMono
  }

  /** Behind all that was sent before, and behind a SNAP. */
  send(bytes: Buffer): void {
    if (this.isSnapDue) this.#queue.push(bytes)
    else this.#links.send(this.link, bytes)
  }

  /** Of the SNAP itself. */
  sendNow(bytes: Buffer): void {
    this.#links.send(this.link, bytes)
  }

  onSnapSent(): void {
    this.isSnapDue = false
    this.feed?.close()
    this.feed = undefined
    for (const bytes of this.#queue.splice(0)) this.#links.send(this.link, bytes)
  }

  close(): void {
    this.feed?.close()
    this.feed = undefined
  }
}
