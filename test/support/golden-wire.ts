import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Decoded, WireDecoder, type WireMessage } from './wire-decoder.ts'

/**
 * The recordings of test/golden/wire: real clients and a real Apache ZooKeeper 3.8.0, seen by a proxy
 * that wrote down every frame. Their README tells how they were made.
 */

export type WireEvent =
  | { readonly kind: 'open'; readonly conn: number; readonly atMs: number }
  | {
      readonly kind: 'frame'
      readonly conn: number
      readonly atMs: number
      readonly direction: 'request' | 'reply'
      /** As on the wire, length prefix included. */
      readonly bytes: Buffer
      readonly message: WireMessage
      /** As our codecs write it, length prefix included. */
      readonly rewritten: Buffer
    }
  /** One side has closed, or the proxy has cut the connection. */
  | {
      readonly kind: 'end'
      readonly conn: number
      readonly atMs: number
      readonly by: 'client' | 'server' | 'proxy'
    }

export type WireFrame = WireEvent & { readonly kind: 'frame' }

export interface Scenario {
  readonly name: string
  /** In the order in which the proxy saw them. */
  readonly events: readonly WireEvent[]
}

export interface RecordedConnection {
  readonly conn: number
  readonly requests: readonly WireFrame[]
  readonly replies: readonly WireFrame[]
}

const folder = join(import.meta.dirname, '..', 'golden', 'wire')

/** `raw-ops`, `zkcli-basic`, ... */
export const scenarioNames: readonly string[] = readdirSync(folder)
  .filter((name) => name.endsWith('.jsonl'))
  .map((name) => name.slice(0, -'.jsonl'.length))
  .sort()

/** One line of a recording. */
interface Line {
  readonly conn: number
  readonly t_ms: number
  readonly dir?: 'c2s' | 's2c'
  readonly hex?: string
  readonly event?: 'open' | 'eof' | 'cut'
}

const LENGTH_BYTES = 4

export function readScenario(name: string): Scenario {
  const decoders = new Map<number, WireDecoder>()
  const lines = readFileSync(join(folder, `${name}.jsonl`), 'utf8')
    .trim()
    .split('\n')
  const events = lines.map((text) => {
    const line: Line = JSON.parse(text)
    const decoder = decoders.get(line.conn) ?? new WireDecoder()
    decoders.set(line.conn, decoder)
    return eventOf(line, decoder)
  })
  return { name, events }
}

/** What the expected decoding of a scenario looks like, written by another decoder than ours. */
export const readScenarioText = (name: string): string =>
  readFileSync(join(folder, `${name}.txt`), 'utf8')

/** The two directions of each connection, apart. */
export function connectionsOf(scenario: Scenario): RecordedConnection[] {
  const frames = scenario.events.filter((event): event is WireFrame => event.kind === 'frame')
  const conns = [...new Set(scenario.events.map((event) => event.conn))]
  return conns.map((conn) => ({
    conn,
    requests: frames.filter((frame) => frame.conn === conn && frame.direction === 'request'),
    replies: frames.filter((frame) => frame.conn === conn && frame.direction === 'reply'),
  }))
}

function eventOf(line: Line, decoder: WireDecoder): WireEvent {
  const { conn, t_ms: atMs } = line
  if (line.event === 'open') return { kind: 'open', conn, atMs }
  if (line.event === 'cut') return { kind: 'end', conn, atMs, by: 'proxy' }
  if (line.event === 'eof')
    return { kind: 'end', conn, atMs, by: line.dir === 'c2s' ? 'client' : 'server' }
  const bytes = Buffer.from(line.hex ?? '', 'hex')
  const direction = line.dir === 'c2s' ? 'request' : 'reply'
  const { message, rewritten } = decodeFrame(bytes, direction, decoder)
  return { kind: 'frame', conn, atMs, direction, bytes, message, rewritten }
}

function decodeFrame(bytes: Buffer, direction: 'request' | 'reply', decoder: WireDecoder): Decoded {
  // The proxy writes down what it cannot cut into frames just as it came.
  const isFramed =
    bytes.length >= LENGTH_BYTES && bytes.readInt32BE(0) === bytes.length - LENGTH_BYTES
  if (!isFramed) return { message: { kind: 'undecodable', bytes }, rewritten: bytes }
  const payload = bytes.subarray(LENGTH_BYTES)
  const { message, rewritten } =
    direction === 'request' ? decoder.request(payload) : decoder.reply(payload)
  const prefix = Buffer.alloc(LENGTH_BYTES)
  prefix.writeInt32BE(rewritten.length)
  return { message, rewritten: Buffer.concat([prefix, rewritten]) }
}
