import { OpCode } from '../../src/data/op-code.ts'
import { sessionPassword } from '../../src/data/session-id.ts'
import type { WireBody, WireMessage } from '../support/wire-decoder.ts'
import type { Difference } from './replay-align.ts'

/** Whose message it is: times and session ids are not the same at both servers. */
export type Side = 'recorded' | 'ours'

/** How far in ms a time may be from the recorded one: that server had a disk to wait for. */
const TIME_TOLERANCE_MS = 40

/** What is answered in an order that means nothing: sets, whatever the wire makes of them. */
const SETS: ReadonlySet<string> = new Set(['children', 'clientInfo', 'ephemerals'])
const SESSIONS: ReadonlySet<string> = new Set(['sessionId', 'ephemeralOwner'])
/** A time belongs to the txn whose zxid stands beside it. */
const ZXID_OF_TIME: ReadonlyMap<string, string> = new Map([
  ['ctime', 'czxid'],
  ['mtime', 'mzxid'],
])

const opNames = new Map<number, string>(Object.entries(OpCode).map(([name, op]) => [op, name]))
const NO_PASSWORD: Buffer = Buffer.alloc(16)

/**
 * Messages of two servers as text in which equal things look equal. Sessions are told by the order
 * in which the recording made them, times by the zxid of their txn; both must be consistent over
 * all scenarios of a server. A value that fits nothing seen before is shown as it is, and so differs.
 */
export class Naming {
  readonly #names: Record<Side, Map<bigint, string>> = {
    recorded: new Map([[0n, 'none']]),
    ours: new Map([[0n, 'none']]),
  }
  readonly #ourIds = new Map<bigint, bigint>()
  readonly #times: Record<Side, Map<number, number>> = {
    recorded: new Map([[0, 0]]),
    ours: new Map([[0, 0]]),
  }

  /** The session of ours that stands for a recorded one; an unknown one stands for itself. */
  ourSessionOf(recorded: bigint): bigint {
    return this.#ourIds.get(recorded) ?? recorded
  }

  /** Two sessions that were both seen for the first time, in answer to the same connect request. */
  learnSession(recorded: bigint, ours: bigint): void {
    if (this.#names.recorded.has(recorded) || this.#names.ours.has(ours)) return
    const name = `session ${this.#ourIds.size + 1}`
    this.#names.recorded.set(recorded, name)
    this.#names.ours.set(ours, name)
    this.#ourIds.set(recorded, ours)
  }

  /** Txns whose time is not about the recorded one. */
  takeTimeDifferences(): Difference[] {
    const differences: Difference[] = []
    for (const [zxid, recorded] of this.#times.recorded) {
      const ours = this.#times.ours.get(zxid)
      if (ours === undefined || Math.abs(ours - recorded) <= TIME_TOLERANCE_MS) continue
      differences.push({ at: `time of zxid ${zxid}`, recorded: `${recorded}`, ours: `${ours}` })
      this.#times.ours.set(zxid, recorded)
    }
    return differences
  }

  textOf(message: WireMessage, side: Side): string {
    switch (message.kind) {
      case 'connectRequest':
      case 'connectResponse':
        return `${message.kind} ${this.#record(message.record, side)} readOnly=${message.readOnly}`
      case 'event': {
        const { zxid, err } = message.header
        return `event zxid=${zxid} err=${err} ${this.#record(message.record, side)}`
      }
      case 'request':
        return `${opText(message.op)} xid=${message.xid} ${this.#body(message.body, side)}`
      case 'reply': {
        const { xid, zxid, err } = message.header
        const head = `${opText(message.op)} xid=${xid} zxid=${zxid} err=${err}`
        return `${head} ${this.#body(message.body, side)}`.trimEnd()
      }
      case 'undecodable':
        return `undecodable ${message.bytes.toString('hex')}`
    }
  }

  #body(body: WireBody, side: Side): string {
    switch (body.kind) {
      case 'none':
        return ''
      case 'record':
        return this.#record(body.record, side)
      case 'raw':
        return `x${body.bytes.toString('hex')}`
      case 'multi': {
        const parts = body.parts.map(({ type, err, record }) => {
          const text = record === undefined ? '' : ` ${this.#record(record, side)}`
          return `${opText(type)} err=${err}${text}`
        })
        return `[${parts.join(', ')}]`
      }
    }
  }

  #record(record: object, side: Side): string {
    const fields = new Map<string, unknown>(Object.entries(record))
    const texts = [...fields].map(
      ([name, value]) => `${name}=${this.#field(name, value, fields, side)}`,
    )
    return `{${texts.join(', ')}}`
  }

  #field(name: string, value: unknown, fields: ReadonlyMap<string, unknown>, side: Side): string {
    if (SESSIONS.has(name) && typeof value === 'bigint')
      return this.#names[side].get(value) ?? `${value}`
    if (name === 'passwd' && Buffer.isBuffer(value))
      return passwordText(value, fields.get('sessionId'))
    const zxid = fields.get(ZXID_OF_TIME.get(name) ?? '')
    if (typeof zxid === 'number' && typeof value === 'number')
      return this.#timeText(zxid, value, side)
    if (Array.isArray(value)) {
      const items = value.map((item) => this.#value(item, side))
      return `[${(SETS.has(name) ? items.sort() : items).join(', ')}]`
    }
    return this.#value(value, side)
  }

  #timeText(zxid: number, time: number, side: Side): string {
    const known = this.#times[side].get(zxid)
    if (known === undefined) this.#times[side].set(zxid, time)
    return known === undefined || known === time ? `time of ${zxid}` : `${time}`
  }

  #value(value: unknown, side: Side): string {
    if (Buffer.isBuffer(value)) return bytesText(value)
    if (typeof value === 'string') return `'${value}'`
    if (typeof value === 'object' && value !== null) return this.#record(value, side)
    return `${value}`
  }
}

const opText = (op: number | undefined): string =>
  op === undefined ? 'unasked' : (opNames.get(op) ?? `op ${op}`)

function passwordText(password: Buffer, session: unknown): string {
  if (password.equals(NO_PASSWORD)) return 'zeros'
  const isItsOwn = typeof session === 'bigint' && password.equals(sessionPassword(session))
  return isItsOwn ? 'its own' : password.toString('hex')
}

const bytesText = (bytes: Buffer): string =>
  bytes.every((byte) => byte >= 0x20 && byte < 0x7f)
    ? `'${bytes.toString('latin1')}'`
    : `x${bytes.toString('hex')}`
