import type { Socket } from 'node:net'
import type { Logger } from '../../base/logger.ts'
import { ThrottledLog } from '../../base/throttled-log.ts'
import type { LinkEvents, LinkId, LinkPort, PeerAddress } from '../../quorum/ports/links.ts'
import type { Descriptors } from '../files/descriptors.ts'
import { monotonic } from '../process/clock.ts'
import { closeGently } from './close-gently.ts'
import { PeerDial } from './peer-dial.ts'
import { type ListenOptions, PeerListener } from './peer-listener.ts'

export interface PeerPortsOptions extends ListenOptions {
  /** cnxTimeout. */
  readonly connectTimeoutMs: number
  /** A connection is gone that was closed so long before, by the other side or by us. */
  readonly onGone?: (closingMs: number) => void
}

/** What is called when something has happened to a link: a TurnLoop. */
interface LinkLoop {
  enter(deliver: (events: LinkEvents) => void): void
}

/**
 * Bytes that a closed link may still send. A peer that has left more unread was cut off for that,
 * and must not be kept busy with old data.
 * @bound bytes: the socket is destroyed at once
 */
const FLUSH_BYTES_MAX: number = 16 * 1024 * 1024

/** One link: dialing until it has a socket. */
interface Line {
  dial: PeerDial | undefined
  socket: Socket | undefined
  isPaused: boolean
  /** Written before there was a socket. */
  readonly early: Buffer[]
  earlyBytes: number
  /** The caller was told that bytes wait, and is to be told when they do not any more. */
  isWaiting: boolean
}

/** The sockets between the members of an ensemble: the half of Machine that is about links. */
export class PeerPorts {
  readonly #options: PeerPortsOptions
  readonly #descriptors: Descriptors
  readonly #logger: Logger
  readonly #log: ThrottledLog
  readonly #lines = new Map<LinkId, Line>()
  readonly #listeners: PeerListener[] = []
  /** Closed by us, and on their way out. */
  readonly #leaving = new Set<Socket>()
  #loop: LinkLoop | undefined = undefined
  #lastAccepted = 0

  constructor(options: PeerPortsOptions, descriptors: Descriptors, logger: Logger) {
    this.#options = options
    this.#descriptors = descriptors
    this.#logger = logger
    this.#log = new ThrottledLog(logger, monotonic)
  }

  /** Before the first listen, dial or write. */
  attach(loop: LinkLoop): void {
    this.#loop = loop
  }

  /** Resolves with the ports as bound, one for each address; rejects with a StartError. */
  listen(port: LinkPort, addresses: readonly PeerAddress[]): Promise<readonly number[]> {
    const listener = new PeerListener(port, this.#options, this.#logger, (socket) =>
      this.#onAccepted(socket, port),
    )
    this.#listeners.push(listener)
    return listener.listen(addresses)
  }

  /** `link` is new and below 0. onLinkOpened or onLinkClosed follows, not within this call. */
  dial(link: LinkId, port: LinkPort, addresses: readonly PeerAddress[]): void {
    const line = newLine()
    this.#lines.set(link, line)
    line.dial = new PeerDial(
      addresses,
      { connectTimeoutMs: this.#options.connectTimeoutMs, keepAlive: this.#options.keepAlive },
      {
        onOpened: (socket) => this.#onOpened(link, line, socket),
        onFailed: (reason) => {
          this.#logger.info('cannot connect to a member', { port, reason })
          this.#lines.delete(link)
          this.#enter((events) => events.onLinkClosed(link))
        },
      },
    )
  }

  /** Bytes that wait now; above 0, onLinkDrained follows when none do. 0 if there is no such link. */
  write(link: LinkId, bytes: Buffer): number {
    const line = this.#lines.get(link)
    if (line === undefined || bytes.length === 0) return 0
    const { socket } = line
    if (socket === undefined) {
      line.early.push(bytes)
      line.earlyBytes += bytes.length
      line.isWaiting = true
      return line.earlyBytes
    }
    if (socket.destroyed) return 0
    this.#send(link, line, socket, bytes)
    // Only what is above 0 was told to anybody, and only then a call is owed.
    line.isWaiting = socket.writableLength > 0
    return socket.writableLength
  }

  /** After what was written. Nothing more is told of the link. */
  close(link: LinkId): void {
    const line = this.#lines.get(link)
    if (line === undefined) return
    this.#lines.delete(link)
    line.dial?.cancel()
    const { socket } = line
    if (socket === undefined || socket.destroyed) return
    if (socket.writableLength > FLUSH_BYTES_MAX) {
      socket.destroy()
      return
    }
    this.#leaving.add(socket)
    this.#timeClosing(socket)
    closeGently(socket)
  }

  #timeClosing(socket: Socket): void {
    const beganMs = performance.now()
    socket.once('close', () => this.#options.onGone?.(performance.now() - beganMs))
  }

  /** While true nothing is read, so that the peer stops to send. */
  pause(link: LinkId, paused: boolean): void {
    const line = this.#lines.get(link)
    if (line === undefined) return
    line.isPaused = paused
    if (paused) line.socket?.pause()
    else line.socket?.resume()
  }

  /** Ends everything at once; nothing more is told. What was handed to the kernel still leaves. */
  stop(): void {
    for (const listener of this.#listeners) listener.stop()
    for (const { dial, socket } of this.#lines.values()) {
      dial?.cancel()
      socket?.destroy()
    }
    for (const socket of this.#leaving) socket.destroy()
    this.#lines.clear()
  }

  #onAccepted(socket: Socket, port: LinkPort): void {
    if (!this.#descriptors.take('peer')) {
      const fields = { port, address: socket.remoteAddress }
      this.#log.error('too many open files, refusing a link', fields)
      socket.destroy()
      return
    }
    socket.once('close', () => this.#descriptors.release())
    this.#lastAccepted += 1
    const link = this.#lastAccepted
    const line = newLine()
    line.socket = socket
    this.#lines.set(link, line)
    this.#listenTo(link, line, socket)
    this.#enter((events) => events.onLinkAccepted(link, port))
  }

  #onOpened(link: LinkId, line: Line, socket: Socket): void {
    line.dial = undefined
    line.socket = socket
    this.#listenTo(link, line, socket)
    if (line.isPaused) socket.pause()
    for (const bytes of line.early) this.#send(link, line, socket, bytes)
    line.early.length = 0
    line.earlyBytes = 0
    this.#enter((events) => events.onLinkOpened(link))
  }

  #listenTo(link: LinkId, line: Line, socket: Socket): void {
    // A link that was closed is not in the map any more, and nothing is told of it.
    const isOpen = (): boolean => this.#lines.get(link) === line
    socket.on('data', (chunk: Buffer) => {
      if (isOpen()) this.#enter((events) => events.onLinkBytes(link, chunk))
    })
    // Half a connection is of no use: members answer each other as long as they live.
    socket.on('end', () => {
      if (!isOpen()) return
      this.#timeClosing(socket)
      socket.destroy()
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      this.#leaving.delete(socket)
      if (!isOpen()) return
      this.#lines.delete(link)
      this.#enter((events) => events.onLinkClosed(link))
    })
  }

  /** The event 'drain' would come only where more than the socket's high-water mark has waited. */
  #send(link: LinkId, line: Line, socket: Socket, bytes: Buffer): void {
    socket.write(bytes, (error) => {
      if (!line.isWaiting || (error !== null && error !== undefined)) return
      if (socket.writableLength > 0 || this.#lines.get(link) !== line) return
      line.isWaiting = false
      this.#enter((events) => events.onLinkDrained(link))
    })
  }

  #enter(deliver: (events: LinkEvents) => void): void {
    this.#loop?.enter(deliver)
  }
}

const newLine = (): Line => ({
  dial: undefined,
  socket: undefined,
  isPaused: false,
  early: [],
  earlyBytes: 0,
  isWaiting: false,
})
