import { lookup } from 'node:dns'
import { connect, isIP, type Socket } from 'node:net'
import type { PeerAddress } from '../../quorum/ports/links.ts'

interface DialOptions {
  /** cnxTimeout: how long one address may take to answer; the resolver has as long for one name. */
  readonly connectTimeoutMs: number
  readonly keepAlive: boolean
}

interface DialEvents {
  /** Connected. Whoever gets the socket owns it from here on. */
  readonly onOpened: (socket: Socket) => void
  /** No address was any good; `reason` says what became of the last one. */
  readonly onFailed: (reason: string) => void
}

/**
 * Addresses of one host name that are tried.
 * @bound addresses: the others are not tried
 */
const ADDRESSES_PER_NAME_MAX = 16

/**
 * One attempt to reach a peer: every address of every name, one after the other. Names are resolved
 * anew each time, because a peer that moved keeps its name. Exactly one event follows, never within
 * the constructor, unless the dial is cancelled.
 */
export class PeerDial {
  readonly #options: DialOptions
  readonly #events: DialEvents
  readonly #names: PeerAddress[]
  readonly #targets: PeerAddress[] = []
  #socket: Socket | undefined = undefined
  #timer: NodeJS.Timeout | undefined = undefined
  #reason = 'there is no address'
  #isOver = false

  constructor(addresses: readonly PeerAddress[], options: DialOptions, events: DialEvents) {
    this.#names = [...addresses]
    this.#options = options
    this.#events = events
    process.nextTick(() => this.#next())
  }

  cancel(): void {
    this.#isOver = true
    this.#drop()
  }

  /** The next address; when there is none, the next name; when there is none either, it is over. */
  #next(): void {
    if (this.#isOver) return
    this.#drop()
    const target = this.#targets.shift()
    if (target !== undefined) {
      this.#connect(target)
      return
    }
    const name = this.#names.shift()
    if (name !== undefined) {
      this.#resolve(name)
      return
    }
    this.#isOver = true
    this.#events.onFailed(this.#reason)
  }

  #resolve({ host, port }: PeerAddress): void {
    if (isIP(host) !== 0) {
      this.#targets.push({ host, port })
      this.#next()
      return
    }
    let isAnswered = false
    const answer = (reason: string | undefined, found: readonly { address: string }[]): void => {
      if (isAnswered) return
      isAnswered = true
      if (reason !== undefined) this.#reason = `${host} cannot be resolved: ${reason}`
      for (const { address } of found.slice(0, ADDRESSES_PER_NAME_MAX))
        this.#targets.push({ host: address, port })
      this.#next()
    }
    // The resolver cannot be interrupted, but we need not wait for it.
    const { connectTimeoutMs } = this.#options
    this.#timer = setTimeout(
      () => answer(`no answer within ${connectTimeoutMs} ms`, []),
      connectTimeoutMs,
    )
    lookup(host, { all: true }, (error, found) => {
      if (error === null) answer(undefined, found)
      else answer(error.code ?? error.message, [])
    })
  }

  #connect({ host, port }: PeerAddress): void {
    const { connectTimeoutMs, keepAlive } = this.#options
    const socket = connect({ host, port, noDelay: true, keepAlive })
    this.#socket = socket
    const giveUp = (reason: string): void => {
      if (this.#socket !== socket) return
      this.#reason = `${host}:${port}: ${reason}`
      this.#next()
    }
    this.#timer = setTimeout(
      () => giveUp(`no connection within ${connectTimeoutMs} ms`),
      connectTimeoutMs,
    )
    socket.on('error', (error: NodeJS.ErrnoException) => giveUp(error.code ?? error.message))
    socket.once('connect', () => {
      if (this.#socket !== socket) return
      this.#isOver = true
      this.#socket = undefined
      clearTimeout(this.#timer)
      socket.removeAllListeners('error')
      this.#events.onOpened(socket)
    })
  }

  #drop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const socket = this.#socket
    this.#socket = undefined
    socket?.destroy()
  }
}
