import { JuteReader } from 'jute-ts'
import { OpCode } from '../../src/data/op-code.ts'
import { sessionPassword } from '../../src/data/session-id.ts'
import type { Scenario, WireEvent, WireFrame } from '../support/golden-wire.ts'
import type { MemoryClient, MemoryServer } from '../support/memory-server.ts'
import { setData } from '../support/requests.ts'
import { WireDecoder, type WireMessage } from '../support/wire-decoder.ts'

/** One difference between a recorded reply and ours; undefined: nothing came where something should. */
export interface Difference {
  /** `connection:number of the reply on it`. */
  readonly at: string
  readonly recorded: string | undefined
  readonly ours: string | undefined
}

const CONNECT_ZXID_AT = 8
const CONNECT_SESSION_AT = 20
const CONNECT_PASSWORD_AT = 32
const TIMES = new Set(['ctime', 'mtime'])
const SETS = new Set(['children', 'clientInfo', 'ephemerals'])

const writes: ReadonlySet<number> = new Set([
  OpCode.create,
  OpCode.create2,
  OpCode.createContainer,
  OpCode.createTTL,
  OpCode.delete,
  OpCode.setData,
  OpCode.setACL,
  OpCode.multi,
  OpCode.reconfig,
  OpCode.closeSession,
])

/** Replays the clients of recorded scenarios at a member in memory, one scenario after the other. */
export class GoldenReplay {
  readonly #server: MemoryServer
  readonly #sessions = new Map<bigint, bigint>([[0n, 0n]])

  constructor(server: MemoryServer) {
    this.#server = server
  }

  /** Plays one scenario and returns where our replies differ from the recorded ones. */
  play(scenario: Scenario): Difference[] {
    this.#align(scenario)
    const clients = new Map<number, Player>()
    let nowMs = 0
    for (const event of scenario.events) {
      if (event.atMs > nowMs) this.#server.pass(event.atMs - nowMs)
      nowMs = Math.max(nowMs, event.atMs)
      this.#onEvent(event, clients)
    }
    return [...clients.values()].flatMap((player) => player.differences())
  }

  /**
   * Between the scenarios the recorded server did things of its own and lost sessions of which the
   * recordings tell nothing. Writes that fail bring ours to the same zxid and change no node.
   */
  #align(scenario: Scenario): void {
    const target = zxidBefore(scenario)
    const { tree } = this.#server.member
    if (target <= tree.lastProcessedZxid) return
    const client = this.#server.connect()
    while (tree.lastProcessedZxid < target - 1) client.call(OpCode.setData, setData('/none', null))
    client.call(OpCode.closeSession)
  }

  #onEvent(event: WireEvent, clients: Map<number, Player>): void {
    if (event.kind === 'open') {
      clients.set(event.conn, new Player(this.#server.open(), event.conn, this.#sessions))
      return
    }
    const player = clients.get(event.conn)
    if (player === undefined) return
    if (event.kind === 'end') player.onEnd(event.by)
    else if (event.direction === 'request') player.send(event)
    else player.expect(event)
  }
}

/** The last zxid before the scenario: from its first reply that has one, and the txns up to there. */
function zxidBefore(scenario: Scenario): number {
  let txns = 0
  for (const event of scenario.events) {
    if (event.kind !== 'frame') continue
    const { message } = event
    if (message.kind === 'connectRequest' && message.record.sessionId === 0n) txns += 1
    if (message.kind === 'request' && writes.has(message.op)) txns += 1
    if (message.kind === 'reply' && message.header.zxid > 0) return message.header.zxid - txns
  }
  return 0
}

/** One recorded connection, played at ours. */
class Player {
  readonly #client: MemoryClient
  readonly #conn: number
  readonly #decoder = new WireDecoder()
  readonly #sessions: Map<bigint, bigint>
  readonly #recorded: WireMessage[] = []
  #isEndExpected = false

  constructor(client: MemoryClient, conn: number, sessions: Map<bigint, bigint>) {
    this.#client = client
    this.#conn = conn
    this.#sessions = sessions
  }

  send(frame: WireFrame): void {
    const bytes = Buffer.from(frame.bytes)
    const { message } = frame
    if (message.kind !== 'undecodable') this.#decoder.request(bytes.subarray(4))
    if (message.kind === 'connectRequest') this.#mapSession(bytes, message.record.sessionId)
    this.#client.sendBytes(bytes)
  }

  #mapSession(bytes: Buffer, recorded: bigint): void {
    const ours = this.#sessions.get(recorded)
    if (ours === undefined || ours === 0n) return
    bytes.writeBigInt64BE(ours, CONNECT_SESSION_AT)
    const password = bytes.subarray(CONNECT_PASSWORD_AT, CONNECT_PASSWORD_AT + 16)
    if (password.equals(sessionPassword(recorded))) sessionPassword(ours).copy(password)
    bytes.readBigInt64BE(CONNECT_ZXID_AT)
  }

  expect(frame: WireFrame): void {
    const { message } = frame
    this.#recorded.push(message)
    if (message.kind !== 'connectResponse') return
    // Ours has answered already: learn which of our sessions stands for the recorded one.
    const answer = new JuteReader(this.#client.received.subarray(4))
    answer.readInt()
    answer.readInt()
    const ours = answer.readLong()
    if (answer.ok && !this.#sessions.has(message.record.sessionId) && ours !== 0n)
      this.#sessions.set(message.record.sessionId, ours)
  }

  onEnd(by: 'client' | 'server' | 'proxy'): void {
    if (by === 'server') this.#isEndExpected = true
    else this.#client.vanish()
  }

  differences(): Difference[] {
    const ours = this.#client.takeFrames().map((frame) => this.#decoder.reply(frame).message)
    const differences: Difference[] = []
    for (let i = 0; i < Math.max(ours.length, this.#recorded.length); i += 1) {
      const recordedText = this.#describe(this.#recorded[i], true)
      const ourText = this.#describe(ours[i], false)
      if (recordedText !== ourText)
        differences.push({ at: `${this.#conn}:${i}`, recorded: recordedText, ours: ourText })
    }
    if (this.#isEndExpected && !this.#client.isClosed)
      differences.push({ at: `${this.#conn}:end`, recorded: 'closed by the server', ours: 'open' })
    return differences
  }

  /** A message as text, without what may differ from run to run. */
  #describe(message: WireMessage | undefined, isRecorded: boolean): string | undefined {
    if (message === undefined) return undefined
    // Since 3.9 an event carries the zxid of its txn (ZOOKEEPER-4655); before, always -1.
    const shown =
      message.kind === 'event' ? { ...message, header: { ...message.header, zxid: -1 } } : message
    return JSON.stringify(shown, (key, value: unknown) => {
      if (TIMES.has(key)) return value === 0 ? 0 : 'a time'
      if (typeof value === 'bigint') return this.#sessionText(value, isRecorded)
      if (key === 'passwd') return 'a password'
      if (SETS.has(key) && Array.isArray(value))
        return value.map((item) => JSON.stringify(item)).sort()
      return value
    })
  }

  #sessionText(value: bigint, isRecorded: boolean): string {
    const ours = isRecorded ? this.#sessions.get(value) : value
    return ours === undefined ? `recorded ${value}` : `${ours}`
  }
}
