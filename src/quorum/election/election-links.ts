import { FrameSplitter } from 'jute-ts'
import type { Logger } from '../../base/logger.ts'
import { ThrottledLog } from '../../base/throttled-log.ts'
import type { Membership } from '../membership/membership.ts'
import type { LinkId, Links, PeerAddress } from '../ports/links.ts'
import type { QuorumSettings } from '../role/quorum-settings.ts'
import { decodeOpening, encodeOpening, type Opening } from '../wire/opening-message.ts'

/** What of the election links concerns the election. */
interface ElectionEvents {
  /** A message came; `payload` is borrowed. */
  onMessage(sid: number, payload: Buffer): void
  /** A link is gone, or could not be opened. */
  onUnreachable(sid: number): void
}

interface Parts {
  readonly membership: Membership
  readonly settings: QuorumSettings
  readonly links: Links
  readonly logger: Logger
}

/** A connection that has not said yet who it is. */
interface Stranger {
  bytes: Buffer
  readonly deadline: number
}

interface Peer {
  readonly sid: number
  /** The one live link. */
  link: LinkId | undefined
  splitter: FrameSplitter
  openedAt: number
  /** A link that is being opened. */
  dial: LinkId | undefined
  /** Until then the peer has time to connect to us, because we have asked it to. */
  wokenUntil: number
  /** Where it says it can be reached. */
  addresses: readonly PeerAddress[]
  /** Framed, and not sent yet. A newer message replaces it. */
  queued: Buffer | undefined
  /** Framed, and sent on whatever link there was. */
  last: Buffer | undefined
  /** The last attempt to reach it has failed. */
  hasFailed: boolean
  /** It has been logged that it is down. */
  isReportedDown: boolean
}

/**
 * The largest message of an election that is taken from a peer.
 * @bound bytes: the link is closed
 */
const MESSAGE_BYTES_MAX = 524_288
/**
 * Connections to the election port that have not said who they are.
 * @bound connections: the oldest is closed
 */
const STRANGERS_MAX = 64
/**
 * Peers that are not in the configuration: they may be in a later one.
 * @bound peers: the connection is closed
 */
const UNKNOWN_PEERS_MAX = 32
/**
 * Bytes of election messages that a peer has not taken.
 * @bound bytes: the next message waits, and a newer one replaces it
 */
const WAITING_BYTES_MAX = 16_384
const WAKE_UP_MS = 100
/** A link that is not older than this is alive even if its peer did not know of it yet. */
const YOUNG_MS = 200
const NOTHING: Buffer = Buffer.alloc(0)

/**
 * The connections that elections are held over, at most one to each peer, kept while there is a
 * leader so that those who come later get an answer. Of two members the one with the larger sid
 * opens the connection; the other one opens one only to say that it is there (spec 03 §1).
 */
export class ElectionLinks {
  readonly #parts: Parts
  readonly #events: ElectionEvents
  readonly #strangers = new Map<LinkId, Stranger>()
  readonly #dials = new Map<LinkId, Peer>()
  readonly #live = new Map<LinkId, Peer>()
  readonly #peers = new Map<number, Peer>()
  readonly #clock: { mono: number }
  readonly #throttledLog: ThrottledLog
  #nextAnonymous = -1

  constructor(parts: Parts, nowMono: number, events: ElectionEvents) {
    this.#parts = parts
    this.#events = events
    this.#clock = { mono: nowMono }
    this.#throttledLog = new ThrottledLog(parts.logger, this.#clock)
  }

  advance(nowMono: number): void {
    this.#clock.mono = nowMono
    this.#throttledLog.advance()
    for (const [link, { deadline }] of this.#strangers) {
      if (deadline > nowMono) break
      this.#refuse(link, 'it did not say in time who it is')
    }
    for (const peer of this.#live.values()) this.#flush(peer)
  }

  /** Sends to a peer, once there is a link. Of messages that wait only the newest is sent. */
  send(sid: number, message: Buffer): void {
    const peer = this.#peerOf(sid)
    if (peer === undefined) return
    const framed = Buffer.allocUnsafe(4 + message.length)
    framed.writeInt32BE(message.length)
    message.copy(framed, 4)
    peer.queued = framed
    if (peer.link === undefined) this.#dial(peer, false)
    else this.#flush(peer)
  }

  /** Dials all those to whom something was sent and to whom there is no link. */
  connectAll(): void {
    for (const peer of this.#peers.values()) {
      this.#forgetUnknown(peer)
      if (this.#peers.has(peer.sid)) this.#dial(peer, false)
    }
  }

  /** Whether there is anybody for whom nothing waits: then it makes sense to say it again. */
  get hasDelivered(): boolean {
    for (const { queued } of this.#peers.values()) if (queued === undefined) return true
    return false
  }

  /**
   * 'opening': it will soon turn out. 'down': the last attempt has failed, even if there is another
   * one under way; or there was none, because nothing was sent to it yet.
   */
  reachOf(sid: number): 'open' | 'opening' | 'down' {
    const peer = this.#peers.get(sid)
    if (peer?.link !== undefined) return 'open'
    if (peer === undefined || peer.hasFailed) return 'down'
    return peer.dial !== undefined || peer.wokenUntil > this.#clock.mono ? 'opening' : 'down'
  }

  owns(link: LinkId): boolean {
    return this.#live.has(link) || this.#dials.has(link) || this.#strangers.has(link)
  }

  onLinkAccepted(link: LinkId): void {
    const [oldest] = this.#strangers.keys()
    if (oldest !== undefined && this.#strangers.size >= STRANGERS_MAX)
      this.#refuse(oldest, 'too many connections that do not say who they are')
    const deadline = this.#clock.mono + this.#parts.settings.syncLimitMs
    this.#strangers.set(link, { bytes: NOTHING, deadline })
  }

  onLinkOpened(link: LinkId): void {
    const peer = this.#dials.get(link)
    if (peer === undefined) return
    this.#dials.delete(link)
    peer.dial = undefined
    peer.hasFailed = false
    const { links, membership } = this.#parts
    const { sid, electionAddresses } = membership.self
    const opening = encodeOpening(sid, electionAddresses)
    if (peer.sid < sid) {
      links.send(link, opening)
      this.#adopt(peer, link)
      return
    }
    // It is for the larger sid to connect; all we can do is to say that we are there. Not if it has
    // connected meanwhile: it would take the link for broken and open another one.
    if (peer.link === undefined) {
      links.send(link, opening)
      peer.wokenUntil = this.#clock.mono + WAKE_UP_MS
    }
    links.close(link)
  }

  onLinkBytes(link: LinkId, bytes: Buffer): void {
    const stranger = this.#strangers.get(link)
    if (stranger !== undefined) this.#onStrangerBytes(link, stranger, bytes)
    else {
      const peer = this.#live.get(link)
      if (peer !== undefined) this.#onPeerBytes(peer, link, bytes)
    }
  }

  onLinkClosed(link: LinkId): void {
    this.#strangers.delete(link)
    const peer = this.#dials.get(link) ?? this.#live.get(link)
    if (peer === undefined) return
    const wasOpen = peer.link === link
    this.#dials.delete(link)
    this.#live.delete(link)
    if (wasOpen) peer.link = undefined
    else {
      peer.dial = undefined
      peer.hasFailed = true
    }
    this.#onGone(peer, wasOpen ? 'election link closed' : 'no election link to a peer')
  }

  onLinkDrained(link: LinkId): void {
    const peer = this.#live.get(link)
    if (peer !== undefined) this.#flush(peer)
  }

  /** Ends all links. */
  close(): void {
    for (const held of [this.#strangers, this.#dials, this.#live]) {
      for (const link of held.keys()) this.#parts.links.close(link)
      held.clear()
    }
    this.#peers.clear()
  }

  #onStrangerBytes(link: LinkId, stranger: Stranger, bytes: Buffer): void {
    stranger.bytes = Buffer.concat([stranger.bytes, bytes])
    const opening = decodeOpening(stranger.bytes)
    if (opening === undefined) return
    if (typeof opening === 'string') {
      this.#refuse(link, opening)
      return
    }
    this.#strangers.delete(link)
    this.#arbitrate(link, opening, stranger.bytes.subarray(opening.bytes))
  }

  #arbitrate(link: LinkId, opening: Opening, rest: Buffer): void {
    const own = this.#parts.membership.self.sid
    if (opening.sid === own) {
      this.#refuse(link, 'it claims to be us')
      return
    }
    const isAnonymous = opening.sid === 'anonymous'
    const sid = opening.sid === 'anonymous' ? this.#nextAnonymous : opening.sid
    if (isAnonymous) this.#nextAnonymous -= 1
    const peer = this.#peerOf(sid) ?? this.#newUnknownPeer(sid)
    if (peer === undefined) {
      this.#refuse(link, 'too many peers that are not in the configuration')
      return
    }
    peer.addresses = opening.addresses
    if (sid > own || isAnonymous) {
      this.#adopt(peer, link)
      this.#onPeerBytes(peer, link, rest)
      return
    }
    this.#parts.links.close(link)
    // It has called while we were connecting to it, as happens when both look at the same time.
    if (peer.link !== undefined && this.#clock.mono - peer.openedAt < YOUNG_MS) return
    // It is for us to connect. It knows of no link to us, so whatever we took for one is broken.
    this.#dropLink(peer)
    this.#dial(peer, true)
    if (peer.dial === undefined) this.#forgetUnknown(peer)
  }

  #onPeerBytes(peer: Peer, link: LinkId, bytes: Buffer): void {
    const splitter = peer.splitter
    splitter.push(bytes)
    // What a message leads to may end this link.
    while (peer.link === link && splitter.next()) {
      if (splitter.start === splitter.end) {
        this.#breakOff(peer, link, 'an empty message')
        return
      }
      this.#events.onMessage(peer.sid, splitter.buffer.subarray(splitter.start, splitter.end))
    }
    splitter.release()
    if (peer.link === link && splitter.error !== undefined)
      this.#breakOff(peer, link, splitter.error)
  }

  /** From now on this is the link to that peer, whatever there was before. */
  #adopt(peer: Peer, link: LinkId): void {
    this.#dropLink(peer)
    peer.link = link
    peer.splitter = new FrameSplitter(MESSAGE_BYTES_MAX)
    peer.openedAt = this.#clock.mono
    peer.hasFailed = false
    peer.isReportedDown = false
    this.#live.set(link, peer)
    this.#parts.logger.info('election link open', { peer: peer.sid })
    // What was sent last may have been lost with the link before; to hear it twice does no harm.
    peer.queued ??= peer.last
    this.#flush(peer)
  }

  #flush(peer: Peer): void {
    if (peer.link === undefined || peer.queued === undefined) return
    if (this.#parts.links.waitingBytes(peer.link) > WAITING_BYTES_MAX) return
    this.#parts.links.send(peer.link, peer.queued)
    peer.last = peer.queued
    peer.queued = undefined
  }

  #dial(peer: Peer, isBack: boolean): void {
    if (peer.link !== undefined || peer.dial !== undefined) return
    if (!isBack && peer.wokenUntil > this.#clock.mono) return
    const configured = this.#parts.membership.addressesOf(peer.sid, 'election')
    // Who calls knows best where it is, but perhaps not by what name we can reach it.
    const addresses =
      isBack || configured.length === 0 ? [...peer.addresses, ...configured] : configured
    if (addresses.length === 0 || peer.sid < 0) return
    peer.dial = this.#parts.links.dial('election', addresses)
    this.#dials.set(peer.dial, peer)
  }

  #dropLink(peer: Peer): void {
    if (peer.link === undefined) return
    this.#live.delete(peer.link)
    this.#parts.links.close(peer.link)
    peer.link = undefined
  }

  #refuse(link: LinkId, reason: string): void {
    this.#strangers.delete(link)
    this.#parts.links.close(link)
    this.#throttledLog.warn('refusing an election link', { reason }, `refusing: ${reason}`)
  }

  #breakOff(peer: Peer, link: LinkId, reason: string): void {
    const fields = { peer: peer.sid, reason }
    this.#throttledLog.warn('closing an election link', fields, `closing: ${reason}`)
    this.#live.delete(link)
    this.#parts.links.close(link)
    peer.link = undefined
    this.#onGone(peer, 'election link closed')
  }

  #onGone(peer: Peer, message: string): void {
    if (!peer.isReportedDown) this.#parts.logger.info(message, { peer: peer.sid })
    peer.isReportedDown = true
    this.#forgetUnknown(peer)
    this.#events.onUnreachable(peer.sid)
  }

  /** Members are made up when first needed; undefined for others that have no link. */
  #peerOf(sid: number): Peer | undefined {
    const known = this.#peers.get(sid)
    if (known !== undefined || !this.#parts.membership.has(sid)) return known
    return this.#newPeer(sid)
  }

  #newUnknownPeer(sid: number): Peer | undefined {
    if (this.#peers.size >= this.#parts.membership.size + UNKNOWN_PEERS_MAX) return undefined
    return this.#newPeer(sid)
  }

  #newPeer(sid: number): Peer {
    const peer: Peer = {
      sid,
      link: undefined,
      openedAt: 0,
      splitter: new FrameSplitter(MESSAGE_BYTES_MAX),
      dial: undefined,
      wokenUntil: 0,
      addresses: [],
      queued: undefined,
      last: undefined,
      hasFailed: false,
      isReportedDown: false,
    }
    this.#peers.set(sid, peer)
    return peer
  }

  #forgetUnknown(peer: Peer): void {
    if (peer.link !== undefined || peer.dial !== undefined) return
    if (!this.#parts.membership.has(peer.sid)) this.#peers.delete(peer.sid)
  }
}
