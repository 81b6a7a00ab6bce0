import { sessionPassword } from '../../src/data/session-id.ts'
import type { Scenario, WireEvent, WireFrame } from '../support/golden-wire.ts'
import type { MemoryClient, MemoryServer } from '../support/memory-server.ts'
import { WireDecoder, type WireMessage } from '../support/wire-decoder.ts'
import { align, type Difference } from './replay-align.ts'
import { Naming, type Side } from './replay-naming.ts'

/** What the recorder did beside the recorded clients, or what must stand in for what 3.8 did. */
export interface UnrecordedStep {
  readonly scenario: string
  /** Done before this connection opens, and at this time of the scenario, in ms. */
  readonly beforeConn: number
  readonly atMs: number
  readonly run: (server: MemoryServer) => void
  /** How we know. */
  readonly evidence: string
}

/** One scenario, played. */
export interface Played {
  readonly differences: readonly Difference[]
  /** Recorded frames from the server: replies, connect responses and events. */
  readonly frames: number
  readonly equal: number
  /** Events that were equal but for the zxid in their header, which is the rule since 3.9. */
  readonly eventsWithZxid: number
}

const CONNECT_SESSION_AT = 20
const CONNECT_PASSWORD_AT = 32
const PASSWORD_BYTES = 16

/** Replays the clients of recorded scenarios at a member in memory, one scenario after the other. */
export class GoldenReplay {
  readonly #server: MemoryServer
  readonly #steps: readonly UnrecordedStep[]
  readonly #naming = new Naming()
  #players: Player[] = []

  constructor(server: MemoryServer, steps: readonly UnrecordedStep[]) {
    this.#server = server
    this.#steps = steps
  }

  /** `startWall` is when the recording began, in ms: the server's clock goes on to there first. */
  play(scenario: Scenario, startWall: number): Played {
    const players = new Map<number, Player>()
    for (const event of scenario.events) {
      if (event.kind === 'open') {
        for (const step of this.#steps) {
          if (step.scenario !== scenario.name || step.beforeConn !== event.conn) continue
          this.#act(() => this.#passTo(startWall + step.atMs))
          this.#act(() => step.run(this.#server))
        }
      }
      this.#act(() => this.#passTo(startWall + event.atMs))
      this.#act(() => this.#onEvent(event, players))
    }
    const results = [...players.values()].map((player) => player.result())
    const times = this.#naming.takeTimeDifferences()
    const sum = (of: (played: Played) => number): number =>
      results.reduce((total, played) => total + of(played), 0)
    return {
      differences: [...results.flatMap((played) => played.differences), ...times],
      frames: sum((played) => played.frames),
      equal: sum((played) => played.equal),
      eventsWithZxid: sum((played) => played.eventsWithZxid),
    }
  }

  #passTo(wall: number): void {
    if (wall > this.#server.wall) this.#server.pass(wall - this.#server.wall)
  }

  /** Does one thing, and lets every client take what came of it. */
  #act(action: () => void): void {
    const { tree } = this.#server.member
    const before = tree.lastProcessedZxid
    action()
    for (const player of this.#players) player.collect(before, tree.lastProcessedZxid)
  }

  #onEvent(event: WireEvent, players: Map<number, Player>): void {
    if (event.kind === 'open') {
      const player = new Player(this.#server.open(), event.conn, this.#naming)
      players.set(event.conn, player)
      this.#players = [...players.values()]
      return
    }
    const player = players.get(event.conn)
    if (player === undefined) return
    if (event.kind === 'end') player.onEnd(event.by)
    else if (event.direction === 'request') player.send(event)
    else player.expect(event)
  }
}

/** One recorded connection, played at ours. */
class Player {
  readonly #client: MemoryClient
  readonly #conn: number
  readonly #naming: Naming
  readonly #decoder = new WireDecoder()
  /** As text, in which only what must be equal is left. */
  readonly #recorded: string[] = []
  readonly #ours: string[] = []
  /** Responses of ours to connect requests, until the recorded one says which session it is. */
  readonly #connected: WireMessage[] = []
  readonly #ends: Difference[] = []
  #isEnded = false
  #eventsWithZxid = 0

  constructor(client: MemoryClient, conn: number, naming: Naming) {
    this.#client = client
    this.#conn = conn
    this.#naming = naming
  }

  send(frame: WireFrame): void {
    const bytes = Buffer.from(frame.bytes)
    const { message } = frame
    if (message.kind !== 'undecodable') this.#decoder.request(bytes.subarray(4))
    if (message.kind === 'connectRequest') {
      const recorded = message.record.sessionId
      const ours = this.#naming.ourSessionOf(recorded)
      bytes.writeBigInt64BE(ours, CONNECT_SESSION_AT)
      const password = bytes.subarray(CONNECT_PASSWORD_AT, CONNECT_PASSWORD_AT + PASSWORD_BYTES)
      if (password.equals(sessionPassword(recorded))) sessionPassword(ours).copy(password)
    }
    this.#client.sendBytes(bytes)
  }

  /** Takes what has arrived while the server's last zxid went from `before` to `after`. */
  collect(before: number, after: number): void {
    for (const frame of this.#client.takeFrames()) {
      const { message } = this.#decoder.reply(frame)
      if (message.kind === 'connectResponse') this.#connected.push(message)
      if (message.kind === 'event') this.#ours.push(this.#eventText(message, before, after))
      else this.#ours.push(this.#textOf(message, 'ours'))
    }
  }

  /**
   * 3.8 recorded -1 in the header of every event. Since 3.9 it is the zxid of the txn that caused it
   * (ZOOKEEPER-4655), and -1 only for what setWatches catches up on, without a txn.
   */
  #eventText(event: WireMessage & { kind: 'event' }, before: number, after: number): string {
    const { zxid } = event.header
    if (before === after) return this.#textOf(event, 'ours')
    if (zxid <= before || zxid > after) return `not of its txn: ${this.#textOf(event, 'ours')}`
    this.#eventsWithZxid += 1
    return this.#textOf({ ...event, header: { ...event.header, zxid: -1 } }, 'ours')
  }

  expect(frame: WireFrame): void {
    const { message } = frame
    if (message.kind === 'connectResponse') this.#learnSession(message.record.sessionId)
    this.#recorded.push(this.#textOf(message, 'recorded'))
  }

  /** Ours has answered already; its text was made without a name for the session, so it is made anew. */
  #learnSession(recorded: bigint): void {
    const [ours] = this.#connected
    if (ours?.kind !== 'connectResponse') return
    this.#naming.learnSession(recorded, ours.record.sessionId)
    this.#ours[0] = this.#textOf(ours, 'ours')
  }

  #textOf(message: WireMessage, side: Side): string {
    return this.#naming.textOf(message, side)
  }

  /** Of the two ends of a recorded connection only the first says anything about the server. */
  onEnd(by: 'client' | 'server' | 'proxy'): void {
    if (!this.#isEnded && this.#client.isClosed !== (by === 'server'))
      this.#ends.push({
        at: `${this.#conn}:end`,
        recorded: `closed by the ${by}`,
        ours: this.#client.isClosed ? 'closed by the server' : 'open',
      })
    this.#isEnded = true
    if (by !== 'server') this.#client.vanish()
  }

  result(): Played {
    const aligned = align(this.#recorded, this.#ours)
    return {
      differences: [
        ...aligned.differences.map((one) => ({ ...one, at: `${this.#conn}:${one.at}` })),
        ...this.#ends,
      ],
      frames: this.#recorded.length,
      equal: aligned.equal,
      eventsWithZxid: this.#eventsWithZxid,
    }
  }
}
