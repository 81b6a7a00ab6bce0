/**
 * One connection between two members: ordered bytes, cut anywhere, until it breaks. Its id is never
 * used again, so that nothing which was meant for a broken connection can reach its successor. Links
 * that peers have opened have ids above 0, those that we dial have ids below 0.
 */
export type LinkId = number

/** The two ports of a member that its peers connect to, as in `server.N=host:quorum:election`. */
export type LinkPort = 'quorum' | 'election'

/** What the pure core may do to connections. Effects leave together at the end of the turn. */
export interface Links {
  /**
   * Opens a connection to that port of a peer. The shell resolves the host names anew each time and
   * tries the addresses one after the other. onLinkOpened or onLinkClosed tells what came of it.
   */
  dial(port: LinkPort, addresses: readonly PeerAddress[]): LinkId
  /** In order, behind what was sent before. The bytes must not change any more; they may be shared. */
  send(link: LinkId, bytes: Buffer): void
  /** After what was sent. Nothing more is told of the link, and it need not be told of a close. */
  close(link: LinkId): void
  /** While true the socket is not read: what has arrived waits there, and with it the peer. */
  pause(link: LinkId, paused: boolean): void
  /** Bytes that were sent and that the peer has not taken yet. */
  waitingBytes(link: LinkId): number
}

/** What the shell tells of connections; QuorumPeer hands it on to whom it concerns. */
export interface LinkEvents {
  /** A peer has connected to that port of ours. */
  onLinkAccepted(link: LinkId, port: LinkPort): void
  /** What we dialed is connected. */
  onLinkOpened(link: LinkId): void
  /** `bytes` are borrowed until the call returns. */
  onLinkBytes(link: LinkId, bytes: Buffer): void
  /** Broken, ended by the peer, or never opened. Nothing follows, and the id is void. */
  onLinkClosed(link: LinkId): void
  /** The peer has taken everything that was sent. */
  onLinkDrained(link: LinkId): void
}

export interface PeerAddress {
  readonly host: string
  readonly port: number
}
