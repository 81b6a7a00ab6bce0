import { FrameSplitter, JuteReader, JuteWriter } from 'jute-ts'
import { Err } from '../../src/data/error-code.ts'
import {
  readConnectResponse,
  readReplyHeader,
  readWatcherEvent,
  writeConnectRequest,
} from '../../src/data/records.ts'
import { framed } from '../support/memory-server.ts'
import type { Chance } from './chance.ts'
import { authFrame, decodeResult, encodeCall } from './client-frames.ts'
import { ClientWatches } from './client-watches.ts'
import type { Cover } from './coverage.ts'
import type { EventHeap } from './event-heap.ts'
import {
  type Call,
  describeCall,
  type History,
  hex,
  isWrite,
  type Op,
  type Result,
  type SessionLog,
  Violation,
} from './history.ts'
import { countedBy } from './model-quota.ts'
import type { SimNetwork, Socket } from './network.ts'

export interface XidStyle {
  readonly first: number
  readonly perConnection: boolean
}

export interface ClientParts {
  readonly index: number
  readonly heap: EventHeap
  readonly network: SimNetwork
  readonly chance: Chance
  readonly history: History
  /** Where members listen for clients. */
  readonly hosts: readonly string[]
  readonly timeoutMs: number
  /** Where its xids begin. Apache's go on on another connection, kazoo's begin anew. */
  readonly xids: XidStyle
  readonly readsSlowly: boolean
  /** Logs in, under its own name. */
  readonly isKnown: boolean
  /** By a scheme that takes its time to answer. */
  readonly isKnownLate: boolean
  readonly counters: { connections: number }
  readonly cover: Cover
  readonly trace: (line: () => string) => void
  /** A Violation, or what nobody has foreseen. */
  readonly onFault: (error: unknown) => void
  /** There is room for a request; `answered` is what has made it, if a reply has. */
  readonly onReady: (answered: Op | undefined) => void
}

const EVENT_XID = -1
const PING_XID = -2
const AUTH_XID = -4
const SET_WATCHES_XID = -8
const FRAME_BYTES_MAX = 1 << 20

/**
 * A client as the libraries are: one session, over one connection at a time, to any member. It keeps
 * the session alive, reconnects, sets its watches anew, and keeps the promises of ZooKeeper as
 * conditions on what it is told.
 */
export class SimClient {
  readonly host: string
  readonly #parts: ClientParts
  #socket: Socket | undefined = undefined
  #splitter: FrameSplitter = new FrameSplitter(FRAME_BYTES_MAX)
  #isOpen = false
  #isGone = false
  session: SessionLog | undefined = undefined
  #passwd: Buffer = Buffer.alloc(16)
  #pending: Op[] = []
  #pings: Op[] = []
  #watches: ClientWatches = new ClientWatches()
  #xid = 0
  #connection = 0
  #lastHeard = 0
  #askedAt = 0
  #roundOf = 0
  /** It takes one member after the other, so that none it can be served by is left out by chance. */
  goesRound = false
  #lastSent = 0
  #attempt = 0
  /** Of this connection, and of the last one that was open. */
  #member = ''
  #lastMember = ''
  /** Whether that one was lost with writes unanswered. */
  #hadWrites = false

  constructor(parts: ClientParts) {
    this.#parts = parts
    this.host = `c${parts.index}`
    this.#xid = parts.xids.first - 1
    this.#reconnect(parts.chance.below(100))
    this.#tick()
  }

  get index(): number {
    return this.#parts.index
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  get outstanding(): number {
    return this.#pending.length
  }

  /** The process dies: no word to anybody, and the session is left to expire. */
  die(isTold: boolean): void {
    this.#isGone = true
    if (this.session !== undefined)
      this.session.end ??= { at: this.#parts.heap.now, how: 'abandoned' }
    if (isTold) this.#socket?.close()
    else this.#socket?.vanish()
    this.#forgetConnection()
  }

  /** Sends a request; the connection must be open. */
  call(call: Call): Op {
    const { session } = this
    if (session === undefined || !this.#isOpen) throw new Error('a call without a session')
    const { heap, history, trace, chance } = this.#parts
    const op: Op = {
      session,
      connection: this.#connection,
      xid: this.#xidOf(call),
      call,
      invokedAt: heap.now,
      seenBefore: history.seenZxid,
      reply: undefined,
    }
    if (call.op === 'ping') this.#pings.push(op)
    else {
      history.invoke(op)
      this.#pending.push(op)
      trace(() => `${this.host} sends ${op.xid} ${describeCall(call)}`)
    }
    this.#lastSent = heap.now
    this.#socket?.send(encodeCall(op.xid, call, chance.chance(0.3)))
    return op
  }

  #xidOf(call: Call): number {
    if (call.op === 'ping') return PING_XID
    if (call.op === 'setWatches') return SET_WATCHES_XID
    this.#xid += 1
    return this.#xid
  }

  /** Leaves the connection, as after a fault of the network; the session goes on. */
  disconnect(): void {
    if (this.#socket === undefined) return
    this.#socket.close()
    this.#forgetConnection()
    this.#reconnect(this.#parts.chance.exponential(100))
  }

  #forgetConnection(): void {
    // Who has asked for the end of its session does not come back to it.
    const isClosing = this.#pending.some(({ call }) => call.op === 'closeSession')
    if (isClosing && this.session !== undefined) {
      this.session.end ??= { at: this.#parts.heap.now, how: 'abandoned' }
      this.#forgetSession()
    }
    if (this.#isOpen) {
      this.#lastMember = this.#member
      this.#hadWrites = this.#pending.some(({ call }) => isWrite(call))
    }
    this.#socket = undefined
    this.#isOpen = false
    this.#pending = []
    this.#pings = []
  }

  #reconnect(ms: number): void {
    this.#attempt += 1
    const attempt = this.#attempt
    this.#parts.heap.after(ms, () => {
      if (attempt === this.#attempt && !this.#isGone) this.#connect()
    })
  }

  #connect(): void {
    const { chance, network, counters, trace, hosts } = this.#parts
    counters.connections += 1
    this.#connection = counters.connections
    this.#splitter = new FrameSplitter(FRAME_BYTES_MAX)
    const drawn = chance.pick(this.#parts.hosts)
    this.#roundOf += 1
    const host = this.goesRound ? (hosts[this.#roundOf % hosts.length] ?? drawn) : drawn
    trace(() => `${this.host} dials ${host}`)
    this.#member = host
    this.#lastHeard = this.#parts.heap.now
    this.#socket = network.dial(this.host, host, 'client', {
      onOpened: () => this.#guard(() => this.#onOpened()),
      onBytes: (bytes) => this.#guard(() => this.#onBytes(bytes)),
      onClosed: () => this.#guard(() => this.#onClosed()),
      onDrained: () => {},
    })
  }

  #guard(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#parts.onFault(error)
    }
  }

  #onOpened(): void {
    const { session } = this
    const { timeoutMs } = this.#parts
    this.#lastHeard = this.#parts.heap.now
    this.#askedAt = this.#parts.heap.now
    const w = new JuteWriter()
    writeConnectRequest(w, {
      protocolVersion: 0,
      lastZxidSeen: session?.lastZxid ?? 0,
      timeOut: timeoutMs,
      sessionId: session?.id ?? 0n,
      passwd: this.#passwd,
    })
    w.writeBoolean(false)
    this.#socket?.send(framed(w.bytes()))
  }

  #onClosed(): void {
    this.#parts.trace(() => `${this.host} lost its connection`)
    this.#forgetConnection()
    this.#reconnect(10 + this.#parts.chance.exponential(100))
  }

  #onBytes(bytes: Buffer): void {
    this.#lastHeard = this.#parts.heap.now
    const splitter = this.#splitter
    splitter.push(bytes)
    // The splitter of another connection takes its place when this one ends within the loop.
    while (splitter === this.#splitter && this.#socket !== undefined && splitter.next()) {
      const frame = Buffer.from(splitter.buffer.subarray(splitter.start, splitter.end))
      if (this.#isOpen) this.#onFrame(frame)
      else this.#onConnected(new JuteReader(frame))
    }
    splitter.release()
  }

  #onConnected(r: JuteReader): void {
    const { history, index, trace } = { ...this.#parts }
    const response = readConnectResponse(r)
    if (response.timeOut === 0) return this.#onExpired()
    if (this.session === undefined) {
      this.session = {
        id: response.sessionId,
        client: index,
        timeoutMs: response.timeOut,
        askedAt: this.#askedAt,
        ops: [],
        received: [],
        watches: [],
        persistent: [],
        identity: this.#parts.isKnown ? this.host : undefined,
        lastZxid: 0,
        end: undefined,
      }
      this.#passwd = Buffer.from(response.passwd ?? [])
      history.open(this.session)
    } else this.#onCameBack()
    trace(() => `${this.host} has session 0x${this.session?.id.toString(16)}`)
    this.#isOpen = true
    if (this.#parts.xids.perConnection) this.#xid = this.#parts.xids.first - 1
    this.#watches.onDisconnect(this.session)
    this.session.received.push({ kind: 'connected' })
    const { isKnown, isKnownLate } = this.#parts
    if (isKnown) this.#socket?.send(authFrame(this.host, isKnownLate ? 'late' : 'digest'))
    const rearm = this.#watches.toSetAnew(this.session.lastZxid)
    if (rearm !== undefined) this.call(rearm)
    if (rearm?.op === 'setWatches' && rearm.persistent.length + rearm.recursive.length > 0)
      this.#parts.cover('persistent watches set anew')
    this.#parts.onReady(undefined)
  }

  #onCameBack(): void {
    const { cover } = this.#parts
    if (this.#member !== this.#lastMember) {
      cover('session moved')
      if (this.#hadWrites) cover('session moved with writes in flight')
    } else if (this.#hadWrites) cover('session came back to its member with writes in flight')
  }

  #onExpired(): void {
    const { session } = this
    this.#parts.trace(() => `${this.host} is told that its session has expired`)
    if (session !== undefined) session.end ??= { at: this.#parts.heap.now, how: 'expired' }
    this.#dropSession()
  }

  /** The next connection begins a new session. */
  #dropSession(): void {
    this.#forgetSession()
    this.#socket?.close()
    this.#forgetConnection()
    this.#reconnect(this.#parts.chance.exponential(50))
  }

  #forgetSession(): void {
    this.session = undefined
    this.#passwd = Buffer.alloc(16)
    this.#watches = new ClientWatches()
    this.#xid = this.#parts.xids.first - 1
  }

  #onFrame(frame: Buffer): void {
    const r = new JuteReader(frame)
    const header = readReplyHeader(r)
    const { session } = this
    if (session === undefined) return
    if (header.xid === AUTH_XID) return
    if (header.xid === EVENT_XID) {
      const { type, path } = readWatcherEvent(r)
      this.#parts.trace(() => `${this.host} is told event ${type} ${path} ${hex(header.zxid)}`)
      this.#watches.onEvent(session, type, path, header.zxid)
      return
    }
    const queue = header.xid === PING_XID ? this.#pings : this.#pending
    const op = queue.shift()
    if (op === undefined || op.xid !== header.xid)
      throw new Violation(
        'replies in the order of requests',
        `client ${this.index} awaits xid ${op?.xid} and is told of ${header.xid}`,
      )
    this.#onReply(op, header, r)
  }

  #onReply(op: Op, header: { zxid: number; err: number }, r: JuteReader): void {
    const { zxid, err } = header
    const { history, heap, trace } = this.#parts
    const result = err === 0 ? decodeResult(op.call, r) : {}
    if (!r.ok || r.remaining > 0)
      throw new Violation('replies decode', `the reply to ${describeCall(op.call)}`)
    if (op.call.op !== 'ping')
      trace(() => `${this.host} is answered ${op.xid} at ${hex(zxid)}, err ${err}`)
    history.onReply(op, { at: heap.now, zxid, err, result })
    this.#watches.onReply(op)
    this.#coverReply(op, err, result)
    if (op.call.op === 'closeSession') {
      op.session.end = { at: heap.now, how: 'closed' }
      this.#dropSession()
      return
    }
    if (op.call.op !== 'ping') this.#parts.onReady(op)
  }

  #coverReply({ call }: Op, err: number, { data, parts = [] }: Result): void {
    const { cover } = this.#parts
    const isOver = (one: number): boolean => one === Err.quotaExceeded
    if (err === Err.noAuth) cover('request refused by an ACL')
    if (isOver(err) || parts.some((part) => isOver(part.err))) cover('write refused for a quota')
    if (call.op === 'getData' && countedBy(call.path) !== undefined && data !== undefined)
      cover('usage below a quota read')
  }

  /** It has something better to do than to read; not for so long that it would give up for that. */
  #dawdle(): void {
    const { chance, heap, cover } = this.#parts
    const socket = this.#socket
    if (socket === undefined || !this.#isOpen || !chance.chance(0.1)) return
    const ms = (chance.below(100) / 100) * (this.session?.timeoutMs ?? 0) * 0.5
    cover('client stops reading')
    socket.pause(true)
    heap.after(ms, () => socket.pause(false))
  }

  /** Heartbeat, and the patience of a client. */
  #tick(): void {
    if (this.#isGone) return
    const { heap, timeoutMs } = this.#parts
    const timeout = this.session?.timeoutMs ?? timeoutMs
    const now = heap.now
    if (this.#socket !== undefined && now - this.#lastHeard > (timeout * 2) / 3) {
      this.#parts.trace(() => `${this.host} gives its connection up`)
      this.#guard(() => this.disconnect())
    } else if (this.#isOpen && now - this.#lastSent > timeout / 3) this.call({ op: 'ping' })
    if (this.#parts.readsSlowly) this.#dawdle()
    heap.after(timeout / 8, () => this.#tick())
  }
}
