import { JuteReader, JuteWriter } from 'jute-ts'
import { defaultLimits, type Limits } from '../../src/base/limits.ts'
import type { LogFields, Logger } from '../../src/base/logger.ts'
import type { Config } from '../../src/config/config.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { readConnectResponse, writeConnectRequest } from '../../src/data/records.ts'
import { nodeCrypto } from '../../src/node/process/crypto.ts'
import type { DiskOp, SnapshotOp } from '../../src/persistence/disk.ts'
import type { LinkId, LinkPort, PeerAddress } from '../../src/quorum/ports/links.ts'
import type { Answer, Question } from '../../src/server/auth/provider.ts'
import type { MemberBounds } from '../../src/server/bounds/member-bounds.ts'
import { providersOf } from '../../src/server/clients/auth-requests.ts'
import type { CnxnFacts } from '../../src/server/clients/cnxn.ts'
import type { FourLetterWords } from '../../src/server/clients/first-bytes.ts'
import type { EnsemblePorts } from '../../src/server/ensemble/peering.ts'
import { Member } from '../../src/server/member.ts'
import type { Recovered } from '../../src/server/storage/recovered.ts'
import { type Machine, TurnLoop } from '../../src/server/turn-loop.ts'
import { DataTree } from '../../src/tree/data-tree.ts'
import { lateScheme } from './late-scheme.ts'

/** A reply, or a watch event, with its body still encoded. */
export interface Reply {
  readonly xid: number
  readonly zxid: number
  readonly err: number
  readonly body: JuteReader
}

/** Of a connection that has come by the plain port. */
export const plainFacts = (address: string, port: number): CnxnFacts => ({
  address,
  port,
  localPort: 2181,
  isSecure: false,
  certificate: undefined,
})

/** Of a member that is asked for none. */
export const noWords: FourLetterWords = {
  wordOf: () => undefined,
  extraBytes: () => 0,
  run: () => '',
  silenceMsMax: 10_000,
}

export interface MemoryServerOptions {
  readonly settings?: Readonly<Record<string, string>>
  readonly limits?: Partial<Limits>
  readonly bounds?: MemberBounds
  readonly words?: FourLetterWords
  readonly recovered?: Recovered
  readonly wall?: number
  /** Instead of one that is always done at once. */
  readonly disk?: Pick<Machine, 'writeDisk' | 'writeSnapshotSlice'>
  /** Makes it a member of an ensemble. */
  readonly ensemble?: MemoryEnsemblePorts
}

/** The network of an ensemble in memory, and its turn after every turn of this member. */
export interface MemoryEnsemblePorts extends EnsemblePorts {
  readonly links: Pick<Machine, 'dialLink' | 'writeLink' | 'closeLink' | 'pauseLink'>
  readonly settle: () => void
}

export function configOf(settings: Readonly<Record<string, string>> = {}): Config {
  const all = { dataDir: '/data', clientPort: '2181', tickTime: '2000', ...settings }
  const entries = Object.entries(all).map(([key, value], index) => ({
    key,
    value,
    line: index + 1,
  }))
  const parsed = parseConfig(entries, 'zoo.cfg', new Map())
  if (!('config' in parsed)) throw new Error(JSON.stringify(parsed))
  return parsed.config
}

/**
 * A Member in its TurnLoop on a machine of plain memory: no port, no file, and time moves when told.
 * The disk is done at once, unless it is held.
 */
export class MemoryServer implements Machine {
  readonly config: Config
  readonly member: Member
  readonly loop: TurnLoop
  readonly logged: { level: string; message: string; fields: LogFields }[] = []
  readonly diskOps: DiskOp[] = []
  /** Each is answered when a test calls `done`. */
  readonly questions: { readonly question: Question; done(answer: Answer): void }[] = []
  mono = 1_000_000
  wall: number
  /** While true, what is written stays unacknowledged; see `releaseDisk`. */
  isDiskHeld = false
  #heldDisk: (() => void)[] = []
  /** By name; whole ones only. */
  readonly snapshots: Map<string, Buffer> = new Map()
  /** If set, every op of a snapshot fails with it. */
  snapshotProblem: string | undefined = undefined
  /** While true, a snapshot goes on only with `stepSnapshot`. */
  isSnapshotHeld = false
  #heldSnapshot: (() => void) | undefined = undefined
  #snapshotName = ''
  readonly #snapshotParts: Buffer[] = []
  readonly #turns: (() => void)[] = []
  readonly #clients = new Map<number, MemoryClient>()
  #lastId = 0

  readonly #disk: MemoryServerOptions['disk']

  readonly #ensemble: MemoryEnsemblePorts | undefined

  constructor(options: MemoryServerOptions = {}) {
    this.#disk = options.disk
    this.#ensemble = options.ensemble
    this.wall = options.wall ?? 1_700_000_000_000
    this.config = configOf(options.settings)
    const configured = providersOf(this.config, nodeCrypto)
    if (typeof configured === 'string') throw new Error(configured)
    const providers = new Map(configured).set(lateScheme.scheme, lateScheme)
    const log =
      (level: string) =>
      (message: string, fields: LogFields = {}): void => {
        this.logged.push({ level, message, fields })
      }
    const logger: Logger = {
      debug: log('debug'),
      info: log('info'),
      warn: log('warn'),
      error: log('error'),
    }
    const { extendedTypesEnabled, emulate353TtlNodes, digestEnabled } = this.config
    const tree = new DataTree({ extendedTypesEnabled, emulate353TtlNodes }, digestEnabled)
    this.member = new Member(
      {
        config: this.config,
        limits: {
          ...defaultLimits,
          frameBytesMax: this.config.juteMaxBufferBytes,
          requestsOutstandingMax: this.config.globalOutstandingLimit,
          cnxnsPerAddressMax: this.config.maxClientCnxns,
          cnxnsMax: this.config.maxCnxns,
          ...options.limits,
        },
        ...(options.bounds && { bounds: options.bounds }),
        providers,
        crypto: nodeCrypto,
        logger,
        clock: this.clock(),
        ensemble: options.ensemble,
      },
      options.recovered ?? { tree, sessions: new Map(), lastZxid: 0 },
      options.words ?? noWords,
    )
    this.loop = new TurnLoop(this.member, this)
  }

  clock(): { mono: number; wall: number } {
    return { mono: this.mono, wall: this.wall }
  }

  afterThisTurn(fn: () => void): void {
    this.#turns.push(fn)
  }

  writeClient(cnxn: number, bytes: Buffer): number {
    return this.#clients.get(cnxn)?.receive(bytes) ?? 0
  }

  closeClient(cnxn: number, _now: boolean): void {
    const client = this.#clients.get(cnxn)
    if (client === undefined) return
    client.isClosed = true
    // The socket is gone soon after, unless its far end keeps it.
    if (!client.lingers)
      this.#turns.push(() => this.loop.enter((member) => member.sockets.onClosed(cnxn)))
  }

  pauseClient(cnxn: number, paused: boolean): void {
    const client = this.#clients.get(cnxn)
    if (client !== undefined) client.isPaused = paused
  }

  ask(question: Question, done: (answer: Answer) => void): void {
    this.questions.push({ question, done })
  }

  writeDisk(ops: readonly DiskOp[], done: () => void): void {
    if (this.#disk !== undefined) return this.#disk.writeDisk(ops, done)
    for (const op of ops)
      this.diskOps.push(op.kind === 'appendTxns' ? { ...op, bytes: Buffer.from(op.bytes) } : op)
    this.#heldDisk.push(done)
  }

  /** Snapshots are written at once, and come to `snapshots` when they are whole. */
  writeSnapshotSlice(op: SnapshotOp, done: (problem: string | undefined) => void): void {
    if (this.#disk !== undefined) return this.#disk.writeSnapshotSlice(op, done)
    if (op.kind === 'begin') {
      this.#snapshotName = op.name
      this.#snapshotParts.length = 0
    }
    if (op.kind === 'append') this.#snapshotParts.push(Buffer.from(op.bytes))
    const problem = this.snapshotProblem
    if (op.kind === 'finish' && problem === undefined)
      this.snapshots.set(this.#snapshotName, Buffer.concat(this.#snapshotParts))
    this.#heldSnapshot = () => done(problem)
  }

  /** Runs turns until nothing is left to do, here and on the other members. */
  settle(): void {
    if (this.#ensemble === undefined) this.settleAlone()
    else this.#ensemble.settle()
  }

  /** True: there was something to do. */
  settleAlone(): boolean {
    for (let didWork = false; ; didWork = true) {
      const turn = this.#turns.shift()
      if (turn !== undefined) turn()
      else if (this.#heldSnapshot !== undefined && !this.isSnapshotHeld) this.stepSnapshot()
      else if (this.#heldDisk.length > 0 && !this.isDiskHeld) this.#heldDisk.shift()?.()
      else return didWork
    }
  }

  /** Acknowledges one op of a snapshot. */
  stepSnapshot(): void {
    const step = this.#heldSnapshot
    this.#heldSnapshot = undefined
    step?.()
  }

  /** Acknowledges one write to the disk and runs what follows from it. */
  releaseDisk(): void {
    this.#heldDisk.shift()?.()
    this.settle()
  }

  /** Lets time pass in steps small enough for every deadline. */
  pass(ms: number): void {
    for (let left = ms; left > 0; left -= 50) {
      const step = Math.min(left, 50)
      this.mono += step
      this.wall += step
      this.loop.enter(() => {})
      this.settle()
    }
  }

  dialLink(link: LinkId, port: LinkPort, addresses: readonly PeerAddress[]): void {
    this.#ensemble?.links.dialLink(link, port, addresses)
  }
  writeLink(link: LinkId, bytes: Buffer): number {
    return this.#ensemble?.links.writeLink(link, bytes) ?? 0
  }
  closeLink(link: LinkId): void {
    this.#ensemble?.links.closeLink(link)
  }
  pauseLink(link: LinkId, paused: boolean): void {
    this.#ensemble?.links.pauseLink(link, paused)
  }

  /** A connection without a session. */
  open(address = '127.0.0.1'): MemoryClient {
    this.#lastId += 1
    const client = new MemoryClient(this, this.#lastId)
    this.#clients.set(client.id, client)
    const facts = plainFacts(address, 40_000 + client.id)
    this.loop.enter((member) => member.sockets.onOpened(client.id, facts))
    this.settle()
    return client
  }

  /** A connection with a new session. */
  connect(timeOut = 10_000): MemoryClient {
    const client = this.open()
    client.handshake({ timeOut })
    return client
  }
}

export interface Handshake {
  readonly timeOut?: number
  readonly lastZxidSeen?: number
  readonly sessionId?: bigint
  readonly passwd?: Buffer | null
  readonly readOnlyByte?: boolean
}

/** The far end of a connection: frames out, frames in. */
export class MemoryClient {
  readonly id: number
  readonly server: MemoryServer
  isClosed = false
  isPaused = false
  /** Once the server has closed it: the far end keeps its side open, until it vanishes. */
  lingers = false
  /** While true, what arrives is not taken. */
  isStuck = false
  received: Buffer = Buffer.alloc(0)
  sessionId = 0n
  passwd: Buffer = Buffer.alloc(16)
  timeOut = 0
  #stuckBytes = 0
  #lastXid = 0

  constructor(server: MemoryServer, id: number) {
    this.server = server
    this.id = id
  }

  receive(bytes: Buffer): number {
    this.received = Buffer.concat([this.received, bytes])
    if (!this.isStuck) return 0
    this.#stuckBytes += bytes.length
    return this.#stuckBytes
  }

  /** Takes all that has been sent. */
  drain(): void {
    this.isStuck = false
    this.#stuckBytes = 0
    this.server.loop.enter((member) => member.sockets.onDrained(this.id))
    this.server.settle()
  }

  sendBytes(bytes: Buffer): void {
    this.server.loop.enter((member) => member.sockets.onBytes(this.id, Buffer.from(bytes)))
    this.server.settle()
  }

  /** The far end is gone. */
  vanish(): void {
    this.server.loop.enter((member) => member.sockets.onClosed(this.id))
    this.server.settle()
  }

  connectFrame(request: Handshake = {}): Buffer {
    const w = new JuteWriter()
    writeConnectRequest(w, {
      protocolVersion: 0,
      lastZxidSeen: request.lastZxidSeen ?? 0,
      timeOut: request.timeOut ?? 10_000,
      sessionId: request.sessionId ?? 0n,
      passwd: request.passwd === undefined ? Buffer.alloc(16) : request.passwd,
    })
    if (request.readOnlyByte !== false) w.writeBoolean(false)
    return framed(w.bytes())
  }

  /** Undefined: closed without a reply. */
  handshake(request: Handshake = {}): { timeOut: number; readOnlyByte: boolean } | undefined {
    this.sendBytes(this.connectFrame(request))
    return this.readConnectResponse()
  }

  /** The first frame that has come; others stay. */
  readConnectResponse(): { timeOut: number; readOnlyByte: boolean } | undefined {
    const frame = this.takeFrames(1)[0]
    if (frame === undefined) return undefined
    const r = new JuteReader(frame)
    const response = readConnectResponse(r)
    this.sessionId = response.sessionId
    this.passwd = Buffer.from(response.passwd ?? [])
    this.timeOut = response.timeOut
    return { timeOut: response.timeOut, readOnlyByte: r.remaining > 0 }
  }

  /** Payloads of the frames that have arrived since the last call. */
  takeFrames(framesMax: number = Infinity): Buffer[] {
    const frames: Buffer[] = []
    let at = 0
    while (this.received.length - at >= 4 && frames.length < framesMax) {
      const end = at + 4 + this.received.readInt32BE(at)
      if (end > this.received.length) break
      frames.push(this.received.subarray(at + 4, end))
      at = end
    }
    this.received = this.received.subarray(at)
    return frames
  }

  takeReplies(): Reply[] {
    return this.takeFrames().map((frame) => {
      const body = new JuteReader(frame)
      return { xid: body.readInt(), zxid: body.readNumber(), err: body.readInt(), body }
    })
  }

  /** Sends a request without looking for its reply. Returns its xid. */
  send(op: number, writeBody: (w: JuteWriter) => void = () => {}, xid?: number): number {
    this.#lastXid += 1
    const used = xid ?? this.#lastXid
    this.sendBytes(requestFrame(used, op, writeBody))
    return used
  }

  /** Sends a request and returns its reply, which must be the only thing that comes. */
  call(op: number, writeBody?: (w: JuteWriter) => void, xid?: number): Reply {
    this.send(op, writeBody, xid)
    const replies = this.takeReplies()
    const [reply] = replies
    if (reply === undefined || replies.length > 1)
      throw new Error(`${replies.length} replies to op ${op}, closed: ${this.isClosed}`)
    return reply
  }
}

export function framed(payload: Buffer): Buffer {
  const frame = Buffer.alloc(4 + payload.length)
  frame.writeInt32BE(payload.length, 0)
  payload.copy(frame, 4)
  return frame
}

export function requestFrame(
  xid: number,
  op: number,
  writeBody: (w: JuteWriter) => void = () => {},
): Buffer {
  const w = new JuteWriter()
  w.writeInt(xid)
  w.writeInt(op)
  writeBody(w)
  return framed(w.bytes())
}
