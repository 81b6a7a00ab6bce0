import { JuteWriter } from 'jute-ts'
import { expect } from 'vitest'
import { Err } from '../../src/data/error-code.ts'
import { OpCode } from '../../src/data/op-code.ts'
import { writeConnectRequest } from '../../src/data/records.ts'
import { sessionPassword } from '../../src/data/session-id.ts'
import { DataTree } from '../../src/tree/data-tree.ts'
import { framed, type MemoryClient, MemoryServer } from '../support/memory-server.ts'
import { cutInto } from './arbitraries.ts'
import { Bystander } from './member-bystander.ts'
import { demand, expectSoundState, expectSoundTree } from './member-checks.ts'
import {
  CLIENTS_MAX,
  type Item,
  longFrame,
  oddPayload,
  recordedPayload,
  type Step,
  spoiled,
} from './member-steps.ts'
import { greedyPayload, payloadOf } from './member-wishes.ts'

const FRAME_BYTES_MAX = 2048
const REPLY_HEADER_BYTES = 16
const settings = {
  tickTime: '200',
  extendedTypesEnabled: 'true',
  enforceQuota: 'true',
  reconfigEnabled: 'true',
  'znode.container.checkIntervalMs': '300',
  'jute.maxbuffer': `${FRAME_BYTES_MAX}`,
  maxClientCnxns: '4',
}
const limits = {
  requestsOutstandingMax: 5,
  unservedBytesPause: 300,
  replyBytesPause: 800,
  replyBytesMax: 2100,
}
/** The largest session timeout, and the bucket that it may end in. */
const ALL_EXPIRED_MS = 4000 + 2 * 200
/** Writes are held back no longer than that, or the bystander would expire through no fault of ours. */
const HELD_MS_MAX = 2000
/** Far more than the turns that any one step can cause. */
const TURNS_MAX = 10_000

/** Xids of requests that must be answered in order begin here; all others use what is below. */
const XID_ORDERED = 1000
const XID_ANY = -100
const XIDS_APART: ReadonlyMap<number, number> = new Map([
  [OpCode.ping, -2],
  [OpCode.auth, -4],
  [OpCode.sasl, -5],
])

/** Parts of another kind, flags, modes and types that do not exist are answered as undecodable. */
const undecodableOps: ReadonlySet<number> = new Set([
  ...[OpCode.multi, OpCode.multiRead, OpCode.addWatch, OpCode.checkWatches, OpCode.removeWatches],
])

const plainConnect = {
  do: 'connect',
  timeOut: 400,
  session: 'new',
  isPasswordRight: true,
  isOld: false,
  isAhead: false,
  spoil: null,
} as const

/** One client that may do anything. */
interface Attacker {
  readonly client: MemoryClient
  /** Chunks that its socket holds back while the server does not read. */
  readonly queue: Buffer[]
  /** It has broken the protocol, and must be gone in the end. */
  isOutlaw: boolean
  /** Xids of requests that decode whatever is in them. */
  readonly decodable: Set<number>
  /** False: what it has sent cannot be told apart any more, so neither can the replies. */
  isKnown: boolean
  isGreeted: boolean
  nextXid: number
  lastXid: number
  lastZxid: number
  answered: number
}

/** One member, one bystander, and clients that do what the steps say. */
export class MemberRun {
  readonly server: MemoryServer
  readonly #bystander: Bystander
  readonly #attackers: (Attacker | undefined)[] = []
  readonly #sessions: bigint[] = []
  #heldMs = 0
  #turns = 0
  #chunkBytesMax = 0
  frames = 0
  replies = 0

  constructor() {
    const tree = new DataTree({ extendedTypesEnabled: true, emulate353TtlNodes: false }, true)
    const recovered = { tree, sessions: new Map([[Bystander.sessionId, 4000]]), lastZxid: 0 }
    this.server = new MemoryServer({ settings, limits, recovered })
    const { server } = this
    const afterThisTurn = server.afterThisTurn.bind(server)
    server.afterThisTurn = (fn) => {
      this.#turns += 1
      if (this.#turns > TURNS_MAX) throw new Error('the turns never end')
      afterThisTurn(fn)
    }
    this.#bystander = new Bystander(server)
  }

  run(steps: readonly Step[]): void {
    for (const step of steps) {
      this.#turns = 0
      this.#do(step)
      this.#observe()
    }
    this.#calmDown()
    expectSoundTree(this.server, Bystander.sessionId)
    this.#bystander.expectUntouched()
    this.#leave()
    expectSoundTree(this.server, Bystander.sessionId)
    expectSoundState(this.server, Bystander.sessionId)
    this.#bystander.expectUntouched()
  }

  #do(step: Step): void {
    switch (step.do) {
      case 'open':
        this.#open(step.client)
        return
      case 'connect':
        this.#connect(step)
        return
      case 'send': {
        const attacker = this.#connected(step.client)
        const bytes = Buffer.concat(step.items.map((item) => this.#bytesOf(attacker, item)))
        return this.#send(attacker, cutInto(step.cuts)(bytes))
      }
      case 'vanish':
        return this.#vanish(step.client)
      case 'stick': {
        const client = this.#attackers[step.client]?.client
        if (client === undefined) return
        if (step.isStuck) client.isStuck = true
        else client.drain()
        return
      }
      case 'hold':
        return this.#hold(step.isHeld)
      case 'release':
        return this.server.releaseDisk()
      case 'pass':
        return this.#pass(step.ms)
    }
  }

  #open(slot: number): Attacker {
    this.#vanish(slot)
    const attacker: Attacker = {
      client: this.server.open(slot === CLIENTS_MAX - 1 ? '10.0.0.1' : '127.0.0.1'),
      queue: [],
      isOutlaw: false,
      decodable: new Set(),
      isKnown: true,
      isGreeted: false,
      nextXid: XID_ORDERED,
      lastXid: XID_ORDERED - 1,
      lastZxid: 0,
      answered: 0,
    }
    this.#attackers[slot] = attacker
    return attacker
  }

  /** Who has been thrown out comes back, or hardly anything would come to pass. */
  #connected(slot: number): Attacker {
    const attacker = this.#attackers[slot]
    if (attacker !== undefined && !attacker.client.isClosed) return attacker
    return this.#connect({ client: slot, ...plainConnect })
  }

  #vanish(slot: number): void {
    this.#attackers[slot]?.client.vanish()
    this.#attackers[slot] = undefined
  }

  #connect(step: Step & { do: 'connect' }): Attacker {
    const attacker = this.#open(step.client)
    const known = typeof step.session === 'number' ? this.#sessions.at(-1 - step.session) : 0n
    const sessionId = step.session === 'unknown' ? 0x1234567n : (known ?? 0n)
    const w = new JuteWriter()
    writeConnectRequest(w, {
      protocolVersion: 0,
      lastZxidSeen: step.isAhead ? 2 ** 40 : 0,
      timeOut: step.timeOut,
      sessionId,
      passwd: step.isPasswordRight ? sessionPassword(sessionId) : Buffer.alloc(16),
    })
    if (!step.isOld) w.writeBoolean(false)
    if (step.spoil !== null) attacker.isKnown = false
    attacker.isGreeted = true
    this.#send(attacker, [spoiled(w.copy(), step.spoil)])
    return attacker
  }

  #bytesOf(attacker: Attacker, item: Item): Buffer {
    this.frames += 1
    // The first frame is a connect request, whatever it was meant to be.
    if (!attacker.isGreeted || item.is === 'noise') attacker.isKnown = false
    switch (item.is) {
      case 'sound': {
        const apart = XIDS_APART.get(item.wish.op)
        if (apart !== undefined) return framed(payloadOf(apart, item.wish))
        attacker.nextXid += 1
        if (!undecodableOps.has(item.wish.op)) attacker.decodable.add(attacker.nextXid - 1)
        return framed(payloadOf(attacker.nextXid - 1, item.wish))
      }
      case 'spoiled':
        return withAnyXid(spoiled(payloadOf(XID_ANY, item.wish), item.spoil))
      case 'recorded':
        return withAnyXid(spoiled(recordedPayload(item.index), item.spoil))
      case 'odd':
        return framed(oddPayload(XID_ANY, item.op, item.body))
      case 'greedy':
        return framed(greedyPayload(XID_ANY, item.times))
      case 'long':
        attacker.isOutlaw ||= item.isTooLong && attacker.isKnown
        return longFrame(FRAME_BYTES_MAX + (item.isTooLong ? 1 : 0))
      case 'noise':
        return item.bytes
    }
  }

  /** As a socket does it: nothing is delivered while the server does not read. */
  #send(attacker: Attacker, chunks: readonly Buffer[]): void {
    attacker.queue.push(...chunks)
    this.#deliver(attacker)
  }

  /** True: there was something to deliver. */
  #deliver(attacker: Attacker): boolean {
    const { client, queue } = attacker
    let isBusy = false
    while (!client.isPaused && !client.isClosed) {
      const chunk = queue.shift()
      if (chunk === undefined) break
      isBusy = true
      this.#chunkBytesMax = Math.max(this.#chunkBytesMax, chunk.length)
      const borrowed = Buffer.from(chunk)
      this.server.loop.enter((member) => member.sockets.onBytes(client.id, borrowed))
      // It was lent for the call; who kept it without a copy now keeps this.
      borrowed.fill(0xee)
      this.server.settle()
    }
    return isBusy
  }

  #hold(isHeld: boolean): void {
    this.server.isDiskHeld = isHeld
    this.#heldMs = 0
    this.server.settle()
  }

  #pass(ms: number): void {
    if (this.server.isDiskHeld) this.#heldMs += ms
    if (this.#heldMs > HELD_MS_MAX) this.#hold(false)
    this.server.pass(ms)
    this.#bystander.ping()
  }

  /** What must hold at any time. */
  #observe(): void {
    for (const attacker of this.#attackers) {
      if (attacker === undefined) continue
      this.#deliver(attacker)
      if (attacker.client.isStuck) {
        const { largeReplyBytes = 0 } = this.server.member.clients.get(attacker.client.id) ?? {}
        const isWithin = attacker.client.received.length <= limits.replyBytesMax + largeReplyBytes
        demand(isWithin || attacker.client.isClosed, 'a client that reads nothing is cut off')
      } else this.#take(attacker)
    }
    this.#bystander.take()
    const { clients } = this.server.member
    // One of each connection is let in whatever waits, and those of connections that have gone count on.
    const outstandingMax = 2 * limits.requestsOutstandingMax + clients.cnxns.size
    demand(clients.outstandingRequests <= outstandingMax, 'outstanding requests are bounded')
    const heldMax = FRAME_BYTES_MAX + 4 + limits.unservedBytesPause + this.#chunkBytesMax
    for (const { splitter } of clients.cnxns.values())
      demand(splitter.heldBytes <= heldMax, 'what a connection holds is bounded')
  }

  /** Replies are whole; those to ordered requests are in order; and no zxid goes back. */
  #take(attacker: Attacker): void {
    const frames = attacker.client.takeFrames()
    demand(attacker.client.received.length === 0, 'replies are whole frames')
    for (const frame of frames) {
      this.replies += 1
      demand(frame.length >= REPLY_HEADER_BYTES, 'a reply has a header')
      if (!attacker.isKnown) continue
      if (attacker.client.sessionId === 0n) {
        attacker.client.sessionId = frame.readBigInt64BE(8)
        if (attacker.client.sessionId !== 0n) this.#sessions.push(attacker.client.sessionId)
        continue
      }
      const xid = frame.readInt32BE(0)
      const zxid = Number(frame.readBigInt64BE(4))
      if (zxid > 0) {
        demand(zxid >= attacker.lastZxid, `zxid ${zxid} comes after ${attacker.lastZxid}`)
        attacker.lastZxid = zxid
      }
      if (xid < XID_ORDERED) continue
      demand(xid > attacker.lastXid, `xid ${xid} is answered after ${attacker.lastXid}`)
      const isDecoded = frame.readInt32BE(12) !== Err.marshallingError
      demand(isDecoded || !attacker.decodable.has(xid), `request ${xid} is decoded`)
      attacker.lastXid = xid
      attacker.answered += 1
    }
  }

  /** Everything that waits is let go; then nothing may be left waiting. */
  #calmDown(): void {
    this.#turns = 0
    this.#hold(false)
    for (let isBusy = true; isBusy; ) {
      isBusy = false
      for (const attacker of this.#attackers) {
        if (attacker === undefined) continue
        if (attacker.client.isStuck) attacker.client.drain()
        if (this.#deliver(attacker)) isBusy = true
      }
    }
    this.#observe()
    const { member, logged } = this.server
    demand(member.clients.outstandingRequests === 0, 'nothing is left outstanding')
    demand(!member.wantsTurn, 'no turn is wanted')
    expect(logged.filter(({ level }) => level === 'error')).toEqual([])
    for (const attacker of this.#attackers) {
      if (attacker === undefined || attacker.client.isClosed) continue
      demand(!attacker.isOutlaw, 'who sends too long a frame is thrown out')
      demand(!attacker.client.isPaused, 'every client is read again')
      const asked = attacker.nextXid - XID_ORDERED
      demand(
        !attacker.isKnown || attacker.answered === asked,
        `${attacker.answered} of ${asked} requests are answered`,
      )
    }
  }

  /** The clients go, and their sessions expire. */
  #leave(): void {
    for (let slot = 0; slot < CLIENTS_MAX; slot += 1) this.#vanish(slot)
    for (let ms = 0; ms < ALL_EXPIRED_MS; ms += 400) {
      this.#turns = 0
      this.#pass(400)
      this.#observe()
    }
  }
}

/** So that no accident makes it look like an ordered one. */
function withAnyXid(frame: Buffer): Buffer {
  if (frame.length >= 8) frame.writeInt32BE(XID_ANY, 4)
  return frame
}
